"""What longer, shorter and repeated runs of the base models reached: figures from the studies, shipped with the page.

The studies themselves lie in docs/studies.json, outside the package. `renew` copies what the page needs.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minrnn import presets
from minrnn.files import write_text
from minrnn.models import MODEL_NAMES
from minrnn.results import Curve, Result
from minrnn.results.records import Record, load
from minrnn.ui.theme import STATIC, static

SHIPPED = "results-studies.json"
STUDIES = ("conv", "seeds", "long")
DOCS = Path(__file__).resolve().parents[3] / "docs" / "studies.json"


@dataclass(frozen=True)
class Run:
    """One run of a study.

    Attributes:
        study: "conv": a third of the characters, with and without convolution; "seeds": the base recipe with other
            seeds; "long": twice the characters.
        row: its name in the study.
        model: the name of its mixer.
        val_loss: over windows, nats per character.
        tokens_seen: characters read.
        curve_tokens: characters read at each evaluation.
        curve_val_loss: the estimates of the validation loss there.
    """

    study: str
    row: str
    model: str
    val_loss: float
    tokens_seen: int
    curve_tokens: tuple[int, ...]
    curve_val_loss: tuple[float, ...]

    @property
    def curve(self) -> Curve:
        """Its estimates against characters read; the studies keep neither iters nor seconds."""
        return Curve([], list(self.curve_tokens), [], list(self.curve_val_loss))


@cache
def runs() -> tuple[Run, ...]:
    """The runs that are shipped, in the order of the studies."""
    found = json.loads(static(SHIPPED))
    for run in found:
        run["curve_tokens"], run["curve_val_loss"] = tuple(run["curve_tokens"]), tuple(run["curve_val_loss"])
    return tuple(Run(**run) for run in found)


def pick(records: Mapping[str, Mapping[str, Record]]) -> list[Run]:
    """The runs of these studies that the page shows.

    Args:
        records: all studies, as `minrnn.results.records` reads them.
    """
    rows = [(study, name, r) for study in STUDIES for name, r in records.get(study, {}).items()]
    return [_run(study, name, r) for study, name, r in rows if not r.failed]


def renew(docs: Path = DOCS) -> None:
    """Copy the runs that the page shows from docs/studies.json to the package's data."""
    lines = [json.dumps(dataclasses.asdict(run), ensure_ascii=False) for run in pick(load(docs))]
    write_text(STATIC / SHIPPED, "[\n" + ",\n".join(lines) + "\n]\n")


def convolution(model: str, taps: int) -> float | None:
    """The loss of a model after a third of the base characters, with or without a convolution; None if not run."""
    return next((run.val_loss for run in runs() if run.row == f"{model}-conv-{taps}"), None)


def budgets(result: Result) -> list[Run]:
    """Complete runs of a base model's own recipe that read fewer or more characters than the bundled one."""
    if result.preset != "base" or result.model not in presets.PRESETS["base"]:
        return []
    recipe = f"{result.model}-conv-{presets.get('base', result.model).model.conv_kernel}"
    return [r for r in runs() if r.model == result.model and (r.study == "long" or r.row == recipe)]


def spread(own: Sequence[Result]) -> float:
    """How far the losses of one base model lie apart when only the seed differs: the widest of the models' ranges."""
    ranges = [0.0]
    for result in own:
        again = [run.val_loss for run in runs() if run.study == "seeds" and run.model == result.model]
        if result.preset == "base" and again:
            ranges.append(max(*again, result.loss) - min(*again, result.loss))
    return max(ranges)


def _run(study: str, name: str, r: Record) -> Run:
    model = next(model for model in MODEL_NAMES if name.startswith(f"{model}-"))
    return Run(study, name, model, r.val_loss, r.tokens_seen, tuple(r.curve_tokens), tuple(r.curve_val_loss))
