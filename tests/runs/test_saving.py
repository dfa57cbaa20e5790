import errno
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from minrnn import checkpoint, files, train
from minrnn.cli.train import prepared
from minrnn.errors import CheckpointError
from minrnn.models import disk
from minrnn.runs import folder, saving
from minrnn.runs.events import METRICS, read_events
from tests.runs.helpers import copied, halved, losses, made, trained

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut": lambda whole: whole[: len(whole) // 2],
    "garbage": lambda whole: b"\0" * len(whole),
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped after five iters; it is only copied."""
    return halved(tmp_path_factory.mktemp("runs") / "stopped")


@pytest.fixture
def out(stopped: Path, tmp_path: Path) -> Path:
    return copied(stopped, tmp_path / "run")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_save_is_told_as_one(damage: str, out: Path) -> None:
    path = out / saving.RESUME
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    before = (out / METRICS).read_bytes()
    with pytest.raises(CheckpointError, match=r"resume.pt is damaged.*--init .*run/model"):
        list(folder.execute(out))
    assert "free some space" not in (out / "error.txt").read_text()
    assert (out / METRICS).read_bytes() == before


@pytest.mark.parametrize("data", [[1, 2], {"state": {}}, {"state": {"model": {}}, "metrics_bytes": 0}])
def test_the_save_of_something_else_is_told_as_damaged(data: object, out: Path) -> None:
    torch.save(data, out / saving.RESUME)
    with pytest.raises(CheckpointError, match="is damaged"):
        list(folder.execute(out))


def test_a_save_that_cannot_be_opened_is_not_told_as_damaged(out: Path) -> None:
    (out / saving.RESUME).unlink()
    with pytest.raises(CheckpointError, match=r"cannot be read \(No such file.*resume the run"):
        saving.restored(folder.read_spec(out), out)


def test_a_log_that_is_shorter_than_its_save_says_is_not_stretched(out: Path) -> None:
    path = out / METRICS
    path.write_bytes(path.read_bytes()[:300])
    list(folder.execute(out))
    assert b"\0" not in path.read_bytes()
    assert losses(out)[-1][0] == 12
    assert read_events(path)[-1] == train.Done(12, "max_iters")


def test_a_log_that_is_gone_begins_anew(out: Path) -> None:
    (out / METRICS).unlink()
    list(folder.execute(out))
    assert [n for n, _ in losses(out)] == list(range(6, 13))


def test_lines_of_a_newer_version_stay_in_the_log(out: Path) -> None:
    path = out / METRICS
    saved = torch.load(out / saving.RESUME)
    foreign = b'{"event": "dream", "iter": 0}\n'
    path.write_bytes(foreign + path.read_bytes())
    torch.save(saved | {"metrics_bytes": saved["metrics_bytes"] + len(foreign)}, out / saving.RESUME)
    list(folder.execute(out))
    assert path.read_bytes().startswith(foreign)
    assert [n for n, _ in losses(out)] == list(range(1, 13))


@pytest.mark.parametrize("file", [disk.WEIGHTS, saving.RESUME])
def test_figures_stay_with_the_model_they_are_of_where_a_save_fails(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = trained(tmp_path / "run", max_iters=1)
    kept = {
        name: (out / saving.MODEL / name).read_bytes() for name in (checkpoint.METRICS, checkpoint.HISTORY)
    }
    state = saving.restored(folder.read_spec(out), out)
    whole = files.write_bytes

    def full(path: Path, data: bytes) -> None:
        if path.name == file:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(path, data)

    monkeypatch.setattr(files, "write_bytes", full)
    monkeypatch.setattr(disk, "write_bytes", full)
    with pytest.raises(CheckpointError, match="No space left"):
        saving.save(state, out, 0)
    found = {
        path.name: path.read_bytes() for path in (out / saving.MODEL).glob("*.json*") if path.name in kept
    }
    assert found == (
        kept if file == disk.WEIGHTS else {}
    )  # with the weights written, they are another model's
    assert not list((out / saving.MODEL).glob(".*"))


@pytest.mark.parametrize("file", [METRICS, folder.CONFIG, disk.WEIGHTS, saving.RESUME])
def test_a_disk_that_is_full_at_the_first_save_leaves_a_run_that_can_be_started_again(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, whole = made(tmp_path / "run", max_iters=1), files.write_bytes

    def full(path: Path, data: bytes) -> None:
        if path.name == file:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_bytes", full)
        patch.setattr(disk, "write_bytes", full)
        with pytest.raises(CheckpointError, match="Nothing of this run has been saved yet: free some space"):
            list(folder.execute(out))
    assert f"start it again by --run {out}." in (out / folder.ERROR).read_text()
    assert prepared(["--run", str(out)]) == out
    assert list(folder.execute(out))[-1] == train.Done(1, "max_iters")


def test_what_a_killed_worker_left_aside_is_swept_away(out: Path) -> None:
    left = [
        out / f".{saving.RESUME}.0123456789ab",
        out / saving.MODEL / f".{disk.WEIGHTS}.0123456789ab",
    ]
    for path in left:
        path.touch()
    (out / ".about.json.0123456789ab").touch()  # the app may be writing this one now
    list(folder.execute(out))
    assert not any(path.exists() for path in left)
    assert (out / ".about.json.0123456789ab").exists()
