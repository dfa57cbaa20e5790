"""minRNN: small character-level language models of equal size, written and trained side by side.

The names below are imported when they are first used, so that `import minrnn` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minrnn.checkpoint import load as load
    from minrnn.config import ModelConfig as ModelConfig
    from minrnn.config import Sampling as Sampling
    from minrnn.config import TrainConfig as TrainConfig
    from minrnn.generate import stream as stream
    from minrnn.models import LanguageModel as LanguageModel

__version__ = "0.1.0"
_PUBLIC = {
    "LanguageModel": "minrnn.models",
    "ModelConfig": "minrnn.config",
    "Sampling": "minrnn.config",
    "TrainConfig": "minrnn.config",
    "load": "minrnn.checkpoint",
    "stream": "minrnn.generate",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
