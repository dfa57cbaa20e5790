"""Files of a model's folder or of a repo on the Hub, as paths on this machine; and why one could not be had."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from minrnn.checked import shown
from minrnn.errors import CheckpointError, HubError
from minrnn.settings import HUB_ANSWER_S

CONFIG, WEIGHTS = "config.json", "model.safetensors"
"""The two files that are a model."""
REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
"""Names of repos, their owner included. The Hub's client lets letters pass that look like others, or like nothing."""
_REVISION = re.compile(r"(?!.*\.\.)[\w][\w./-]{0,199}", re.ASCII)
"""Branches, tags and commits. Git allows no two dots in a row, and neither does the cache's folder."""
_ANSWERED = (HfHubHTTPError, FileMetadataError)
_REMEDIES = {
    401: "your token is not valid; log in again with `hf auth login`, or unset HF_TOKEN",
    403: "your account may not read it; ask its owner for access",
    429: "it was asked too often; try again in a few minutes",
}


def fetch(
    source: str,
    name: str,
    revision: str | None = None,
    *,
    max_bytes: int,
    hub_only: bool = False,
    **download: Any,
) -> Path:
    """One file of a folder or a Hub repo, as a path on this machine.

    Args:
        source: a folder, or "user/repo".
        name: the file's.
        revision: branch, tag or commit of a repo; the newest of `main` if None.
        max_bytes: a repo's larger file is refused before it is downloaded.
        hub_only: never look at this machine's folders: a stranger would learn which of them exist.
        download: further arguments of `huggingface_hub.hf_hub_download`.

    Raises:
        CheckpointError: if the folder lacks the file, or source or revision cannot be one.
        HubError: if the Hub does not give it, or it is too large.
    """
    if hub_only and not REPO.fullmatch(source):
        raise CheckpointError(f"{shown(source)} cannot be a repo on the Hub; name one as user/repo.")
    if not hub_only and os.path.isdir(source):
        path = Path(source) / name
        if not path.is_file():
            raise CheckpointError(
                f"{source} holds no {name}; a checkpoint folder needs {CONFIG} and {WEIGHTS}."
            )
        return path
    if revision is not None and not _REVISION.fullmatch(revision):
        raise CheckpointError(
            f"{shown(revision)} cannot be a revision of a repo; name a branch, a tag or a commit."
        )
    try:
        if source.count("/") != 1:  # the Hub knows a few repos without an owner; none of them is ours
            raise HFValidationError(source)
        return _download(source, name, revision, max_bytes, **download)
    except HFValidationError:
        raise CheckpointError(
            f"{shown(source)} is neither a folder on this machine nor a Hub repo of the form user/repo."
        ) from None
    except HubError:
        raise
    except Exception as error:
        public_only = download.get("token") is False
        raise HubError(f"{source}: {hub_reason(error, name, revision, public_only)}") from error


def _download(repo: str, name: str, revision: str | None, max_bytes: int, **download: Any) -> Path:
    """A file from the cache if the revision is a whole commit, else from the Hub, else from the cache again.

    The Hub's client tries half a minute where there is no network; this asks once.
    """

    def cached() -> Path:
        return Path(hf_hub_download(repo, name, revision=revision, **download | {"local_files_only": True}))

    if download.get("local_files_only"):
        return cached()
    if revision and re.fullmatch("[0-9a-f]{40}", revision):
        with suppress(LocalEntryNotFoundError):
            return cached()
    try:
        url = hf_hub_url(repo, name, revision=revision)
        size = get_hf_file_metadata(url, token=download.get("token"), timeout=HUB_ANSWER_S).size
    except Exception as error:
        if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
            raise
        try:
            return cached()
        except LocalEntryNotFoundError as missing:
            raise missing from error
    if size is None:  # the client would refuse it, too, but only after it has asked again
        raise FileMetadataError(f"{url} has no Content-Length")
    if size > max_bytes:
        raise HubError(f"{repo}: {name} has {size:,} bytes; at most {max_bytes:,} are downloaded.")
    return Path(hf_hub_download(repo, name, revision=revision, **download))


def hub_reason(error: Exception, name: str, revision: str | None, public_only: bool = False) -> str:
    """What went wrong at the Hub and what to do, in one sentence.

    Args:
        error: what the Hub's client raised.
        name: the file's.
        revision: what was asked for.
        public_only: whether it was asked without a token, so that to log in is no remedy.
    """
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, _ANSWERED):
        error = error.__cause__
    if isinstance(error, RepositoryNotFoundError) and public_only:  # gated repos are among them
        return "no such repo, or it is not public; only public models can be added here. Check the name."
    if isinstance(error, GatedRepoError):
        return "the repo is gated; ask its owner for access and log in with `hf auth login`."
    if isinstance(error, RepositoryNotFoundError):
        return "no such repo, or it is private; check the name, or log in with `hf auth login`."
    if isinstance(error, RevisionNotFoundError):
        return f"the repo has no revision {revision!r}; leave it out for the newest of main."
    if isinstance(error, FileMetadataError):
        return f"what answered for {name} is not the Hub; check the network and HF_ENDPOINT."
    if isinstance(error, LocalEntryNotFoundError):
        return f"the Hub cannot be reached and {name} is not in the local cache; check the network."
    if isinstance(error, EntryNotFoundError):
        return f"the repo has no {name}; only models published as {CONFIG} and {WEIGHTS} can be loaded."
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return f"the Hub answered {status} for {name}; {_REMEDIES.get(status, 'try again later')}."
    return f"{name} could not be downloaded ({in_short(error)}); check the network and try again."


def in_short(error: Exception) -> str:
    """An error's kind and text, without the text where it might quote a token."""
    text = str(error)
    token = get_token()
    secret = "Bearer" in text or (token is not None and token in text)
    return type(error).__name__ if secret else f"{type(error).__name__}: {text}"
