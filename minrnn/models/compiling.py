"""torch.compile for training, where it helps and is safe.

It fuses what lies between the matrix products (norms, GELU, dropout, residuals) into a few kernels. The scan is one
operator to it, so minGRU, minLSTM and nanoGPT become one graph, forward and backward. LSTM and GRU are cuDNN's own
kernels, which it cannot look into: they stay as they are. On a CPU the scan is a loop over time, which it would
unroll; so it is for CUDA alone. It needs a C++ compiler and some tens of seconds, and it may fail: so a batch is
tried first, and where that fails the model is trained as it is.
"""

from __future__ import annotations

import warnings
from typing import cast

import torch
from torch import nn

from minrnn.device import Compute, is_out_of_memory
from minrnn.models.lm import LanguageModel


def compiled(
    model: LanguageModel, batch: tuple[int, int], compute: Compute, backend: str = "inductor"
) -> nn.Module:
    """A model that shares the given one's weights and is compiled; the model itself, with a warning, where that fails.

    Dropout in the compiled model draws other numbers, as reproducible as the model's own.

    Args:
        model: in training mode; its gradients are lost.
        batch: (B, T) of every training batch.
        compute: device and dtype of the training.
        backend: of torch.compile.
    """
    if problem := _obstacle(model, compute.device):
        warnings.warn(f"{model.config.mixer} is trained without torch.compile: {problem}", stacklevel=2)
        return model
    fast = cast(nn.Module, torch.compile(model, fullgraph=True, dynamic=False, backend=backend))
    try:
        _try(model, batch, compute)  # outside of torch.compile first: kernels are chosen and built
        _try(fast, batch, compute)
    except Exception as error:  # it raises many kinds
        if is_out_of_memory(error):
            raise
        reason = str(error).strip().split("\n")[0]
        warnings.warn(
            f"{model.config.mixer} is trained without torch.compile: {type(error).__name__}: {reason}",
            stacklevel=2,
        )
        return model
    finally:
        model.zero_grad(set_to_none=True)
    return fast


def _obstacle(model: LanguageModel, device: torch.device) -> str:
    """What keeps a model from being compiled; "" if nothing does."""
    if not _is_for(device):
        return f"it is for CUDA, and the device is {device}."
    opaque = (nn.LSTM, nn.GRU)
    return "it cannot look into cuDNN." if any(isinstance(m, opaque) for m in model.modules()) else ""


def _is_for(device: torch.device) -> bool:
    return device.type == "cuda"


def _try(model: nn.Module, batch: tuple[int, int], compute: Compute) -> None:
    """Forward and backward of one batch; the random numbers of the run stay as they were."""
    idx = torch.zeros(batch, dtype=torch.int64, device=compute.device)
    cards = [compute.device] if compute.device.type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        with compute.autocast():
            logits, _ = model(idx)
        logits.float().sum().backward()
