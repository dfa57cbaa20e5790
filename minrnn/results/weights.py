"""What every model reached at every budget: the figures behind the finding, as they are shipped with the page.

The figures stand in weights.json beside this file. `python -m minrnn study run budgets allplays taught` trains the
rows, and `python -m minrnn study report` makes the file from their records.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from minrnn import presets
from minrnn.config import TrainConfig
from minrnn.errors import ConfigError
from minrnn.files import write_text
from minrnn.models import MODEL_NAMES
from minrnn.presets import TAUGHT
from minrnn.results.figures import Result
from minrnn.results.records import TRIALS, Record
from minrnn.results.weights_studies import (
    FIRST_SEED,
    POINTS,
    TAUGHT_MODEL,
    TAUGHT_POINT,
    WEIGHTS,
    Point,
)
from minrnn.runs import spec as specs
from minrnn.runs.spec import CHANGEABLE, RunSpec

SHIPPED = Path(__file__).with_name("weights.json")
SPREAD_DIGITS = 5
"""Of the spread of seeds."""
BUDGET_FIELDS = {"max_iters", "max_seconds", "target_val_loss"}
REPORTED: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(TrainConfig)
    if field.name in CHANGEABLE - BUDGET_FIELDS
}
"""Fields of a recipe that do not change what is trained, with their defaults."""


@dataclass(frozen=True)
class Run:
    """One run of a model at a point of the table.

    Attributes:
        study: the study of its row.
        row: its name in the study.
        model: the name of its mixer.
        seed: of the run.
        val_loss: over windows, nats per character.
        val_loss_streaming: the same characters with the state carried; None where a sample was scored.
        tokens_seen: characters read.
        seconds: training time, evaluations included.
        curve_tokens: characters read at each evaluation.
        curve_val_loss: the estimates of the validation loss there.
    """

    study: str
    row: str
    model: str
    seed: int
    val_loss: float
    val_loss_streaming: float | None
    tokens_seen: int
    seconds: float
    curve_tokens: tuple[int, ...] = ()
    curve_val_loss: tuple[float, ...] = ()


@dataclass(frozen=True)
class Weights:
    """The table of budgets.

    Attributes:
        spread: how far the loss of one model moves when only the seed changes, in nats per character: the widest
            range over the models that were trained with several seeds; 0 where none was.
        runs: those that have ended, in the order of the studies.
    """

    spread: float = 0.0
    runs: tuple[Run, ...] = ()

    def at(self, point: Point) -> dict[str, list[Run]]:
        """The runs at a point by model, seeds in order; models without a run are left out."""
        names = {(point.study, point.name(m, seed)): m for m in MODEL_NAMES for seed in point.seeds}
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            if model := names.get((run.study, run.row)):
                found.setdefault(model, []).append(run)
        return {model: found[model] for model in MODEL_NAMES if model in found}

    def losses(self, point: Point) -> dict[str, list[float]]:
        """The validation losses at a point, by model; one for each seed."""
        return {model: [run.val_loss for run in runs] for model, runs in self.at(point).items()}

    def missing(self) -> int:
        """How many rows of the studies have not been run."""
        return sum(len(p.rows()) for p in POINTS) - sum(
            len(runs) for p in POINTS for runs in self.at(p).values()
        )

    def convolution(self, model: str, chars: int, taps: int) -> float | None:
        """The first seed's loss of a model on the benchmark text, with or without a convolution; None if not run."""
        for p in POINTS:
            if (p.corpus, p.chars, p.taps) == (presets.DEFAULT_CORPUS, chars, taps) and model in self.at(p):
                return self.at(p)[model][0].val_loss
        return None

    def budgets(self, result: Result) -> list[Run]:
        """The first seed's runs of a bundled model's shape on its text with more or fewer characters."""
        shape = presets.PRESETS.get(result.preset, {}).get(result.model)
        taps, base = shape.model.conv_kernel if shape else 0, presets.PRESETS["base"].get(result.model)
        if shape is None or base is None or shape.model.n_embd != base.model.n_embd:
            return []
        rows = {
            (p.study, p.name(result.model)): p for p in POINTS if (p.corpus, p.taps) == (result.corpus, taps)
        }
        found = [run for run in self.runs if (run.study, run.row) in rows]
        return [run for run in found if rows[run.study, run.row].chars != result.tokens_seen]


FORM = TypeAdapter(Weights)


@cache
def stored() -> Weights:
    """The table that is shipped."""
    return FORM.validate_json(SHIPPED.read_bytes())


def gather(records: Mapping[str, Mapping[str, Record]]) -> Weights:
    """The table, from the records of all studies and trials."""
    rows = [
        (p.study, p.name(model, seed), model, seed)
        for p in POINTS
        for model in MODEL_NAMES
        for seed in p.seeds
    ] + [(TAUGHT, TAUGHT_POINT.name(TAUGHT_MODEL), TAUGHT_MODEL, FIRST_SEED)]
    runs = [
        _run(study, name, model, seed, r)
        for study, name, model, seed in rows
        if (r := records.get(study, {}).get(name)) is not None and not r.failed
    ]
    return Weights(spread(records), tuple(runs))


def save(weights: Weights, path: Path) -> None:
    """Write the table, one run a line, so that a change is seen for what it is."""
    data = FORM.dump_python(weights, mode="json")
    lines = ",\n".join(json.dumps(run, ensure_ascii=False) for run in data["runs"])
    write_text(path, f'{{"spread": {weights.spread}, "runs": [\n{lines}\n]}}\n')


def spread(records: Mapping[str, Mapping[str, Record]]) -> float:
    """How far one model's loss moves with the seed alone: by the rows of the studies once a point has all its seeds;
    until then by the trials of `base`, too, for two seeds of one model may lie close by chance."""
    rows = [r for study in WEIGHTS for r in records.get(study, {}).values()]
    trials = [r for r in records.get(TRIALS, {}).values() if r.settings.get("preset") == "base"]
    ended = {(study, name) for study in WEIGHTS for name, r in records.get(study, {}).items() if not r.failed}
    several = [p for p in POINTS if len(p.seeds) > 1]
    whole = any(all((p.study, row.name) in ended for row in p.rows()) for p in several)
    return _widest(rows) if whole else max(_widest(rows), _widest(trials))


def _widest(records: Iterable[Record]) -> float:
    """The widest range of the losses of runs that differ by their seeds alone."""
    groups: dict[RunSpec, dict[int, float]] = {}
    for r in records:
        spec = None if r.failed else _spec(r)
        if spec is not None:
            groups.setdefault(_without_seed(spec), {})[spec.train.seed] = r.val_loss
    ranges = [max(by_seed.values()) - min(by_seed.values()) for by_seed in groups.values()]
    return round(max(ranges, default=0.0), SPREAD_DIGITS)


def _without_seed(spec: RunSpec) -> RunSpec:
    """What a run trains, apart from its seed and from what it reports."""
    recipe = dataclasses.replace(spec.train, seed=FIRST_SEED, **REPORTED)
    return dataclasses.replace(spec, train=recipe, preset="", corpus_sha256="")


def _spec(r: Record) -> RunSpec | None:
    """What a record's run trained; None where today's models no longer have it."""
    try:
        return specs.from_dict(r.settings)
    except ConfigError:
        return None


def _run(study: str, name: str, model: str, seed: int, r: Record) -> Run:
    curve = (tuple(r.curve_tokens), tuple(r.curve_val_loss))
    return Run(study, name, model, seed, r.val_loss, r.val_loss_streaming, r.tokens_seen, r.seconds, *curve)
