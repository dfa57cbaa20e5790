"""The commands as a whole: what is asked wrongly, and where what is printed goes."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from minrnn.cli.main import COMMANDS, main
from tests.cli.conftest import needs_full, stdout_without_room


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_its_flags(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"python -m minrnn {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"  {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("words", [[], ["no_such_command"], ["--version"]])
def test_an_unknown_command_is_answered_with_the_list(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert all(f"  {command} " in error for command in COMMANDS)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["eval", "nowhere", "--json"], "nowhere"),
        (["sample", "nowhere"], "nowhere"),
        (["results", "--update-readme", "--readme", "nowhere"], "the page nowhere cannot be read"),
        (["inside", "report", "--docs", "."], "the page inside.md cannot be read"),
        (["inside", "measure", "--docs", "nowhere"], "the page nowhere/inside.md cannot be read"),
        (["repetition", "--docs", "nowhere"], "the page nowhere/replication.md cannot be read"),
        (["study", "report", "--docs", "nowhere"], "cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_1(
    words: list[str],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(words)
    error = capsys.readouterr().err
    assert end.value.code == 1
    assert error.startswith("error: ") and hint in error and error.count("\n") == 1


def run(*words: str, code: str = "", **env: str) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own."""
    start = ["-c", code] if code else ["-m", "minrnn"]
    more: dict[str, Any] = {"capture_output": True, "text": True, "check": False, "encoding": "utf-8"}
    return subprocess.run([sys.executable, *start, *words], env={**os.environ, **env}, **more)


def test_a_terminal_that_lacks_a_character_shows_a_question_mark(trained: Path) -> None:
    words = ("sample", str(trained), "--prompt", "Ж", "--max-new-tokens", "5")
    done = run(*words, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and len(done.stdout) == 6
    done = run("eval", "gibt's nicht: Ä", PYTHONIOENCODING="ascii")
    assert done.returncode == 1 and "gibt's nicht: ?" in done.stderr


def test_a_pipe_that_closes_is_no_error(trained: Path) -> None:
    words = [sys.executable, "-m", "minrnn", "sample", str(trained), "--max-new-tokens", "5000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.read(3)
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr and process.stderr.read() == b""


def test_help_into_a_pipe_that_closes_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m minrnn train --help | true; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@needs_full
@pytest.mark.parametrize("words", [["results"], ["--help"]])
def test_a_result_that_cannot_be_written_is_one_line_and_exit_status_1(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with stdout_without_room(), pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: the output cannot be written (No space left") and error.count("\n") == 1


def test_a_key_that_interrupts_leaves_no_traceback() -> None:
    code = (
        "import sys, minrnn.cli.eval as command\n"
        "from minrnn.cli.main import main\n"
        "def interrupted(_): raise KeyboardInterrupt\n"
        "command.main = interrupted\n"
        "main(['eval'])"
    )
    done = run(code=code)
    assert (done.returncode, done.stderr) == (130, "")


def test_another_broken_pipe_is_not_hidden() -> None:
    code = (
        "import minrnn.cli.eval as command\n"
        "from minrnn.cli.main import main\n"
        "def broken(_): raise BrokenPipeError(32, 'the network went away')\n"
        "command.main = broken\n"
        "main(['eval'])"
    )
    done = run(code=code)
    assert done.returncode == 1 and "the network went away" in done.stderr


def test_training_does_not_wait_for_the_page_nor_for_charts() -> None:
    code = (
        "import sys; import minrnn.cli.main, minrnn.cli.train\n"
        "print([name for name in ('gradio', 'plotly', 'pandas', 'sympy', 'torch._dynamo') if name in sys.modules])"
    )
    assert run(code=code).stdout == "[]\n"


def test_there_is_a_console_script() -> None:
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert 'minrnn = "minrnn.__main__:main"' in pyproject
    for script in entry_points(group="console_scripts", name="minrnn"):
        assert script.load() is main
