"""Losses, each against a calculation spelt out."""

import pytest
import torch
import torch.nn.functional as F

from minrnn import checkpoint
from minrnn.config import ModelConfig
from minrnn.corpora import own
from minrnn.evaluate import character_losses, scored_chars, streaming_loss, windowed_loss
from minrnn.models import MODEL_NAMES, Committee, LanguageModel

SIZE = 7


@pytest.fixture(params=MODEL_NAMES)
def model(request: pytest.FixtureRequest) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(
        ModelConfig(request.param, "abcdefgh", block_size=SIZE, n_layer=1, n_embd=16, dropout=0.5)
    )


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.randint(0, 8, (40,), generator=torch.Generator().manual_seed(1))


def test_windowed_loss_reads_each_window_from_an_empty_state(model: LanguageModel, ids: torch.Tensor) -> None:
    model.eval()
    total = 0.0
    for start in range(0, len(ids) - 1, SIZE):
        piece = ids[start : start + SIZE + 1]
        with torch.no_grad():
            total += F.cross_entropy(model(piece[None, :-1])[0][0], piece[1:], reduction="sum").item()
    assert windowed_loss(model, ids) == pytest.approx(total / (len(ids) - 1), abs=1e-6)


def test_an_estimate_scores_windows_spread_over_the_text(model: LanguageModel, ids: torch.Tensor) -> None:
    model.eval()
    every_second = [ids[start : start + SIZE + 1] for start in range(0, len(ids) - SIZE, 2 * SIZE)]
    with torch.no_grad():
        losses = [F.cross_entropy(model(piece[None, :-1])[0][0], piece[1:]).item() for piece in every_second]
    assert windowed_loss(model, ids, chars=20) == pytest.approx(sum(losses) / len(losses), abs=1e-6)


def test_a_text_shorter_than_a_window_is_scored_whole(model: LanguageModel, ids: torch.Tensor) -> None:
    assert windowed_loss(model, ids[:4], chars=1) == pytest.approx(windowed_loss(model, ids[:4]))


def test_streaming_loss_carries_the_state_to_the_end(model: LanguageModel, ids: torch.Tensor) -> None:
    model.eval()
    with torch.no_grad():
        whole = F.cross_entropy(model(ids[None, :-1])[0][0], ids[1:])
    assert streaming_loss(model, ids) == pytest.approx(whole.item(), abs=1e-5)


def test_every_character_but_the_first_has_a_surprise(model: LanguageModel, ids: torch.Tensor) -> None:
    assert character_losses(model, ids).shape == (len(ids) - 1,)


def test_scoring_drops_nothing_and_leaves_the_mode_as_it_was(model: LanguageModel, ids: torch.Tensor) -> None:
    model.train()
    assert windowed_loss(model, ids) == windowed_loss(model, ids)
    assert model.training


def test_scoring_a_committee_leaves_each_members_mode_as_it_was(ids: torch.Tensor) -> None:
    members = [
        LanguageModel(ModelConfig(name, "abcdefgh", block_size=SIZE, n_layer=1, n_embd=16))
        for name in ("lstm", "mingru")
    ]
    together = Committee([members[0].eval(), members[1].train()])
    before = [module.training for module in together.modules()]
    streaming_loss(together, ids)
    assert [module.training for module in together.modules()] == before


def test_a_score_names_everything_the_table_shows(model: LanguageModel) -> None:
    corpus = own.from_text("abcdefgh" * 200)
    scores = checkpoint.score(model, corpus, train_split=True)
    assert scores["tokens"] == 159
    assert scores["bits_per_char"] == pytest.approx(scores["val_loss"] / 0.6931, rel=1e-3)
    assert set(scores) == {
        "val_loss",
        "val_loss_streaming",
        "bits_per_char",
        "n_params",
        "tokens",
        "train_loss",
    }


def test_a_sample_of_a_split_is_scored_without_the_carried_loss(model: LanguageModel) -> None:
    scores = checkpoint.score(model, own.from_text("abcdefgh" * 200), chars=40)
    assert scores["tokens"] < 60
    assert "val_loss_streaming" not in scores


def test_the_characters_that_are_scored_are_counted(model: LanguageModel, ids: torch.Tensor) -> None:
    assert scored_chars(ids, SIZE) == len(ids) - 1
    assert scored_chars(ids, SIZE, chars=20) == 3 * SIZE
