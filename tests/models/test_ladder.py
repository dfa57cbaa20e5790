"""What each rung between the LSTM and minGRU computes, and that it changes one thing."""

import pytest
import torch
from torch import Tensor, nn

from minrnn.config import MixerOptions, ModelConfig
from minrnn.models import MIXERS, LanguageModel, Mixer, ladder
from minrnn.presets import PRESETS

WIDTH = 5


def rung(name: str, options: MixerOptions | None = None) -> Mixer:
    torch.manual_seed(0)
    shape = ModelConfig(name, "ab", n_layer=1, n_embd=WIDTH, block="plain", conv_kernel=0, options=options)
    mixer = LanguageModel(shape).blocks[0].get_submodule("mixer")
    assert isinstance(mixer, Mixer)
    return mixer


def copy_rows(target: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    with torch.no_grad():
        target.weight.copy_(weight)
        assert target.bias is not None
        target.bias.copy_(bias)


def rows(source: nn.Linear, *parts: int) -> tuple[Tensor, Tensor]:
    """The weights and biases of some of a layer's parts, in that order."""
    weight, bias = source.weight.detach().split(WIDTH), source.bias.detach().split(WIDTH)
    return torch.cat([weight[p] for p in parts]), torch.cat([bias[p] for p in parts])


def gates_of_torch(lstm: nn.Module) -> tuple[Tensor, Tensor]:
    """torch's input weights and summed biases, which lie in the order i, f, c~, o."""
    named = {name.removeprefix("lstm."): p.detach() for name, p in lstm.named_parameters()}
    return named["weight_ih_l0"], named["bias_ih_l0"] + named["bias_hh_l0"]


@pytest.mark.parametrize(("name", "order"), [("lstm_x_gates", (1, 0, 3, 2)), ("lstm_x", (1, 0, 2, 3))])
def test_without_weights_on_h_the_lstm_and_its_first_rungs_are_one(name: str, order: tuple[int, ...]) -> None:
    lstm, below, x = rung("lstm"), rung(name), torch.randn(2, 9, WIDTH)
    lstm.get_parameter("lstm.weight_hh_l0").data.zero_()
    if name == "lstm_x_gates":
        below.get_parameter("recurrent.weight").data.zero_()
    weight, bias = (part.split(WIDTH) for part in gates_of_torch(lstm))
    layer = below.get_submodule("gates_and_candidate")
    assert isinstance(layer, nn.Linear)
    copy_rows(layer, torch.cat([weight[p] for p in order]), torch.cat([bias[p] for p in order]))
    torch.testing.assert_close(below(x)[0], lstm(x)[0], rtol=1e-5, atol=1e-6)


def test_the_candidate_of_the_first_rung_reads_h() -> None:
    mixer, x = rung("lstm_x_gates"), torch.randn(2, 1, WIDTH)
    y, (h, c) = mixer(x, (torch.randn(2, WIDTH), torch.randn(2, WIDTH)))
    moved, _ = mixer(x, (torch.randn(2, WIDTH), c))
    assert not torch.allclose(y, moved) and torch.equal(y[:, -1], h)


def test_an_open_output_gate_is_none() -> None:
    with_gate, without, x = rung("lstm_x"), rung("lstm_no_output"), torch.randn(2, 9, WIDTH)
    upper, lower = (m.get_submodule("gates_and_candidate") for m in (with_gate, without))
    assert isinstance(upper, nn.Linear) and isinstance(lower, nn.Linear)
    copy_rows(lower, *rows(upper, 0, 1, 2))
    upper.bias.data[3 * WIDTH :] = 50.0
    torch.testing.assert_close(with_gate(x)[0], without(x)[0], rtol=1e-5, atol=1e-6)


def test_the_next_rung_gives_the_cell_itself() -> None:
    squashed, linear, x = rung("lstm_no_output"), rung("lstm_linear"), torch.randn(2, 9, WIDTH)
    linear.load_state_dict(squashed.state_dict())
    torch.testing.assert_close(linear(x)[0].tanh(), squashed(x)[0], rtol=1e-5, atol=1e-6)


def test_minlstm_without_normalised_gates_differs_in_its_candidate_alone() -> None:
    linear, x = rung("lstm_linear"), torch.randn(2, 9, WIDTH)
    plain = rung("minlstm", MIXERS["minlstm"].Options(normalised=False))  # type: ignore[call-arg]
    plain.load_state_dict(linear.state_dict())
    layer = linear.get_submodule("gates_and_candidate")
    assert isinstance(layer, nn.Linear)
    layer.weight.data[2 * WIDTH :] = 0
    layer.bias.data[2 * WIDTH :] = torch.tensor(0.3)
    copy_rows(plain.get_submodule("gates_and_candidate"), layer.weight, layer.bias)  # type: ignore[arg-type]
    ratio = (0.3 + 0.5) / torch.tensor(0.3).tanh()
    torch.testing.assert_close(plain(x)[0], ratio * linear(x)[0], rtol=1e-5, atol=1e-6)


def test_every_rung_is_registered_and_has_a_recipe() -> None:
    rungs = {name for name, mixer in MIXERS.items() if not mixer.compared}
    assert rungs and rungs < set(PRESETS["ladder"]) < set(MIXERS)
    assert all(MIXERS[name].__module__ == ladder.__name__ for name in rungs)
