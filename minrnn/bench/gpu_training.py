"""Training and writing on a GPU: characters a second, peak memory, and the time to the base minGRU's loss."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from minrnn import checkpoint, corpora, presets, train
from minrnn.bench.gpu_plan import Plan, Row
from minrnn.bench.random_text import VOCAB, random_corpus
from minrnn.config import DeviceName, Sampling, TrainConfig
from minrnn.draw import Draw
from minrnn.errors import MinrnnError
from minrnn.evaluate import windowed_loss
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.models.graph import captured
from minrnn.text import CharVocab

GOAL_MODEL = "mingru"
GOAL_SECONDS = 60.0
MOST_SECONDS = 120.0
"""A training that takes longer is stopped: the figure is known to be short."""
SPREAD = 0.005
"""How far a run may end from the bundled one: another card rounds differently, as another seed does."""


def begun(plan: Plan, name: str, **recipe: Any) -> Iterator[train.Iter]:
    """The iters of a training of a preset's model on made-up text."""
    preset = presets.get(plan.preset, name)
    config = _on(plan, preset.train, eval_interval=0, sample_interval=0, max_iters=10**6, **recipe)
    model = train.new_model(lambda: LanguageModel(replace(preset.model, vocab=VOCAB)), config)
    events = train.train(train.begin(model, config), random_corpus(400_000), config)
    yield from (event for event in events if isinstance(event, train.Iter))


def _on(plan: Plan, config: TrainConfig, **changes: Any) -> TrainConfig:
    device: DeviceName = "cuda" if plan.device.type == "cuda" else "cpu"
    return replace(config, device=device, **changes)


def rates(plan: Plan) -> Iterator[Row]:
    """Characters a second of every model's training; of some with torch.compile, and in float32."""
    for name in MODEL_NAMES:
        plain, peak = _rate(plan, name)
        memory = f"peak memory {peak / 1e6:,.0f} MB" if peak else ""
        yield Row(f"{plan.preset} {name}: training", plain, "characters/s", note=memory)
        if name in plan.compiled:
            fused, _ = _rate(plan, name, compile=True)
            yield Row(f"{plan.preset} {name}: with torch.compile", fused / plain, "times as fast")
            wide, _ = _rate(plan, name, dtype="float32")
            yield Row(f"{plan.preset} {name}: in float32", wide / plain, "times as fast")


def _rate(plan: Plan, name: str, **recipe: Any) -> tuple[float, int]:
    """Characters a second over the second half of some iters, and the most memory that was held."""
    if plan.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(plan.device)
    events = begun(plan, name, **recipe)
    iters = [next(events) for _ in range(plan.iters)]
    events.close()  # type: ignore[attr-defined]
    peak = torch.cuda.max_memory_allocated(plan.device) if plan.device.type == "cuda" else 0
    late = iters[len(iters) // 2 :]
    return iters[0].tokens / statistics.median(it.iter_seconds for it in late), peak


def goal(plan: Plan) -> Iterator[Row]:
    """The base minGRU trained by its whole recipe on tiny Shakespeare: seconds, and the loss at the end."""
    if not plan.trains_to_goal:
        return
    preset = presets.get(plan.preset, GOAL_MODEL)
    try:
        corpus = corpora.load("tinyshakespeare")
        bundled = checkpoint.load(checkpoint.bundled(plan.preset, GOAL_MODEL)).metrics["val_loss"]
    except MinrnnError as error:
        yield Row(f"{plan.preset} {GOAL_MODEL}: its goal loss", None, note=str(error))
        return
    config = _on(plan, preset.train, sample_interval=0)
    model = train.new_model(lambda: LanguageModel(replace(preset.model, vocab=corpus.vocab)), config)
    state = train.begin(model, config)
    started = time.perf_counter()
    late = started + MOST_SECONDS
    for _ in train.train(state, corpus, config, should_stop=lambda: time.perf_counter() > late):
        pass
    taken = time.perf_counter() - started
    loss = windowed_loss(state.average, corpora.splits(corpus, CharVocab(corpus.vocab))[1])
    what = f"{plan.preset} {GOAL_MODEL}: "
    yield Row(what + "its whole recipe", taken, "s", GOAL_SECONDS, at_most=True, note=f"{state.iter:,} iters")
    yield Row(what + "validation loss after it", loss, "nats", round(bundled + SPREAD, 4), at_most=True)


def decoding(plan: Plan) -> Iterator[Row]:
    """Characters a second of every model that writes one text: through `forward`, and by a graph of it."""
    for name in MODEL_NAMES:
        model = LanguageModel(replace(presets.get(plan.preset, name).model, vocab=VOCAB))
        model = model.to(plan.device).eval()
        plain = _written(model, plan, graph=False)
        yield Row(f"{plan.preset} {name}: writing through forward", plain, "characters/s")
        fast = _written(model, plan, graph=True)
        if fast:
            yield Row(f"{plan.preset} {name}: writing by a graph", fast / plain, "times as fast")


def _written(model: LanguageModel, plan: Plan, graph: bool) -> float:
    """Characters a second; 0 for a model without a graph."""
    with torch.inference_mode():
        logits, state = model(torch.tensor([[1, 2, 3]], device=plan.device))
        step: Callable[[int], Any] | None = captured(model, state, plan.graph) if graph else None
        if graph and step is None:
            return 0.0
        draw, token = Draw(Sampling(), len(VOCAB)), 0
        started = time.perf_counter()
        for _ in range(plan.chars):
            if step is None:
                logits, state = model(torch.tensor([[token]], device=plan.device), state)
                token = draw(logits[0, -1].float().cpu().numpy())
            else:
                token = draw(step(token))
        return plan.chars / (time.perf_counter() - started)
