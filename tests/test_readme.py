"""The README: its examples run as they stand, its tree names what is there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from minrnn.library import open_library
from minrnn.runs.queue import TrainingQueue
from minrnn.ui import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    demo: gr.Blocks = app.build(open_library(), queue := TrainingQueue())
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, **app.launch_options())
    yield url
    demo.close()
    queue.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs_as_it_stands(url: str, number: int) -> None:
    code = EXAMPLES[number].replace("http://127.0.0.1:7860", url)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_tests_that_reliability_names_are_there() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z/_]+\.py)`: `(test_\w+)", page)
    assert len(named) > 20
    for path, test in named:
        assert f"def {test}" in (ROOT / "tests" / path).read_text(encoding="utf-8"), (path, test)


def test_the_tree_names_every_room() -> None:
    tree = README.partition("## What is where")[2].partition("How to add a model")[0]
    rooms = {path.parent.name for path in (ROOT / "minrnn").glob("*/__init__.py")}
    assert {name for name in rooms if f"  {name}/" not in tree} == set()
