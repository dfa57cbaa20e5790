"""A short form of the measurements of models: writing, training and the scan, with few rounds.

python -m minrnn bench [--json]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from minrnn.bench import decode, scan, train
from minrnn.bench.flags import Rounds, Threads
from minrnn.checked import Checked


@dataclass(frozen=True)
class Short(Checked):
    """Measure writing, training and the scan on this machine. The parts by themselves take more flags.

    Attributes:
        preset: the preset whose shapes are measured.
        rounds: times that everything is measured.
        threads: CPU threads of training and scan; writing always has one.
        json: print one JSON object.
    """

    preset: str = "base"
    rounds: Rounds = 3
    threads: Threads = 1
    json: bool = False

    @property
    def decode(self) -> decode.Decode:
        """The flags of the first part."""
        return decode.Decode(self.preset, self.rounds)

    @property
    def train(self) -> train.Train:
        """The flags of the second part."""
        return train.Train(self.preset, self.rounds, self.threads, together=False)

    @property
    def scan(self) -> scan.Scan:
        """The flags of the third part."""
        return scan.Scan(self.rounds, self.threads)


def figures(flags: Short) -> dict[str, object]:
    """Everything as plain data, by part."""
    return {
        "decode": decode.figures(flags.decode),
        "train": train.figures(flags.train),
        "scan": scan.figures(flags.scan),
    }


def lines(flags: Short) -> Iterator[str]:
    """The reports of the parts, one after another."""
    yield from decode.lines(flags.decode)
    yield ""
    yield from train.lines(flags.train)
    yield ""
    yield from scan.lines(flags.scan)
