"""The Training tab without a browser: its form, what it sends a page, its API, and ZeroGPU's way through it."""

import dataclasses
import json
import multiprocessing
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from minrnn.ui.charts import Curve, losses
from minrnn.ui.training_wish import FRESH, OWN, TUNED, Wish

from minrnn import checkpoint, jobs, runlist, runs, train, worker
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError, CorpusError
from minrnn.runs import RunSpec
from minrnn.runs.events import MAX_POINTS, History
from minrnn.ui import training, training_actions, training_api, training_here, training_refresh, training_view
from minrnn.ui import training_wish as wishes

SHEEP = "".join(f"{n} sheep, {4 * n} legs.\n" for n in range(200))
ME = "m" * 20


def wish(**changes: Any) -> Wish:
    left_open = dict.fromkeys(field.name for field in dataclasses.fields(Wish))
    said = {
        "source": FRESH, "models": ["mingru", "lstm"], "preset": "tiny", "inits": [], "corpus": "python", "text": "",
        "max_iters": 4, "device": "cpu", "dtype": "float32",
    }  # fmt: skip
    return Wish(**{**left_open, **said, **changes})  # type: ignore[arg-type]


def history(iters: int) -> History:
    filled = History()
    for n in range(1, iters + 1):
        filled.add(train.Iter(n, 1 + 3 / n, 1e-3, 0.5, 64 * n, 0.1 * n, 0.1))
        if n % 10 == 0:
            filled.add(train.Eval(n, 1 + 3 / n, 64 * n, 0.1 * n, 5_000_000))
    return filled


def trained(root: Path, name: str, token: str = "", iters: int = 4) -> str:
    """A run that this process trained on sheep."""
    text = root / "sheep.txt"
    root.mkdir(exist_ok=True)
    text.write_text(SHEEP)
    shape = ModelConfig("mingru", n_layer=1, n_embd=16, block_size=16)
    recipe = dataclasses.replace(
        worker.defaults("tiny", "mingru").train, max_iters=iters, eval_interval=2, device="cpu"
    )
    list(runs.execute(RunSpec(str(text), shape, recipe, "tiny"), root / name))
    runlist.write_about(root / name, "<img src=x onerror=alert(1)>", time.time(), runlist.owner_of(token))
    return name


def test_the_form_asks_for_one_run_a_model_and_empty_fields_keep_the_preset() -> None:
    first, second = wishes.specs(wish(models=["lstm", "mingru"], dropout=0.2, batch_size=3))
    assert (first.model.mixer, second.model.mixer) == ("mingru", "lstm")
    assert (first.train.batch_size, first.model.dropout, first.train.max_iters) == (3, 0.2, 4)
    assert first.train.learning_rate == worker.defaults("tiny", "mingru").train.learning_rate


def test_tuning_keeps_the_checkpoints_shape_and_lowers_the_rate(runs_dir: Path) -> None:
    init = str(runs_dir / trained(runs_dir, "a") / "model")
    (spec,) = wishes.specs(wish(source=TUNED, inits=[init], block_size=999))
    assert (spec.model.block_size, spec.model.n_embd, spec.init) == (16, 16, init)
    fresh = worker.defaults("tiny", "mingru").train.learning_rate
    assert spec.train.learning_rate == pytest.approx(fresh * worker.FINE_TUNE_RATE)
    assert (runlist.find("a", "").title, init) in wishes.starts("")


def test_the_command_line_follows_the_form_and_says_what_is_wrong_with_it() -> None:
    lines = wishes.command_lines(wish()).splitlines()
    assert lines[1].startswith("python -m minrnn train --preset tiny --model lstm --corpus python")
    assert wishes.command_lines(wish(learning_rate=99.0)).startswith("# learning_rate is 99")
    assert "all 0" in wishes.command_lines(wish(max_iters=0))


