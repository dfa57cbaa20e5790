"""The language models. Importing a mixer's module registers it, so the import line is the table of contents.

The order of the imports is the order in which the models are shown.
"""

from minrnn.models import mingru, minlstm, lstm, gru, nanogpt, ladder  # noqa: F401, I001  (registration)
from minrnn.models.committee import CharModel, Committee
from minrnn.models.lm import LanguageModel
from minrnn.models.mixer import MIXERS, Mixer, State, mixer_class, register, state_bytes

MODEL_NAMES = tuple(name for name, mixer in MIXERS.items() if mixer.compared)
"""The models that are compared, in the order they are shown."""

__all__ = [
    "MIXERS",
    "MODEL_NAMES",
    "CharModel",
    "Committee",
    "LanguageModel",
    "Mixer",
    "State",
    "mixer_class",
    "register",
    "state_bytes",
]
