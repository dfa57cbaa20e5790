"""minLSTM against the paper's equations."""

import pytest
import torch

from minrnn.models.minlstm import MinLSTMOptions
from tests.models.small import build, g, logits_at, mixer_of, sigmoid


@pytest.mark.parametrize("normalised", [True, False])
def test_minlstm_computes_the_papers_equations(normalised: bool) -> None:
    options = MinLSTMOptions(expansion=1.5, normalised=normalised)
    mixer = mixer_of(build("minlstm", options=options))
    x, h = torch.randn(1, 9, 16), [0.0] * 24
    y, _ = mixer(x)
    for t in range(9):
        three = logits_at(mixer.get_submodule("gates_and_candidate"), x[0, t])
        f, i = [sigmoid(v) for v in three[:24]], [sigmoid(v) for v in three[24:48]]
        total = [a + b if normalised else 1.0 for a, b in zip(f, i, strict=True)]
        steps = zip(f, i, total, three[48:], h, strict=True)
        h = [a / both * past + b / both * g(v) for a, b, both, v, past in steps]
        wanted = logits_at(mixer.get_submodule("projection"), torch.tensor(h))
        torch.testing.assert_close(y[0, t], torch.tensor(wanted), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("normalised", [True, False])
def test_only_the_linear_maps_are_bfloat16_under_autocast(normalised: bool) -> None:
    mixer = mixer_of(build("minlstm", options=MinLSTMOptions(normalised=normalised)))
    x, narrow = torch.randn(2, 9, 16), []
    layer = mixer.get_submodule("gates_and_candidate")
    layer.register_forward_hook(lambda module, args, out: narrow.append(out))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, state = mixer(x)
    assert narrow[0].dtype == torch.bfloat16
    layer.register_forward_hook(lambda module, args, out: narrow[0].float())  # the same logits, in float32
    torch.testing.assert_close(state, mixer(x)[1], rtol=1e-5, atol=1e-5)
