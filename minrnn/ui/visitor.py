"""Who looks: a random token that a browser keeps. Where visitors share a machine, runs belong to its holder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import gradio as gr
from gradio.context import Context
from gradio.events import Dependency

STORAGE_KEY, STORAGE_SECRET = "minrnn-visitor", "minrnn"
"""The token is random already; the secret only keeps it readable after a restart."""


@dataclass(frozen=True)
class Visitor:
    """What every tab that trains needs to know of whoever looks.

    Attributes:
        token: as the browser keeps it.
        known: the event after which it is there; chain the first look at the runs to it.
    """

    token: gr.BrowserState
    known: Dependency


def visitor() -> Visitor:
    """Make the token of the current Blocks. A page has one: two would overwrite each other in the browser."""
    page = Context.root_block
    assert page is not None
    token = gr.BrowserState("", storage_key=STORAGE_KEY, secret=STORAGE_SECRET)
    known = page.load(_token, token, token, queue=False, show_progress="hidden", api_visibility="private")
    return Visitor(token, known)


def _token(token: str) -> str:
    """The browser's own, or a new one."""
    return token or secrets.token_urlsafe(24)
