"""Which device and dtype are chosen, and what is refused."""

import pytest
import torch

from minrnn import device
from minrnn.device import choose
from minrnn.errors import BackendUnavailable

RUNNING_OUT = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"


class OldCard:
    """torch.cuda as it answers on a card without bfloat16: emulation counts as support unless it is left out."""

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def is_bf16_supported(including_emulation: bool = True) -> bool:
        return including_emulation


@pytest.fixture
def old_card(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("is_available", "is_bf16_supported"):
        monkeypatch.setattr(torch.cuda, name, getattr(OldCard, name))


@pytest.mark.usefixtures("old_card")
def test_a_card_that_only_emulates_bfloat16_computes_in_float32() -> None:
    compute = choose("cuda")
    assert (compute.device.type, compute.dtype) == ("cuda", torch.float32)
    assert "no native bfloat16" in compute.reason


@pytest.mark.usefixtures("old_card")
def test_bfloat16_that_is_asked_for_is_given_even_where_it_is_emulated() -> None:
    assert choose("auto", "bfloat16").dtype == torch.bfloat16


@pytest.mark.parametrize("flags", ["fpu avx2", "fpu avx512_bf16", "fpu amx_bf16"])
def test_a_cpu_computes_in_bfloat16_where_it_multiplies_it(
    flags: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_cpuinfo", lambda key: flags)
    assert choose("cpu").dtype == (torch.bfloat16 if "bf16" in flags else torch.float32)


@pytest.mark.parametrize("name", ["gpu", "tpu", "", "CPU"])
def test_a_device_that_is_not_known_is_never_taken_for_auto(name: str) -> None:
    with pytest.raises(
        BackendUnavailable, match=f"device '{name}' is not on this machine; choose one of: .*cpu"
    ):
        choose(name)


@pytest.mark.parametrize("name", ["float16", "half", ""])
def test_a_dtype_that_is_not_known_is_never_taken_for_auto(name: str) -> None:
    with pytest.raises(
        BackendUnavailable, match=f"dtype '{name}' is not offered; choose auto, float32 or bfloat16"
    ):
        choose("cpu", name)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_are_computed_in_the_chosen_dtype(dtype: torch.dtype) -> None:
    with choose("cpu", str(dtype).removeprefix("torch.")).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError(RUNNING_OUT), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("unsupported memory format option"), False),
        (RuntimeError("a view cannot share memory with its base"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_only_what_says_that_memory_ran_out_is_out_of_memory(error: Exception, memory: bool) -> None:
    assert device.is_out_of_memory(error) is memory


def test_the_peak_of_memory_is_known_or_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device.peak_memory_bytes(torch.device("cpu")) > 10_000_000
    monkeypatch.setattr(device, "resource", None)  # as on Windows
    assert device.peak_memory_bytes(torch.device("cpu")) == 0
