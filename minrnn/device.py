"""Which device, which dtype, how many threads, and why."""

from __future__ import annotations

import ctypes
import platform
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from minrnn.errors import BackendUnavailable

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_KEPT = 2**30, 2**25
"""Numbers of glibc's malloc.h, and the largest tensor kept, in bytes; some versions refuse more than 32 MiB."""
_NO_MEMORY = ("defaultcpuallocator: can't allocate", "alloc_cpu.cpp", "out of memory")
"""How torch's CPU and MPS allocators say it; they raise a plain RuntimeError."""


@dataclass(frozen=True)
class Compute:
    """Where and in what precision a model computes.

    Attributes:
        device: where tensors live.
        dtype: of the matrix products under autocast; weights stay float32.
        reason: one readable sentence on how the two were chosen.
    """

    device: torch.device
    dtype: torch.dtype
    reason: str

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which matrix products run in `dtype`. Never yield inside it."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)


def choose(device: str = "auto", dtype: str = "auto") -> Compute:
    """Turn names into a device and a dtype.

    Args:
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "auto", "float32" or "bfloat16".

    Raises:
        BackendUnavailable: if the named device is not on this machine, or the dtype is another one.
    """
    chosen, why_device = _device(device)
    precision, why_dtype = _dtype(dtype, chosen)
    return Compute(chosen, precision, f"{why_device}; {why_dtype}")


def describe(device: torch.device, processes: int = 1) -> str:
    """The hardware's own name, for tables, and how many processes worked on it."""
    if device.type == "cuda":
        return f"{processes} x " * (processes > 1) + torch.cuda.get_device_name(device)
    return (
        f"{cpu_name()}, {f'{processes} processes of ' * (processes > 1)}{torch.get_num_threads()} thread(s)"
    )


def peak_memory_bytes(device: torch.device) -> int:
    """Most memory held so far: the GPU's on CUDA, else the process's; 0 where the system does not say (Windows)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def send(x: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor from the CPU to a device; on CUDA through pinned memory, so that nothing waits for the copy."""
    if device.type != "cuda":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


def keep_freed_memory() -> bool:
    """Let the C library keep what tensors free, for the tensors of the next update, instead of giving it back.

    Otherwise the system clears the same pages again for every update: a tenth of the time of an update of the base
    minGRU on one core, a quarter of the LSTM's. The most memory that is held at once stays the same.

    Returns:
        Whether there is such a choice here: in glibc there is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    kept = any(mallopt(_M_MMAP_THRESHOLD, size) for size in _LARGEST_KEPT)
    return bool(kept and mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _NO_MEMORY)


def _device(name: str) -> tuple[torch.device, str]:
    found = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        best = next(kind for kind, there in found.items() if there)
        return torch.device(best), f"{best}: the fastest device found"
    if not found.get(name, False):
        there = ", ".join(kind for kind, ok in found.items() if ok)
        raise BackendUnavailable(f"device {name!r} is not on this machine; choose one of: {there}.")
    return torch.device(name), f"{name}: as asked"


def _dtype(name: str, device: torch.device) -> tuple[torch.dtype, str]:
    if name == "float32":
        return torch.float32, "float32: as asked"
    if name == "bfloat16":
        return torch.bfloat16, "bfloat16: as asked"
    if name != "auto":
        raise BackendUnavailable(f"dtype {name!r} is not offered; choose auto, float32 or bfloat16.")
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16, "bfloat16: the GPU multiplies it natively"
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16, "bfloat16: the CPU multiplies it natively"
    return torch.float32, "float32: no native bfloat16 on this machine"


def _cpu_multiplies_bfloat16() -> bool:
    flags = _cpuinfo("flags")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def cpu_name() -> str:
    """The processor's name, as well as it is known."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpuinfo(key: str) -> str:
    """The first value of a key in Linux's /proc/cpuinfo; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
    except OSError:
        return ""
