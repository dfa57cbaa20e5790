"""The weights behind the table of budgets, so that everybody can score them again.

Those that are bundled lie where they are; all others beside them, in half precision, which moves no loss by more than
0.0001. The page does not show them, and a Space does not get them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from minrnn import checkpoint
from minrnn.models import disk
from minrnn.results import records
from minrnn.results.figures import bundled
from minrnn.results.records import Record
from minrnn.results.study import Row, Study
from minrnn.runs.folder import MODEL

LEAST_DIGITS = 5
"""Of the losses in a record: older ones have no more."""
FOLDER = "rows"
"""Where they lie among the bundled weights: one level deeper than a preset's, where nothing takes them for bundled."""


def keep(study: Study, row: Row, run: Path) -> Path | None:
    """Write, in half precision, the weights of a row that has ended, unless they are bundled.

    Args:
        study: the study.
        row: one of its rows.
        run: the row's folder.

    Returns:
        Where they lie now; None where the run has not ended, or had another recipe.

    Raises:
        CheckpointError: if the run's folder is damaged.
    """
    if records.other_recipe(row, records.settings_of(run)) or (made := records.record(run)) is None:
        return None
    if (own := _bundled(made)) is not None:
        return own
    target, model = _folder(study.name, row.name), checkpoint.load(run / MODEL).model
    disk.write(target, model.config, {name: w.half() for name, w in model.state_dict().items()})
    return target


def scores(study: Study, rows: Mapping[str, Record]) -> Iterator[str]:
    """The command that scores each row's weights, for those that are here."""
    for row in study.rows:
        if row.name in rows and (folder := find(study.name, row.name, rows[row.name])) is not None:
            place = folder.relative_to(checkpoint.BUNDLED.parent).as_posix()
            yield f"python -m minrnn eval {place} --corpus tinyshakespeare --split val --json"


def find(study: str, row: str, made: Record) -> Path | None:
    """Where the weights of a row lie; None where they are not here."""
    kept = _folder(study, row)
    return _bundled(made) or (kept if (kept / disk.CONFIG).is_file() else None)


def _bundled(made: Record) -> Path | None:
    """The bundled weights that a run has made."""
    for result in bundled():
        same = result.val_loss is not None and abs(result.val_loss - made.val_loss) < 10**-LEAST_DIGITS
        if same and result.tokens_seen == made.tokens_seen:
            return result.folder
    return None


def _folder(study: str, row: str) -> Path:
    return checkpoint.BUNDLED / FOLDER / study / row
