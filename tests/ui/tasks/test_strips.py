"""A strip says its accuracy, shades it on one scale, and can be read on both pages."""

import pytest

from minrnn.results.task_results import SOLVED, TaskResult
from minrnn.tasks import TASKS
from minrnn.ui.tasks import strips
from tests.ui.test_theme import contrast

PARITY = TASKS["parity"]


def result(worst: float) -> TaskResult:
    mean = dict.fromkeys(PARITY.test_lengths, (1.0 + worst) / 2)
    return TaskResult("lstm", "LSTM", 3, mean, dict.fromkeys(mean, worst), [], 0.0, 1, 1, 1.0, 1.0)


@pytest.mark.parametrize("ends", [strips.LIGHT, strips.DARK])
@pytest.mark.parametrize("guessing", [0.08, 0.5])
def test_every_shade_reads_four_and_a_half_to_one(
    ends: tuple[strips.RGB, strips.RGB], guessing: float
) -> None:
    for step in range(101):
        paper, ink = strips.shade(step / 100, guessing, ends)
        assert contrast(paper, ink) >= 4.5


def test_the_scale_runs_from_guessing_to_one() -> None:
    assert strips.shade(0.5, 0.5, strips.LIGHT) == strips.shade(0.2, 0.5, strips.LIGHT)
    assert strips.shade(0.51, 0.5, strips.LIGHT)[0] != strips.shade(1.0, 0.5, strips.LIGHT)[0]


def test_a_stored_cell_is_right_only_if_every_seed_is() -> None:
    cells = strips.stored_strip(result(worst=SOLVED - 0.001), PARITY, 0.5)
    assert [cell["right"] for cell in cells] == [False] * 5
    assert cells[0]["text"] == "0.99" and "worst of 3 seeds 0.98" in cells[0]["note"]
    assert all(cell["right"] for cell in strips.stored_strip(result(worst=SOLVED), PARITY, 0.5))


def test_one_is_not_said_of_what_is_below_it() -> None:
    cell = strips.own_strip({32: 0.9999}, PARITY, 0.5)[0]
    assert cell["text"] == "0.99" and cell["right"]


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ([False] * 5, "right at no length"),
        ([True] * 5, "right at every length"),
        ([True, False, False, False, False], "right up to 1×"),
        ([True, True, True, False, False], "right up to 4×"),
        ([True, False, True, False, False], "right at 1×, 4×"),
    ],
)
def test_a_verdict_names_the_lengths_that_are_right(right: list[bool], said: str) -> None:
    shares = {T: float(yes) for T, yes in zip(PARITY.test_lengths, right, strict=True)}
    assert strips.verdict(strips.own_strip(shares, PARITY, 0.5)) == said


def test_lengths_that_were_not_scored_have_cells_that_say_so() -> None:
    cells = strips.own_strip({32: 1.0, 64: 1.0}, PARITY, 0.5)
    assert [cell["right"] for cell in cells] == [True, True, None, None, None]
    assert cells[-1]["note"] == "512 characters: not scored" and not strips.complete(cells)
    assert strips.own_strip({}, PARITY, 0.5) == []
