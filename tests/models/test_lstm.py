"""The LSTM against torch.nn.LSTM and against the textbook."""

import torch
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.models import LanguageModel
from tests.models.small import VOCAB, build, ids, mixer_of


def test_lstm_gives_the_numbers_of_torch_with_the_same_weights() -> None:
    model, idx = build("lstm", block="plain", conv_kernel=0, n_layer=3), ids(3, 30)
    theirs = nn.LSTM(16, 16, num_layers=3, batch_first=True)
    weights = {
        f"{name[:-1]}{layer}": weight for layer in range(3) for name, weight in lstm_weights(model, layer)
    }
    theirs.load_state_dict(weights)
    hidden, (h, c) = theirs(model.embedding(idx))
    logits, state = model(idx)
    assert model.head is not None
    torch.testing.assert_close(logits, model.head(hidden), rtol=1e-5, atol=1e-5)
    for layer, (_, (h_own, c_own)) in enumerate(state):
        torch.testing.assert_close((h_own, c_own), (h[layer], c[layer]), rtol=1e-5, atol=1e-5)


def lstm_weights(model: LanguageModel, layer: int) -> list[tuple[str, Tensor]]:
    return list(model.blocks[layer].get_submodule("mixer.lstm").state_dict().items())


def test_lstm_computes_the_textbook_equations() -> None:
    mixer = mixer_of(build("lstm"))
    w = {name: p.detach() for name, p in mixer.named_parameters()}
    x, h, c = torch.randn(2, 9, 16), torch.zeros(2, 16), torch.zeros(2, 16)
    y, state = mixer(x)
    for t in range(9):
        inner = x[:, t] @ w["lstm.weight_ih_l0"].T + h @ w["lstm.weight_hh_l0"].T
        i, f, g, o = (inner + w["lstm.bias_ih_l0"] + w["lstm.bias_hh_l0"]).split(16, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        torch.testing.assert_close(y[:, t], h, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state, (h, c), rtol=1e-5, atol=1e-5)


def test_a_new_lstm_opens_its_forget_gate() -> None:
    model = LanguageModel(ModelConfig("lstm", VOCAB, n_layer=2, n_embd=16))
    for layer in range(2):
        weights = dict(lstm_weights(model, layer))
        forget = (weights["bias_ih_l0"] + weights["bias_hh_l0"])[16:32]
        torch.testing.assert_close(forget, torch.ones(16))
