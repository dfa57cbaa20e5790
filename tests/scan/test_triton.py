"""The Triton kernels against the definition: on a card where there is one, else in Triton's interpreter."""

import os
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import Tensor

from tests.scan.scan_cases import (
    FORMS,
    assert_bfloat16_is_computed_in_float32,
    assert_same,
    decay_and_input,
    output_and_gradients,
)

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # read when triton is imported
pytest.importorskip("triton", reason="the package triton is not installed")

from minrnn.scan import triton as backend  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION:UserWarning")
over_forms = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(autouse=True)
def interpreted(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The interpreter where there is no card, whatever another test did to the environment."""
    if DEVICE == "cpu":
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    return monkeypatch


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two steps and blocks of two channels: a few steps have chunks, summaries and ragged ends."""
    monkeypatch.setattr(backend, "MIN_CHUNK", 2)
    monkeypatch.setattr(backend, "BLOCK", 2)


def moved(inputs: list[Tensor]) -> list[Tensor]:
    return [x.detach().to(DEVICE).requires_grad_() for x in inputs]


@pytest.mark.usefixtures("small")
@over_forms
@pytest.mark.parametrize(("time", "batch"), [(1, 2), (2, 2), (9, 1)])
def test_chunks_give_the_values_and_gradients_of_the_definition(form: str, time: int, batch: int) -> None:
    scan, plain, inputs_of = FORMS[form]
    assert_same(partial(scan, backend="triton"), plain, moved(inputs_of(time, batch=batch)))


@pytest.mark.parametrize("time", [63, 130])
def test_chunks_of_the_default_length_do_so_too(time: int) -> None:
    scan, plain, _ = FORMS["linear"]
    assert_same(partial(scan, backend="triton"), plain, moved(decay_and_input(time, batch=1)))


@over_forms
def test_bfloat16_inputs_are_computed_in_float32(form: str) -> None:
    scan, _, inputs_of = FORMS[form]
    assert_bfloat16_is_computed_in_float32(partial(scan, backend="triton"), moved(inputs_of(5, batch=2)))


@pytest.mark.usefixtures("small")
def test_bfloat16_inputs_are_computed_in_float32_in_chunks_too() -> None:
    scan, _, inputs_of = FORMS["minLSTM"]
    assert_bfloat16_is_computed_in_float32(partial(scan, backend="triton"), moved(inputs_of(4, batch=1)))


@pytest.mark.usefixtures("small", "poisoned")
@pytest.mark.parametrize("form", ["linear", "signed minGRU", "minLSTM"])
def test_no_uninitialised_memory_is_read(form: str) -> None:
    scan, _, inputs_of = FORMS[form]
    results = output_and_gradients(partial(scan, backend="triton"), moved(inputs_of(5, batch=1)))
    assert all(x.isfinite().all() for x in results)


def test_halves_of_one_product_are_read_where_they_lie() -> None:
    halves = list(torch.randn(2, 3, 8).chunk(2, dim=-1))
    assert all(x is y for x, y in zip(backend._same_strides(halves), halves, strict=True))
    copies = backend._same_strides([halves[0], halves[1].contiguous()])
    assert copies[0].is_contiguous() and torch.equal(copies[0], halves[0])


def test_halves_of_one_product_give_the_gradients_of_the_definition() -> None:
    def of_halves(product: Tensor, h0: Tensor, scan=FORMS["signed minGRU"][0], **options: str) -> Tensor:
        return scan(*product.chunk(2, dim=-1), h0, **options)

    gate, candidate, h0 = FORMS["signed minGRU"][2](3, batch=2)
    inputs = moved([torch.cat([gate, candidate], dim=-1), h0])
    plain = partial(of_halves, scan=FORMS["signed minGRU"][1])
    assert_same(partial(of_halves, backend="triton"), plain, inputs)


@pytest.mark.parametrize(
    ("shape", "chunk"),
    [
        ((4096, 1000, 128), 1000),  # the streams alone fill a card
        ((1, 127, 64), 127),  # too short
        ((1, 4096, 64), 64),  # one stream of few channels: 64 programs
        ((1, 1_000_000, 64), 489),  # as many programs as a card holds
        ((64, 1024, 1024), 256),
    ],
)
def test_time_is_split_where_the_streams_do_not_fill_a_card(shape: tuple[int, int, int], chunk: int) -> None:
    assert backend._chunk(*shape) == chunk


@pytest.mark.parametrize(("form", "kind"), [("linear", backend.LINEAR), ("minLSTM", backend.MINLSTM)])
def test_the_operators_are_registered_as_torch_wants(form: str, kind: int) -> None:
    *inputs, h0 = moved(FORMS[form][2](2, batch=1))
    torch.library.opcheck(backend.scan, (inputs, h0, kind, 1))
    numbers = [x.detach() for x in inputs]
    h = backend.scan(numbers, h0.detach(), kind, 1)
    backwards = (h, numbers, h, h0.detach(), kind, 1)
    torch.library.opcheck(backend.scan_backward, backwards, test_utils=("test_schema", "test_faketensor"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_without_a_device_shapes_and_dtypes_are_known(dtype: torch.dtype) -> None:
    x, h0 = torch.empty(2, 3, 4, dtype=dtype, device="meta"), torch.empty(2, 4, device="meta")
    h = backend.scan([x, x], h0, backend.MINGRU, 1)
    assert h.shape == x.shape and h.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    gate, candidate, start = backend.scan_backward(h, [x, x], h, h0, backend.MINGRU, 1)
    assert gate.dtype == candidate.dtype == dtype and (start.shape, start.dtype) == (h0.shape, h.dtype)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("time", "levels"), [(3, 0), (4, 1), (8, 2), (16, 3)])
def test_the_carries_of_many_chunks_are_split_into_chunks_themselves(
    time: int, levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[object] = []
    monkeypatch.setattr(backend, "_launch", lambda kernel, *rest: launched.append(kernel))
    backend._states([torch.zeros(1, time, 4)] * 2, torch.zeros(1, 4), backend.LINEAR, 1)
    assert launched.count(backend.kernels.state_summaries_kernel) == levels
    assert launched.count(backend.kernels.states_kernel) == levels + 1


COMPILE = """
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from minrnn.scan import kernels, triton as backend

NUMBERS = dict.fromkeys(("T", "C", "chunk", "stride_b", "stride_t"), "i32")
INPUTS = dict.fromkeys(("p", "q", "r", "grad_p", "grad_q", "grad_r"), "*bf16")
for name in ("states", "state_summaries", "adjoint_summaries", "gradients"):
    kernel = getattr(kernels, name + "_kernel")
    for form in (backend.LINEAR, backend.MINLSTM):
        known = {"FORM": form, "REACH": 2, "WIDE": tl.float32, "BLOCK": 128}
        types = NUMBERS | INPUTS | dict.fromkeys(known, "constexpr")
        signature = {name: types.get(name, "*fp32") for name in kernel.arg_names}
        places = {(kernel.arg_names.index(name),): value for name, value in known.items()}
        source = ASTSource(fn=kernel, signature=signature, constexprs=places)
        compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 2})
"""


def in_a_process_of_its_own(code: str, **environment: str) -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "0", **environment}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_kernels_compile_for_a_card_that_is_not_there(tmp_path: os.PathLike[str]) -> None:
    in_a_process_of_its_own(COMPILE, TRITON_CACHE_DIR=str(tmp_path))


def test_triton_is_not_imported_before_it_is_used() -> None:
    in_a_process_of_its_own(
        "import sys, torch; from minrnn.scan import linear_scan; x = torch.ones(1, 2, 3);"
        "linear_scan(x, x); linear_scan(x, x, backend='passes'); assert 'triton' not in sys.modules"
    )
