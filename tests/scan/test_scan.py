"""The scan against its definition: outputs and gradients, at awkward lengths, layouts and dtypes."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from minrnn.scan import linear_scan, logspace, mingru_scan, minlstm_scan, positive, reference

LENGTHS = (1, 2, 63, 1000)
Scan = Callable[..., Tensor]


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Normal numbers, the same in every dtype, as a leaf."""
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return numbers.to(dtype).requires_grad_()


def decay_and_input(time: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """a in (0, 1), b and h0 of three streams and five channels, as leaves."""
    a = draw(3, time, 5, seed=1).sigmoid().detach().to(dtype).requires_grad_()
    return [a, draw(3, time, 5, dtype=dtype, seed=2), draw(3, 5, dtype=dtype, seed=3)]


def output_and_gradients(scan: Scan, inputs: list[Tensor]) -> list[Tensor]:
    """What the scan returns, and the gradient of a random projection of it for every input."""
    h = scan(*inputs)
    weights = draw(*h.shape, seed=9).detach().to(h.dtype)
    return [h.detach(), *torch.autograd.grad((h * weights).sum(), inputs)]


def assert_same(scan: Scan, expected: Scan, inputs: list[Tensor], tolerance: float = 1e-10) -> None:
    pairs = zip(output_and_gradients(scan, inputs), output_and_gradients(expected, inputs), strict=True)
    for got, wanted in pairs:
        torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)


def plain_mingru(gate: Tensor, candidate: Tensor, h0: Tensor) -> Tensor:
    z = torch.sigmoid(gate)
    h_tilde = torch.where(candidate >= 0, candidate + 0.5, torch.sigmoid(candidate))
    return reference.linear_scan(1 - z, z * h_tilde, h0)


def plain_minlstm(forget: Tensor, input: Tensor, candidate: Tensor, h0: Tensor) -> Tensor:
    f, i = torch.sigmoid(forget), torch.sigmoid(input)
    h_tilde = torch.where(candidate >= 0, candidate + 0.5, torch.sigmoid(candidate))
    return reference.linear_scan(f / (f + i), i / (f + i) * h_tilde, h0)


def gates(count: int, time: int) -> list[Tensor]:
    """`count` logits for every gate or candidate, then h0, as leaves."""
    return [*(draw(3, time, 5, seed=n) for n in range(count)), draw(3, 5, seed=77)]


@pytest.mark.parametrize("time", LENGTHS)
def test_outputs_and_gradients_equal_the_definition(time: int) -> None:
    assert_same(linear_scan, reference.linear_scan, decay_and_input(time))


@pytest.mark.parametrize("time", LENGTHS)
def test_fused_mingru_gates_equal_the_plain_formulas(time: int) -> None:
    assert_same(mingru_scan, plain_mingru, gates(2, time))


@pytest.mark.parametrize("time", LENGTHS)
def test_fused_minlstm_gates_equal_the_plain_formulas(time: int) -> None:
    assert_same(minlstm_scan, plain_minlstm, gates(3, time))


@pytest.mark.parametrize(("scan", "count"), [(linear_scan, 2), (mingru_scan, 2), (minlstm_scan, 3)])
def test_gradients_pass_gradcheck(scan: Scan, count: int) -> None:
    assert torch.autograd.gradcheck(scan, gates(count, 7))


@pytest.mark.parametrize("time", [1, 2, 63])
def test_the_log_space_form_gives_the_same_states_and_gradients(time: int) -> None:
    a = decay_and_input(time)[0]
    b, h0 = (x.detach().exp().requires_grad_() for x in (draw(3, time, 5, seed=2), draw(3, 5, seed=3)))
    assert_same(linear_scan, logspace.linear_scan, [a, b, h0], tolerance=1e-9)
    torch.testing.assert_close(linear_scan(a, b), logspace.linear_scan(a, b))


@pytest.mark.parametrize("time", LENGTHS)
def test_float32_stays_near_float64(time: int) -> None:
    exact = linear_scan(*decay_and_input(time))
    single = linear_scan(*decay_and_input(time, torch.float32))
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("scan", "count"), [(linear_scan, 2), (mingru_scan, 2), (minlstm_scan, 3)])
def test_a_text_in_pieces_with_the_state_carried_equals_the_whole(scan: Scan, count: int) -> None:
    *inputs, h0 = (x.detach() for x in gates(count, 63))
    whole, h, pieces = scan(*inputs, h0), h0, []
    for start, end in ((0, 1), (1, 3), (3, 40), (40, 63)):
        pieces.append(scan(*(x[:, start:end] for x in inputs), h))
        h = pieces[-1][:, -1]
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole)


