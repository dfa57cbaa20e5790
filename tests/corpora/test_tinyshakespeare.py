"""Tiny Shakespeare from the web, the cache and the data folder."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from minrnn import settings
from minrnn.corpora import Corpus, tinyshakespeare
from minrnn.errors import CorpusError

TEXT = "abcdefghijklmnopqrstuvwxyz\n" * 100


def test_tiny_shakespeare_is_the_published_text(shakespeare: Corpus) -> None:
    assert shakespeare.sha256 == tinyshakespeare.SHA256
    assert (len(shakespeare.train), len(shakespeare.val)) == (1_003_854, 111_540)
    assert len(set(shakespeare.text)) == 65


class _Web:
    """A loopback server that answers every request with `body` and counts them."""

    def __init__(self) -> None:
        self.body, self.status, self.requests = b"", 200, 0
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.requests += 1
                self.send_response(web.status)
                self.end_headers()
                self.wfile.write(web.body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Web]:
    """The loopback web, with an empty cache and no data folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MINRNN_DATA_DIR", raising=False)
    web = _Web()
    thread = threading.Thread(target=web.server.serve_forever, args=(0.02,))
    thread.start()
    yield web
    web.server.shutdown()
    web.server.server_close()
    thread.join()


def test_the_text_is_downloaded_once_and_then_read_from_the_cache(
    web: _Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.body = TEXT.encode()
    monkeypatch.setattr(tinyshakespeare, "SHA256", hashlib.sha256(web.body).hexdigest())
    for _ in range(2):
        assert tinyshakespeare.load(web.url).text == TEXT
    assert web.requests == 1
    assert [path.name for path in settings.cache_dir().iterdir()] == ["tinyshakespeare.txt"]


def test_a_download_that_is_another_text_is_refused_and_not_kept(web: _Web) -> None:
    web.body = b"not the text" * 1000
    with pytest.raises(CorpusError, match="not tiny Shakespeare.*MINRNN_DATA_DIR"):
        tinyshakespeare.load(web.url)
    assert not settings.cache_dir().exists()


def test_a_failed_download_says_where_to_put_the_file(web: _Web) -> None:
    web.status = 404
    with pytest.raises(CorpusError, match=r"404.*tinyshakespeare.txt.*MINRNN_DATA_DIR.*'python'"):
        tinyshakespeare.load(web.url)


def test_a_damaged_file_in_the_data_folder_is_named(
    web: _Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tinyshakespeare.txt").write_text("damaged")
    monkeypatch.setenv("MINRNN_DATA_DIR", str(tmp_path))
    with pytest.raises(CorpusError, match=r"tinyshakespeare.txt is not tiny Shakespeare.*delete it"):
        tinyshakespeare.load(web.url)
    assert web.requests == 0


def test_an_answer_that_is_no_http_says_where_to_put_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MINRNN_DATA_DIR", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=_answer_garbage, args=(server,))
        thread.start()
        with pytest.raises(CorpusError, match="could not be downloaded.*no HTTP.*MINRNN_DATA_DIR"):
            tinyshakespeare.load(f"http://127.0.0.1:{port}")
        thread.join()


def _answer_garbage(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"this is no HTTP\r\n\r\n")


def test_a_folder_under_the_files_name_is_passed_over(
    web: _Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.body = TEXT.encode()
    monkeypatch.setattr(tinyshakespeare, "SHA256", hashlib.sha256(web.body).hexdigest())
    (tmp_path / "tinyshakespeare.txt").mkdir()
    monkeypatch.setenv("MINRNN_DATA_DIR", str(tmp_path))
    assert tinyshakespeare.load(web.url).text == TEXT
