"""What the visitors of a measurement ask, and what their seeds give where nobody else asks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch

from minrnn import checkpoint
from minrnn.config import Sampling
from minrnn.generate import stream
from minrnn.library import open_library
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.models.stepper import Stepper

PROMPT = "ROMEO:"


def arguments(chars: int, seed: int) -> dict[str, object]:
    """What a visitor asks of /generate: the models that the page starts with."""
    return {
        "prompt": PROMPT,
        "models": ",".join(names()),
        "preset": _preset(),
        "max_new_tokens": chars,
        "seed": seed,
    }


def names() -> list[str]:
    """The models that are asked: those that a visitor of the page sees first, as far as they are bundled."""
    first = [name for name in MODEL_NAMES if mixer_class(name).chosen_first]
    return [name for name in first if checkpoint.bundled(_preset(), name).is_dir()]


@cache
def _preset() -> str:
    """The weights that the page starts with, asked for once: every visitor's request names them."""
    return open_library().first


def alone(chars: int, seeds: Sequence[int], finish_line: int = 0) -> dict[int, dict[str, str]]:
    """The texts that the seeds give where nobody else asks, by seed and model."""
    torch.set_num_threads(1)
    found: dict[int, dict[str, str]] = {seed: {} for seed in seeds}
    for name in names():
        model = checkpoint.load(checkpoint.bundled(_preset(), name)).model
        stepper = Stepper(model)
        for seed in seeds:
            chunks = stream(
                model, PROMPT, Sampling(max_new_tokens=chars, seed=seed, finish_line=finish_line), stepper
            )
            found[seed][name] = "".join(chunk.text for chunk in chunks)
    return found
