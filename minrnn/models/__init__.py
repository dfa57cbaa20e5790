"""The language models. Importing a mixer's module enters it in the registry: this is the table of contents."""

from minrnn.models import ladder, lstm, mingru, minlstm, nanogpt  # noqa: F401  (registration)
from minrnn.models.lm import MIXERS, LanguageModel, Mixer, State, mixer_class, register, state_bytes

MODEL_NAMES = ("mingru", "minlstm", "lstm", "nanogpt")
"""The four that are compared, in the order they are shown."""

__all__ = [
    "MIXERS",
    "MODEL_NAMES",
    "LanguageModel",
    "Mixer",
    "State",
    "mixer_class",
    "register",
    "state_bytes",
]
