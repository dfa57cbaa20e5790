"""`python -m minrnn.cli.along`: one of the other processes of `train --processes N`; see `companions.py`."""

from __future__ import annotations

import os
import signal
import threading

from minrnn.cli import terminal


def main() -> None:
    """Train along until the run ends, or the first process does. The first one alone hears signals."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    from minrnn.cli import train  # imports torch: the thread watches meanwhile

    train.main([])
    terminal.leave()


def _end_with_the_first() -> None:
    """Wait until the other end of the standard input is closed."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