def test_a_wish_for_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="choose at least one"):
        wishes.specs(wish(models=[]))
    with pytest.raises(ConfigError, match="choose at least one"):
        wishes.specs(wish(source=TUNED))


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xe4" * 2_000)
    with pytest.raises(CorpusError, match="not UTF-8"):
        wishes.own_text(wish(corpus=OWN, file=str(tmp_path / "a.txt")))


@pytest.mark.parametrize("axis", ["iters", "characters", "seconds"])
def test_a_chart_holds_no_more_points_than_a_page_takes(axis: Any) -> None:
    curves = [Curve(f"run{n}", f"Run {n}", "#123456", history(9_000)) for n in range(2)]
    figure = losses(curves, axis, log=True, rate=True)
    assert figure is not None and len(figure.data) == 8
    assert max(len(trace.x) for trace in figure.data) <= MAX_POINTS
    assert figure.layout.yaxis.type == "log"
    json.loads(figure.to_json())


def test_a_chart_keeps_its_zoom_until_another_view_is_asked_for() -> None:
    def kept(iters: int, axis: Any) -> str:
        return str(losses([Curve("a", "A", "#123456", history(iters))], axis).layout.uirevision)  # type: ignore[union-attr]

    assert kept(10, "iters") == kept(500, "iters") != kept(500, "seconds")
    assert losses([], "iters") is None


def look(seen: dict[str, Any], chosen: list[str], run: str | None = None, axis: str = "iters") -> list[Any]:
    return training_refresh.refresh("", seen, chosen, run, axis, [])


def test_a_page_is_sent_everything_at_first_and_then_only_what_changed(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    seen, shown, run, _, chart, table, samples = look({}, [])
    assert (shown["value"], run["value"]) == (["a"], "a")
    assert len(chart["data"]) == 3 and table[0]["done"] == 1.0 and samples[0]["samples"]
    again = look(seen, ["a"], "a")
    assert again == [gr.skip()] * 7
    assert look(seen, ["a"], "a", "seconds")[4]["data"]


def test_a_row_says_what_the_table_promises(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    (item,) = training_view.shown(runlist.listed(""))
    row = training_view.row(item)
    cells = {cell["label"]: cell for cell in row["cells"]}
    assert row["status"] == "finished" and row["spent"].startswith("iter 4 of 4")
    assert cells["Parameters"]["more"].startswith("embedding")
    assert cells["Validation loss"]["more"] == "whole split"
    assert cells["Device"]["text"] == "cpu"
    assert "–" not in [cell["text"] for cell in row["cells"]]


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (75, "1 min 15 s"), (7_500, "2 h 05 min")])
def test_a_duration_is_told_as_people_tell_it(seconds: float, text: str) -> None:
    assert training_view.duration(seconds) == text


