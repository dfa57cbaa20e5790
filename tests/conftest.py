"""What every test shares. The environment is set here, before gradio is imported anywhere."""

import os
import tempfile
from pathlib import Path

_OURS = {name for name in os.environ if name.startswith("MINRNN_")} - {"MINRNN_DATA_DIR"}
for _name in (*_OURS, "HF_HUB_OFFLINE", "SPACE_ID", "SPACE_AUTHOR_NAME", "SPACES_ZERO_GPU"):
    os.environ.pop(_name, None)
_RUNS = tempfile.TemporaryDirectory(prefix="minrnn-runs-")
os.environ["MINRNN_RUNS_DIR"] = _RUNS.name
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest  # noqa: E402
import torch  # noqa: E402

from minrnn import corpora  # noqa: E402
from minrnn.corpora import Corpus  # noqa: E402
from minrnn.errors import CorpusError  # noqa: E402

torch.set_num_threads(1)


def pytest_unconfigure() -> None:
    _RUNS.cleanup()


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder of the test's own."""
    monkeypatch.setenv("MINRNN_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def shakespeare() -> Corpus:
    """Tiny Shakespeare; the test is skipped where the text cannot be had."""
    try:
        return corpora.load("tinyshakespeare")
    except CorpusError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Some real text that is always there: tiny Shakespeare, else Python's own source."""
    try:
        return corpora.load("tinyshakespeare")
    except CorpusError:
        return corpora.load("python")
