"""The studies behind the weights: every model at several budgets, and on more text, each by its own recipe.

RECIPES is the one place for a recipe. A change there is all that is needed: a run that has ended by another recipe
stops being the row and becomes a trial in docs/recipes.md (see `records.collect`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from minrnn.models import MIXERS, MODEL_NAMES
from minrnn.presets import TAUGHT
from minrnn.results.study import Row, Study

BUDGETS, ALLPLAYS = "budgets", "allplays"
FIRST_SEED = 1337
TAPS = 4
"""Of the convolution that all models have, or none has: it is decided for all alike."""
CHARS_AN_ITER = 16 * 256

_SHORT = "--dropout 0 --weight-decay 0.1 --batch-size 8 --max-iters 1600 --eval-interval 133"
"""Three passes over the text: dropout costs more than it saves, and small batches learn more from a character."""

_MIDDLE = (
    "--learning-rate 0.008 --weight-decay 0.6 --batch-size 8 --max-iters 4800 --ema-decay 0.9985 "
    "--eval-interval 400"
)
"""Ten passes: dropout pays."""

_LONG = "--learning-rate 0.008 --batch-size 8 --max-iters 14650 --ema-decay 0.9985 --eval-interval 1220"
"""Six passes over all plays."""

_THIRTY = "--dropout 0.2 --weight-decay 0.6"
"""Thirty passes over tiny Shakespeare: small batches and still more decay keep the loss high on the way."""

RECIPES: Mapping[tuple[str, str], Mapping[str, str]] = {
    (BUDGETS, "3m"): dict.fromkeys(MODEL_NAMES, _SHORT),
    (BUDGETS, "10m"): {
        "mingru": f"--dropout 0.1 {_MIDDLE}",
        "minlstm": f"--dropout 0.1 {_MIDDLE} --learning-rate 0.012",
        "lstm": f"--dropout 0.15 {_MIDDLE}",
        "gru": f"--dropout 0.15 {_MIDDLE}",
        "nanogpt": f"--dropout 0.05 {_MIDDLE}",
    },
    (BUDGETS, "30m"): {
        **dict.fromkeys(MODEL_NAMES, _THIRTY),
        "nanogpt": "--dropout 0.15 --weight-decay 0.1",  # what had 1.4054 without a convolution
    },
    (ALLPLAYS, "30m"): dict.fromkeys(MODEL_NAMES, f"{_LONG} --dropout 0.05 --weight-decay 0.1")
    | {"mingru": "--dropout 0.1 --weight-decay 0.1"},  # run before the others' recipe was known
}
"""What differs by study, budget and model. A flag that stands here, too, replaces one of `_SHARED` and `_MODELS`."""

_SHARED = (
    "--n-layer 5 --n-embd 192 --optimizer muon --min-lr-ratio 0 --warmup-iters 100 --batch-size 16 --ema-decay 0.9975 "
    "--sample-interval 0"
)
_MODELS = {
    "mingru": "--mlp-ratio 4.625 --learning-rate 0.012",
    "minlstm": "--mlp-ratio 4.125 --learning-rate 0.012",
    "lstm": "--mlp-ratio 2.125 --learning-rate 0.008",
    "gru": "--mlp-ratio 3.125 --learning-rate 0.008",
    "nanogpt": "--mlp-ratio 4 --learning-rate 0.012",
}
"""The widths at which the models have 2.3 M parameters (within 5 %), and their rates."""
REPORTING = frozenset({"--preset", "--eval-interval", "--sample-interval"})
"""Flags that change what a run reports, or where its defaults come from; not what it trains."""


@dataclass(frozen=True)
class Point:
    """One place in the table of budgets: all models compared under equal conditions.

    Attributes:
        study: the study that holds its rows.
        corpus: the text that is trained on.
        budget: its name, as it stands in the names of rows.
        iters: updates of 16 windows of 256 characters.
        taps: of the convolution; 0 for none.
        seeds: of the runs of each model; the first of all has no seed in its row's name.
    """

    study: str
    corpus: str
    budget: str
    iters: int
    taps: int = TAPS
    seeds: tuple[int, ...] = (FIRST_SEED,)

    @property
    def chars(self) -> int:
        """Characters that a run reads."""
        return self.iters * CHARS_AN_ITER

    def name(self, model: str, seed: int = FIRST_SEED) -> str:
        """The name of a model's row."""
        parts = [model, self.budget, "conv" * bool(self.taps), str(seed) if seed != FIRST_SEED else ""]
        return "-".join(filter(None, parts))

    def row(self, model: str, seed: int = FIRST_SEED) -> Row:
        """The run of a model, with flags that say shape, recipe and budget whatever the preset becomes."""
        preset = "base" if self.study == BUDGETS else self.study
        own = {
            "--preset": preset, "--model": model, "--corpus": self.corpus, "--conv-kernel": str(self.taps),
            "--max-iters": str(self.iters), "--eval-interval": str(self.iters // 12), "--seed": str(seed),
        }  # fmt: skip
        recipe = options(RECIPES[self.study, self.budget][model])
        chosen = own | options(_SHARED) | options(_MODELS[model]) | recipe
        label = (
            f"{MIXERS[model].title}, {self.chars / 1e6:.1f} M, {'Conv4' if self.taps else 'no convolution'}"
        )
        label += f", seed {seed}" * (len(self.seeds) > 1)
        return Row(self.name(model, seed), label, as_flags(chosen))

    def rows(self) -> list[Row]:
        """The runs of all models, one seed after another."""
        return [self.row(model, seed) for seed in self.seeds for model in MODEL_NAMES]


def options(flags: str) -> dict[str, str]:
    """Flags and their values, in order; every flag of these studies has one."""
    words = shlex.split(flags)
    return dict(zip(words[::2], words[1::2], strict=True))


def as_flags(chosen: Mapping[str, str]) -> str:
    """What `options` reads, as a shell would have it."""
    return shlex.join(word for pair in chosen.items() for word in pair)


POINTS = (
    Point(BUDGETS, "tinyshakespeare", "3m", 800),
    Point(BUDGETS, "tinyshakespeare", "3m", 800, taps=0),
    Point(BUDGETS, "tinyshakespeare", "10m", 2_400, seeds=(FIRST_SEED, 1338, 1339)),
    Point(BUDGETS, "tinyshakespeare", "10m", 2_400, taps=0),
    Point(BUDGETS, "tinyshakespeare", "30m", 7_325),
    Point(ALLPLAYS, "allplays", "30m", 7_325),
)
"""Every place in the table. Further seeds are added here."""
TAUGHT_POINT, TAUGHT_MODEL = POINTS[2], "mingru"
"""What a model is taught at: by the recipe, the budget and the seed of its row there."""


def _study(name: str, question: str) -> Study:
    return Study(name, question, tuple(row for p in POINTS if p.study == name for row in p.rows()))


def _taught(row: Row) -> Row:
    """A row of `base` with the teachers that the preset names."""
    flags = as_flags(options(row.flags) | {"--preset": TAUGHT})
    return Row(row.name, f"{row.label}, taught by the five of base", flags)


STUDIES = (
    _study(BUDGETS, "Which model is best at which budget?"),
    _study(ALLPLAYS, "What does more text change?"),
    Study(TAUGHT, "What do teachers change?", (_taught(TAUGHT_POINT.row(TAUGHT_MODEL)),)),
)
WEIGHTS = tuple(study.name for study in STUDIES)
