"""Shares of time are by visitor, whatever each asks for."""

from collections import Counter

from minrnn.serving.turns import Path, Turns


def shares(paths: list[Path], seconds: float, cost: dict[Path, float] | None = None) -> Counter[Path]:
    """The seconds that each item has had, after so many in all."""
    turns, had = Turns[Path](), Counter[Path]()
    for path in paths:
        turns.add(path, path)
    while sum(had.values()) < seconds:
        path, item = turns.next()
        took = (cost or {}).get(item, 0.01)
        had[item] += took
        turns.charge(path, took)
    return had


def by(level: int, had: Counter[Path]) -> dict[object, float]:
    found = Counter[object]()
    for path, seconds in had.items():
        found[path[level]] += seconds
    return dict(found)


GREEDY: list[Path] = [("here", "greedy", request, text) for request in range(4) for text in "abcd"]
MODEST: list[Path] = [("here", "modest", 0, "a")]


def test_sixteen_texts_of_one_visitor_get_no_more_time_than_one_text_of_another() -> None:
    had = by(1, shares(GREEDY + MODEST, 10))
    assert abs(had["greedy"] - had["modest"]) < 0.05


def test_a_hundred_visitors_of_one_address_get_no_more_time_than_one_of_another() -> None:
    crowd: list[Path] = [("there", f"visitor {n}", 0, "a") for n in range(100)]
    had = by(0, shares(crowd + MODEST, 10))
    assert abs(had["there"] - had["here"]) < 0.05


def test_a_text_whose_turns_are_long_gets_no_more_time() -> None:
    slow: Path = ("here", "slow", 0, "a")
    had = by(1, shares([slow, *MODEST], 20, {slow: 0.5}))
    assert abs(had["slow"] - had["modest"]) <= 0.5


def test_the_texts_of_a_request_share_its_time() -> None:
    had = shares(GREEDY, 16)
    assert max(had.values()) - min(had.values()) < 0.05


def test_a_newcomer_has_the_next_turn_and_no_debt_and_no_credit() -> None:
    turns = Turns[str]()
    turns.add(("old",), "old")
    turns.charge(turns.next()[0], 100.0)
    turns.add(("new",), "new")
    seen = []
    for _ in range(6):
        path, item = turns.next()
        turns.charge(path, 0.01)
        seen.append(item)
    assert seen == ["new", "old"] * 3


def test_who_leaves_takes_every_empty_level_along() -> None:
    turns = Turns[Path]()
    for path in GREEDY:
        turns.add(path, path)
    for path in GREEDY[:-1]:
        turns.remove(path)
    assert turns.next() == (GREEDY[-1], GREEDY[-1])
    turns.remove(GREEDY[-1])
    assert not turns
