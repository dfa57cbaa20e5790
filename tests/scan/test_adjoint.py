"""Values and gradients of both solvers against the definition, at awkward lengths, layouts and dtypes."""

from functools import partial

import pytest
import torch
from torch import Tensor

from minrnn.scan import linear_scan, positive, reference
from tests.scan.scan_cases import (
    FORMS,
    Scan,
    assert_bfloat16_is_computed_in_float32,
    assert_same,
    decay_and_input,
    draw,
    output_and_gradients,
)

LENGTHS = (1, 2, 3, 63, 64, 65, 1000)
over_solvers = pytest.mark.parametrize("backend", ["cpu", "passes"])
over_forms = pytest.mark.parametrize("form", FORMS)


@over_solvers
@over_forms
@pytest.mark.parametrize("time", LENGTHS)
def test_values_and_gradients_equal_the_definition(form: str, time: int, backend: str) -> None:
    scan, plain, inputs_of = FORMS[form]
    assert_same(partial(scan, backend=backend), plain, inputs_of(time))


@over_solvers
@over_forms
def test_gradients_pass_gradcheck(form: str, backend: str) -> None:
    scan, _, inputs_of = FORMS[form]
    assert torch.autograd.gradcheck(partial(scan, backend=backend), inputs_of(7))


@over_solvers
@pytest.mark.parametrize("time", LENGTHS)
def test_float32_stays_near_float64(time: int, backend: str) -> None:
    exact = linear_scan(*decay_and_input(time), backend=backend)
    single = linear_scan(*(x.detach().float() for x in decay_and_input(time)), backend=backend)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), exact, rtol=1e-5, atol=2e-5)


@over_solvers
@over_forms
def test_bfloat16_inputs_are_computed_in_float32(form: str, backend: str) -> None:
    scan, _, inputs_of = FORMS[form]
    assert_bfloat16_is_computed_in_float32(partial(scan, backend=backend), inputs_of(63))


def transposed(x: Tensor) -> Tensor:
    return x.transpose(0, 1).contiguous().transpose(0, 1)


def strided(x: Tensor) -> Tensor:
    return torch.stack([x, torch.full_like(x, torch.nan)], dim=-1)[..., 0]


def off_by_one(x: Tensor) -> Tensor:
    """The same values one element behind an aligned address."""
    return torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape)


@over_solvers
@over_forms
@pytest.mark.parametrize("layout", [transposed, strided, off_by_one])
def test_the_layout_in_memory_does_not_matter(form: str, layout: Scan, backend: str) -> None:
    scan, plain, inputs_of = FORMS[form]

    def laid_out(*inputs: Tensor) -> Tensor:
        return scan(*(layout(x) for x in inputs), backend=backend)

    assert_same(laid_out, plain, inputs_of(13))


@over_solvers
def test_a_broadcast_gradient_and_broadcast_inputs_are_handled(backend: str) -> None:
    a, b = torch.full((), 0.5, dtype=torch.float64, requires_grad=True), draw(2, 4, 3)

    def gradients(scan: Scan) -> tuple[Tensor, ...]:
        return torch.autograd.grad(scan(a.expand(2, 4, 3), b).sum(), (a, b))

    got = gradients(partial(linear_scan, backend=backend))
    torch.testing.assert_close(got, gradients(reference.linear_scan))


@over_solvers
@over_forms
def test_only_the_wanted_gradients_are_needed(form: str, backend: str) -> None:
    scan, _, inputs_of = FORMS[form]
    *inputs, h0 = inputs_of(5)
    fixed = [x.detach() for x in inputs]
    h = scan(*fixed[:-1], inputs[-1], h0.detach(), backend=backend)
    assert torch.autograd.grad(h.sum(), inputs[-1])[0].isfinite().all()


@over_solvers
@over_forms
def test_inputs_keep_their_values(form: str, backend: str) -> None:
    scan, _, inputs_of = FORMS[form]
    inputs = inputs_of(9)
    before = [x.detach().clone() for x in inputs]
    scan(*inputs, backend=backend).sum().backward()
    assert all(torch.equal(x, y) for x, y in zip(inputs, before, strict=True))


@pytest.mark.usefixtures("poisoned")
@over_solvers
@over_forms
def test_no_uninitialised_memory_is_read(form: str, backend: str) -> None:
    scan, _, inputs_of = FORMS[form]
    results = output_and_gradients(partial(scan, backend=backend), inputs_of(33))
    assert all(x.isfinite().all() for x in results)


def test_g_is_continuous_and_positive() -> None:
    v = torch.tensor([-40.0, -1e-6, 0.0, 1e-6, 3.0])
    torch.testing.assert_close(positive(v), torch.tensor([0.0, 0.5, 0.5, 0.5, 3.5]))
    assert (positive(v) > 0).all()
