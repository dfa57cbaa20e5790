"""The names of repos on the Hub."""

from __future__ import annotations

from minrnn.checked import shown
from minrnn.errors import HubError
from minrnn.models.download import REPO


def repo_of(namespace: str, preset: str, model: str) -> str:
    """The repo that holds a preset's model.

    Raises:
        HubError: if the Hub would not accept such a name.
    """
    return checked(f"{namespace}/minrnn-{preset}-{model}")


def checked(repo: str) -> str:
    """Return the repo name unchanged if the Hub would accept it.

    Raises:
        HubError: if it would not.
    """
    if not REPO.fullmatch(repo):
        raise HubError(
            f"{shown(repo)} cannot be a repo on the Hub; user and repo are letters, digits, '-', '_' and '.', "
            "at most 96 each."
        )
    return repo
