"""What teachers expect of a text, and what a model learns from it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn import teaching, train
from minrnn.config import ModelConfig
from minrnn.models import MIXERS, Committee, LanguageModel
from minrnn.teaching import Lesson, expected_in, in_vocab, loss_sum, write
from tests.test_train import RECIPE, TEXT, VOCAB, begin

IDS = torch.randint(0, 4, (41,), generator=torch.Generator().manual_seed(1))


def model(seed: int, mixer: str = "mingru", vocab: str = "abcd", **shape: Any) -> LanguageModel:
    """A model that prefers some characters clearly."""
    torch.manual_seed(seed)
    made = LanguageModel(ModelConfig(mixer, vocab, block_size=8, n_layer=1, n_embd=16, **shape)).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(3)
    return made


def written(path: Path, teachers: Any, ids: Tensor = IDS) -> Tensor:
    """What the teachers expect, by way of the file."""
    assert list(write(path, teachers, ids))[-1] == len(ids) - 1
    found = expected_in(path, ids, teachers.config.vocab)
    assert found is not None
    return found


def test_the_target_is_the_texts_share_and_the_teachers_share() -> None:
    logits = torch.tensor([[0.3, -1.0, 2.0]], requires_grad=True)
    expected = torch.tensor([[0.5, 0.25, 0.25]]).half()
    loss = loss_sum(logits, torch.tensor([0]), expected, share=0.4)
    loss.backward()
    target = torch.tensor([[0.6 * 1 + 0.4 * 0.5, 0.4 * 0.25, 0.4 * 0.25]])
    torch.testing.assert_close(loss, F.cross_entropy(logits, target))
    torch.testing.assert_close(logits.grad, logits.detach().softmax(dim=-1) - target)


@pytest.mark.parametrize("mixer", MIXERS)
def test_what_is_kept_is_the_mean_of_the_teachers_probabilities(mixer: str, tmp_path: Path) -> None:
    """Each reads the text from end to end, also past its window."""
    one, other = model(1, mixer), model(2, mixer)
    found = written(tmp_path / "e.npy", Committee([one, other]))
    with torch.no_grad():
        apart = [each(IDS[None, :-1])[0][0].softmax(dim=-1) for each in (one, other)]
    assert (apart[0] - apart[1]).abs().max() > 0.1
    torch.testing.assert_close(found.float(), (apart[0] + apart[1]) / 2, rtol=0, atol=5e-4)


class Recalls(nn.Module):
    """Expects the last two characters, in this order; the state is the last one."""

    config = ModelConfig("mingru", "abcd")
    device = torch.device("cpu")

    def forward(self, idx: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        before = torch.zeros_like(idx[:, :1]) if state is None else state
        earlier = torch.cat([before, idx[:, :-1]], dim=1)
        return 4.0 * F.one_hot(idx, 4) + 2.0 * F.one_hot(earlier, 4), idx[:, -1:]


@pytest.mark.parametrize("chars", [2, 3, 60, 97, 333])
def test_streams_read_every_character_once_and_know_what_came_before(
    chars: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = torch.randint(0, 4, (chars,), generator=torch.Generator().manual_seed(2))
    whole = Recalls()(ids[None, :-1], None)[0][0].softmax(dim=-1).half()
    for name, value in {"PIECE": 5, "WARM_UP": 3, "LONGEST_SHARE": 2}.items():
        monkeypatch.setattr(teaching, name, value)
    assert torch.equal(written(tmp_path / "e.npy", Recalls(), ids), whole)


@pytest.mark.parametrize("tie_head", [False, True])
def test_a_teacher_with_more_characters_in_another_order_keeps_its_opinion(tie_head: bool) -> None:
    teacher = model(3, vocab="xdcbay", tie_head=tie_head)
    asked = in_vocab(teacher, "abcd")
    theirs = torch.tensor([["xdcbay".index("abcd"[i]) for i in IDS]])
    with torch.no_grad():
        expected = teacher(theirs)[0][..., [4, 3, 2, 1]]
        torch.testing.assert_close(asked(IDS[None])[0], expected)
    assert asked.config.vocab == "abcd" and in_vocab(asked, "abcd") is asked


def test_a_teacher_that_lacks_a_character_has_no_opinion() -> None:
    with pytest.raises(ValueError, match="'z'"):
        in_vocab(model(3), "abz")


def losses(config: Any, lesson: Lesson | None) -> list[float]:
    events = train.train(begin(config), TEXT, config, lesson=lesson)
    return [event.loss for event in events if isinstance(event, train.Iter)]


def lesson_of(expected: Tensor, share: float, **recipe: Any) -> tuple[Any, Lesson]:
    config = dataclasses.replace(RECIPE, teacher_share=share, **recipe)
    return config, Lesson(expected.half(), 16, config)


def test_with_no_share_for_the_teachers_training_is_as_without_them_to_the_last_bit() -> None:
    expected = torch.rand(len(TEXT.train) - 1, len(VOCAB)).softmax(dim=-1)
    config, lesson = lesson_of(expected, share=0.0)
    assert losses(config, lesson) == losses(config, None)


@pytest.mark.parametrize("batch_size", [4, 250])
def test_every_character_of_a_batch_meets_what_was_expected_of_it(batch_size: int) -> None:
    """Teachers who are sure of the text say what the text says; also where windows are drawn at random."""
    ids = torch.tensor([VOCAB.index(char) for char in TEXT.train])
    config, lesson = lesson_of(F.one_hot(ids[1:], len(VOCAB)), share=1.0, batch_size=batch_size)
    assert losses(config, lesson) == pytest.approx(losses(config, None), abs=1e-5)


def test_a_reading_that_is_given_up_leaves_no_file(tmp_path: Path) -> None:
    reading = write(tmp_path / "e.npy", model(1), IDS)
    assert next(reading) == 0 and len(list(tmp_path.iterdir())) == 1
    reading.close()
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_whole_or_of_another_text_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "e.npy"
    assert expected_in(path, IDS, "abcd") is None
    written(path, model(1))
    assert path.stat().st_size == teaching.bytes_of(IDS, "abcd")
    assert expected_in(path, IDS[1:], "abcd") is None and expected_in(path, IDS, "abcde") is None
    path.write_bytes(whole := path.read_bytes()[:-1])
    assert expected_in(path, IDS, "abcd") is None
    for damaged in (whole[:20], b"", b"no array"):
        path.write_bytes(damaged)
        assert expected_in(path, IDS, "abcd") is None
    np.save(path, np.zeros((40, 4), dtype=np.float32))
    assert expected_in(path, IDS, "abcd") is None
