"""What a task is, and the registry that every task enters.

A task makes texts by chance, with questions in them and the right answers beside them. A model reads
`idx` and is scored at the asked positions only: the logits behind character t must name `targets[t]`.
Training therefore works as on any other text, and accuracy is the share of questions answered right.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.checked import Checked
from minrnn.errors import ConfigError

NOT_ASKED = -100
"""The target where nothing is asked. Torch's cross-entropy ignores it by default."""

Kind = Literal["nonlinear", "linear", "signed", "attention"]
"""What theory counts a model among: recurrences whose state runs through a nonlinearity, linear ones with decays in
(0, 1), linear ones whose decays may be negative, and attention."""

HASHED_TEXTS = 8
"""Texts that enter a task's hash."""


@dataclass(frozen=True, kw_only=True)
class Task(Checked, ABC):
    """Base of the tasks. A subclass declares its texts, its sizes as fields, and how a batch is drawn.

    Attributes:
        name: the key in `TASKS`.
        title: a few words for a button.
        question: one line that gives the rule.
        why_hard: one line on what makes it hard.
        theory: one line on which models can solve it, and how well.
        can_at_every_length: the kinds of models of which theory says that they can answer at every length.
        fail_as_texts_grow: the kinds of which it says that they cannot. It may be silent on others.
        on_page: whether the page offers it; the command line offers every task.
        trained_length: characters of a training text.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    why_hard: ClassVar[str]
    theory: ClassVar[str]
    can_at_every_length: ClassVar[tuple[Kind, ...]] = ()
    fail_as_texts_grow: ClassVar[tuple[Kind, ...]] = ()
    on_page: ClassVar[bool] = False

    trained_length: Annotated[int, Interval(ge=1, le=65_536)] = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_length(self.trained_length)

    @property
    @abstractmethod
    def vocab(self) -> str:
        """One printable character for each id, in the order of the ids."""

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of name, sizes and some texts: a task whose sizes or whose rule differ has another one."""
        idx, targets = self.batch(torch.Generator().manual_seed(0), HASHED_TEXTS, self.trained_length)
        sizes = json.dumps([self.name, self.vocab, dataclasses.asdict(self)], sort_keys=True)
        texts = json.dumps([idx.tolist(), targets.tolist()])
        return hashlib.sha256(f"{sizes}\n{texts}".encode()).hexdigest()

    @property
    def min_length(self) -> int:
        """The smallest T that has room for a question."""
        return 1

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """The trained length and 2, 4, 8 and 16 times it, in characters."""
        return tuple(self.trained_length * factor for factor in (1, 2, 4, 8, 16))

    def check_length(self, T: int) -> None:
        """Raise ConfigError if T is below `min_length`."""
        if self.min_length > T:
            raise ConfigError(
                f"A text of {T} characters is too short for the task {self.name!r}, which needs at least "
                f"{self.min_length}; give a longer text or choose a smaller task."
            )

    def batch(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        """Draw B texts of T characters. The same state of the generator gives the same texts.

        Args:
            generator: the only source of chance; the batch is made on its device.
            B: texts, at least 1.
            T: characters of a text, at least `min_length`.

        Returns:
            idx: (B, T) int64 ids below len(vocab).
            targets: (B, T) int64 ids where something is asked, NOT_ASKED elsewhere.

        Raises:
            ConfigError: if B or T is too small.
        """
        if B < 1:
            raise ConfigError(f"A batch of {B} texts is empty; draw at least 1.")
        self.check_length(T)
        return self._draw(generator, B, T)

    @abstractmethod
    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        """As `batch`, for a B and a T that were checked."""


TASKS: dict[str, Task] = {}
"""Every task with its default sizes, by name, in the order in which they are shown."""
TaskClass = TypeVar("TaskClass", bound=type[Task])


def register(task: TaskClass) -> TaskClass:
    """Class decorator that enters a task with its default sizes in `TASKS`."""
    TASKS[task.name] = task()
    return task


def find_task(name: str) -> Task:
    """The task of that name, with its default sizes.

    Raises:
        ConfigError: if there is none.
    """
    if name not in TASKS:
        raise ConfigError(f"The task {name!r} is not known; choose one of: {', '.join(TASKS)}.")
    return TASKS[name]
