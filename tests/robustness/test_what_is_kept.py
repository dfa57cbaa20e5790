"""What a stranger can make the app keep: bytes, files, pages, results."""

import contextlib
import http.client
import json
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from minrnn.settings import MAX_UPLOADS
from tests.robustness.served import PAGES, Served, is_clear, soon

MB = 1_000_000


def chunked(app: Served, path: str, pieces: Iterator[bytes], content_type: str = "application/json") -> bytes:
    """The answer to a body that does not say its length."""
    with socket.create_connection(("127.0.0.1", app.port), timeout=60) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {content_type}\r\n"
        line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for piece in pieces:
            line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        line.sendall(b"0\r\n\r\n")
        return b"".join(iter(partial(line.recv, 65_536), b""))


def form(content: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    return head + content + b"\r\n--b--\r\n"


FORM = "multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def ask(served: Served) -> dict[str, object]:
    """The private function that only notes when a page asked for a stop."""
    return next(fn for fn in served.config["dependencies"] if fn["api_name"] == "ask")


def test_thirty_posts_of_20_megabytes_leave_nothing_behind(served: Served, ask: dict[str, object]) -> None:
    before = served.megabytes
    for number in range(30):
        body = json.dumps(
            {"fn_index": ask["id"], "session_hash": f"s{number}", "data": ["x" * 20 * MB]}
        ).encode()
        status, answer = served.send("POST", "/gradio_api/run/predict", body)
        assert status == 413 and b"the limit here is 6,250,000; send less" in answer
    assert served.megabytes - before < 50


def test_the_largest_values_that_are_let_in_are_not_kept_either(
    served: Served, ask: dict[str, object]
) -> None:
    def post(number: int) -> None:
        body = {"fn_index": ask["id"], "session_hash": f"t{number}", "data": [["x" * MB]]}
        assert served.post("run/predict", body)[0] == 500  # Gradio's answer to a value that was refused

    post(0)
    before = served.megabytes
    for number in range(1, 60):
        post(number)
    assert served.megabytes - before < 30


def test_a_body_without_a_length_is_cut_off_at_the_limit(served: Served) -> None:
    answer = chunked(served, "/gradio_api/queue/join", (b'{"data":["' + b"x" * MB for _ in range(12)))
    assert b"413" in answer and b"more than 6,250,000 bytes and the limit here is 6,250,000" in answer


def test_a_small_body_that_is_large_to_hold_is_refused(served: Served) -> None:
    before = served.megabytes
    status, answer = served.send("POST", "/gradio_api/run/predict", b'{"data":[' + b"[]," * MB + b"1]}")
    assert status == 413 and b"more than 1,000 values" in answer
    assert served.megabytes - before < 20


def test_pages_that_open_leave_little_behind_and_only_so_many_are_remembered(served: Served) -> None:
    fns = served.config["dependencies"]
    load = next(fn for fn in fns if any(at[1] == "load" for at in fn["targets"]) and not fn["inputs"])

    def open_pages(start: int, count: int) -> float:
        before = served.megabytes
        for number in range(start, start + count):
            body = {"fn_index": load["id"], "session_hash": f"page-{number}", "data": []}
            assert served.post("run/predict", body)[0] == 200
        return served.megabytes - before

    assert open_pages(0, PAGES) < 0.06 * PAGES  # Gradio keeps 0.23 MB of each
    assert open_pages(PAGES, 2 * PAGES) < 4  # each new one replaces an old one


def test_a_refused_value_of_5_megabytes_is_not_echoed(served: Served) -> None:
    for values in (
        {"text": "x" * 5 * MB},
        {"text": "a", "models": "x" * MB},
        {"text": "a", "preset": ["x" * MB]},
    ):
        answer = served.named("read", values)
        assert 50 < len(answer) < 1_000
    assert "xxxxxxxxxx" * 10 not in served.log


@pytest.mark.parametrize(
    ("name", "field"),
    [("generate", "prompt"), ("generate", "models"), ("generate", "preset"), ("read", "text"), ("read", "models"),
     ("train_start", "models"), ("train_start", "preset"), ("train_start", "corpus"), ("train_start", "token")],
)  # fmt: skip
def test_a_large_text_in_one_field_is_not_echoed(served: Served, name: str, field: str) -> None:
    usual = {
        "generate": {"prompt": "a"},
        "read": {"text": "a"},
        "train_start": {"models": "none", "corpus": "none"},
    }
    for size in (MB, 5 * MB):  # the first reaches the field, the second is too long for any
        answer = served.named(name, {**usual[name], field: "x" * size})
        assert 50 < len(answer) < 1_000 and "x" * 100 not in answer and is_clear(answer)
    assert "x" * 100 not in served.log


def test_a_file_within_the_limit_is_taken_and_a_larger_one_leaves_nothing(served: Served) -> None:
    status, answer = served.send("POST", "/gradio_api/upload", form(b"a" * 1_000), FORM)
    assert status == 200
    Path(json.loads(answer)[0]).unlink()
    status, answer = served.send("POST", "/gradio_api/upload", form(b"a" * 30 * MB), FORM)
    assert status == 413 and b"the limit here is 4,004,096" in answer
    assert served.left_over == []


def test_a_large_file_without_a_length_and_one_that_breaks_off_leave_nothing(served: Served) -> None:
    answer = chunked(served, "/gradio_api/upload", iter([form(b"a" * 10 * MB)]), FORM)
    assert b"413" in answer and b"over the maximum allowed size of 4,000,000 bytes" in answer
    with socket.create_connection(("127.0.0.1", served.port)) as line:
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 900000\r\n\r\n"
        line.sendall(head.encode() + form(b"a" * 500_000)[:400_000])
    served.send("GET", "/config")
    assert soon(lambda: served.left_over == [])


def test_files_on_their_way_count_as_those_that_are_kept(served: Served) -> None:
    assert soon(lambda: served.left_over == [])  # an upload of the test before may not have ended
    head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 900000\r\n\r\n"
    with contextlib.ExitStack() as held:
        lines = [
            held.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            for _ in range(MAX_UPLOADS + 1)
        ]
        for line in lines:
            line.sendall(head.encode() + form(b"a" * 100_000)[:50_000])
        refused, _, _ = select.select(lines, [], [], 20)
        # one, or more where the upload that the test before broke off still counts
        assert 1 <= len(refused) < len(lines) and all(b"503" in line.recv(50) for line in refused)
    assert soon(lambda: served.send("POST", "/gradio_api/upload", b"none", FORM)[0] != 503)
    assert soon(lambda: served.left_over == [])


def test_many_files_in_one_form_are_refused(served: Served) -> None:
    one = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\na\r\n'
    status, answer = served.send("POST", "/gradio_api/upload", one * 500 + b"--b--\r\n", FORM)
    assert status == 400 and b"one file is taken at a time" in answer and served.left_over == []


def test_no_file_is_taken_where_nothing_on_the_page_takes_one(reading_only: Served) -> None:
    status, answer = reading_only.send("POST", "/gradio_api/upload", form(b"a"), FORM)
    assert status == 403 and b"nothing on this page takes a file" in answer and reading_only.left_over == []
    status, answer = reading_only.post("call/read", {"data": ["x" * 300_000, "all", "base", 0, 0]})
    assert status == 413 and b"the limit here is 250,000" in answer


def test_sixty_visitors_at_once_are_all_answered(served: Served) -> None:
    fns = [fn for fn in served.config["dependencies"] if fn["api_name"] in ("ask", "models")]
    before, answers = served.megabytes, []

    def visit(number: int) -> None:
        for fn in fns:
            body = {
                "fn_index": fn["id"],
                "session_hash": f"v{number}",
                "data": [{"x": "y" * 500_000}] * len(fn["inputs"]),
            }
            line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
            line.request(
                "POST", "/gradio_api/run/predict", json.dumps(body), {"content-type": "application/json"}
            )
            answers.append(line.getresponse().status)
            line.close()

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert Counter(answers) == {200: 60, 500: 60}  # 500 is Gradio's answer to a value that was refused
    assert served.megabytes - before < 120 and "Traceback" not in served.log


def test_readings_that_nobody_hears_hold_up_nobody_and_are_given_up(served: Served) -> None:
    ask = next(fn for fn in served.config["dependencies"] if fn["api_name"] == "ask")
    text = {"text": "abcdefgh" * 600, "models": "all", "learn": 0.1}
    calls = [json.loads(served.post("call/v2/read", text)[1])["event_id"] for _ in range(36)]
    began = time.monotonic()
    assert served.post("run/models", {"data": []})[0] == 200  # status
    assert served.call(ask, [1.0]).startswith("200")  # Stop
    assert time.monotonic() - began < 2
    time.sleep(2.1)
    found = [served.send("GET", f"/gradio_api/call/read/{event}")[1].decode() for event in calls[::12]]
    assert all("nobody listened" in answer for answer in found)
    assert "bits_per_char" in served.named("read", {"text": "abc"})