@pytest.mark.parametrize("scan", [linear_scan, mingru_scan])
def test_no_state_means_zeros(scan: Scan) -> None:
    a, b, h0 = decay_and_input(9)
    torch.testing.assert_close(scan(a, b), scan(a, b, torch.zeros_like(h0)), rtol=0, atol=0)


def transposed(x: Tensor) -> Tensor:
    return x.transpose(0, 1).contiguous().transpose(0, 1)


def strided(x: Tensor) -> Tensor:
    return torch.stack([x, torch.full_like(x, torch.nan)], dim=-1)[..., 0]


def off_by_one(x: Tensor) -> Tensor:
    """The same values one element behind an aligned address."""
    return torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape)


@pytest.mark.parametrize("layout", [transposed, strided, off_by_one])
@pytest.mark.parametrize(
    ("scan", "plain"), [(linear_scan, reference.linear_scan), (mingru_scan, plain_mingru)]
)
def test_the_layout_in_memory_does_not_matter(scan: Scan, plain: Scan, layout: Scan) -> None:
    def laid_out(*inputs: Tensor) -> Tensor:
        return scan(*(layout(x) for x in inputs))

    assert_same(laid_out, plain, decay_and_input(13))


def test_a_broadcast_gradient_and_broadcast_inputs_are_handled() -> None:
    a, b = torch.full((), 0.5, dtype=torch.float64, requires_grad=True), draw(2, 4, 3)

    def gradients(scan: Scan) -> tuple[Tensor, ...]:
        return torch.autograd.grad(scan(a.expand(2, 4, 3), b).sum(), (a, b))

    torch.testing.assert_close(gradients(linear_scan), gradients(reference.linear_scan))


@pytest.mark.parametrize(("scan", "count"), [(linear_scan, 2), (mingru_scan, 2), (minlstm_scan, 3)])
def test_bfloat16_inputs_are_computed_in_float32(scan: Scan, count: int) -> None:
    inputs = [x.detach().bfloat16().requires_grad_() for x in gates(count, 63)]
    wide = [x.detach().float().requires_grad_() for x in inputs]
    h, *grads = output_and_gradients(scan, inputs)
    exact, *exact_grads = output_and_gradients(scan, wide)
    assert h.dtype == torch.float32 and {g.dtype for g in grads} == {torch.bfloat16}
    torch.testing.assert_close(h, exact, rtol=1e-2, atol=1e-2)
    for got, wanted in zip(grads, exact_grads, strict=True):
        torch.testing.assert_close(got.float(), wanted, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize(("scan", "count"), [(linear_scan, 2), (mingru_scan, 2), (minlstm_scan, 3)])
def test_only_the_wanted_gradients_are_needed(scan: Scan, count: int) -> None:
    *inputs, h0 = gates(count, 5)
    fixed = [x.detach() for x in inputs]
    h = scan(*fixed[:-1], inputs[-1], h0.detach())
    assert torch.autograd.grad(h.sum(), inputs[-1])[0].isfinite().all()


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
def poisoned() -> Iterator[None]:
    """Uninitialised memory holds NaN: torch fills it so while algorithms are deterministic."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("poisoned")
def test_no_uninitialised_memory_is_read() -> None:
    assert torch.empty(3).isnan().all()
    assert all(x.isfinite().all() for x in output_and_gradients(mingru_scan, gates(2, 33)))
    assert all(x.isfinite().all() for x in output_and_gradients(linear_scan, decay_and_input(33)))


def test_g_is_continuous_and_positive() -> None:
    v = torch.tensor([-40.0, -1e-6, 0.0, 1e-6, 3.0])
    torch.testing.assert_close(positive(v), torch.tensor([0.0, 0.5, 0.5, 0.5, 3.5]))
    assert (positive(v) > 0).all()


def test_extreme_gate_logits_stay_finite() -> None:
    logits = torch.tensor([-1e4, -100.0, 100.0, 1e4]).view(1, 4, 1).requires_grad_()
    h = minlstm_scan(logits, logits.flip(1), logits)
    h.sum().backward()
    assert h.isfinite().all() and logits.grad is not None and logits.grad.isfinite().all()
