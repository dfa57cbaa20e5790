"""Labels do not cover one another."""

import itertools
import random

import pytest

from minrnn.ui.results.labels import GAP, Label, beside, spread_out


@pytest.mark.parametrize("seed", range(5))
def test_places_are_a_gap_apart_in_their_order_and_inside(seed: int) -> None:
    wanted = [random.Random(seed).uniform(0, 200) for _ in range(9)]
    placed = spread_out(wanted, 15, 0, 200)
    ordered = [place for _, place in sorted(zip(wanted, placed, strict=True))]
    assert all(b - a >= 15 - 1e-9 for a, b in itertools.pairwise(ordered))
    assert min(placed) >= 0 and max(placed) <= 200


def test_places_that_are_clear_stay_where_they_are() -> None:
    assert spread_out([10, 100, 50], 15, 0, 200) == [10, 100, 50]


def test_a_crowd_stands_around_what_it_wanted() -> None:
    assert spread_out([100, 100, 101], 10, 0, 200) == pytest.approx([100 + 1 / 3 + d for d in (-10, 0, 10)])


def test_more_labels_than_fit_still_do_not_cover_one_another() -> None:
    placed = spread_out([5.0] * 10, 15, 0, 60)
    assert all(b - a >= 15 - 1e-9 for a, b in itertools.pairwise(placed))


def test_a_moved_label_keeps_a_line_to_its_point() -> None:
    notes = beside([Label(1, 1.43, "a"), Label(1, 1.43, "b")], 1.4, 1.5, 400)
    assert [note["y"] for note in notes] == [1.43, 1.43] and all(note["showarrow"] for note in notes)
    assert abs(notes[0]["ay"] - notes[1]["ay"]) == pytest.approx(GAP)


def test_no_labels_are_no_trouble() -> None:
    assert beside([], 1, 2, 400) == [] and spread_out([], 15, 0, 10) == []
