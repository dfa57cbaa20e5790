import subprocess
import sys
import textwrap

import pytest
import torch

from minrnn import device
from minrnn.errors import BackendUnavailable

HERE = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}


def test_auto_takes_the_first_device_that_is_here() -> None:
    chosen = device.choose()
    assert chosen.device.type == next(kind for kind, here in HERE.items() if here)
    assert "the fastest device found" in chosen.reason


@pytest.mark.parametrize("name", [name for name, here in HERE.items() if not here])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(
        BackendUnavailable, match=f"device '{name}' is not on this machine; choose one of: .*cpu"
    ):
        device.choose(name)


@pytest.mark.parametrize("name", ["gpu", "", "CPU", "cuda:0", "xla"])
def test_an_unknown_device_is_not_taken_for_auto(name: str) -> None:
    with pytest.raises(BackendUnavailable, match="is not on this machine; choose one of"):
        device.choose(name)


@pytest.mark.parametrize("name", ["float16", "fp32", "", "half"])
def test_an_unknown_dtype_is_not_taken_for_auto(name: str) -> None:
    with pytest.raises(
        BackendUnavailable, match=f"dtype '{name}' is not offered; choose auto, float32 or bfloat16"
    ):
        device.choose("cpu", name)


@pytest.mark.parametrize(("name", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_a_named_dtype_is_what_is_multiplied_in(name: str, dtype: torch.dtype) -> None:
    compute = device.choose("cpu", name)
    assert compute.dtype == dtype and f"{name}: as asked" in compute.reason
    with compute.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize(("flags", "dtype"), [("fpu avx512_bf16", "bfloat16"), ("fpu avx2", "float32")])
def test_auto_takes_bfloat16_where_the_cpu_multiplies_it(
    flags: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_cpuinfo", lambda key: flags)
    assert device.choose("cpu").dtype == getattr(torch, dtype)


def test_emulated_bfloat16_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU before Ampere: torch can compute with bfloat16 there, but slowly."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert device.choose("cuda").dtype == torch.float32


def test_a_tensor_is_sent_to_cuda_through_pinned_memory_without_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[object, ...]] = []
    x = torch.ones(2)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: calls.append(("pinned",)) or self)
    monkeypatch.setattr(
        torch.Tensor, "to", lambda self, *args, **kwargs: calls.append((*args, kwargs)) or self
    )
    device.send(x, torch.device("cuda"))
    assert calls == [("pinned",), (torch.device("cuda"), {"non_blocking": True})]
    calls.clear()
    device.send(x, torch.device("mps"))
    assert calls == [(torch.device("mps"), {})]


def test_memory_that_ran_out_is_known_by_what_the_allocator_says() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert device.is_out_of_memory(caught.value)
    assert device.is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert device.is_out_of_memory(MemoryError())
    assert device.is_out_of_memory(RuntimeError("MPS backend out of memory (allocated: 8 GB)"))


@pytest.mark.parametrize(
    "message",
    ["pinned memory needs an accelerator", "shared memory of a worker", "unsupported memory format option"],
)
def test_another_error_about_memory_is_not_its_end(message: str) -> None:
    assert not device.is_out_of_memory(RuntimeError(message))
    assert not device.is_out_of_memory(ValueError("out of memory"))


def test_this_process_has_held_some_memory() -> None:
    assert device.peak_memory_bytes(torch.device("cpu")) > 20_000_000


def test_a_system_that_does_not_say_has_held_none() -> None:
    code = """
        import sys
        sys.modules["resource"] = None  # importing it raises ImportError, as on Windows
        import torch
        from minrnn import device
        print(device.peak_memory_bytes(torch.device("cpu")), device.describe(torch.device("cpu")))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("0 ") and "thread" in done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_memory_that_tensors_free_is_kept_for_the_next() -> None:
    """In a process of its own, since the choice holds for the whole process."""
    script = """
import resource, torch
from minrnn import device
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [torch.zeros(10_000_000) for _ in range(2)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
if device.keep_freed_memory():
    print([pages() for _ in range(8)][-1])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout or 0) < 4_000  # of two times 9,766 pages
