"""The named sizes and recipes, as data: for every preset and model a shape and a training recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from minrnn.checked import shown
from minrnn.config import ModelConfig, TrainConfig
from minrnn.errors import ConfigError

DEFAULT_CORPUS = "tinyshakespeare"


@dataclass(frozen=True)
class Preset:
    """A shape, a recipe and a text.

    Attributes:
        model: the shape; its vocabulary is still empty, to be filled from the text.
        train: recipe and budget.
        corpus: what is trained on where nothing else is said.
        teachers: models of the bundled `base` that teach it where nothing else is said.
    """

    model: ModelConfig
    train: TrainConfig
    corpus: str = DEFAULT_CORPUS
    teachers: tuple[str, ...] = ()


def get(preset: str, model: str) -> Preset:
    """The preset of that name for that model.

    Raises:
        ConfigError: if there is no such preset, or it lacks the model.
    """
    if preset not in PRESETS:
        raise ConfigError(f"preset {shown(preset)} is not known; choose one of: {', '.join(PRESETS)}.")
    if model not in PRESETS[preset]:
        raise ConfigError(
            f"preset {preset} has no model {shown(model)}; choose one of: {', '.join(PRESETS[preset])}."
        )
    return PRESETS[preset][model]


# Models of 2.3 M parameters (within 5 %), all with a convolution, each by its best recipe for 9.8 M characters of tiny
# Shakespeare; docs/recipes.md has the search, results/weights_studies.py the rows of other budgets.
_BASE_TRAIN = TrainConfig(
    optimizer="muon",
    learning_rate=8e-3,
    min_lr_ratio=0.0,
    weight_decay=0.6,
    batch_size=8,
    max_iters=4_800,
    ema_decay=0.9985,
    eval_interval=400,
)


def _base(
    mixer: str, mlp_ratio: float, dropout: float, rate: float = _BASE_TRAIN.learning_rate, **more: Any
) -> Preset:
    shape = ModelConfig(mixer, n_layer=5, n_embd=192, mlp_ratio=mlp_ratio, dropout=dropout, **more)
    return Preset(shape, replace(_BASE_TRAIN, learning_rate=rate))


_BASE = {
    "mingru": _base("mingru", 4.625, 0.1),
    "minlstm": _base("minlstm", 4.125, 0.1, 1.2e-2),
    "lstm": _base("lstm", 2.125, 0.15),
    "gru": _base("gru", 3.125, 0.15),
    "nanogpt": _base("nanogpt", 4, 0.05, bias=False, tie_head=True),
}

# The same shapes trained on all plays: more text needs less dropout and decay, and more iters.
ALLPLAYS = "allplays"


def _allplays(name: str) -> Preset:
    base = _BASE[name]
    recipe = replace(base.train, learning_rate=8e-3, weight_decay=0.1, max_iters=14_650, eval_interval=1_220)
    return Preset(replace(base.model, dropout=0.05), recipe, ALLPLAYS)


_ALLPLAYS = {name: _allplays(name) for name in _BASE}

# minGRU once more, taught by the five of base: what scarce text does not tell, their probabilities do.
TAUGHT = "taught"
_TAUGHT = {"mingru": replace(_BASE["mingru"], teachers=tuple(_BASE))}

SPRINT, SPRINT_MODEL = "sprint", "mingru"
"""The preset, and the model that is the fastest to a good loss with it."""

# Two passes over the text: dropout would cost more than it saves. Batches of 8 learn more from each character, but in
# the same time two processes read a third fewer of them (docs/recipes.md).
_SPRINT_TRAIN = replace(
    _BASE_TRAIN,
    weight_decay=0.1,
    batch_size=16,
    max_iters=460,
    warmup_iters=50,
    ema_decay=0.996,
    eval_interval=230,
    sample_interval=0,
)


_SPRINT_RATES = {"lstm": 8e-3, "gru": 8e-3}


def _sprint(name: str) -> Preset:
    recipe = replace(_SPRINT_TRAIN, learning_rate=_SPRINT_RATES.get(name, 1.2e-2))
    return Preset(replace(_BASE[name].model, dropout=0), recipe)


_SPRINT = {name: _sprint(name) for name in _BASE}

# The replication's shapes: two plain layers of 128 read in windows of 100 (nanoGPT: two residual layers).
_REPLICA_TRAIN = TrainConfig(
    optimizer="muon",
    learning_rate=1e-2,
    max_iters=4_000,
    batch_size=100,
    weight_decay=0.01,
    eval_interval=200,
    sample_interval=1_000,
    score_train=True,
)


def _plain(mixer: str) -> ModelConfig:
    return ModelConfig(
        mixer, n_layer=2, n_embd=128, block_size=100, mlp_ratio=0, conv_kernel=0, block="plain"
    )


_REPLICA = {
    "mingru": Preset(_plain("mingru"), _REPLICA_TRAIN),
    "minlstm": Preset(_plain("minlstm"), _REPLICA_TRAIN),
    "lstm": Preset(replace(_plain("lstm"), dropout=0.2), _REPLICA_TRAIN),
    "gru": Preset(replace(_plain("gru"), dropout=0.2), _REPLICA_TRAIN),
    "nanogpt": Preset(
        ModelConfig(
            "nanogpt",
            n_layer=2,
            n_embd=128,
            block_size=100,
            mlp_ratio=4,
            conv_kernel=0,
            bias=False,
            tie_head=True,
        ),
        _REPLICA_TRAIN,
    ),
}

# The rungs between the LSTM and minGRU, in the replication's shape; docs/replication.md has the widths.
# AdamW is the nearest to the replication's Adam. Few iters are enough to compare the rungs.
# In float32 no rung's gates are rounded more than another's.
_LADDER_TRAIN = TrainConfig(
    learning_rate=5e-3,
    max_iters=500,
    batch_size=100,
    weight_decay=0.01,
    eval_interval=25,
    sample_interval=0,
    score_train=True,
    dtype="float32",
)
_LADDER = {
    name: Preset(_plain(name), _LADDER_TRAIN)
    for name in ("lstm", "lstm_x_gates", "lstm_x", "lstm_no_output", "lstm_linear", "minlstm", "mingru")
}

# Readable words within half a minute on two cores. By characters batches of 8 learn more, by seconds these do.
_TINY_TRAIN = TrainConfig(
    optimizer="muon",
    learning_rate=1e-2,
    max_iters=400,
    warmup_iters=20,
    batch_size=16,
    ema_decay=0.98,
    eval_interval=40,
    eval_chars=8_192,
    score_chars=32_768,
    sample_interval=80,
    sample_chars=160,
)


def _tiny(mixer: str, conv_kernel: int = 0) -> Preset:
    shape = ModelConfig(mixer, n_layer=2, n_embd=96, block_size=96, mlp_ratio=2, conv_kernel=conv_kernel)
    return Preset(shape, _TINY_TRAIN)


_TINY = {
    "mingru": _tiny("mingru", 4),
    "minlstm": _tiny("minlstm", 4),
    "lstm": _tiny("lstm"),
    "gru": _tiny("gru"),
    "nanogpt": _tiny("nanogpt"),
}

# Tasks: the same 600 batches for every model, half a minute of one core at most; docs/tasks.md has the search.
_TASK_TRAIN = TrainConfig(
    learning_rate=3e-3,
    warmup_iters=20,
    batch_size=64,
    max_iters=600,
    max_seconds=30,
    ema_decay=0.98,
    eval_interval=50,
    eval_chars=8_192,
    sample_interval=0,
)


def _task(mixer: str, learning_rate: float) -> Preset:
    """A block of 1,024 is sixteen times the longest trained length, so that learned positions reach to the longest
    text that is scored."""
    shape = ModelConfig(mixer, n_layer=2, n_embd=64, block_size=1_024, mlp_ratio=2, conv_kernel=0)
    return Preset(shape, replace(_TASK_TRAIN, learning_rate=learning_rate))


_TASK = {
    "mingru": _task("mingru", 1e-2),
    "minlstm": _task("minlstm", 1e-2),
    "lstm": _task("lstm", 1e-2),
    "gru": _task("gru", 1e-2),
    "nanogpt": _task("nanogpt", 3e-3),
}

ABOUT: Mapping[str, str] = {
    "base": "2.3 M parameters, 9.8 M characters read of tiny Shakespeare",
    ALLPLAYS: "2.3 M parameters, 30.0 M characters read of all plays",
    TAUGHT: "minGRU of base, taught by the five of base",
    SPRINT: "the shapes of base, three minutes on two cores",
    "replica": "the shapes of the student replication",
    "ladder": "the steps between the LSTM and minGRU, one taken at a time",
    "tiny": "readable words within half a minute",
    "task": "two layers of 64 for a task, half a minute at most",
}
"""One line about each preset, for people."""

PRESETS: Mapping[str, Mapping[str, Preset]] = {
    "base": _BASE,
    ALLPLAYS: _ALLPLAYS,
    TAUGHT: _TAUGHT,
    SPRINT: _SPRINT,
    "replica": _REPLICA,
    "ladder": _LADDER,
    "tiny": _TINY,
    "task": _TASK,
}

OFFERED = ("tiny", SPRINT, "base", ALLPLAYS, "replica")
"""The presets that the form for texts offers; one whose text this machine lacks is left out."""
TRAINED = (*OFFERED, "task")
"""The presets that the page and the API train; the ladder is for studies."""

FIRST_PRESET, FIRST_MODELS = "tiny", ("mingru", "nanogpt")
"""Defaults: the page's form ticks these models, a command or a script without a model trains the first of them."""
