"""Tasks as data: what is drawn, and how it is scored."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from minrnn import checkpoint, data
from minrnn.config import ModelConfig, TrainConfig
from minrnn.data import tasks as task_data
from minrnn.models import LanguageModel
from minrnn.tasks import NOT_ASKED, TASKS, find_task

every_task = pytest.mark.parametrize("name", TASKS)


def shape(name: str, vocab: str = "", **more: Any) -> ModelConfig:
    return ModelConfig(
        "mingru", vocab or TASKS[name].vocab, n_layer=1, n_embd=8, mlp_ratio=0, conv_kernel=0, **more
    )


class Oracle(torch.nn.Module):
    """Answers right, but for a share of whole texts, where it is always wrong."""

    def __init__(self, bound: Any, vocab: str, wrong: float = 0.0) -> None:
        super().__init__()
        self.bound, self.wrong = bound, wrong
        self.config, self.device, self.n_params = SimpleNamespace(vocab=vocab), torch.device("cpu"), 0
        self.answers: dict[bytes, Tensor] = {}
        self.draw = torch.Generator().manual_seed(0)

    def forward(self, idx: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        targets = torch.stack([self.answers[row.numpy().tobytes()] for row in idx])
        logits = F.one_hot(targets.clamp(min=0), len(self.config.vocab)).float() * 9
        flip = torch.rand(len(idx), generator=self.draw) < self.wrong
        return torch.where(flip[:, None, None], -logits, logits), state


def oracle(name: str, monkeypatch: pytest.MonkeyPatch, wrong: float = 0.0) -> tuple[Any, Oracle]:
    """A task's data and a model that knows the answers to all that it hands out."""
    bound = data.bind(TASKS[name], shape(name))
    model = Oracle(bound, TASKS[name].vocab, wrong)
    draw = bound._batch  # type: ignore[attr-defined]

    def noted(*args: Any) -> tuple[Tensor, Tensor]:
        idx, targets = draw(*args)
        model.answers |= {row.numpy().tobytes(): answer for row, answer in zip(idx, targets, strict=True)}
        return idx, targets

    monkeypatch.setattr(bound, "_batch", noted)
    return bound, model


@every_task
def test_whoever_knows_the_answers_has_an_accuracy_of_one_at_every_length(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, model = oracle(name, monkeypatch)
    scores = bound.score(model)
    assert scores["accuracy"] == {str(T): 1.0 for T in TASKS[name].test_lengths}
    assert scores["val_loss"] < 0.01 and scores["tokens"] > 0
    assert bound.estimate(model, 1_000).accuracy == 1.0


@pytest.mark.parametrize("wrong", [0.02, 0.5])
def test_more_texts_are_scored_where_texts_differ(wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    bound, model = oracle("parity", monkeypatch, wrong)
    marks = bound._marks_at(model, 512)
    n = marks.texts
    assert marks.accuracy == pytest.approx(1 - wrong, abs=0.03)
    assert marks.standard_error == pytest.approx(math.sqrt(wrong * (1 - wrong) / n), rel=0.3)
    assert marks.standard_error <= 0.0101 and n <= task_data.MAX_TEXTS + 32
    assert n > (2_000 if wrong == 0.5 else task_data.MIN_TEXTS)


def test_loss_and_accuracy_are_taken_over_the_answers_alone() -> None:
    task, config = find_task("flip_flop"), shape("flip_flop")
    torch.manual_seed(0)
    model = LanguageModel(config).eval()
    idx, targets = next(data.bind(task, config)._scored(task.trained_length))  # type: ignore[attr-defined]
    found = data.bind(task, config).estimate(model, 10 * task.trained_length)
    with torch.no_grad():
        logits, _ = model(idx[:10])
    asked = targets[:10] != NOT_ASKED
    assert found.loss == pytest.approx(F.cross_entropy(logits[asked], targets[:10][asked]).item(), abs=1e-5)
    assert found.accuracy == pytest.approx(
        (logits.argmax(-1)[asked] == targets[:10][asked]).float().mean().item()
    )


def test_however_many_characters_are_asked_for_a_task_has_a_bounded_number_of_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound, model = oracle("parity", monkeypatch)
    read: list[int] = []
    usual = task_data._marks

    def counted(model: Any, idx: Tensor, targets: Tensor) -> Any:
        read.append(len(idx))
        return usual(model, idx, targets)

    monkeypatch.setattr(task_data, "_marks", counted)
    for chars, texts in ((320, 10), (10**9, task_data.MAX_TEXTS)):
        read.clear()
        assert bound.estimate(model, chars).accuracy == 1.0
        assert sum(read) == texts
    assert f"{task_data.MAX_TEXTS:,} at most" in (TrainConfig.__doc__ or "")


@every_task
def test_a_batch_is_a_function_of_seed_and_iter_alone(name: str) -> None:
    recipe = TrainConfig(batch_size=3, seed=5)
    first, again = (data.bind(TASKS[name], shape(name)).batches(recipe) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first(7), again(7), strict=True))
    assert first(0)[0].shape == (3, TASKS[name].trained_length)
    other = data.bind(TASKS[name], shape(name)).batches(TrainConfig(batch_size=3, seed=6))
    assert not torch.equal(first(7)[0], first(8)[0]) and not torch.equal(first(7)[0], other(7)[0])


@every_task
def test_no_text_of_the_first_iters_is_scored(name: str) -> None:
    bound = data.bind(TASKS[name], shape(name))
    scored = {tuple(row) for row in next(bound._scored(TASKS[name].trained_length))[0].tolist()}  # type: ignore[attr-defined]
    for seed in (0, 1, TASKS[name].trained_length, 1337):
        batches = bound.batches(TrainConfig(batch_size=16, seed=seed))
        assert not scored & {tuple(row) for it in range(8) for row in batches(it)[0].tolist()}


@every_task
def test_a_model_with_more_characters_reads_the_same_texts(name: str) -> None:
    task, grown = TASKS[name], "\n~" + TASKS[name].vocab[::-1]
    plain = data.bind(task, shape(name)).batches(TrainConfig(batch_size=2))(3)
    wide = data.bind(task, shape(name, grown)).batches(TrainConfig(batch_size=2))(3)
    for ids, other in zip(plain, wide, strict=True):
        asked = ids != NOT_ASKED
        assert torch.equal(asked, other != NOT_ASKED)
        pairs = zip(ids[asked].tolist(), other[asked].tolist(), strict=True)
        assert all(task.vocab[a] == grown[b] for a, b in pairs)


@every_task
def test_a_worked_example_stands_in_three_lines_of_one_length(name: str) -> None:
    model = LanguageModel(shape(name)).eval()
    text = data.bind(TASKS[name], model.config).sample(model, TrainConfig(seed=3))
    sees, wants, answers = (line.split(" ", 1) for line in text.splitlines())
    assert (sees[0], wants[0], answers[0]) == ("sees", "wants", "answers")
    lengths = {len(line[1].strip()) for line in (sees, wants, answers)}
    assert lengths == {TASKS[name].trained_length}
    assert [c == "·" for c in wants[1].strip()] == [c == "·" for c in answers[1].strip()]


def test_a_score_names_everything_the_table_shows() -> None:
    model = LanguageModel(shape("parity")).eval()
    scores = checkpoint.score(model, find_task("parity"), train_split=True, chars=7)
    assert set(scores) == {"val_loss", "n_params", "tokens", "accuracy"}
    assert scores == checkpoint.score(model, find_task("parity"))
