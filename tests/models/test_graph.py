"""The step as a CUDA graph. Without a card, a fake graph replays what was captured, on the same memory."""

import pytest
import torch

from minrnn.config import ModelConfig
from minrnn.models import MIXERS, Committee, LanguageModel, State, mixer_class
from minrnn.models.graph import CudaGraph, can_capture, captured
from tests.models.fake_graph import FakeGraph, on_a_fake_graph

GRAPH = CudaGraph if torch.cuda.is_available() else FakeGraph
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
VOCAB = "\nabcdefg"
GROWING = [name for name in MIXERS if mixer_class(name).learned_positions]
FIXED = [name for name in MIXERS if name not in GROWING]


def model_of(mixer: str, seed: int = 0) -> LanguageModel:
    torch.manual_seed(seed)
    return LanguageModel(ModelConfig(mixer, VOCAB, block_size=8, n_layer=2, n_embd=16)).eval().to(DEVICE)


def ids(*tokens: int) -> torch.Tensor:
    return torch.tensor([tokens], device=DEVICE)


@pytest.mark.parametrize("mixer", FIXED)
def test_a_graph_gives_the_logits_and_the_state_of_forward(mixer: str) -> None:
    model = model_of(mixer)
    with torch.inference_mode():
        _, state = model(ids(1, 2, 3))
        steps = captured(model, state, GRAPH)
        assert steps is not None
        for token in (4, 0, 7, 7, 1):
            logits, state = model(ids(token), state)
            torch.testing.assert_close(torch.from_numpy(steps(token)), logits[0, -1].cpu())
    torch.testing.assert_close(steps.state(), state)
    assert steps.state_bytes > 0


def test_a_committee_is_captured_as_a_whole() -> None:
    committee = Committee([model_of("mingru"), model_of("minlstm", seed=1)]).eval()
    with torch.inference_mode():
        _, state = committee(ids(1, 2))
        steps = captured(committee, state, GRAPH)
        assert steps is not None
        logits, _ = committee(ids(5), state)
    torch.testing.assert_close(torch.from_numpy(steps(5)), logits[0, -1].cpu())


@pytest.mark.parametrize("mixer", GROWING)
def test_a_cache_that_grows_is_not_captured(mixer: str) -> None:
    model = model_of(mixer)
    with torch.inference_mode():
        _, state = model(ids(1, 2))
        assert captured(model, state, GRAPH) is None
        assert not can_capture(state) and can_capture(state.blocks)


def test_a_state_of_tensors_that_grow_is_not_captured() -> None:
    class Growing:
        device, config = torch.device(DEVICE), ModelConfig("mingru", VOCAB)

        def __call__(self, idx: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.zeros(1, 1, len(VOCAB)), torch.cat([state, idx], dim=1)

    assert captured(Growing(), ids(1, 2), GRAPH) is None  # type: ignore[arg-type]


def test_two_texts_of_one_model_do_not_disturb_each_other() -> None:
    model = model_of("mingru")
    with torch.inference_mode():
        _, state = model(ids(1))
    one, other = captured(model, state, GRAPH), captured(model, state, GRAPH)
    assert one is not None and other is not None
    first = [one(token).copy() for token in (2, 3)]
    assert (other(2) == first[0]).all() and (other(3) == first[1]).all()


def test_logits_that_were_returned_stay_as_they_are() -> None:
    model = model_of("mingru")
    with torch.inference_mode():
        steps = captured(model, model(ids(1))[1], GRAPH)
    assert steps is not None
    kept = steps(2)
    before = kept.copy()
    steps(3)
    assert (kept == before).all()


def test_a_capture_that_fails_says_why_and_leaves_forward() -> None:
    class Asking(LanguageModel):
        def forward(self, idx: torch.Tensor, state: State = None) -> tuple[torch.Tensor, State]:
            idx[0, 0].item()
            return super().forward(idx, state)

    model = Asking(ModelConfig("mingru", VOCAB, block_size=8, n_layer=1, n_embd=16)).eval().to(DEVICE)
    with torch.inference_mode():
        state = model(ids(1))[1]
    with pytest.warns(UserWarning, match="mingru writes without a CUDA graph: "):
        assert captured(model, state, GRAPH) is None


# The fake graph itself


def test_the_fake_graph_knows_nothing_of_python() -> None:
    number, x, y = [1], torch.zeros(1), torch.zeros(1)
    graph = on_a_fake_graph(lambda: (y.copy_(x + number[0]), None)[1])
    x.fill_(10)
    number[0] = 5
    graph.replay()
    assert y.item() == 11


def test_the_fake_graph_refuses_what_waits_for_the_device() -> None:
    x = torch.ones(1)
    with pytest.raises(RuntimeError, match="a number was read"):
        on_a_fake_graph(lambda: (x.item(), None)[1])
