"""Processes that train one model together, on the CPU: what one of them would have done, they do."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minrnn import train
from minrnn.config import TrainConfig
from minrnn.data import Data
from minrnn.errors import BackendUnavailable, ConfigError, TrainingError
from minrnn.ranks import ALONE, Ranks, joined
from minrnn.runs.events import METRICS, last_event, read_events
from minrnn.state import TrainState
from tests.runs.helpers import losses, until
from tests.test_train import TEXT, begin, recipe

SMALL = [
    "--max-iters", "8", "--n-embd", "16", "--n-layer", "1", "--block-size", "32", "--batch-size", "4",
    "--dropout", "0.2", "--device", "cpu", "--dtype", "float32", "--eval-interval", "4", "--eval-chars", "500",
    "--sample-interval", "4", "--sample-chars", "8", "--score-chars", "500", "--min-lr-ratio", "1",
    "--warmup-iters", "0",
]  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "sheep.txt"
    path.write_text("".join(f"{n} sheep, {4 * n} legs.\n" for n in range(200)), encoding="utf-8")
    return str(path)


def _placed(rank: int, size: int, port: int) -> None:
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()}, MASTER_ADDR="127.0.0.1")
    torch.set_num_threads(1)


def _be(rank: int, size: int, port: int, words: list[str], said: Path | None) -> None:
    _placed(rank, size, port)
    sys.stdout = sys.stderr = open(said or os.devnull, "a", buffering=1)  # noqa: SIM115 — until the process ends
    from minrnn.cli.main import main

    main(["train", *words])


def begun(*words_of_each: list[str], said: Path | None = None) -> list[Any]:
    """Processes, each with its own words, as torchrun would start them, but faster."""
    return spawned(_be, *[(words, said) for words in words_of_each])


def spawned(target: Callable[..., None], *given_to_each: tuple[Any, ...]) -> list[Any]:
    """Processes that call a function with rank, size, port and what is given to each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "torch.distributed", "minrnn.cli.train"])
    size = len(given_to_each)
    processes = [
        context.Process(target=target, args=(n, size, port, *given)) for n, given in enumerate(given_to_each)
    ]
    for process in processes:
        process.start()
    return processes


def ended(processes: list[Any]) -> list[int]:
    """The processes' exit codes."""
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def together(size: int, *words: str) -> None:
    assert ended(begun(*[list(words)] * size)) == [0] * size


def same_losses(one: Path, other: Path) -> None:
    torch.testing.assert_close(torch.tensor(losses(one)), torch.tensor(losses(other)), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "corpus", "preset"),
    [("mingru", "", "base"), ("nanogpt", "brackets", "tiny"), ("lstm", "brackets", "tiny")],
)
def test_two_processes_train_as_one_does(
    model: str, corpus: str, preset: str, text: str, tmp_path: Path
) -> None:
    """Dropout included; each share of brackets asks another number of questions. Muon, which rounds to bfloat16, makes
    more of a small difference the higher its rate is."""
    words = ["--preset", preset, "--model", model, "--corpus", corpus or text, *SMALL, "--block-size", "64"]
    more = ["--hidden-dropout", "0.2"] if model == "lstm" else ["--learning-rate", "2e-3"]
    together(1, *words, *more, "--out", str(tmp_path / "one"))
    together(2, *words, *more, "--out", str(tmp_path / "two"))
    same_losses(tmp_path / "one", tmp_path / "two")
    assert len(losses(tmp_path / "one")) == 8
    one, two = (list(read_events(tmp_path / name / METRICS)) for name in ("one", "two"))
    assert [type(event) for event in one] == [type(event) for event in two]


def test_a_run_goes_on_with_another_number_of_processes(text: str, tmp_path: Path) -> None:
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    together(1, "--corpus", text, *SMALL, "--max-iters", "12", "--out", whole)
    together(2, "--corpus", text, *SMALL, "--max-iters", "4", "--out", parts)
    together(1, "--resume", "--max-iters", "8", "--out", parts)
    together(2, "--resume", "--max-iters", "12", "--out", parts)
    same_losses(tmp_path / "whole", tmp_path / "parts")
    assert len(losses(tmp_path / "parts")) == 12


def test_processes_that_train_together_share_what_their_teachers_expect(text: str, tmp_path: Path) -> None:
    words = ["--corpus", text, *SMALL]
    together(1, *words, "--out", str(tmp_path / "teacher"))
    words += ["--teacher", str(tmp_path / "teacher" / "model"), "--teacher-share", "0.7"]
    together(1, *words, "--out", str(tmp_path / "one"))
    together(2, *words, "--out", str(tmp_path / "two"))
    same_losses(tmp_path / "one", tmp_path / "two")
    assert len(losses(tmp_path / "two")) == 8
    assert losses(tmp_path / "one") != losses(tmp_path / "teacher")


