"""What the app tells strangers about its machine and its other visitors: nothing."""

import os
import re

import pytest

from tests.robustness.served import ROOT, Served

PATHS = re.compile(
    rf"{re.escape(str(ROOT))}|{re.escape(os.path.expanduser('~'))}/|/tmp/|site-packages|/usr/lib"
)


@pytest.mark.parametrize(
    "road", ["/", "/config", "/gradio_api/info", "/gradio_api/openapi.json", "/theme.css", "/manifest.json"]
)
def test_no_page_shows_a_path_of_the_machine(served: Served, road: str) -> None:
    status, answer = served.send("GET", road)
    assert status == 200 and not PATHS.search(answer.decode())


@pytest.mark.parametrize(
    "road",
    [
        "/monitoring", "/monitoring/", "/monitoring/summary", "/monitoring/x", "/gradio_api/deep_link?session_hash=a",
        "/config?deep_link=abc", "/gradio_api/proxy=https://example.hf.space/", "/gradio_api/file=https://example.org/x",
        "/gradio_api/dev/reload", "/gradio_api/vibe-code", "/gradio_api/stream/a/b/1/playlist.m3u8", "/docs",
        "/gradio_api/custom_component/a/client/b/c", "/gradio_api/runs", "/gradio_api/profiling/summary",
    ],
)  # fmt: skip
def test_what_the_page_does_not_need_is_not_there(served: Served, road: str) -> None:
    assert served.send("GET", road)[0] == 404


@pytest.mark.parametrize(
    "road", ["process_recording", "vibe-edit", "vibe-code", "stream/abc", "run-history/connect"]
)
def test_nothing_can_be_posted_that_the_page_does_not_post(served: Served, road: str) -> None:
    assert served.post(road, {"prompt": "x"})[0] == 404


def test_a_file_of_the_machine_is_refused_alike_whether_it_is_there(served: Served) -> None:
    answers = [served.send("GET", f"/gradio_api/file={path}") for path in ("/etc/passwd", "/etc/nothing")]
    assert [status for status, _ in answers] == [403, 403]
    assert answers[0][1].replace(b"passwd", b"nothing") == answers[1][1]


@pytest.mark.parametrize("end", ["a" * 256, "%c3%a9" * 128, "a/" * 2_500])
@pytest.mark.parametrize("road", ["static/", "assets/", "svelte/", "gradio_api/file="])
def test_an_address_that_is_too_long_for_a_file_is_not_there(served: Served, road: str, end: str) -> None:
    assert served.send("GET", f"/{road}{end}")[0] == 404


def test_private_functions_have_no_names_and_those_that_wait_cannot_jump_the_queue(served: Served) -> None:
    status, answer = served.post("call/write", {"data": []})
    assert status == 404 and b"there is no endpoint 'write'" in answer
    write = next(fn for fn in served.config["dependencies"] if fn["api_name"] == "write")
    body = {"fn_index": write["id"], "session_hash": "s", "data": [None] * len(write["inputs"])}
    status, answer = served.post("run/predict", body)
    assert status == 404 and b"waits its turn in the queue" in answer


def test_the_files_of_the_page_are_served_under_names_of_its_own(served: Served) -> None:
    for name, begin in (("plotly.min.js", b"/*"), ("preview.png", b"\x89PNG")):
        status, answer = served.send("GET", f"/minrnn/{name}")
        assert status == 200 and answer.startswith(begin)


@pytest.mark.parametrize(
    "name",
    ["/etc", "checkpoints", "checkpoints/base", "../x", "~root", "a/b/c", "us\u200ber/repo", "üser/repo"],
)
def test_a_hub_name_that_is_a_path_or_hides_letters_gets_the_same_answer_as_nonsense(
    served: Served, name: str
) -> None:
    add = next(fn for fn in served.config["dependencies"] if fn["api_name"] == "add_model")
    said = served.call(add, [name, None])
    nonsense = "no-such/thing" if re.fullmatch(r"[\w-]+/[\w-]+", name, re.ASCII) else "no such thing"
    assert _without(said, name) == _without(served.call(add, [nonsense, None]), nonsense)
    assert "Add" not in said and len(said) < 2_000


def _without(answer: str, name: str) -> str:
    """The message of an answer, without the name."""
    message = re.search(r'"error":"(.*?)"[,}]', answer)
    assert message, answer
    quoted = repr(name)[1:-1]
    return message[1].replace(quoted, "*").replace(quoted.replace("\\", "\\\\"), "*").replace(name, "*")
