"""The LSTM. Its gates read the previous state, so it computes one step at a time.

The recurrence is `torch.nn.LSTM`, with one layer in each block.

Source: Hochreiter & Schmidhuber 1997; the forget gate's bias of 1: Jozefowicz et al. 2015, section 2.2;
dropping hidden-to-hidden weights: Merity et al. 2017, arXiv 1708.02182, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Interval
from torch import Tensor, nn
from torch.func import functional_call

from minrnn.config import MixerOptions, ModelConfig, Probability
from minrnn.models.dropout import dropout
from minrnn.models.mixer import Look, Mixer, Recurrence, own_options, register
from minrnn.models.step import Linear, Step, half_of_1_more, with_1, zeros
from minrnn.scan import linear_scan


@dataclass(frozen=True)
class LSTMOptions(MixerOptions):
    """Choices of the LSTM.

    Attributes:
        forget_bias: the forget gate's bias before training; with 1, gradients pass from the first iter.
        hidden_dropout: probability of dropping a weight between h_{t-1} and the gates while training, drawn
            once for each batch.
    """

    forget_bias: Annotated[float, Interval(ge=-10, le=10)] = 1.0
    hidden_dropout: Probability = 0.0


@register("lstm")
class LSTM(Mixer):
    """`torch.nn.LSTM` of one layer. State: (h, c), each (B, C)."""

    Options = LSTMOptions
    title = "LSTM"
    year = 1997
    family = "nonlinear"
    equation = "c = f · c₋₁ + i · tanh(W x + R h₋₁), h = o · tanh(c); f, i and o read x and h₋₁"

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.hidden_dropout = own_options(config, LSTMOptions).hidden_dropout
        self.lstm = nn.LSTM(config.n_embd, config.n_embd, bias=config.bias, batch_first=True)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map x (B, T, C) and (h, c) to y (B, T, C) and the last (h, c)."""
        if x.shape[1] == 1 and not self.training:
            return self._step(x, state)
        before = None if state is None else (state[0].unsqueeze(0), state[1].unsqueeze(0))
        hidden = dropout(
            cast(Tensor, self.lstm.weight_hh_l0), self.hidden_dropout, self.training, batched=False
        )
        y, (h, c) = functional_call(self.lstm, {"weight_hh_l0": hidden}, (x, before))
        return y, (h.squeeze(0), c.squeeze(0))

    def _step(self, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Compute one step. `torch.nn.LSTM` packs its weights at every call, which takes three times as long."""
        if state is None:
            state = (x.new_zeros(x.shape[0], x.shape[2]),) * 2
        h, c = torch.lstm_cell(x[:, 0], state, *self.lstm.all_weights[0])
        return h.unsqueeze(1), (h, c)

    def look(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> Look:
        """Show the cells c, and the gates f, i and o. They read h, which `forward` gives."""
        h0, c0 = state or (x.new_zeros(x.shape[0], x.shape[2]),) * 2
        h = self.forward(x, (h0, c0))[0]
        before = torch.cat([h0.unsqueeze(1), h[:, :-1]], dim=1)
        of_x, of_h, *biases = self.lstm.all_weights[0]
        logits = F.linear(x, of_x) + F.linear(before, of_h) + sum(biases)
        input, forget, candidate, output = logits.chunk(4, dim=-1)
        f, i = forget.sigmoid(), input.sigmoid()
        recurrence = Recurrence(f, i * candidate.tanh(), c0, input_only=False)
        cells = linear_scan(f, recurrence.write, c0)
        return Look(cells, recurrence, {"f": f, "i": i, "o": output.sigmoid()})

    def prepare(self, channels: int, centre: bool) -> Callable[[], Step]:
        """See `Mixer.prepare`. One matrix reads x and h; its gates are in the order input, forget, output, cell."""
        of_x, of_h, *biases = self.lstm.all_weights[0]
        gates = _prepared_gates(torch.cat([of_x, of_h], dim=1), biases[0] + biases[1] if biases else None)
        return lambda: _Step(gates)

    @staticmethod
    def initialise(model: nn.Module, options: LSTMOptions) -> None:
        """torch's defaults, then the forget gate's bias (torch's order of the gates: input, forget, cell, output)."""
        with torch.no_grad():
            for name, weight in model.named_parameters():
                forget = slice(len(weight) // 4, len(weight) // 2)
                if name.endswith("lstm.bias_ih_l0"):
                    weight[forget] = options.forget_bias
                elif name.endswith("lstm.bias_hh_l0"):
                    weight[forget] = 0


def _prepared_gates(weight: Tensor, bias: Tensor | None) -> Linear:
    """The gates' rows from torch's order to the step's, those of the sigmoids halved for `half_of_1_more`."""

    def moved(rows: Tensor) -> Tensor:
        input, forget, cell, output = rows.chunk(4)
        return torch.cat([input / 2, forget / 2, output / 2, cell])

    return Linear(moved(weight), None if bias is None else moved(bias))


class _Step(Step):
    """The parts lie in the order i, f, o, c~, c: so one product gives both terms of the next c, i c~ and f c."""

    def __init__(self, gates: Linear) -> None:
        channels = gates.size // 4
        x_h_1, parts = with_1(2 * channels), zeros(5 * channels)
        self.x, self.h = x_h_1[:channels], x_h_1[channels:-1]
        self.y, self.c = self.h, parts[4 * channels :]
        self.state_bytes = self.h.nbytes + self.c.nbytes
        output, terms = parts[2 * channels : 3 * channels], zeros(2 * channels)
        self.calls = [
            gates.of(x_h_1, parts[: 4 * channels]),
            partial(np.tanh, parts[: 4 * channels], parts[: 4 * channels]),
            *half_of_1_more(parts[: 3 * channels]),
            partial(np.multiply, parts[: 2 * channels], parts[3 * channels :], terms),
            partial(np.add, terms[:channels], terms[channels:], self.c),
            partial(np.tanh, self.c, self.h),
            partial(np.multiply, self.h, output, self.h),
        ]

    def load(self, state: tuple[Tensor, Tensor] | None) -> None:
        self.h[:], self.c[:] = (0, 0) if state is None else (state[0][0].numpy(), state[1][0].numpy())

    def state(self) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.h.copy()).unsqueeze(0), torch.from_numpy(self.c.copy()).unsqueeze(0)
