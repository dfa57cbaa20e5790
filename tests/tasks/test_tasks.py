"""Every task in the registry, held to its definition and to what training and the page rely on."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.tasks import NOT_ASKED, NOT_ASKED_CHAR, TASKS, Task, chance, example, find_task
from minrnn.tasks.brackets import Brackets
from minrnn.tasks.bucket_sort import BucketSort
from minrnn.tasks.copying import Copying
from minrnn.tasks.flip_flop import FlipFlop
from minrnn.tasks.lookup import Lookup
from minrnn.tasks.majority import Majority
from minrnn.tasks.majority_count import MajorityCount
from minrnn.tasks.missing_duplicate import MissingDuplicate
from minrnn.tasks.recall import Recall
from minrnn.tasks.selective_copying import SelectiveCopying
from tests.tasks.definitions import DEFINITIONS

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
OTHER_SIZES = [
    FlipFlop(ignored=0.98),
    Copying(symbols=26),
    SelectiveCopying(tokens=16, symbols=14, trained_length=4_112),
    Recall(pairs=26, keys=26, values=2),
    Brackets(types=4, depth=2),
    Brackets(types=2, depth=12),
    Lookup(places=36, symbols=26),
    BucketSort(symbols=2),
    Majority(symbols=3),
    MajorityCount(symbols=2, trained_length=200),
    MissingDuplicate(symbols=26),
]


def _batch(task: Task, B: int, T: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    return task.batch(torch.Generator().manual_seed(seed), B, T)


def _assert_as_defined(task: Task, T: int, seed: int) -> None:
    one = example(task, T, seed)
    assert len(one.sees) == T
    assert one.wants == DEFINITIONS[task.name](task, one.sees), one.sees


@every_task
def test_every_answer_is_the_one_its_definition_gives(task: Task) -> None:
    lengths = [task.min_length + extra for extra in range(12)] + [*task.test_lengths, task.trained_length + 1]
    for seed, T in enumerate(lengths * 5):
        _assert_as_defined(task, T, seed)


@pytest.mark.parametrize("task", OTHER_SIZES, ids=str)
def test_other_sizes_follow_the_same_definition(task: Task) -> None:
    for seed, T in enumerate([task.min_length, task.trained_length, 2 * task.trained_length + 1]):
        _assert_as_defined(task, T, seed)


@every_task
def test_the_texts_of_a_batch_are_as_defined_and_differ(task: Task) -> None:
    idx, targets = _batch(task, 16, task.trained_length)
    texts = ["".join(task.vocab[i] for i in row) for row in idx.tolist()]
    for text, row in zip(texts, targets.tolist(), strict=True):
        wants = "".join("·" if i == NOT_ASKED else task.vocab[i] for i in row)
        assert wants == DEFINITIONS[task.name](task, text)
    assert len(set(texts)) == 16


@every_task
def test_a_batch_has_the_promised_shape_and_types_at_every_length(task: Task) -> None:
    for T in (task.min_length, task.min_length + 1, *task.test_lengths):
        idx, targets = _batch(task, 3, T)
        assert idx.shape == targets.shape == (3, T)
        assert idx.dtype == targets.dtype == torch.int64
        assert idx.is_contiguous() and targets.is_contiguous()
        assert idx.min() >= 0 and idx.max() < len(task.vocab)
        asked = targets[targets != NOT_ASKED]
        assert asked.min() >= 0 and asked.max() < len(task.vocab)


@every_task
def test_every_text_asks_something(task: Task) -> None:
    for T in (task.min_length, task.min_length + 1, task.trained_length):
        _, targets = _batch(task, 64, T)
        assert (targets != NOT_ASKED).any(dim=1).all(), T


@every_task
def test_the_seed_alone_decides_the_texts(task: Task) -> None:
    torch.manual_seed(1)
    first = _batch(task, 4, task.trained_length, seed=7)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = _batch(task, 4, task.trained_length, seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, first, second))
    assert not torch.equal(first[0], _batch(task, 4, task.trained_length, seed=8)[0])


@every_task
def test_a_generator_moves_on_from_batch_to_batch(task: Task) -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (task.batch(generator, 4, task.trained_length)[0] for _ in range(2))
    assert not torch.equal(first, second)


@every_task
def test_guessing_the_most_frequent_answer_is_far_from_right(task: Task) -> None:
    for T in task.test_lengths:
        assert chance(task, T) < 0.6, T


@every_task
def test_every_symbol_of_the_vocabulary_occurs(task: Task) -> None:
    idx, targets = _batch(task, 256, task.trained_length)
    assert set(idx.unique().tolist()) | set(targets.unique().tolist()) - {NOT_ASKED} == set(
        range(len(task.vocab))
    )


@every_task
def test_a_vocabulary_is_printable_and_makes_a_model(task: Task) -> None:
    assert task.vocab.isprintable() and NOT_ASKED_CHAR not in task.vocab and " " not in task.vocab
    assert ModelConfig(mixer="mingru", vocab=task.vocab).vocab == task.vocab


@every_task
def test_a_task_says_what_the_page_shows(task: Task) -> None:
    for line, most in ((task.title, 20), (task.question, 110), (task.why_hard, 110), (task.theory, 190)):
        assert line.strip() == line and 0 < len(line) <= most and "\n" not in line
    assert task.test_lengths == tuple(task.trained_length * n for n in (1, 2, 4, 8, 16))


@every_task
def test_a_text_that_is_too_short_names_the_limit_and_the_remedy(task: Task) -> None:
    T = task.min_length - 1
    with pytest.raises(
        ConfigError, match=rf"{T} characters .*'{task.name}'.* at least {T + 1}; give a longer"
    ):
        _batch(task, 1, T)
    with pytest.raises(ConfigError, match="batch of 0 texts is empty; draw at least 1"):
        _batch(task, 0, task.trained_length)


class Work(TorchDispatchMode):
    """Counts torch's calls, and the numbers that they return."""

    calls = numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.calls += 1
        self.numbers += found.numel() if isinstance(found, Tensor) else 0
        return found


@every_task
def test_a_batch_takes_the_same_few_calls_at_any_length(task: Task) -> None:
    counted = []
    for T in (task.trained_length, 4 * task.trained_length):
        with Work() as work:
            _batch(task, 64, T)
        counted.append(work.calls)
        assert work.numbers <= 200 * 64 * T  # some numbers a character, far less than a model computes of it
    assert counted[0] == counted[1] <= 100


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Recall(pairs=17), "pairs is 17; .*lie between 1 and 16"),
        (lambda: Recall(pairs=16, trained_length=32), "32 characters .* at least 33"),
        (lambda: Lookup(places=37), "places is 37; .*lie between 1 and 36"),
        (lambda: SelectiveCopying(tokens=33), "64 characters .* at least 66"),
        (lambda: Copying(symbols=1), "symbols is 1; .*lie between 2 and 26"),
        (lambda: Brackets(depth=1), "depth is 1; .*lie between 2 and 16"),
        (lambda: FlipFlop(ignored=1.5), "ignored is 1.5; .*lie between 0 and 1"),
        (lambda: find_task("sums"), "'sums' is not known; choose one of: parity, sum_mod_5"),
    ],
)
def test_a_task_that_cannot_be_made_says_why(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match=message):
        make()


def test_the_registry_holds_each_defined_task_under_its_name() -> None:
    assert set(TASKS) == set(DEFINITIONS)
    assert all(task.name == name for name, task in TASKS.items())
    assert list(TASKS)[:3] == ["parity", "sum_mod_5", "flip_flop"]
    assert sum(task.on_page for task in TASKS.values()) == 9
