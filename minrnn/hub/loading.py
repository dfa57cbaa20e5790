"""Loading every model of an account from the Hub, all together within a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue

from minrnn import checkpoint, settings
from minrnn.checkpoint import Checkpoint
from minrnn.errors import CheckpointError, HubError, MinrnnError
from minrnn.hub.names import repo_of

Key = tuple[str, str]


def load_all(
    namespace: str,
    presets: Iterable[str],
    models: Iterable[str],
    deadline_s: float = settings.HUB_TIMEOUT_S,
) -> dict[Key, Checkpoint | MinrnnError]:
    """Load every model of every preset from an account's repos, all together within a time.

    Each is pinned to the commit that its main branch had when it was asked for. Where the Hub does not
    answer, the newest revision in the local cache serves. A model that comes late is dropped.

    Args:
        namespace: the account.
        presets: names of presets.
        models: names of models.
        deadline_s: seconds from the call to the answer, whatever the network does.

    Returns:
        For every (preset, model) the checkpoint, or why there is none.
    """
    models = tuple(models)
    keys = [(preset, model) for preset in presets for model in models]
    late = f"did not come within {deadline_s:g} seconds; try again when the network is faster."
    found: dict[Key, Checkpoint | MinrnnError] = {
        key: HubError(f"{namespace}/minrnn-{key[0]}-{key[1]} {late}") for key in keys
    }
    arrivals: SimpleQueue[tuple[Key, Checkpoint | MinrnnError]] = SimpleQueue()
    for key in keys:
        # Daemons, so that a download that hangs neither delays the answer nor the end of the process.
        threading.Thread(target=_fetch, args=(namespace, key, arrivals.put), daemon=True).start()
    found.update(_until(time.monotonic() + deadline_s, arrivals, len(keys)))
    return found


def _until(
    deadline: float, arrivals: SimpleQueue[tuple[Key, Checkpoint | MinrnnError]], count: int
) -> Iterator[tuple[Key, Checkpoint | MinrnnError]]:
    """What arrives before the deadline, at most `count` of it."""
    for _ in range(count):
        try:
            yield arrivals.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            return


def _fetch(namespace: str, key: Key, arrived: Callable[[tuple[Key, Checkpoint | MinrnnError]], None]) -> None:
    try:
        loaded = checkpoint.load(repo_of(namespace, *key))
        mixer = loaded.model.config.mixer
        if mixer != key[1]:
            raise CheckpointError(f"{loaded.source} holds a {mixer}, not a {key[1]}; publish the right one.")
        arrived((key, loaded))
    except MinrnnError as error:
        arrived((key, error))
    except Exception as error:  # a thread has nobody else to tell
        arrived((key, HubError(f"{namespace}: {type(error).__name__}: {error}")))
