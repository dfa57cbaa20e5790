"""The real app in a process of its own, and a plain client that sends it anything over a real socket."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, LanguageModel

ROOT = Path(__file__).resolve().parents[2]
PAGES = 200
"""Pages that the app remembers in these tests."""


class Served:
    """An app that serves, and what can be seen of it from outside."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
        self.process, self.port, self.folder = process, port, folder
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        for last in (False, True):
            try:
                given = {"content-type": content_type, **headers}
                self._connection.request(method, path, body, given)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self._connection.close()
                if last:
                    raise
        raise AssertionError

    def post(self, path: str, data: Any) -> tuple[int, bytes]:
        return self.send("POST", "/gradio_api/" + path, json.dumps(data).encode())

    def call(self, fn: dict[str, Any], data: list[Any], session: str = "tester", **more: Any) -> str:
        """What comes of calling a function as the page does: its last message, as text."""
        body = {"fn_index": fn["id"], "session_hash": session, "data": data, "trigger_id": None, **more}
        if fn["queue"] is False:
            return _text(self.post("run/predict", body))
        status, answer = self.post("queue/join", body)
        if status != 200:
            return _text((status, answer))
        return _text(self.send("GET", f"/gradio_api/queue/data?session_hash={session}"))

    def named(self, name: str, values: dict[str, Any]) -> str:
        """What comes of calling an endpoint by its parameters' names."""
        status, answer = self.post(f"call/v2/{name}", values)
        if status != 200:
            return _text((status, answer))
        return _text(self.send("GET", f"/gradio_api/call/{name}/{json.loads(answer)['event_id']}"))

    def close(self) -> None:
        self._connection.close()

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.send("GET", "/config")[1])
        return found

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    @property
    def megabytes(self) -> float:
        """Memory of the process."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))

    @property
    def left_over(self) -> list[str]:
        """What lies in the runs folder and among the uploads; the queue's own locks aside."""
        roots = [self.folder / "runs", self.folder / "uploads"]
        found = [path for root in roots for path in root.rglob("*") if path.is_file()]
        return [str(path.relative_to(self.folder)) for path in found if path.name not in (".jobs", ".asking")]


def _text(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {answer[1].decode('utf-8', 'replace')}"


@contextlib.contextmanager
def serving(folder: Path, mode: str, **env: str) -> Iterator[Served]:
    torch.manual_seed(0)
    for name in MODEL_NAMES:
        model = LanguageModel(ModelConfig(name, "\nabcdefgh", n_layer=1, n_embd=16, block_size=8))
        model.save_pretrained(folder / "weights" / "base" / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {
        "MINRNN_RUNS_DIR": str(folder / "runs"), "MINRNN_TRAINING": mode, "HF_HUB_OFFLINE": "1",
        "MINRNN_MAX_PAGES": str(PAGES), "GRADIO_TEMP_DIR": str(folder / "uploads"), "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    words = [
        sys.executable,
        str(Path(__file__).with_name("served_app.py")),
        str(folder / "weights"),
        str(port),
    ]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            words, env={**os.environ, **given, **env}, stdout=log, stderr=log, cwd=ROOT
        )
        served = Served(process, port, folder)
        try:
            _wait(served)
            yield served
        finally:
            served.close()
            process.terminate()
            process.wait(timeout=20)


def _wait(served: Served, seconds: float = 90) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and served.process.poll() is None:
        try:
            served.send("GET", "/config")
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not answer:\n{served.log}")


def is_clear(answer: str) -> bool:
    """Whether an answer is a right result or one clear message."""
    return (
        "Something broke" not in answer
        and "Traceback" not in answer
        and not answer.startswith("500 Internal")
    )


def soon(holds: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether something holds within a time."""
    ends = time.monotonic() + seconds
    while not holds() and time.monotonic() < ends:
        time.sleep(0.05)
    return holds()
