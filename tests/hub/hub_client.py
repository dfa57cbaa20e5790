"""The real huggingface_hub client in a process of its own, since it reads HF_ENDPOINT when it is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# Runs each line of its input, a piece of Python in JSON, and answers with `result` or the error.
_WORKER = """
import json, os, sys
answers, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    space = {"result": None}
    try:
        exec(json.loads(line), space)
        answer = {"result": space["result"]}
    except (Exception, SystemExit) as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers, flush=True)
"""


def environment(endpoint: str, home: Path, **more: str) -> dict[str, str]:
    """This process's variables without what steers the client, and the loopback Hub's in their place."""
    foreign = ("HF_", "HUGGING", "MINRNN_", "SPACE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign) and "proxy" not in k.lower()}
    ours = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    return kept | ours | more


class Client:
    """A worker process; `run` gives what the code left in `result`, `error` the error it ended with."""

    def __init__(self, endpoint: str, home: Path, **more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            env=environment(endpoint, home, **more),
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait(30)
        self.process.stdout.close()  # type: ignore[union-attr]

    def _ask(self, code: str) -> dict[str, Any]:
        self.process.stdin.write(json.dumps(code) + "\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())  # type: ignore[union-attr]
        return answer

    def run(self, code: str) -> Any:
        answer = self._ask(code)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def error(self, code: str) -> str:
        answer = self._ask(code)
        assert "error" in answer, f"no error, but {answer['result']}"
        return str(answer["error"])

    def use_cache(self, folder: Path) -> None:
        """Read and write this cache from now on."""
        self.run(f"import huggingface_hub.constants as c; c.HF_HUB_CACHE = {str(folder)!r}")
