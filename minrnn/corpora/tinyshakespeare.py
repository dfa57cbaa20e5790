"""Tiny Shakespeare, the published benchmark text. Its SHA-256 is checked wherever it comes from."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from contextlib import suppress
from pathlib import Path

from minrnn import files, settings
from minrnn.corpora.corpus import Corpus
from minrnn.errors import CorpusError

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
FILE = "tinyshakespeare.txt"


def load(base_url: str = URL) -> Corpus:
    """The text: from MINRNN_DATA_DIR, else the cache, else downloaded.

    Args:
        base_url: the folder on the web that holds `input.txt`.

    Raises:
        CorpusError: if it cannot be fetched, or is not the published text.
    """
    return Corpus("tinyshakespeare", _read(base_url))


def _read(base_url: str) -> str:
    """The text from MINRNN_DATA_DIR, else the cache, else `base_url`/input.txt.

    Raises:
        CorpusError: if it cannot be fetched, or is not the published text.
    """
    cached = settings.cache_dir() / FILE
    given = settings.data_dir()
    for path in ([] if given is None else [given / FILE]) + [cached]:
        if files.is_file(path):
            return _checked(_bytes(path), str(path), "delete it, or replace it by the right file")
    url = f"{base_url}/input.txt"
    data = _download(url)
    text = _checked(data, url, "set MINRNN_DATA_DIR to a folder with a good copy")
    with suppress(OSError):  # a cache that cannot be written costs a download next time
        cached.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(cached, data)
    return text


def _checked(data: bytes, where: str, remedy: str) -> str:
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        raise CorpusError(
            f"{where} is not tiny Shakespeare: its SHA-256 starts with {digest[:12]} and should "
            f"start with {SHA256[:12]}; {remedy}."
        )
    return data.decode("utf-8")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error}); check its permissions.") from error


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=settings.DOWNLOAD_TIMEOUT_S) as answer:
            data: bytes = answer.read(settings.MAX_DOWNLOAD_BYTES)
            return data
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CorpusError(
            f"Tiny Shakespeare could not be downloaded from {url} ({str(error).strip()}); save it as {FILE} in "
            "a folder and set MINRNN_DATA_DIR to that folder, or use the text 'python'."
        ) from error
