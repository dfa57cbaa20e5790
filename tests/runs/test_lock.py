import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from minrnn.errors import CheckpointError
from minrnn.runs.lock import LOCK, alone, held, is_held


def test_a_lock_is_held_by_one_and_free_again_afterwards(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with held(tmp_path):
        assert is_held(tmp_path)
        with (
            pytest.raises(CheckpointError, match="another process is training in .*stop it first"),
            held(tmp_path),
        ):
            pass
    assert not is_held(tmp_path)


def test_checking_a_folder_leaves_nothing_in_it(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_generator_that_another_thread_ends_frees_its_lock(tmp_path: Path) -> None:
    def train() -> Iterator[None]:
        with held(tmp_path):
            yield

    running = train()
    first = threading.Thread(target=next, args=(running,))
    first.start()
    first.join()
    assert is_held(tmp_path)
    running.close()
    assert not is_held(tmp_path)


def test_a_worker_that_is_killed_frees_its_lock(tmp_path: Path) -> None:
    code = f"""
        import time
        from pathlib import Path
        from minrnn.runs.lock import held
        with held(Path({str(tmp_path)!r})):
            print("held", flush=True)
            time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as worker:
        assert worker.stdout and worker.stdout.readline() == b"held\n"
        assert is_held(tmp_path)
        worker.kill()
    assert not is_held(tmp_path)


WITHOUT_LOCKS = """
    import errno, fcntl, os, sys
    from pathlib import Path

    def flock(*_):
        raise OSError(getattr(errno, sys.argv[2]), os.strerror(getattr(errno, sys.argv[2])))

    fcntl.flock = flock
    from minrnn.errors import CheckpointError
    from minrnn.runs.lock import alone, held, is_held
    out = Path(sys.argv[1])
    print(is_held(out))
    with held(out):
        print(is_held(out))
        try:
            held(out).__enter__()
        except CheckpointError as error:
            print("another process is training" in str(error))
    print(is_held(out), sorted(path.name for path in out.iterdir()))
"""


@pytest.mark.parametrize("error", ["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_no_other_process(error: str, tmp_path: Path) -> None:
    """What flock answers there; the folder also has the lock file of a machine that had locks."""
    (tmp_path / LOCK).touch()
    words = [sys.executable, "-W", "error", "-c", textwrap.dedent(WITHOUT_LOCKS), str(tmp_path), error]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "True", "True", "False ['lock']"]


def test_a_folder_that_cannot_be_written_is_nobodys_and_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not is_held(tmp_path / "file")
    with alone(tmp_path / "file" / LOCK) as ours:
        assert ours
    with pytest.raises(CheckpointError, match=r"cannot be written \(.*\); check its permissions"):
        held(tmp_path / "file").__enter__()
