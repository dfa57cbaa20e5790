"""The names of repos on the Hub."""

from __future__ import annotations

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

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
    if not (REPO.fullmatch(repo) and _is_valid(repo)):
        raise HubError(
            f"{shown(repo)} cannot be a repo on the Hub; user and repo are letters, digits, '-', '_' and '.', "
            "at most 96 each. Neither may begin or end with '-' or '.' or hold '--' or '..', and no repo ends "
            "with '.git'."
        )
    return repo


def _is_valid(repo: str) -> bool:
    """Whether the Hub's own client takes the name."""
    try:
        validate_repo_id(repo)
    except HFValidationError:
        return False
    return True