def _train_with_slow_samples(rank: int, size: int, port: int, folder: Path) -> None:
    """Train for some iters of a minute, of which each sample takes five seconds; leave the rates and the weights."""
    _placed(rank, size, port)
    usual = train._sample

    def slow(state: TrainState, bound: Data, config: TrainConfig) -> train.Sample:
        state.seconds += 5
        return usual(state, bound, config)

    train._sample = slow
    config = recipe(max_iters=0, max_seconds=60, warmup_iters=0, sample_interval=2, eval_interval=0)
    state = begin(config)
    with joined() as ranks:
        events = train.train(state, TEXT, config, ranks=ranks, should_stop=lambda: state.iter >= 6)
        rates = [event.lr for event in events if isinstance(event, train.Iter)]
    torch.save((rates, state.model.state_dict()), folder / str(rank))
    os._exit(0)  # threads that gloo has left behind may abort a process that ends the usual way


def test_processes_keep_one_clock_though_rank_0_alone_takes_time_for_samples(tmp_path: Path) -> None:
    assert ended(spawned(_train_with_slow_samples, *[(tmp_path,)] * 2)) == [0, 0]
    (rates, weights), (other_rates, other_weights) = (torch.load(tmp_path / name) for name in "01")
    assert rates == other_rates and len(rates) == 6
    assert rates[2] < 0.99 * rates[1]  # the sample counts
    assert all(torch.equal(weight, other_weights[name]) for name, weight in weights.items())


def test_only_rank_0_writes(text: str, tmp_path: Path) -> None:
    words = ["--corpus", text, *SMALL]
    folders = [[*words, "--out", str(tmp_path / name)] for name in ("first", "second")]
    assert ended(begun(*folders)) == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_sigterm_ends_a_run_under_torchrun_and_saves_once(text: str, tmp_path: Path) -> None:
    out, long = tmp_path / "run", ("--max-iters", "1000000", "--eval-interval", "0", "--sample-interval", "0")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone"]
    words = [*torchrun, "-m", "minrnn", "train", "--corpus", text, *SMALL, *long, "--out", str(out)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or len(losses(out)) > 5)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        process.kill()
    end = last_event(out / METRICS)
    assert isinstance(end, train.Done) and end.reason == "stopped"
    assert sum(isinstance(event, train.Done) for event in read_events(out / METRICS)) == 1
    assert torch.load(out / "resume.pt")["state"]["iter"] == end.iter == len(losses(out))
    assert not (out / "error.txt").exists() and not list(out.rglob(".*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--corpus", "nowhere.txt"], "'nowhere.txt' is neither a file nor"),
        (["--batch-size", "5"], "batch_size 5 cannot be split among 2 processes"),
    ],
)
def test_a_mistake_ends_all_processes_and_is_told_once(
    words: list[str], told: str, text: str, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    words = ["--corpus", text, *SMALL, *words, "--out", str(tmp_path / "run")]
    assert ended(begun(words, words, said=said)) == [1, 1]
    assert said.read_text().count("error: ") == 1 and told in said.read_text()


def test_a_process_that_is_lost_ends_the_run_with_its_last_save_intact(text: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["--corpus", text, *SMALL, "--max-iters", "1000000", "--out", str(out)]
    processes = begun(words, words)
    until(lambda: len(losses(out)) > 5)
    processes[1].kill()
    assert ended(processes) == [1, -signal.SIGKILL]
    assert "another of the 2 processes of this training has ended" in (out / "error.txt").read_text()
    assert torch.load(out / "resume.pt")["state"]["iter"] > 0


def test_the_numbers_that_divide_a_batch_are_named() -> None:
    with pytest.raises(ConfigError, match=r"among 3 processes.*one of: 1, 2, 4, 8, 16\."):
        Ranks(0, 3).check(16, CPU)
    Ranks(0, 4).check(16, CPU)


def test_only_devices_that_exchange_gradients_take_several_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(BackendUnavailable, match="cannot train on mps"):
        Ranks(0, 2).check(4, torch.device("mps"))
    ALONE.check(5, torch.device("mps"))


@pytest.mark.parametrize("rank", [0, 1])
def test_all_processes_of_a_machine_refuse_to_be_more_than_its_gpus(
    rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", str(rank))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(
        BackendUnavailable, match=r"2 processes .* 1 GPU.*one process a GPU, or .*--device cpu"
    ):
        Ranks(rank, 2).check(4, torch.device("cuda"))
    Ranks(rank, 2).check(4, CPU)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    Ranks(rank, 2).check(4, torch.device("cuda"))


def test_a_process_beyond_the_gpus_refuses_where_nobody_says_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(BackendUnavailable, match="2 processes"):
        Ranks(1, 2).check(4, torch.device("cuda"))


def test_the_shares_of_a_batch_are_the_whole_batch() -> None:
    batch = torch.arange(24).view(6, 4)
    assert torch.equal(torch.cat([Ranks(n, 3).share(batch) for n in range(3)]), batch)


@pytest.mark.parametrize(
    ("error", "kind"), [("[gloo/pair.cc] Connection closed by peer", TrainingError), ("a bug", RuntimeError)]
)
def test_only_a_lost_process_is_told_as_one(error: str, kind: type[Exception]) -> None:
    def fail(ranks: Ranks) -> Callable[[], None]:
        def body() -> None:
            with ranks.together():
                raise RuntimeError(error)

        return body

    with pytest.raises(
        kind, match=error.split()[-1] if kind is RuntimeError else "--init FOLDER/model. with half"
    ):
        fail(Ranks(0, 2))()
    with pytest.raises(RuntimeError, match=error.split()[-1]):
        fail(ALONE)()
