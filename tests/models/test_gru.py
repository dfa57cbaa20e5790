"""The GRU against torch.nn.GRU and against its equations: outputs, state and gradients."""

import pytest
import torch
from torch import Tensor, nn

from minrnn.models import LanguageModel
from minrnn.models.gru import Steps
from tests.models.small import build, ids, mixer_of, read_in_pieces

LAYERS, WIDTH = 3, 16


def model_and_torchs(bias: bool = True) -> tuple[LanguageModel, nn.GRU]:
    """A model of plain blocks, and torch's GRU of as many layers with the same weights."""
    model = build("gru", block="plain", conv_kernel=0, n_layer=LAYERS, n_embd=WIDTH, bias=bias)
    theirs = nn.GRU(WIDTH, WIDTH, num_layers=LAYERS, bias=bias, batch_first=True)
    theirs.load_state_dict({their: own.detach() for their, own in pairs(model).items()})
    return model, theirs


def pairs(model: LanguageModel) -> dict[str, nn.Parameter]:
    """The weights of the model's mixers under torch's names."""
    layers = ((n, mixer_of(model, n).get_submodule("gru").named_parameters()) for n in range(LAYERS))
    return {f"{name.removesuffix('0')}{n}": weight for n, weights in layers for name, weight in weights}


def close(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("sizes", [[30], [1] * 30, [1, 9, 1, 19]], ids=["whole", "by character", "in pieces"])
def test_gru_gives_the_outputs_and_the_state_of_torch(sizes: list[int], bias: bool) -> None:
    model, theirs = model_and_torchs(bias)
    idx = ids(3, 30)
    wanted, h = theirs(model.embedding(idx))
    logits, state = read_in_pieces(model, idx, sizes)
    assert model.head is not None
    close(logits, model.head(wanted))
    for layer, (_, own) in enumerate(state):
        close(own, h[layer])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("sizes", [[12], [1] * 12, [1, 5, 6]], ids=["whole", "by character", "in pieces"])
def test_gru_gives_the_gradients_of_torch(sizes: list[int], training: bool, bias: bool) -> None:
    model, theirs = model_and_torchs(bias)
    model.train(training)
    idx = ids(3, 12)
    direction = torch.randn(3, 12, len(model.config.vocab))
    (read_in_pieces(model, idx, sizes)[0] * direction).sum().backward()
    assert model.head is not None
    embedded = model.embedding.weight.detach()[idx].requires_grad_()
    (model.head(theirs(embedded)[0]) * direction).sum().backward()
    for name, own in pairs(model).items():
        torch.testing.assert_close(own.grad, theirs.get_parameter(name).grad, rtol=1e-4, atol=1e-4)
    close(model.embedding.weight.grad, torch.zeros_like(model.embedding.weight).index_add(
        0, idx.flatten(), embedded.grad.flatten(0, 1)))  # fmt: skip


@pytest.mark.parametrize("steps", [1, 9])
def test_gru_goes_on_from_a_state_as_torch_does(steps: int) -> None:
    mixer = mixer_of(build("gru"))
    x, h = torch.randn(2, steps, WIDTH), torch.randn(2, WIDTH)
    wanted, after = mixer.get_submodule("gru")(x, h[None])
    y, state = mixer(x, h)
    close(y, wanted)
    close(state, after[0])


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("bias", [True, False])
def test_the_gradient_by_hand_is_the_one_by_differences(steps: int, bias: bool) -> None:
    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, requires_grad=True)

    torch.autograd.gradcheck(
        Steps.apply, (drawn(steps, 2, 9), drawn(2, 3), drawn(9, 3), drawn(9) if bias else None)
    )


def test_a_state_does_not_hold_the_states_before_it() -> None:
    mixer = mixer_of(build("gru"))
    with torch.no_grad():
        _, state = mixer(torch.randn(2, 9, WIDTH))
    assert state.untyped_storage().nbytes() == state.nbytes


def test_gru_computes_the_equations_of_its_head() -> None:
    mixer = mixer_of(build("gru"))
    w = {name.removeprefix("gru.").removesuffix("_l0"): p.detach() for name, p in mixer.named_parameters()}
    x, h = torch.randn(2, 9, WIDTH), torch.zeros(2, WIDTH)
    y, state = mixer(x)
    for t in range(9):
        of_x = (x[:, t] @ w["weight_ih"].T + w["bias_ih"]).split(WIDTH, dim=1)
        of_h = (h @ w["weight_hh"].T + w["bias_hh"]).split(WIDTH, dim=1)
        r, z = (torch.sigmoid(of_x[k] + of_h[k]) for k in (0, 1))
        h_tilde = torch.tanh(of_x[2] + r * of_h[2])
        h = (1 - z) * h_tilde + z * h
        close(y[:, t], h)
    close(state, h)
