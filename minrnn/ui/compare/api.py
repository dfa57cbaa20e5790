"""Compare for scripts: /generate and /models."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from minrnn import side_by_side
from minrnn.checked import Checked
from minrnn.config import Sampling
from minrnn.library import Entry, Library
from minrnn.runs.request import names
from minrnn.side_by_side import check_prompt, folded_for
from minrnn.ui.compare.tab import WRITING
from minrnn.ui.components import endpoint

ALL = "all"


@dataclass(frozen=True)
class _Choice(Checked):
    """Which models a script asks for."""

    preset: str = "base"
    models: list[str] = field(default_factory=lambda: [ALL])

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", names(self.models))
        super().__post_init__()

    def entries(self, library: Library) -> list[Entry]:
        """The models, in the order they are shown."""
        loaded = library.models(self.preset)
        return library.choose(self.preset, list(loaded) if self.models == [ALL] else self.models)


def endpoints(library: Library) -> None:
    """Add /generate and /models to the current Blocks' API."""

    def generate(
        prompt: str,
        models: str = ALL,
        preset: str = "base",
        max_new_tokens: int = 300,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Let models continue a prompt, side by side; streams a snapshot about every 50 ms. One token is one character.

        Args:
            prompt: the text to continue; characters a model does not know are folded or dropped;
                an empty one starts from a newline.
            models: "all", or names: a list, or a text with commas between them.
            preset: which weights, "base" or "replica".
            max_new_tokens: characters to write, 1 to 5000.
            temperature: divides the logits; 0 always takes the likeliest character.
            top_k: keep the k likeliest characters only; 0 is off.
            top_p: keep the likeliest characters that together reach this probability; 1 is off.
            seed: the same seed gives the same text.

        Returns:
            For every model {text, tokens_per_s, ttft_s, n_params, state_bytes, finish_reason}: the continuation alone,
            its rate, seconds to the first token, its weights, its state's size, and null, "length", "stopped" or
            "deadline".
        """
        sampling = Sampling(max_new_tokens, temperature, top_k, top_p, seed)
        entries = _Choice(preset, models).entries(library)  # type: ignore[arg-type]
        prompt = check_prompt(prompt)
        prompts = {entry.key: folded_for(entry.model, prompt).text for entry in entries}
        loaded = {entry.key: entry.model for entry in entries}
        for snapshot in side_by_side.write(loaded, prompts, sampling):
            yield {key: dataclasses.asdict(text) for key, text in snapshot.items()}

    def models() -> dict[str, Any]:
        """The models that are loaded: for every preset and model its origin, shape and metrics."""
        return {
            preset: {key: _described(e) for key, e in library.models(preset).items()}
            for preset in library.presets
        }

    endpoint(generate, "generate", **WRITING)
    endpoint(models, "models", queue=False)


def _described(entry: Entry) -> dict[str, Any]:
    config = {**entry.model.config.to_dict(), "vocab_size": len(entry.model.config.vocab)}
    return {
        "title": entry.title,
        "origin": entry.origin,
        "config": config,
        "metrics": entry.checkpoint.metrics,
    }
