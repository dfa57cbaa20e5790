"""Drawing the next character."""

from collections import Counter

import numpy as np
import pytest
import torch

from minrnn.config import Sampling
from minrnn.draw import Draw


def drawn(shares: list[float], count: int, **sampling: float) -> Counter[int]:
    """How often each id is drawn."""
    draw = Draw(Sampling(**sampling), len(shares))
    logits = np.log(np.array(shares, dtype=np.float32))
    return Counter(draw(logits) for _ in range(count))


def test_top_p_keeps_the_likeliest_characters_that_reach_it() -> None:
    assert set(drawn([0.5, 0.3, 0.15, 0.05], 200, temperature=1, top_p=0.6)) == {0, 1}


def test_top_k_keeps_the_likeliest_characters() -> None:
    assert set(drawn([0.1, 0.3, 0.15, 0.45], 200, temperature=1, top_k=2)) == {1, 3}


def test_characters_are_drawn_as_often_as_the_model_says() -> None:
    counts = drawn([0.7, 0.2, 0.1], 4000, temperature=1)
    assert [counts[id] / 4000 for id in range(3)] == pytest.approx([0.7, 0.2, 0.1], abs=0.03)


def test_characters_of_one_likelihood_are_all_drawn_at_a_low_temperature() -> None:
    assert set(drawn([0.4, 0.4, 0.2], 50, temperature=1e-40)) == {0, 1}


@pytest.mark.parametrize("temperature", [0.3, 0.8, 1.0, 10.0])
@pytest.mark.parametrize("top_k", [0, 5])
def test_the_draws_are_those_of_multinomial(temperature: float, top_k: int) -> None:
    sampling = Sampling(temperature=temperature, top_k=top_k, seed=5)
    draw, generator = Draw(sampling, 66), torch.Generator().manual_seed(5)
    rows = 3 * torch.randn(500, 66, generator=torch.Generator().manual_seed(0))
    for logits in rows:
        kept = logits.topk(top_k or 66)
        chances = torch.zeros(66).scatter(0, kept.indices, (kept.values / temperature).softmax(dim=-1))
        assert draw(logits.numpy()) == int(torch.multinomial(chances, 1, generator=generator))


def test_the_logits_are_left_as_they_were() -> None:
    logits = np.array([1.0, 2.0, 3.0], dtype=np.float32)
    Draw(Sampling(top_k=2, top_p=0.5), 3)(logits)
    assert logits.tolist() == [1, 2, 3]
