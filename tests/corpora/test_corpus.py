import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from minrnn import _tinyshakespeare, corpora, settings
from minrnn.corpora import Batches, Corpus
from minrnn.errors import CorpusError
from minrnn.text import CharVocab

ALPHABET = "abcdefghijklmnopqrstuvwxyz\n"


def test_the_splits_are_the_first_nine_tenths_and_the_rest() -> None:
    corpus = Corpus("own", ALPHABET * 37 + "end")
    assert len(corpus.text) == 1002
    assert (len(corpus.train), len(corpus.val)) == (901, 101)
    assert corpus.train + corpus.val == corpus.text


def test_the_ids_of_the_splits_decode_to_the_splits(corpus: Corpus) -> None:
    vocab = CharVocab.of(corpus.text)
    train, val = corpora.splits(corpus, vocab)
    assert vocab.decode(train) == corpus.train
    assert vocab.decode(val) == corpus.val


def test_tiny_shakespeare_is_the_published_text(shakespeare: Corpus) -> None:
    assert shakespeare.sha256 == _tinyshakespeare.SHA256
    assert (len(shakespeare.train), len(shakespeare.val)) == (1_003_854, 111_540)
    assert len(set(shakespeare.text)) == 65


# One's own text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n" * 1000, "empty"),
        ("too short", "9 characters and at least 1,000"),
        ("x" * 1_000_001, "1,000,001 characters and the limit here is 1,000,000"),
    ],
)
def test_a_text_that_cannot_be_used_says_why(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    with pytest.raises(CorpusError, match=message):
        corpora.own(text)


def test_line_ends_and_a_byte_order_mark_are_made_plain() -> None:
    assert corpora.own("\ufeff" + "a\r\nb\rc\n" * 500).text == "a\nb\nc\n" * 500


def test_a_file_is_read_as_utf8_and_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_bytes("Schöne Verse\r\n".encode() * 100)
    corpus = corpora.load(str(path))
    assert (corpus.name, corpus.text) == ("verse", "Schöne Verse\n" * 100)


def test_a_file_that_is_not_utf8_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("ö".encode("latin-1") * 2000)
    with pytest.raises(CorpusError, match=r"latin.txt is not UTF-8 \(byte 0\); save it"):
        corpora.load(str(path))


def test_a_file_far_over_the_limit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.txt"
    path.touch()
    os.truncate(path, 5_000_000)
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    with pytest.raises(CorpusError, match="5,000,000 bytes and the limit here is 1,000,000"):
        corpora.load(str(path))


@pytest.mark.parametrize("name", ["no-such-text", ".", "bad\0name", "x" * 300])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(CorpusError, match="tinyshakespeare.*python"):
        corpora.load(name)


def test_every_text_that_is_listed_can_be_loaded(corpus: Corpus) -> None:
    for name in {corpus.name, *corpora.available()} - {"tinyshakespeare"}:
        assert corpora.load(name).name == name


# Tiny Shakespeare from the web, the cache, the data folder


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
    web.body = ALPHABET.encode() * 100
    monkeypatch.setattr(_tinyshakespeare, "SHA256", hashlib.sha256(web.body).hexdigest())
    for _ in range(2):
        assert corpora.tiny_shakespeare(web.url).text == ALPHABET * 100
    assert web.requests == 1
    assert [path.name for path in settings.cache_dir().iterdir()] == ["tinyshakespeare.txt"]


def test_a_download_that_is_another_text_is_refused_and_not_kept(web: _Web) -> None:
    web.body = b"not the text" * 1000
    with pytest.raises(CorpusError, match="not tiny Shakespeare.*MINRNN_DATA_DIR"):
        corpora.tiny_shakespeare(web.url)
    assert not settings.cache_dir().exists()


def test_a_failed_download_says_where_to_put_the_file(web: _Web) -> None:
    web.status = 404
    with pytest.raises(CorpusError, match=r"404.*tinyshakespeare.txt.*MINRNN_DATA_DIR.*'python'"):
        corpora.tiny_shakespeare(web.url)


def test_a_damaged_file_in_the_data_folder_is_named(
    web: _Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tinyshakespeare.txt").write_text("damaged")
    monkeypatch.setenv("MINRNN_DATA_DIR", str(tmp_path))
    with pytest.raises(CorpusError, match=r"tinyshakespeare.txt is not tiny Shakespeare.*delete it"):
        corpora.tiny_shakespeare(web.url)
    assert web.requests == 0


# Python's own source


def test_the_python_text_is_about_a_million_characters_and_always_the_same() -> None:
    text = corpora.load("python").text
    assert 800_000 < len(text) < 1_500_000
    assert len(set(text)) < 200
    assert corpora.load("python").text == text
    assert "class ArgumentParser" in text


# Batches


def test_a_batch_is_a_pure_function_of_the_seed_and_its_number() -> None:
    ids = torch.arange(1000)
    forwards, backwards = Batches(ids, 16, 4, seed=1), Batches(ids, 16, 4, seed=1)
    expected = [forwards.batch(it) for it in range(60)]
    for it in reversed(range(60)):
        assert torch.equal(backwards.batch(it)[0], expected[it][0])
    assert not torch.equal(Batches(ids, 16, 4, seed=2).batch(0)[0], expected[0][0])


def test_the_targets_are_the_ids_one_character_later() -> None:
    idx, targets = Batches(torch.arange(1000), 16, 4, seed=0).batch(3)
    assert idx.shape == targets.shape == (4, 16)
    assert idx.dtype == targets.dtype == torch.int64
    assert torch.equal(targets, idx + 1)
    assert (idx.diff() == 1).all()


@pytest.mark.parametrize(("length", "block_size", "batch_size"), [(1000, 16, 4), (300, 8, 32), (130, 1, 3)])
def test_an_epoch_reads_no_character_twice(length: int, block_size: int, batch_size: int) -> None:
    batches = Batches(torch.arange(length), block_size, batch_size, seed=0)
    n = batches.batches_per_epoch
    assert n > 0
    for epoch in range(3):
        read = torch.cat([batches.batch(it)[0].flatten() for it in range(epoch * n, (epoch + 1) * n)])
        assert len(set(read.tolist())) == len(read) == n * batch_size * block_size
        assert len(read) > length - (batch_size + 2) * block_size


def test_windows_move_from_epoch_to_epoch() -> None:
    batches = Batches(torch.arange(1000), 16, 4, seed=0)
    offsets = {int(batches.batch(epoch * batches.batches_per_epoch)[0][0, 0]) % 16 for epoch in range(40)}
    assert len(offsets) > 8


@pytest.mark.parametrize("length", [17, 18, 40, 79])
def test_a_text_shorter_than_a_batch_is_read_in_random_windows(length: int) -> None:
    batches = Batches(torch.arange(length), 16, 4, seed=0)
    read = [batches.batch(it) for it in range(200)]
    assert batches.batches_per_epoch == 0
    assert all(idx.shape == (4, 16) for idx, _ in read)
    assert min(int(idx.min()) for idx, _ in read) == 0
    assert max(int(targets.max()) for _, targets in read) == length - 1


def test_a_split_shorter_than_a_window_is_refused_with_the_numbers() -> None:
    with pytest.raises(CorpusError, match="16 characters and a block_size of 16 needs 17"):
        Batches(torch.arange(16), 16, 4, seed=0)