def test_a_model_goes_to_compare_once_and_only_to_its_owner(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(runs_dir, "a", ME)
    ref = str(runs_dir / "a" / "model")
    assert training_actions.use(ME, "a", ["other"])[0] == ["other", ref]
    assert training_actions.use(ME, "a", [ref])[0] == [ref]
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    with pytest.raises(CheckpointError, match="of yours"):
        training_actions.use("o" * 20, "a", [])


def test_a_download_holds_the_checkpoint_and_the_history(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    component = gr.File(file_count="multiple", render=False)
    filled = training_actions.download(component)("", "a")
    assert [Path(path).name for path in filled["value"]] == ["a.zip", "a.csv"]
    assert Path(filled["value"][1]).read_text().startswith("iter,tokens")


def test_stop_all_empties_the_queue(runs_dir: Path) -> None:
    names = jobs.start(wishes.specs(wish(corpus=OWN)), "", SHEEP)
    training_actions.stop_all("")
    assert {runlist.find(name, "").status for name in names} == {"stopped"}
    with pytest.raises(CheckpointError, match="nothing is training"):
        training_actions.stop_all("")


@pytest.mark.parametrize("mode", ["full", "limited", "off"])
def test_the_tab_says_what_is_allowed_here(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", mode)
    with gr.Blocks(analytics_enabled=False) as demo, gr.Tabs() as tabs, gr.Tab("Train"):
        training.build(gr.State([]), tabs)
    parts = demo.config["components"]
    assert training.NOTES[mode] in [part["props"].get("value") for part in parts]
    assert any(part["props"].get("elem_id") == "train-start" for part in parts) == (mode != "off")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with gr.Blocks(analytics_enabled=False) as demo:
        extra = gr.State([])
        with gr.Tabs() as tabs, gr.Tab("Train"):
            training.build(extra, tabs)
        training_api.endpoints()
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Client(url, verbose=False)
    demo.close()


def wait(client: Client, name: str, token: str, *wanted: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (told := client.predict(name, token, api_name="/train_status"))["status"] not in wanted:
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return dict(told)


@pytest.mark.slow
def test_a_script_starts_follows_and_stops_a_run(client: Client, runs_dir: Path) -> None:
    started = client.predict(
        models="mingru", text=SHEEP, max_iters=200_000, device="cpu", block_size=16, batch_size=2, eval_interval=5,
        api_name="/train_start",
    )  # fmt: skip
    (name,), token = started["runs"], started["token"]
    assert client.predict(api_name="/train_status")["runs"][0]["run"] == name
    while len(wait(client, name, token, "running")["val_losses"]) < 3:
        time.sleep(0.2)
    client.predict(name, token, api_name="/train_stop")
    told = wait(client, name, token, "stopped")
    assert told["iter"] == len(told["losses"]) > 0
    assert told["val_loss"] < 4 and told["sample"]["text"] and told["params"]["mixer"] > 0


def test_the_api_explains_itself(client: Client) -> None:
    told = client.view_api(return_format="dict")["named_endpoints"]
    assert {"/train_start", "/train_status", "/train_stop"} <= set(told)
    assert not [name for name in told if not name.startswith("/train_")]
    assert "max_iters" in str(told["/train_start"]["parameters"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": "gpt5"}, "has no model"),
        ({"text": "short"}, "5 characters and at least 1,000"),
        ({"corpus": "/etc/passwd"}, "is not known"),
        ({"learning_rate": 99}, "learning_rate is 99"),
    ],
)
def test_the_api_refuses_in_words(client: Client, given: dict[str, Any], message: str) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(**given, api_name="/train_start")


@pytest.mark.parametrize("endpoint", ["/train_start", "/train_status", "/train_stop"])
def test_the_api_is_off_where_training_is(
    client: Client, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "off")
    with pytest.raises(AppError, match="switched off"):
        client.predict("mingru", api_name=endpoint)


def _lend_a_gpu(path: str, wire: Any) -> None:
    """What ZeroGPU does: the generator runs in a process of its own, and every event is pickled."""
    torch.set_num_threads(1)
    for event in jobs.train_here(path):
        wire.send_bytes(pickle.dumps(event))
    wire.send_bytes(pickle.dumps(None))


def lent(path: str) -> Iterator[train.Event]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_lend_a_gpu, args=(pickle.loads(pickle.dumps(path)), there))
    process.start()
    try:
        while (event := pickle.loads(here.recv_bytes())) is not None:
            yield event
    finally:
        process.join(30)


@pytest.mark.slow
def test_on_zero_gpu_a_run_trains_inside_a_call(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    (name,) = jobs.start(wishes.specs(wish(models=["mingru"], corpus=OWN)), ME, SHEEP)
    assert training_here.seconds(str(runs_dir / name)) == 180 + training_here.STARTING_S
    jobs.step()
    assert runlist.find(name, ME).status == "waiting"
    events = list(training_here.train_waiting(ME, lent))
    assert events[-1] == train.Done(4, "max_iters")
    assert runlist.find(name, ME).status == "finished"
    checkpoint.load(runs_dir / name / "model")


def test_elsewhere_nothing_is_lent_and_nothing_imported() -> None:
    assert training_here.on_gpu(jobs.train_here) is jobs.train_here
