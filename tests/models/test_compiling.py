"""torch.compile for training. A CPU plays the card: the graph is made, its kernels are torch's ordinary ones."""

import os

import pytest
import torch
import torch.nn.functional as F

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when triton is imported

from minrnn import scan, train
from minrnn.config import ModelConfig
from minrnn.device import Compute
from minrnn.models import LanguageModel, compiling, conv
from minrnn.models.compiling import compiled
from tests.test_train import TEXT, begin, recipe

COMPUTE = Compute(torch.device("cpu"), torch.float32, "as the test wants")
pytestmark = pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION:UserWarning")


def model_of(mixer: str) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(ModelConfig(mixer, "\nabc", block_size=8, n_layer=1, n_embd=8)).train()


def gradients(model: torch.nn.Module, idx: torch.Tensor) -> list[torch.Tensor]:
    logits, _ = model(idx)
    return [logits, *torch.autograd.grad(logits.square().sum(), list(model.parameters()))]


def on_a_card(inputs: torch.Tensor, taps: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return F.conv1d(inputs.mT, taps.mT.unsqueeze(1), bias, groups=len(bias)).mT


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(compiling, "_is_for", lambda device: True)
    return monkeypatch


@pytest.mark.parametrize("mixer", ["mingru", "minlstm", "nanogpt"])
def test_a_model_with_the_scan_as_an_operator_is_one_graph(mixer: str, allowed: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", reason="the package triton is not installed")
    allowed.setenv("TRITON_INTERPRET", "1")
    allowed.setitem(scan.BACKENDS, "cpu", lambda device: "a card has no such backend")
    allowed.setattr(scan, "_CHOSEN", {})
    allowed.setattr(conv, "causal", on_a_card)  # the CPU's own convolution is not compiled either
    model, idx = model_of(mixer), torch.randint(4, (2, 5), generator=torch.Generator().manual_seed(0))
    fast = compiled(model, (2, 5), COMPUTE, backend="aot_eager")
    assert fast is not model and all(p.grad is None for p in model.parameters())
    torch.testing.assert_close(gradients(fast, idx), gradients(model, idx))


@pytest.mark.parametrize("mixer", ["lstm", "gru"])
def test_cudnns_kernels_are_left_alone(mixer: str, allowed: pytest.MonkeyPatch) -> None:
    model = model_of(mixer)
    with pytest.warns(UserWarning, match=f"{mixer} is trained without torch.compile: it cannot look into"):
        assert compiled(model, (2, 5), COMPUTE) is model


def test_a_compiler_that_fails_leaves_the_model_and_says_why(allowed: pytest.MonkeyPatch) -> None:
    def broken(model: object, **options: object) -> object:
        def call(idx: torch.Tensor) -> object:
            raise FileNotFoundError("no C++ compiler\nand much more")

        return call

    allowed.setattr(torch, "compile", broken)
    model = model_of("mingru")
    with pytest.warns(UserWarning, match=r"without torch.compile: FileNotFoundError: no C\+\+ compiler$"):
        assert compiled(model, (2, 5), COMPUTE) is model
    assert all(p.grad is None for p in model.parameters())


def test_memory_that_runs_out_is_not_the_compilers_fault(allowed: pytest.MonkeyPatch) -> None:
    def full(*of: object) -> object:
        raise MemoryError

    allowed.setattr(compiling, "_try", full)
    with pytest.raises(MemoryError):
        compiled(model_of("mingru"), (2, 5), COMPUTE)


def test_a_run_that_asks_for_it_on_a_cpu_is_trained_as_it_is() -> None:
    plain, asked = (
        recipe(max_iters=3, eval_interval=0, sample_interval=0, compile=on) for on in (False, True)
    )
    expected = [e.loss for e in train.train(begin(plain), TEXT, plain) if isinstance(e, train.Iter)]
    with pytest.warns(UserWarning, match="it is for CUDA, and the device is cpu"):
        got = [e.loss for e in train.train(begin(asked), TEXT, asked) if isinstance(e, train.Iter)]
    assert got == expected


def test_trying_it_draws_no_number_of_the_run() -> None:
    model = model_of("mingru").with_dropout(0.5).train()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    compiling._try(model, (2, 5), COMPUTE)
    assert torch.equal(torch.rand(3), expected)
