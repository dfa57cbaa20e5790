"""minRNN: four small character-level language models, written and trained side by side."""

__version__ = "0.1.0"
