"""The public scans: what they accept, what they refuse, and which backend computes them."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from minrnn import scan
from minrnn.errors import BackendUnavailable
from minrnn.scan import backend_for, linear_scan, mingru_scan, minlstm_scan
from tests.scan.scan_cases import FORMS, Scan, assert_same

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda", "mps"))


@pytest.mark.parametrize("form", FORMS)
def test_a_text_in_pieces_with_the_state_carried_equals_the_whole(form: str) -> None:
    scan, _, inputs_of = FORMS[form]
    *inputs, h0 = (x.detach() for x in inputs_of(63))
    whole, h, pieces = scan(*inputs, h0), h0, []
    for start, end in ((0, 1), (1, 3), (3, 40), (40, 63)):
        pieces.append(scan(*(x[:, start:end] for x in inputs), h))
        h = pieces[-1][:, -1]
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole)


@pytest.mark.parametrize("form", FORMS)
def test_no_state_means_zeros(form: str) -> None:
    scan, _, inputs_of = FORMS[form]
    *inputs, h0 = inputs_of(9)
    torch.testing.assert_close(scan(*inputs), scan(*inputs, torch.zeros_like(h0)), rtol=0, atol=0)


def test_decays_of_minus_one_zero_and_one_are_exact() -> None:
    a = torch.tensor([1.0, -1.0, 0.0, -1.0]).view(1, 4, 1)
    b = torch.tensor([0.0, 0.0, 5.0, 1.0]).view(1, 4, 1)
    assert linear_scan(a, b, torch.full((1, 1), 3.0)).flatten().tolist() == [3, -3, 5, -4]


def test_a_signed_unit_holds_the_parity_of_a_string() -> None:
    bits = torch.randint(2, (1, 10_000, 1), generator=torch.Generator().manual_seed(0))
    h = mingru_scan(40.0 * (2 * bits - 1), torch.full(bits.shape, 0.5), signed=True)
    torch.testing.assert_close(h, (bits.cumsum(1) % 2).float())


def test_a_signed_minlstm_is_a_signed_mingru_with_the_log_ratio_of_the_gates() -> None:
    scan, _, inputs_of = FORMS["signed minLSTM"]

    def as_mingru(forget: Tensor, input: Tensor, candidate: Tensor, h0: Tensor) -> Tensor:
        gate = input.sigmoid().log() - forget.sigmoid().log()
        return mingru_scan(gate, candidate, h0, signed=True)

    assert_same(scan, as_mingru, inputs_of(9))


@pytest.mark.parametrize("signed", [False, True])
def test_extreme_gate_logits_stay_finite(signed: bool) -> None:
    logits = torch.tensor([-1e4, -100.0, 100.0, 1e4]).view(1, 4, 1).requires_grad_()
    h = minlstm_scan(logits, logits.flip(1), logits, signed=signed)
    h.sum().backward()
    assert h.isfinite().all() and logits.grad is not None and logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ("a", "b", "h0"),
    [
        ((2, 3, 4), (2, 3, 5), None),
        ((2, 3), (2, 3), None),
        ((2, 0, 4), (2, 0, 4), None),
        ((2, 3, 4), (2, 3, 4), (2, 3)),
        ((2, 3, 4), (2, 3, 4), (4,)),
    ],
)
@pytest.mark.parametrize("scan", [linear_scan, mingru_scan])
def test_wrong_shapes_are_refused(
    scan: Scan, a: tuple[int, ...], b: tuple[int, ...], h0: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"\(2, "):
        scan(torch.zeros(a), torch.zeros(b), None if h0 is None else torch.zeros(h0))


def test_minlstm_names_the_gates_that_disagree() -> None:
    with pytest.raises(ValueError, match=r"forget is \(1, 2, 3\) and input \(1, 2, 4\)"):
        minlstm_scan(torch.zeros(1, 2, 3), torch.zeros(1, 2, 4), torch.zeros(1, 2, 3))


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Backends are named, not loaded; Triton is installed and the card is new enough."""
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setattr(scan, "_load", lambda name: name)
    monkeypatch.setattr(scan, "_has_triton", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    return monkeypatch


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize(("device", "name"), [(CPU, "cpu"), (CUDA, "triton"), (MPS, "passes")])
def test_the_device_chooses_the_backend(device: torch.device, name: str) -> None:
    assert backend_for(device) == name


def test_a_card_without_triton_or_too_old_for_it_gets_the_passes(chosen: pytest.MonkeyPatch) -> None:
    chosen.setattr(torch.cuda, "get_device_capability", lambda device: (6, 1))
    assert backend_for(CUDA) == "passes"
    chosen.setattr(scan, "_has_triton", lambda: False)
    assert backend_for(CUDA) == "passes"


def test_a_backend_that_cannot_run_says_why(chosen: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendUnavailable, match="'cpu' cannot run on mps: .* use 'passes'"):
        backend_for(MPS, "cpu")
    with pytest.raises(BackendUnavailable, match="'triton' cannot run on cpu: it needs a CUDA device"):
        backend_for(CPU, "triton")
    chosen.setattr(scan, "_has_triton", lambda: False)
    with pytest.raises(BackendUnavailable, match="triton is not installed"):
        linear_scan(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), backend="triton")
    with pytest.raises(BackendUnavailable, match="'fast' is not known; choose one of: cpu, triton, passes"):
        backend_for(CPU, "fast")


def test_a_further_backend_is_one_line_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scan.BACKENDS, "mine", lambda device: "")
    mine = SimpleNamespace(BACKEND=SimpleNamespace(linear_scan=lambda a, b, h0: "mine"))
    monkeypatch.setitem(sys.modules, "minrnn.scan.mine", mine)
    assert linear_scan(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), backend="mine") == "mine"
