"""The models of a preset together: the loss of the mean of their probabilities, plain, carried, and while learning.

The figures stand in together.json beside this file, made by `python -m minrnn results --together PRESET`. They are
other measures than a single model's loss: several models read the text, and the last column's change while they read.
Figures of weights that are no longer the bundled ones are kept in the file and shown nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from minrnn import checkpoint
from minrnn.corpora import Corpus, splits
from minrnn.errors import CheckpointError
from minrnn.files import write_text
from minrnn.learn import learning_loss
from minrnn.models import Committee
from minrnn.results import inside
from minrnn.results.figures import Result, bundled, title
from minrnn.results.tables import NOT_YET, loss, table
from minrnn.text import CharVocab

STORED = Path(__file__).with_name("together.json")
RATE = 0.05
"""Of learning: the middle one of the three that were tried for each model of `base`, see docs/inside.md."""
HEAD = ("", "windows", "carried", "carried and learning")


@dataclass(frozen=True)
class Together:
    """What the committee of a preset was measured to reach, in nats per character.

    Attributes:
        weights: model -> the first digits of the SHA-256 of its weights.
        val_loss: over windows, each from an empty state.
        carried: the same characters with the states carried on.
        learning: carried, and every model learns what it has read; each character is scored before it is learnt.
        rate: of that learning.
    """

    weights: dict[str, str]
    val_loss: float
    carried: float
    learning: float
    rate: float


FORM = TypeAdapter(dict[str, Together])


def measure(preset: str, corpus: Corpus) -> Together:
    """Score the committee of all bundled models of a preset; takes some minutes.

    Raises:
        CheckpointError: if fewer than two are bundled, or one is damaged.
    """
    members = members_of(preset)
    if len(members) < 2:
        raise CheckpointError(f"{preset} has {len(members)} bundled models; a committee needs two or more.")
    weights = digests(members)  # before they are read, as what is written there meanwhile is not measured
    committee = Committee([checkpoint.load(str(r.folder)).model for r in members])
    scores = checkpoint.score(committee, corpus)
    _, val = splits(corpus, CharVocab(committee.config.vocab))
    return Together(
        weights,
        round(scores["val_loss"], 5),
        round(scores["val_loss_streaming"], 5),
        round(learning_loss(committee, val, RATE), 5),
        RATE,
    )


def members_of(preset: str) -> list[Result]:
    """The bundled checkpoints of a preset, in the order they are shown."""
    return [result for result in bundled() if result.preset == preset]


def digests(members: Sequence[Result]) -> dict[str, str]:
    """The first digits of the SHA-256 of each member's weights."""
    return {r.model: inside.weights_digest(r.model, r.preset) for r in members}


def stored(path: Path = STORED) -> dict[str, Together]:
    """The figures that are shipped of the weights that are bundled, by preset; {} where none were measured."""
    return {preset: one for preset, one in read(path).items() if one.weights == digests(members_of(preset))}


def read(path: Path = STORED) -> dict[str, Together]:
    """As `stored`, with those of other weights than the bundled ones."""
    return FORM.validate_json(path.read_bytes()) if path.is_file() else {}


def save(found: Mapping[str, Together], path: Path = STORED) -> None:
    """Write the figures, one preset a line."""
    data = FORM.dump_python(dict(found), mode="json")
    lines = [f"{json.dumps(preset)}: {json.dumps(one)}" for preset, one in data.items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def sentence(one: Together, members: Sequence[Result]) -> str:
    """How far below its best member the committee is.

    Args:
        one: the committee.
        members: its models, which have a loss each.
    """
    best = min(members, key=lambda r: r.loss)
    below = round(best.loss, 3) - round(one.val_loss, 3)
    return (
        f"Together, by the mean of their probabilities, the {len(members)} models have {one.val_loss:.3f} nats per "
        f"character over windows, {abs(below):.3f} {'below' if below > 0 else 'above'} the best of them "
        f"({best.title}, {best.loss:.3f}); {one.carried:.3f} with the states carried on; {one.learning:.3f} if they "
        f"also learn what they read at a rate of {one.rate:g}, each character scored before it is learnt."
    )


def section() -> str:
    """The figures of every preset that was measured, as Markdown."""
    today = stored()
    return "\n\n".join(_of(p, today[p]) if p in today else _not_measured(p) for p in read()) or NOT_YET


def _not_measured(preset: str) -> str:
    command = f"python -m minrnn results --together {preset}"
    return f"**`{preset}`**: not measured together for these weights. `{command}` does it."


def _of(preset: str, one: Together) -> str:
    """A preset's sentence, figures and command."""
    members = members_of(preset)
    alone = {name: found.learning for name, found in inside.load(preset).items()}
    rows = [
        [r.title, loss(r.val_loss), loss(r.val_loss_streaming), loss(alone.get(r.model))] for r in members
    ]
    rows.append(["together", *(f"**{loss(value)}**" for value in (one.val_loss, one.carried, one.learning))])
    folders = " ".join(f"checkpoints/{preset}/{r.model}" for r in members)
    rates = ""
    if alone:
        model = min(alone, key=lambda name: alone[name])
        rates = (
            f"Alone, each model learns at its own rate ([docs/inside.md](docs/inside.md)); {title(model)} has "
            f"{alone[model]:.3f} then. The command gives the row of all together."
        )
    command = f"```\npython -m minrnn eval {folders} --learn {one.rate:g} --json\n```"
    head = f"**`{preset}`**: {sentence(one, members)} {rates}".strip()
    return "\n\n".join([head, table(HEAD, rows, range(1, len(HEAD))), command])
