import copy
import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from minrnn import train
from minrnn.config import ModelConfig, TrainConfig
from minrnn.corpora import Corpus
from minrnn.errors import BackendUnavailable, CorpusError, TrainingError
from minrnn.models import MIXERS, LanguageModel
from minrnn.train import TrainState

TEXT = Corpus("sheep", "".join(f"{n} sheep, {4 * n} legs.\n" for n in range(200)))
VOCAB = "".join(sorted(set(TEXT.text)))
RECIPE = TrainConfig(
    max_iters=6, batch_size=4, warmup_iters=2, eval_interval=3, eval_chars=300, sample_interval=3, sample_chars=8,
    learning_rate=1e-2, device="cpu", dtype="float32",
)  # fmt: skip


def recipe(**changes: Any) -> TrainConfig:
    return dataclasses.replace(RECIPE, **changes)


def begin(
    config: TrainConfig = RECIPE, mixer: str = "mingru", vocab: str = VOCAB, **shape: Any
) -> TrainState:
    shape = {"n_layer": 1, "n_embd": 16, "block_size": 16, "mlp_ratio": 1, "dropout": 0.1, **shape}
    model = train.new_model(lambda: LanguageModel(ModelConfig(mixer, vocab, **shape)), config)
    return train.begin(model, config)


def kinds(events: list[train.Event]) -> str:
    return "".join(type(event).__name__[0] for event in events)


@pytest.mark.parametrize("mixer", MIXERS)
def test_every_model_learns(mixer: str) -> None:
    config = recipe(max_iters=60, eval_interval=60, sample_interval=0, ema_decay=0.9)
    events = list(train.train(begin(config, mixer), TEXT, config))
    first, last = (event for event in events if isinstance(event, train.Eval))
    assert last.val_loss < first.val_loss - 0.5
    assert first.val_loss == pytest.approx(math.log(len(VOCAB)), abs=0.6)


def test_evaluations_and_samples_come_first_at_their_intervals_and_last() -> None:
    events = list(train.train(begin(), TEXT, RECIPE))
    assert kinds(events) == "ESIIIESIIIESD"
    events = list(train.train(begin(), TEXT, recipe(eval_interval=0, sample_interval=0)))
    assert kinds(events) == "IIIIIIESD"


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        ({"max_iters": 3}, "max_iters"),
        ({"max_iters": 0, "max_seconds": 1e-6}, "max_seconds"),
        ({"target_val_loss": 50.0}, "target_val_loss"),
    ],
)
def test_the_budget_that_is_spent_first_ends_the_run(budget: dict[str, Any], reason: str) -> None:
    config = recipe(**budget)
    assert list(train.train(begin(config), TEXT, config))[-1].reason == reason  # type: ignore[union-attr]


def test_a_sample_that_spends_the_budget_is_the_last_thing_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = train._sample

    def slow(state: TrainState, *rest: Any) -> train.Sample:
        state.seconds += 100 * (state.iter == 3)
        return usual(state, *rest)

    monkeypatch.setattr(train, "_sample", slow)
    config = recipe(max_iters=0, max_seconds=60, eval_interval=0)
    assert kinds(list(train.train(begin(config), TEXT, config))) == "SIIISED"


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_state_goes_on_as_if_it_had_never_been_saved(optimizer: str) -> None:
    config = recipe(optimizer=optimizer)
    whole = [e.loss for e in train.train(begin(config), TEXT, config) if isinstance(e, train.Iter)]
    state, again = begin(config), begin(config)
    events = train.train(state, TEXT, config)
    first = [e.loss for e in (next(events) for _ in range(6)) if isinstance(e, train.Iter)]
    again.load_state_dict(copy.deepcopy(state.state_dict()))
    rest = [e.loss for e in train.train(again, TEXT, config) if isinstance(e, train.Iter)]
    assert first + rest == whole


def test_an_evaluation_before_the_first_update_takes_nothing_of_the_warm_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = train._evaluate

    def slow(state: TrainState, *rest: Any) -> train.Eval:
        state.seconds += 1000
        return usual(state, *rest)

    monkeypatch.setattr(train, "_evaluate", slow)
    config = recipe(max_iters=5, max_seconds=2e4, warmup_iters=1)
    state = begin(config)
    rates = [e.lr for e in train.train(state, TEXT, config) if isinstance(e, train.Iter)]
    assert rates[0] == pytest.approx(config.learning_rate / 2, rel=1e-3)
    assert rates[1] > 0.9 * config.learning_rate and 1000 < state.began < 1100


