"""Files that somebody else may have written: checkpoints, metrics, runs. A right result or one clear message."""

import json
import struct
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minrnn import checkpoint
from minrnn.checkpoint import Checkpoint
from minrnn.config import ModelConfig
from minrnn.errors import MinrnnError
from minrnn.library import Entry
from minrnn.models import LanguageModel
from minrnn.models.disk import CONFIG, WEIGHTS
from minrnn.runs import events, process
from minrnn.runs.listing import ABOUT, Listing
from minrnn.runs.spec import from_preset
from minrnn.settings import MAX_MESSAGE_CHARS
from minrnn.ui.compare import panels
from minrnn.ui.train.view import refresh
from tests.robustness.outside import texts, values

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a damaged file is one
torch.manual_seed(0)
MODEL = LanguageModel(ModelConfig("mingru", "\nab", n_layer=1, n_embd=8, block_size=8)).eval()
with tempfile.TemporaryDirectory() as _folder:
    MODEL.save_pretrained(_folder)
    GOOD = {name: (Path(_folder) / name).read_bytes() for name in (CONFIG, WEIGHTS)}
METRICS = {
    "val_loss": 1.5,
    "tokens_seen": 9,
    "corpus": "plays",
    "sample": {"prompt": "a", "text": "b"},
    "preset": "base",
}
EVENTS = [
    {"event": "iter", "iter": 1, "tokens": 8, "seconds": 0.1, "loss": 2.0, "lr": 0.1, "grad_norm": 1.0,
     "iter_seconds": 0.1},
    {"event": "eval", "iter": 1, "tokens": 8, "seconds": 0.1, "val_loss": 2.0, "train_loss": 2.0, "peak_bytes": 9},
    {"event": "sample", "iter": 1, "text": "ab"},
    {"event": "done", "iter": 1, "reason": "length"},
]  # fmt: skip


def changed(usual: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    field = st.sampled_from(list(usual)) | texts
    return st.tuples(field, values).map(lambda pair: {**usual, pair[0]: pair[1]})


def written(data: object) -> bytes:
    return json.dumps(data).encode()


def loads_well(folder: Path, files: dict[str, bytes]) -> Checkpoint | None:
    """What a checkpoint folder gives, if not one short message."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        return checkpoint.load(folder)
    except MinrnnError as error:
        assert 10 < len(str(error)) <= MAX_MESSAGE_CHARS and "\n" not in str(error)
        return None


@settings(max_examples=200)
@given(changed(json.loads(GOOD[CONFIG])).map(written) | values.map(written) | st.binary(max_size=40))
def test_any_config_is_read_or_refused(config: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        loads_well(Path(folder), {**GOOD, CONFIG: config})


def header(weights: bytes) -> dict[str, Any]:
    size = struct.unpack("<Q", weights[:8])[0]
    found: dict[str, Any] = json.loads(weights[8 : 8 + size])
    return found


def with_header(data: object, size: int | None = None) -> bytes:
    text = written(data)
    old = struct.unpack("<Q", GOOD[WEIGHTS][:8])[0]
    return struct.pack("<Q", len(text) if size is None else size) + text + GOOD[WEIGHTS][8 + old :]


names = st.sampled_from([name for name in header(GOOD[WEIGHTS]) if name != "__metadata__"])
entries = changed({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})
headers = st.tuples(names, entries | values).map(
    lambda pair: with_header(header(GOOD[WEIGHTS]) | {pair[0]: pair[1]})
)
sizes = st.sampled_from([0, 1, 2**31, 2**63, 2**64 - 1]).map(lambda size: with_header({}, size))
cuts = st.integers(0, len(GOOD[WEIGHTS])).map(lambda at: GOOD[WEIGHTS][:at])
flips = st.tuples(st.integers(0, len(GOOD[WEIGHTS]) - 1), st.binary(min_size=1, max_size=9)).map(
    lambda pair: GOOD[WEIGHTS][: pair[0]] + pair[1] + GOOD[WEIGHTS][pair[0] + len(pair[1]) :]
)


@settings(max_examples=200)
@given(headers | sizes | cuts | flips | values.map(with_header))
def test_any_weights_are_read_or_refused(weights: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = loads_well(Path(folder), {**GOOD, WEIGHTS: weights})
    if found is not None:
        assert all(weight.isfinite().all() for weight in found.model.state_dict().values())


@settings(max_examples=200)
@given((changed(METRICS) | values).map(written) | st.binary(max_size=40))
def test_any_metrics_are_shown_or_refused(metrics: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = loads_well(Path(folder), {**GOOD, checkpoint.METRICS: metrics})
    if found is not None:
        entry = Entry("hub:a/b@0", "minGRU", found, "a/b")
        shown = panels.stored([entry])
        assert len(orjson.dumps(shown)) < 50_000
        orjson.dumps(found.metrics)  # as /models sends them


@settings(max_examples=300)
@given(st.lists(st.sampled_from(EVENTS).flatmap(changed) | values, max_size=4))
def test_any_line_of_a_runs_metrics_is_an_event_or_left_out(lines: list[Any]) -> None:
    history = events.History()
    for line in lines:
        if (event := events.from_line(json.dumps(line))) is not None:
            assert events.from_line(events.to_line(event)) is not None
            history.add(event)
    assert len(events.to_csv(history).splitlines()) == 1 + len(history.iters) + len(history.evals)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


RUN = from_preset("tiny", "lstm").to_dict() | {"began": 5.0, "params": {"head": 3}, "compute": "cpu"}
ABOUT_ONE = {"title": "a", "asked": 5.0, "place": 0, "owner": ""}


def _folder(root: Path) -> "tempfile.TemporaryDirectory[str]":
    """A folder that the queue of an app in this process may write to while it is removed."""
    return tempfile.TemporaryDirectory(dir=root, ignore_cleanup_errors=True)


@settings(max_examples=150)
@given(
    changed(RUN).map(written) | values.map(written),
    (changed(ABOUT_ONE) | values).map(written) | st.binary(max_size=20),
    values.map(written) | st.binary(max_size=20),
    st.lists(st.sampled_from(EVENTS).flatmap(changed), max_size=3),
)
def test_any_run_folder_is_shown_or_passed_over(
    root: Path, config: bytes, about: bytes, queued: bytes, lines: list[Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch, _folder(root) as folder:
        patch.setenv("MINRNN_RUNS_DIR", folder)
        run = Path(folder) / "one"
        run.mkdir()
        for name, content in ((CONFIG, config), (ABOUT, about), (process.QUEUED, queued)):
            (run / name).write_bytes(content)
        (run / events.METRICS).write_bytes(b"".join(written(line) + b"\n" for line in lines))
        listing = Listing()
        found = listing.every()
        assert len(found) + len(listing.passed_over) == 1
        if found:
            process.queued_at(run)
            shown = refresh(listing, "", {}, {}, "iters", [])
            assert isinstance(shown[0], dict), "an error was logged in the place of a page"
            orjson.dumps(shown[2:], default=str)
