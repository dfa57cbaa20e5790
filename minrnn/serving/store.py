"""The models that a process writes with, by number, and their weights made ready once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minrnn.models import CharModel, Committee, LanguageModel
from minrnn.models.stepper import Stepper, can_step

Numbers = tuple[int, ...]
"""One model, or the members of a committee."""


class Store:
    """Models by number.

    Args:
        models: those that are there from the start.
    """

    def __init__(self, models: Mapping[int, LanguageModel]) -> None:
        self._models = dict(models)
        self._steppers: dict[int, Stepper | None] = {}

    def prepare(self) -> None:
        """Make all weights ready, so that processes that are forked from this one share them."""
        for number in self._models:
            self._stepper(number)

    def put(self, number: int, model: LanguageModel) -> None:
        """Take a model in."""
        self._models[number] = model

    def forget(self, numbers: Sequence[int]) -> None:
        """Let models go; a text that is being written keeps its own."""
        for number in numbers:
            self._models.pop(number, None)
            self._steppers.pop(number, None)

    def get(self, numbers: Numbers) -> tuple[CharModel, Stepper | None]:
        """A model, or the committee of several, and its weights made ready where it can step."""
        if len(numbers) == 1:
            return self._models[numbers[0]], self._stepper(numbers[0])
        together = Committee([self._models[number] for number in numbers])
        members = [stepper for number in numbers if (stepper := self._stepper(number))]
        return together, Stepper(together, members) if can_step(together) else None

    def _stepper(self, number: int) -> Stepper | None:
        if number not in self._steppers:
            model = self._models[number]
            self._steppers[number] = Stepper(model) if can_step(model) else None
        return self._steppers[number]


def parts(model: CharModel) -> list[LanguageModel]:
    """A model's members: itself, where it is no committee."""
    if isinstance(model, Committee):
        return [member for member in model.members if isinstance(member, LanguageModel)]
    return [model]
