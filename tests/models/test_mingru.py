"""minGRU against the paper's equations."""

import pytest
import torch

from minrnn.errors import ConfigError
from minrnn.models import MIXERS
from minrnn.models.mingru import ExpansionOptions
from tests.models.small import build, g, logits_at, mixer_of, sigmoid


def test_mingru_computes_the_papers_equations() -> None:
    mixer = mixer_of(build("mingru", options=ExpansionOptions(expansion=2.0)))
    x, h = torch.randn(1, 9, 16), [0.0] * 32
    y, state = mixer(x)
    for t in range(9):
        both = logits_at(mixer.get_submodule("gate_and_candidate"), x[0, t])
        gates = zip(both[:32], both[32:], h, strict=True)
        h = [(1 - sigmoid(k)) * past + sigmoid(k) * g(v) for k, v, past in gates]
        wanted = logits_at(mixer.get_submodule("projection"), torch.tensor(h))
        torch.testing.assert_close(y[0, t], torch.tensor(wanted), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state[0], torch.tensor(h), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "mixer", [name for name, m in MIXERS.items() if issubclass(m.Options, ExpansionOptions)]
)
def test_a_plain_block_refuses_an_expansion(mixer: str) -> None:
    with pytest.raises(ConfigError, match="expansion must be 1, not 2"):
        build(mixer, block="plain", options=MIXERS[mixer].Options(expansion=2.0))
