"""Ending what a page began before."""

from types import SimpleNamespace
from typing import cast

import gradio as gr
import pytest

from minrnn.ui.stops import Stops


def page(name: str) -> gr.Request:
    return cast(gr.Request, SimpleNamespace(session_hash=name, headers={}, client=None))


def test_a_page_stops_what_it_began_before_and_nothing_else() -> None:
    stops = Stops()
    stops.ask(100.0, page("one"))
    assert stops.since(100.0, page("one")) and stops.since(99.0, page("one"))
    assert not stops.since(101.0, page("one")) and not stops.since(100.0, page("two"))
    stops.forget(page("one"))
    assert not stops.since(100.0, page("one"))


def test_of_two_stops_the_later_one_counts_in_whatever_order_they_arrive() -> None:
    stops = Stops()
    for moment in (100.0, 99.0):
        stops.ask(moment, page("one"))
    assert stops.since(100.0, page("one")) and not stops.since(101.0, page("one"))


def test_the_moments_of_no_more_pages_are_kept_than_the_operator_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINRNN_MAX_PAGES", "2")
    stops = Stops()
    for name in ("one", "two", "three"):
        stops.ask(1.0, page(name))
    assert [stops.since(1.0, page(name)) for name in ("one", "two", "three")] == [False, True, True]
