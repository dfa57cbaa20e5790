"""Compare for scripts: /generate and /models."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from minrnn.library import COMMITTEE, Entry, Library
from minrnn.ui.compare import writing
from minrnn.ui.compare.tab import WRITING
from minrnn.ui.compare.writing import ALL, Served
from minrnn.ui.components import endpoint


def endpoints(library: Library, served: Served) -> None:
    """Add /generate and /models to the current Blocks' API."""

    async def generate(
        prompt: str,
        models: str = ALL,
        preset: str = "base",
        max_new_tokens: int = 300,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
        context: int = 0,
        finish_line: int = 0,
        learn: int = 0,
        learn_rate: float = 0.05,
        request: gr.Request | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Let models continue a prompt, side by side; streams a snapshot about every 50 ms. One token is one character.

        Args:
            prompt: the text to continue; characters a model does not know are folded or dropped;
                an empty one starts from a newline.
            models: "all", or names: a list, or a text with commas between them. "committee" writes one text drawn
                from the mean of all models' probabilities.
            preset: which weights, such as "allplays", "base" or "replica"; /models lists them.
            max_new_tokens: characters to write, 1 to 5000.
            temperature: divides the logits; 0 always takes the likeliest character.
            top_k: keep the k likeliest characters only; 0 is off.
            top_p: keep the likeliest characters that together reach this probability; 1 is off.
            seed: the same seed gives the same text.
            context: characters that a model may see when it draws the next one; 0 is all of them.
            finish_line: further characters, at most, that are written to reach the end of a line.
            learn: times that a copy of each model learns the prompt before it writes, 0 to 5; 0 is off.
            learn_rate: the learning rate of that.

        Returns:
            For every model {text, tokens_per_s, ttft_s, n_params, state_bytes, finish_reason, learn_s,
            place}: the continuation alone, its rate, seconds to the first token, its weights, its state's size, null,
            "length", "stopped" or "deadline", the seconds in which it learnt the prompt, and the place in line while
            it waits, else 0.
        """
        asked = writing.request(
            {
                "prompt": "" if prompt is None else prompt,
                "models": models, "preset": preset, "max_new_tokens": max_new_tokens, "temperature": temperature,
                "top_k": top_k, "top_p": top_p, "seed": seed, "context": context, "finish_line": finish_line,
                "learn": learn, "learn_rate": learn_rate,
            }
        )  # fmt: skip
        begun = await asyncio.to_thread(writing.prepare, asked, library)
        visit = served.listeners.visit(request)
        async for snapshot in writing.snapshots(asked, begun, served.writers, visit):
            yield {key: dataclasses.asdict(text) for key, text in snapshot.items()}

    def models() -> dict[str, Any]:
        """The models that are loaded: for every preset and model its origin, shape and metrics."""
        return {
            preset: {key: _described(e) for key, e in library.models(preset).items() if key != COMMITTEE}
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
