"""The ladder: the models between the LSTM and minGRU, called rungs. Each rung lacks one thing that the one above has.

name           what it reads           cell                                  what it gives
lstm           f, i, o, c~ of x and h  c_t = f c_{t-1} + i tanh(c~)          h_t = o tanh(c_t)
lstm_x_gates   f, i, o of x only       the same, c~ still of x and h         the same
lstm_x         c~ of x only, too       the same, now linear in c             the same
lstm_no_output no o                    the same                              h_t = tanh(c_t)
lstm_linear    the same                the same                              h_t = c_t
minlstm, not normalised                c_t = f c_{t-1} + i g(c~)             h_t = c_t
minlstm        the same                c_t = (f c_{t-1} + i g(c~)) / (f + i) h_t = c_t
mingru         z instead of f and i    c_t = (1 - z) c_{t-1} + z g(c~)       h_t = c_t

From lstm_x on, a scan solves all steps at once. The replication's minLSTM is lstm_linear. Like the LSTM, none of
these rungs has a projection after its cell: compare them in plain blocks, where minLSTM and minGRU have none
either. The forget gate's bias starts near zero, as in minLSTM; `lstm --forget-bias 0` is the top of the ladder.

Source: the steps are those of Feng et al. 2024, arXiv 2410.01201, sections 3.1 and 3.2, taken one by one.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.models.mixer import Mixer, register
from minrnn.scan import linear_scan


@register("lstm_x_gates")
class InputGatesLSTM(Mixer):
    """An LSTM whose gates read x only; its candidate reads x and h. State: (h, c), each (B, C)."""

    title = "LSTM, gates without h"
    compared = False

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gates_and_candidate = nn.Linear(config.n_embd, 4 * config.n_embd, config.bias)
        self.recurrent = nn.Linear(config.n_embd, config.n_embd, bias=False)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map x (B, T, C) and (h, c) to y (B, T, C) and the last (h, c)."""
        parts = self.gates_and_candidate(x)
        forget, input, output, candidate = parts.float().chunk(4, dim=-1)
        gates = zip(*(gate.sigmoid().unbind(1) for gate in (forget, input, output)), strict=True)
        h, c = state or (x.new_zeros(x.shape[0], x.shape[2]),) * 2
        of_h = self.recurrent.weight.t().contiguous()
        states = []
        for (f, i, o), v in zip(gates, candidate.unbind(1), strict=True):
            c = f * c + i * torch.addmm(v, h, of_h).tanh()
            h = o * torch.tanh(c)
            states.append(h)
        return torch.stack(states, dim=1), (h, c)


class _ScanLSTM(Mixer):
    """An LSTM whose gates and candidate read x only, so the cell is a linear recurrence. State: c, (B, C)."""

    compared = False
    output_gate: ClassVar[bool] = False
    tanh_of_cell: ClassVar[bool] = False

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.parts = 4 if self.output_gate else 3
        self.gates_and_candidate = nn.Linear(config.n_embd, self.parts * config.n_embd, config.bias)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map x (B, T, C) and c to y (B, T, C) and the last c."""
        parts = self.gates_and_candidate(x).float().chunk(self.parts, dim=-1)
        forget, input, candidate = parts[:3]
        c = linear_scan(forget.sigmoid(), input.sigmoid() * candidate.tanh(), state)
        y = c.tanh() if self.tanh_of_cell else c
        if self.output_gate:
            y = parts[3].sigmoid() * y
        return y, c[:, -1].contiguous()


@register("lstm_x")
class InputLSTM(_ScanLSTM):
    """An LSTM whose gates and candidate read x only."""

    title = "LSTM without h"
    output_gate = True
    tanh_of_cell = True


@register("lstm_no_output")
class NoOutputLSTM(_ScanLSTM):
    """`lstm_x` without the output gate."""

    title = "… without output gate"
    tanh_of_cell = True


@register("lstm_linear")
class LinearOutputLSTM(_ScanLSTM):
    """`lstm_no_output` without tanh on the cell. With weights drawn from N(0, 1): the replication's minLSTM."""

    title = "… without tanh on the cell"
