"""The teachers of a run: who they are, and what they expect of its text, computed once and kept in its folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path

from torch import Tensor

from minrnn import checkpoint, teaching
from minrnn.corpora import Corpus, splits
from minrnn.data import Source
from minrnn.errors import CheckpointError, ConfigError, TrainingError
from minrnn.events import Teaching
from minrnn.models import Committee, LanguageModel, disk
from minrnn.ranks import Ranks
from minrnn.runs.checks import vocab_of
from minrnn.runs.spec import RunSpec
from minrnn.settings import MAX_WEIGHTS_BYTES
from minrnn.teaching import Lesson
from minrnn.text import CharVocab
from minrnn.train import TrainState

_EXPECTED = "expected-{}.npy"
"""The file in a run's folder that holds what its teachers expect; its name says what that depends on."""
_TOLD = 10
"""How often the reading is told of, from its start to its end."""


def check(spec: RunSpec, source: Source) -> None:
    """Whether a run's teachers can teach it, as far as their configs say. Their weights are not read.

    Raises:
        ConfigError: if one of them does not know all characters of the model.
        MinrnnError: if one of them, or the checkpoint to start from, cannot be read.
    """
    if spec.is_taught:
        vocab = vocab_of(spec, source)
        for name in spec.teachers:
            _check_vocab(name, checkpoint.read_config(name).vocab, vocab, f", or {spec.without_teachers}")


def sha256s(spec: RunSpec) -> tuple[str, ...]:
    """The digest of each teacher's weights; none where nobody teaches.

    Raises:
        MinrnnError: if a teacher cannot be read.
    """
    return tuple(_teacher(name)[1] for name in spec.teachers) if spec.is_taught else ()


def lesson(
    spec: RunSpec,
    source: Source,
    out: Path,
    state: TrainState,
    should_stop: Callable[[], bool],
    ranks: Ranks,
) -> Generator[Teaching, None, Lesson | None]:
    """Let the teachers of a run that has begun read its text, unless they have done so before.

    The other processes call `received` meanwhile.

    Args:
        spec: the run's, with the digests of its teachers.
        source: its text.
        out: its folder.
        state: of its model; the teachers compute on the same device.
        should_stop: asked before every piece of the text.
        ranks: the processes that train together; this one is rank 0.

    Yields:
        How far the teachers have read, in tenths.

    Returns:
        What they expect; None where nobody teaches, or `should_stop` has said so.

    Raises:
        CheckpointError: if a teacher is no longer the one that the run began with, or the disk is too small.
        MinrnnError: if a teacher cannot be read.
    """
    if not spec.is_taught:
        return None
    ids = _training_part(spec, source)
    path = out / _EXPECTED.format(_key(spec))
    if teaching.expected_in(path, ids, spec.model.vocab) is None:
        forget(out)
        _check_space(out, teaching.bytes_of(ids, spec.model.vocab))
        teachers, total, told = _committee(spec).to(state.compute.device), len(ids) - 1, -1
        with closing(teaching.write(path, teachers, ids)) as reading:
            for chars in reading:
                if should_stop():
                    break
                if (tenth := chars * _TOLD // total) != told:
                    told, event = tenth, Teaching(state.iter, chars, total)
                    ranks.send(event)  # the others wait; this tells them that this process goes on
                    yield event
    ranks.send(path.resolve() if path.exists() else None)
    return _opened(path, spec, ids, ranks) if path.exists() else None


def received(spec: RunSpec, source: Source, ranks: Ranks) -> Lesson | None:
    """`lesson` in the processes other than rank 0: wait for its file.

    Raises:
        TrainingError: if the file is not there for all of them, or rank 0 ends.
    """
    if not spec.is_taught:
        return None
    while isinstance(told := ranks.receive(), Teaching):
        pass
    return None if told is None else _opened(told, spec, _training_part(spec, source), ranks)


def forget(out: Path) -> None:
    """Remove what teachers expected of a run's text, whole or half written."""
    for path in (*out.glob(_EXPECTED.format("*")), *out.glob(f".{_EXPECTED.format('*')}.*")):
        with suppress(OSError):
            path.unlink()


def _opened(path: Path, spec: RunSpec, ids: Tensor, ranks: Ranks) -> Lesson:
    expected = teaching.expected_in(path, ids, spec.model.vocab)
    (without,) = ranks.sum(float(expected is None))
    if without or expected is None:
        raise TrainingError(
            f"{without:.0f} of {ranks.size} processes cannot read {path}, what the teachers expect of the text; "
            "train on one machine, or in a folder that all of them share."
        )
    return Lesson(expected, spec.model.block_size, spec.train)


def _training_part(spec: RunSpec, source: Source) -> Tensor:
    assert isinstance(source, Corpus)  # a spec with teachers has no task
    return splits(source, CharVocab(spec.model.vocab))[0]


def _key(spec: RunSpec) -> str:
    """A name for all that the teachers' probabilities depend on, so that nobody takes those of another text."""
    parts = [spec.corpus_sha256, spec.model.vocab, spec.teachers_sha256, teaching.PIECE, teaching.WARM_UP]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _committee(spec: RunSpec) -> Committee:
    """The teachers in the vocabulary of the model that they teach."""
    members = []
    for name, before in zip(spec.teachers, spec.teachers_sha256, strict=True):
        model, sha256 = _teacher(name)
        if sha256 != before:
            raise CheckpointError(
                f"the teacher {name} is no longer the one that this run began with (SHA-256 {sha256[:12]}, was "
                f"{before[:12]}); put the old one back, or start a new run."
            )
        _check_vocab(name, model.config.vocab, spec.model.vocab)
        members.append(teaching.in_vocab(model, spec.model.vocab))
    return Committee(members)


def _teacher(name: str) -> tuple[LanguageModel, str]:
    """A teacher, and the digest of its weights."""
    found = checkpoint.load(name)
    weights = disk.fetch(found.source, disk.WEIGHTS, found.revision, max_bytes=MAX_WEIGHTS_BYTES)
    with weights.open("rb") as file:
        return found.model, hashlib.file_digest(file, "sha256").hexdigest()


def _check_vocab(name: str, known: str, vocab: str, otherwise: str = "") -> None:
    if unknown := sorted(set(vocab) - set(known)):
        raise ConfigError(
            f"the teacher {name} does not know {len(unknown)} of the {len(vocab)} characters that the model has, such "
            f"as {unknown[0]!r}; take teachers that were trained on this text or on one with all of its characters"
            f"{otherwise}."
        )


def _check_space(out: Path, need: int) -> None:
    if need > (free := shutil.disk_usage(out).free):
        raise CheckpointError(
            f"what the teachers expect of the text takes {need / 1e6:.1f} MB in {out} until the run has ended, and "
            f"{free / 1e6:.1f} MB are free; free some space, then resume the run."
        )
