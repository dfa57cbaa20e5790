"""What the first page does not need is not imported before it is there."""

import os
import subprocess
import sys
from pathlib import Path

UNNEEDED = ("torch._dynamo", "torch._inductor", "sympy", "tyro", "numba", "scipy", "matplotlib", "networkx")
"""Each costs the start tenths of a second or tens of megabytes."""

SERVE = f"""
import sys, urllib.request
from minrnn.library import open_library
from minrnn.runs.queue import TrainingQueue
from minrnn.ui import app
demo = app.build(open_library(), TrainingQueue())
url = demo.launch(**app.launch_options(), prevent_thread_lock=True, quiet=True)[1]
assert b"minRNN" in urllib.request.urlopen(url).read()
print("loaded:", *(name for name in {UNNEEDED!r} if name in sys.modules))
demo.close()
"""


def test_the_first_page_is_there_without_what_it_does_not_need(tmp_path: Path) -> None:
    env = {**os.environ, "MINRNN_RUNS_DIR": str(tmp_path), "GRADIO_ANALYTICS_ENABLED": "False"}
    done = subprocess.run([sys.executable, "-c", SERVE], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split("loaded:")[1].splitlines()[0].strip() == ""
