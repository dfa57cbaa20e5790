"""The models that a task is given to, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from minrnn.models import mixer_class
from minrnn.results.task_studies import task_models
from minrnn.runs.spec import SIGNED_SUFFIX
from minrnn.tasks import Task
from minrnn.ui.theme import color, dash


@dataclass(frozen=True)
class Entrant:
    """A model on this tab.

    Attributes:
        key: its name in requests and in the stored results, such as "lstm" or "mingru-signed".
        title: its name for people.
        color: of its lines and its edge.
        dash: of its lines.
    """

    key: str
    title: str
    color: str
    dash: str

    @property
    def mixer(self) -> str:
        """The name of its mixer."""
        return self.key.removesuffix(SIGNED_SUFFIX)

    @property
    def family(self) -> str:
        """What theory counts it among."""
        return mixer_class(self.mixer).family if self.key == self.mixer else "signed"

    @property
    def learned_positions(self) -> bool:
        """Whether it learns positions, so that those beyond the trained length are never trained."""
        return mixer_class(self.mixer).learned_positions

    def can(self, task: Task) -> bool | None:
        """Whether theory says that it can answer a task at every length; None where theory is silent."""
        if self.family in task.can_at_every_length:
            return True
        return False if self.family in task.fail_as_texts_grow else None


@cache
def entrants() -> tuple[Entrant, ...]:
    """All of them, in the order they are shown and trained."""
    return tuple(Entrant(key, title, color(key), dash(key)) for key, (title, _) in task_models().items())
