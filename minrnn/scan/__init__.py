"""The linear recurrence h_t = a_t * h_{t-1} + b_t, alone and with the gates of minGRU and minLSTM.

`reference` is the definition and `logspace` the paper's form. Three backends compute the same fast, each
with its gradients: `cpu` (a loop), `triton` (fused kernels for CUDA), `passes` (plain torch, any device).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from functools import cache
from typing import Protocol, cast

import torch
from torch import Tensor

from minrnn.errors import BackendUnavailable
from minrnn.scan.adjoint import positive

__all__ = ["BACKENDS", "backend_for", "linear_scan", "mingru_scan", "minlstm_scan", "positive"]


def linear_scan(a: Tensor, b: Tensor, h0: Tensor | None = None, *, backend: str | None = None) -> Tensor:
    """Solve h_t = a_t * h_{t-1} + b_t for every t.

    Args:
        a: (B, T, C) decay in [-1, 1].
        b: (B, T, C) input, same dtype and device as `a`.
        h0: (B, C) state before the first step; zeros if None.
        backend: a key of `BACKENDS`; if None, the first that runs on the device of `a`.

    Returns:
        (B, T, C) the states h_1 .. h_T, float32 (float64 for float64 inputs).

    Raises:
        ValueError: if the shapes disagree.
        BackendUnavailable: if the backend asked for cannot run here.

    Source: Blelloch 1990, section 1.4; Martin & Cundy 2018, arXiv 1709.04057, section 2.2.
    """
    start = _check(a, b, h0)
    return backend_for(a.device, backend).linear_scan(a, b, start)


def mingru_scan(
    gate: Tensor,
    candidate: Tensor,
    h0: Tensor | None = None,
    *,
    signed: bool = False,
    backend: str | None = None,
) -> Tensor:
    """minGRU: h_t = (1 - z_t) h_{t-1} + z_t g(candidate_t) with z_t = sigmoid(gate_t).

    Signed: h_t = (1 - 2 z_t) h_{t-1} + z_t g(candidate_t) with z_t = sigmoid(2 gate_t). The decay is
    1 - 2 z_t = -tanh(gate_t), so it lies in (-1, 1) and needs no further weights. One unit holds a parity:
    with g = 1, z = 0 keeps h and z = 1 turns h into 1 - h. No decays in (0, 1) do that at every length.
    The 2 inside the sigmoid lets the gate reach 0 and 1 sooner; without it a model that had learned parity
    lost it on longer strings.

    Under a constant candidate h settles at g / 2, whatever the gate. Where the decay is positive, h stays
    between h0 and the values of g / 2. Where it is close to -1 and the candidate alternates, h can grow,
    by less than g a step.

    Args:
        gate: (B, T, C) logit of the update gate z.
        candidate: (B, T, C) h_tilde before g.
        h0: (B, C) state before the first step; zeros if None.
        signed: whether the decay may be negative.
        backend: a key of `BACKENDS`; if None, the first that runs on the device of `gate`.

    Returns:
        (B, T, C) the states h_1 .. h_T, float32 (float64 for float64 inputs).

    Raises:
        ValueError: if the shapes disagree.
        BackendUnavailable: if the backend asked for cannot run here.

    Source: Feng et al. 2024, arXiv 2410.01201, section 3.1 and appendix B. The signed form extends the
    decay to (-1, 1) as Grazzi et al. 2024, arXiv 2411.12537, extend that of Mamba and DeltaNet.
    """
    start = _check(gate, candidate, h0)
    return backend_for(gate.device, backend).mingru_scan(gate, candidate, start, 2 if signed else 1)


def minlstm_scan(
    forget: Tensor,
    input: Tensor,
    candidate: Tensor,
    h0: Tensor | None = None,
    *,
    signed: bool = False,
    backend: str | None = None,
) -> Tensor:
    """minLSTM with gates that sum to one: h_t = f'_t h_{t-1} + i'_t g(candidate_t).

    f' = f / (f + i) and i' = i / (f + i) are sigmoids of minus and plus log i - log f, so a
    normalised minLSTM is a minGRU whose gate logit is log sigmoid(input) - log sigmoid(forget).
    Signed, it is the signed minGRU with that logit: the decay is (f^2 - i^2) / (f^2 + i^2), and the
    input's weight i^2 / (f^2 + i^2).

    Args:
        forget: (B, T, C) logit of f.
        input: (B, T, C) logit of i.
        candidate: (B, T, C) h_tilde before g.
        h0: (B, C) state before the first step; zeros if None.
        signed: whether the decay may be negative.
        backend: a key of `BACKENDS`; if None, the first that runs on the device of `forget`.

    Returns:
        (B, T, C) the states h_1 .. h_T, float32 (float64 for float64 inputs).

    Raises:
        ValueError: if the shapes disagree.
        BackendUnavailable: if the backend asked for cannot run here.

    Source: Feng et al. 2024, arXiv 2410.01201, section 3.2 and appendix B; Grazzi et al. 2024,
    arXiv 2411.12537, for the signed form.
    """
    if forget.shape != input.shape:
        raise ValueError(f"forget is {tuple(forget.shape)} and input {tuple(input.shape)}; they must agree.")
    start = _check(input, candidate, h0)
    reach = 2 if signed else 1
    return backend_for(input.device, backend).minlstm_scan(forget, input, candidate, start, reach)


class Backend(Protocol):
    """What a backend's file offers as `BACKEND`. Decays of the gated forms are 1 - reach * z."""

    def linear_scan(self, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        """See `minrnn.scan.linear_scan`."""

    def mingru_scan(self, gate: Tensor, candidate: Tensor, h0: Tensor, reach: int) -> Tensor:
        """See `minrnn.scan.mingru_scan`."""

    def minlstm_scan(
        self, forget: Tensor, input: Tensor, candidate: Tensor, h0: Tensor, reach: int
    ) -> Tensor:
        """See `minrnn.scan.minlstm_scan`."""


def backend_for(device: torch.device, name: str | None = None) -> Backend:
    """The backend of that name, or the first in `BACKENDS` that runs on the device.

    Raises:
        BackendUnavailable: if there is none of that name, or it cannot run here.
    """
    asked = device.type, name
    if torch.compiler.is_compiling() and asked in _CHOSEN:
        return _CHOSEN[asked]
    if name is None:
        name = next(known for known, obstacle in BACKENDS.items() if not obstacle(device))
    if name not in BACKENDS:
        raise BackendUnavailable(f"scan backend {name!r} is not known; choose one of: {', '.join(BACKENDS)}.")
    if obstacle := BACKENDS[name](device):
        raise BackendUnavailable(f"scan backend {name!r} cannot run on {device}: {obstacle}")
    _CHOSEN[asked] = _load(name)
    return _CHOSEN[asked]


_CHOSEN: dict[tuple[str, str | None], Backend] = {}
"""The last answers. torch.compile cannot follow the search for a package, so it takes the answer of the last call."""


@cache
def _load(name: str) -> Backend:
    return cast(Backend, importlib.import_module(f"minrnn.scan.{name}").BACKEND)


def _cpu_obstacle(device: torch.device) -> str:
    return "" if device.type == "cpu" else "it is for tensors on the CPU; use 'passes' or move the tensors."


def _triton_obstacle(device: torch.device) -> str:
    if not _has_triton():
        return "the package triton is not installed; install it, or use 'passes'."
    if device.type == "cpu" and os.environ.get("TRITON_INTERPRET") == "1":
        return ""
    if device.type != "cuda":
        return "it needs a CUDA device, or on the CPU TRITON_INTERPRET=1, for tests; use 'passes'."
    capable = torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (7, 0)
    return "" if capable else "Triton needs compute capability 7.0 or higher; use 'passes'."


@cache
def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


BACKENDS: dict[str, Callable[[torch.device], str]] = {
    "cpu": _cpu_obstacle,
    "triton": _triton_obstacle,
    "passes": lambda device: "",
}
"""File name of each backend, in order of preference, with what keeps it from a device: "" if nothing does."""


def _check(a: Tensor, b: Tensor, h0: Tensor | None) -> Tensor:
    """Compare shapes and return the state to start from."""
    if a.ndim != 3 or a.shape != b.shape or a.shape[1] == 0:
        raise ValueError(
            f"expected two (B, T, C) tensors with T >= 1; got {tuple(a.shape)} and {tuple(b.shape)}."
        )
    batch, _, channels = a.shape
    if h0 is None:
        wide = torch.float64 if b.dtype == torch.float64 else torch.float32
        return b.new_zeros(batch, channels, dtype=wide)
    if h0.shape != (batch, channels):
        raise ValueError(f"h0 is {tuple(h0.shape)}; a scan over {tuple(a.shape)} needs {(batch, channels)}.")
    return h0
