"""Several models as one."""

import pytest
import torch

from minrnn.errors import ConfigError
from minrnn.evaluate import streaming_loss, windowed_loss
from minrnn.models import MODEL_NAMES, Committee
from tests.models.small import build, ids


def test_a_committee_gives_the_mean_of_its_members_probabilities() -> None:
    members = [build(name, seed) for seed, name in enumerate(MODEL_NAMES)]
    with torch.inference_mode():
        found = Committee(members)(ids(2, 20))[0].exp()
        wanted = torch.stack([member(ids(2, 20))[0].softmax(dim=-1) for member in members]).mean(dim=0)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_the_order_of_the_members_changes_no_figure() -> None:
    members = [build("mingru", block_size=8), build("nanogpt", block_size=16), build("lstm", block_size=5)]
    text, (one, other) = ids(1, 200)[0], (Committee(members), Committee(members[::-1]))
    assert windowed_loss(one, text) == pytest.approx(windowed_loss(other, text), abs=1e-6)
    assert windowed_loss(one, text, chars=50) == pytest.approx(windowed_loss(other, text, chars=50), abs=1e-6)
    assert streaming_loss(one, text) == pytest.approx(streaming_loss(other, text), abs=1e-6)


def test_no_member_reads_a_window_longer_than_its_own() -> None:
    assert Committee([build("mingru", block_size=16), build("nanogpt", block_size=8)]).config.block_size == 8


def test_members_that_know_other_characters_and_no_members_are_refused() -> None:
    with pytest.raises(ConfigError, match="know different characters"):
        Committee([build("mingru"), build("mingru", vocab="xyz")])
    with pytest.raises(ConfigError, match="needs at least one"):
        Committee([])
