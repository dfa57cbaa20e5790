"""`train --processes N`: the other processes of a training, started by the first and ended with it.

torchrun starts a training's processes from outside; here the command does, on one machine, so that the app's worker
stays one command. They begin before the first one imports torch, so that all import it at the same time. Each holds a
pipe from the first process as its standard input: when that one ends, however it ends, they do.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from minrnn import cores
from minrnn.cli import terminal
from minrnn.errors import ConfigError

FLAG = "--processes"
MOST = 64
_RANK = "RANK"
"""The variable by which torchrun, and this file, tell a process its number."""
_AFTERWARDS_S = 10.0
"""A companion needs less to end by itself once the training has ended."""


def asked_for(words: Sequence[str]) -> int:
    """How many processes a command line asks for.

    Raises:
        ConfigError: if it is no number from 1 to 64.
    """
    count, given = "1", list(words)
    for i, word in enumerate(given):
        if word == FLAG and i + 1 < len(given):
            count = given[i + 1]
        elif word.startswith(FLAG + "="):
            count = word.removeprefix(FLAG + "=")
    if not (count.isascii() and count.isdigit() and 1 <= int(count[:9]) <= MOST):
        raise ConfigError(f"{FLAG} is {count[:30]!r}; it must be a whole number from 1 to {MOST}.")
    return int(count)


@contextmanager
def started(words: Sequence[str]) -> Iterator[None]:
    """Start as many other processes as a command line asks for, and make this one the first of them.

    Raises:
        ConfigError: if the number is out of range, or torchrun has started this process.
    """
    count = asked_for(words)
    if count == 1:
        yield
        return
    if _RANK in os.environ:
        raise ConfigError(f"torchrun has started this process among others; leave out {FLAG} {count}.")
    shared = _environment(count)
    before = dict(os.environ)
    children = [_child({**shared, **_place(rank)}) for rank in range(1, count)]
    watch = threading.Thread(
        target=_end_if_one_fails, args=(children, ending := threading.Event()), daemon=True
    )
    watch.start()
    os.environ.update({**shared, **_place(0)})
    try:
        yield
    finally:
        ending.set()
        for name in {*shared, *_place(0)}:
            os.environ.pop(name)
        os.environ.update(before)
        _end(children)
    terminal.leave()  # threads that gloo has left behind may abort a process that ends the usual way


def _environment(count: int) -> dict[str, str]:
    """What the processes have in common. They share the cores out, unless the user has named a number of threads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cores.usable() // count))
    there = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    there |= {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    interface = {"linux": "lo", "darwin": "lo0"}.get(sys.platform)
    return {**there, "OMP_NUM_THREADS": threads} | ({"GLOO_SOCKET_IFNAME": interface} if interface else {})


def _place(rank: int) -> dict[str, str]:
    return {_RANK: str(rank), "LOCAL_RANK": str(rank)}


def _child(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "minrnn.cli.along"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, env={**os.environ, **environment})


def _end_if_one_fails(children: list[subprocess.Popen[bytes]], ending: threading.Event) -> None:
    """End this process if another one ends early. Once they train, the first says so itself, and sooner; while they
    look for one another, it would wait for minutes."""
    while not ending.wait(0.5):
        if any(child.poll() for child in children):
            if not ending.wait(_AFTERWARDS_S):
                print(
                    f"error: one of the {len(children) + 1} processes has ended.", file=sys.stderr, flush=True
                )
                os._exit(1)
            return


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """Let the others end, and see to it that they have."""
    for child in children:
        assert child.stdin is not None
        with suppress(OSError):
            child.stdin.close()
    until = time.monotonic() + _AFTERWARDS_S
    for child in children:
        try:
            child.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
