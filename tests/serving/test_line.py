"""Who writes, who waits, and who is told to come back."""

import pytest

from minrnn.errors import BusyError
from minrnn.serving.line import Line, Visitor


def visitor(number: int, address: str = "") -> Visitor:
    return Visitor(address or f"address {number}", f"page {number}")


def full_line(places: int = 3, visitors: int = 6) -> Line[int]:
    line = Line[int](places, longest=4, each=2)
    assert [line.join(visitor(n), n) for n in range(visitors)] == [n < places for n in range(visitors)]
    return line


def test_who_finds_no_place_waits_and_is_told_where() -> None:
    line = full_line()
    assert [line.position(visitor(n)) for n in range(6)] == [0, 0, 0, 1, 2, 3]


def test_who_leaves_lets_the_first_in_line_begin() -> None:
    line = full_line()
    assert line.leave(visitor(1), 1) == [3]
    assert [line.position(visitor(n)) for n in (3, 4, 5)] == [0, 1, 2]


def test_who_leaves_the_line_moves_the_others_up() -> None:
    line = full_line()
    assert line.leave(visitor(3), 3) == []
    assert line.position(visitor(4)) == 1 and line.waiting() == [4, 5]


def test_a_second_request_of_a_visitor_takes_no_second_place() -> None:
    line = full_line()
    assert line.join(visitor(0), 100) and not line.join(visitor(4), 104)
    assert line.writing == 3
    assert line.leave(visitor(0), 0) == [] and line.leave(visitor(0), 100) == [3]
    assert line.leave(visitor(1), 1) == [4, 104]


def test_a_visitor_with_too_many_requests_is_told_the_limit() -> None:
    line = full_line()
    line.join(visitor(0), 100)
    with pytest.raises(BusyError, match="2 texts are being written for you already and 2 is the limit"):
        line.join(visitor(0), 101)


def test_a_line_that_is_too_long_takes_nobody_more() -> None:
    line = full_line(visitors=7)
    with pytest.raises(BusyError, match="4 visitors wait in line and 4 is the limit"):
        line.join(visitor(7), 7)


def test_one_address_leaves_half_of_the_places_to_others() -> None:
    line = Line[int](4, longest=9, each=2)
    assert [line.join(visitor(n, "one"), n) for n in range(4)] == [True, True, False, False]
    assert line.join(visitor(9), 9)
    assert line.leave(visitor(9), 9) == [] and line.leave(visitor(0, "one"), 0) == [2]
