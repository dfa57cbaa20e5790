"""Repos on the Hub made to look as they should: one commit with what differs, and none where nothing does.

What differs is found here, by digest, and not left to `HfApi.create_commit`, which leaves out unchanged files, too. It
does so late: first it asks for every file how to upload it, has the README checked and offers all large files anew.
Where nothing has changed, it logs a warning; its answer does not say how many files it left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, SpaceHardware, get_token
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import RepoFile

from minrnn.errors import ConfigError, HubError, MinrnnError
from minrnn.models.download import in_short

Kind = Literal["model", "space"]


@dataclass(frozen=True)
class Upload:
    """A repo as it should be.

    Attributes:
        kind: "model" or "space".
        repo: "user/repo".
        files: content by path; a path on this machine stands for its file's content.
        owned: folders in which nothing else may stay, each with its slash.
    """

    kind: Kind
    repo: str
    files: Mapping[str, Path | bytes]
    owned: tuple[str, ...] = ()

    def text(self, path: str) -> str:
        """A file as text."""
        return _read(self.files[path]).decode("utf-8")

    def listing(self) -> Iterator[str]:
        """The files, one a line, each behind its size."""
        yield f"{self.kind} {self.repo}"
        for path, content in sorted(self.files.items()):
            yield f"  {_size(content):>12,} bytes  {path}"


def api() -> HfApi:
    """A client with a token from the usual places. The token is never printed.

    Raises:
        HubError: if there is none.
    """
    if not get_token():
        raise HubError("publishing needs a token; log in with `hf auth login`, or set HF_TOKEN.")
    return HfApi()


def owner(client: HfApi) -> str:
    """The name of the token's owner.

    Raises:
        HubError: if the Hub refuses.
    """
    with asking("the Hub"):
        return str(client.whoami()["name"])


def existing(client: HfApi, repos: Iterable[str]) -> list[str]:
    """Those of some model repos that are on the Hub.

    Raises:
        HubError: if the Hub refuses.
    """
    found = []
    for repo in repos:
        with asking(repo):
            if client.repo_exists(repo):
                found.append(repo)
    return found


def push_model(client: HfApi, upload: Upload, private: bool) -> str:
    """`push`, into a repo that is made if there is none.

    Raises:
        HubError: if the Hub refuses.
    """
    with asking(upload.repo):
        client.create_repo(upload.repo, private=private or None, exist_ok=True)
    return push(client, upload)


def check_hardware(name: str) -> None:
    """Refuse hardware that the Hub does not lend.

    Raises:
        ConfigError: if the name is unknown.
    """
    known = [hardware.value for hardware in SpaceHardware]
    if name not in known:
        raise ConfigError(f"hardware is {name!r}; choose one of: {', '.join(known)}.")


def set_up_space(client: HfApi, repo: str, namespace: str, hardware: str, private: bool) -> None:
    """Make the Space if there is none, and set variable and hardware where they differ: each change restarts it.

    Args:
        client: with a token that may write.
        repo: the Space's.
        namespace: whose models it shows.
        hardware: the Hub's name of it.
        private: make a new Space private.

    Raises:
        HubError: if the Hub refuses.
    """
    key, wanted = "MINRNN_HUB_NAMESPACE", SpaceHardware(hardware)
    with asking(repo):
        client.create_repo(
            repo,
            repo_type="space",
            space_sdk="gradio",
            space_hardware=wanted,
            space_variables=[{"key": key, "value": namespace}],
            private=private or None,
            exist_ok=True,
        )
        variable = client.get_space_variables(repo).get(key)
        if variable is None or variable.value != namespace:
            client.add_space_variable(repo, key, namespace)
        if client.get_space_runtime(repo).requested_hardware != hardware:
            client.request_space_hardware(repo, wanted)


def push(client: HfApi, upload: Upload) -> str:
    """Commit what differs from the repo, in one commit; none if nothing does.

    Returns:
        A line that says what happened.

    Raises:
        HubError: if the Hub refuses.
    """
    address = f"{client.endpoint}/{'spaces/' if upload.kind == 'space' else ''}{upload.repo}"
    with asking(upload.repo):
        head = client.repo_info(upload.repo, repo_type=upload.kind).sha
        operations = list(_operations(client, upload, head))
        if not operations:
            return f"{address}  unchanged at {str(head)[:7]}"
        commit = client.create_commit(
            upload.repo,
            operations,
            commit_message="Publish with minRNN",
            repo_type=upload.kind,
            parent_commit=head,
        )
    deleted = sum(isinstance(operation, CommitOperationDelete) for operation in operations)
    changes = f"{len(operations) - deleted} written" + f", {deleted} deleted" * bool(deleted)
    return f"{address}  commit {commit.oid[:7]}, files: {changes}"


def _operations(
    client: HfApi, upload: Upload, head: str | None
) -> Iterator[CommitOperationAdd | CommitOperationDelete]:
    """What turns the repo at `head` into the upload."""
    tree = client.list_repo_tree(upload.repo, recursive=True, revision=head, repo_type=upload.kind)
    present = {
        file.path: file.lfs.sha256 if file.lfs else file.blob_id
        for file in tree
        if isinstance(file, RepoFile)
    }
    for path, content in sorted(upload.files.items()):
        if present.get(path) not in _digests(_read(content)):
            yield CommitOperationAdd(path, content)
    for path in sorted(set(present) - set(upload.files)):
        if path.startswith(upload.owned):
            yield CommitOperationDelete(path)


@contextmanager
def asking(repo: str) -> Iterator[None]:
    """Turn whatever goes wrong at the Hub into one sentence."""
    try:
        yield
    except MinrnnError:
        raise
    except Exception as error:
        raise HubError(f"{repo}: {_why_not(error)}") from error


def _why_not(error: Exception) -> str:
    """Why the Hub did not do what was asked, and the remedy."""
    if not isinstance(error, HfHubHTTPError):
        return f"{in_short(error)}; check the network and run the command again."
    said = f" ({error.server_message})" if error.server_message else ""
    return {
        401: "the Hub does not accept your token; log in with `hf auth login`, or set HF_TOKEN to one that may write.",
        402: f"the Hub wants to be paid for this{said}; choose another hardware.",
        403: f"your token may not write there{said}; check the namespace and the token's rights.",
        412: "somebody else changed the repo meanwhile; run the command again.",
    }.get(
        error.response.status_code, f"the Hub answered {error.response.status_code}{said}; try again later."
    )


def _read(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _digests(content: bytes) -> tuple[str, str]:
    """The names a repo may know this content by: git's blob id, or a large file's SHA-256."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return blob.hexdigest(), hashlib.sha256(content).hexdigest()