def test_a_save_of_an_earlier_version_goes_on() -> None:
    state, again = begin(), begin()
    for _ in itertools.takewhile(lambda event: event.iter < 4, train.train(state, TEXT, RECIPE)):
        pass
    saved = copy.deepcopy(state.state_dict())
    assert saved.pop("val_loss") == state.val_loss < math.inf
    assert saved.pop("began") == state.began > 0
    again.load_state_dict(saved)
    assert again.val_loss == math.inf
    losses = [
        [e.loss for e in train.train(s, TEXT, RECIPE) if isinstance(e, train.Iter)] for s in (state, again)
    ]
    assert len(losses[0]) == 2 and losses[0] == losses[1]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("mixer", MIXERS)
def test_a_text_of_one_character_trains_and_is_sampled(mixer: str, optimizer: str) -> None:
    text, config = Corpus("a", "a" * 1_000), recipe(optimizer=optimizer)
    events = list(train.train(begin(config, mixer, vocab="a"), text, config))
    assert kinds(events) == "ESIIIESIIIESD"
    assert {e.val_loss for e in events if isinstance(e, train.Eval)} == {0.0}
    assert {e.text for e in events if isinstance(e, train.Sample)} == {"a" * 8}


def test_a_loss_of_zero_does_not_meet_a_target_that_is_off() -> None:
    text = Corpus("a", "a" * 1_000)
    assert last_reason(recipe(target_val_loss=0), text) == "max_iters"
    assert last_reason(recipe(target_val_loss=1e-9), text) == "target_val_loss"


def last_reason(config: TrainConfig, text: Corpus) -> str:
    (*_, last) = train.train(begin(config, vocab="a"), text, config)
    assert isinstance(last, train.Done)
    return last.reason


def test_stop_ends_a_run_with_an_evaluation_and_a_sample() -> None:
    asked = iter([False] * 4 + [True] * 9)
    events = list(train.train(begin(), TEXT, RECIPE, should_stop=lambda: next(asked)))
    assert kinds(events)[-3:] == "ESD"
    assert events[-1] == train.Done(events[-1].iter, "stopped")


def test_a_loss_that_is_not_finite_ends_the_run_before_the_weights_are_touched() -> None:
    state = begin()
    events = train.train(state, TEXT, RECIPE)
    for _ in range(5):
        next(events)
    with torch.no_grad():
        state.model.head.weight.fill_(1e38)
        state.model.head.weight[0] = -1e38
    before = copy.deepcopy(state.average.state_dict())
    with pytest.raises(TrainingError, match=r"finite number at iter 3 \(learning_rate 0.01.*half the"):
        next(event for event in events if isinstance(event, train.Iter))
    assert all(torch.equal(weight, before[name]) for name, weight in state.average.state_dict().items())


@pytest.fixture
def little_memory() -> Callable[[], None]:
    """A function that leaves this process 200 MB of address space more than it has now; undone at the end."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)

    def limit() -> None:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 200_000_000, hard))

    yield limit  # type: ignore[misc]
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_running_out_of_memory_names_what_to_lower(little_memory: Callable[[], None]) -> None:
    config = recipe(batch_size=65_536, eval_interval=0, sample_interval=0)
    events = train.train(begin(config, n_embd=64), TEXT, config)
    little_memory()
    with pytest.raises(
        TrainingError, match=r"out of memory on cpu at iter 0 with batch_size 65536.*new run with half the"
    ):
        next(events)


def test_memory_that_runs_out_later_names_the_model_to_go_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run keeps its batch_size, so that to resume it is no remedy."""

    def full(state: TrainState, *_: object) -> None:
        if state.iter == 2:
            raise MemoryError

    usual = train._gradients
    monkeypatch.setattr(train, "_gradients", lambda state, *rest: full(state) or usual(state, *rest))
    with pytest.raises(TrainingError, match=r"at iter 2 .*\(--init FOLDER/model\) with half the batch_size"):
        list(train.train(begin(), TEXT, RECIPE))


def test_a_text_shorter_than_one_window_is_refused() -> None:
    with pytest.raises(CorpusError, match="longer text or a smaller block_size"):
        next(train.train(begin(block_size=5_000), TEXT, RECIPE))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_a_device_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(BackendUnavailable, match="'cuda'.*cpu"):
        begin(recipe(device="cuda"))
