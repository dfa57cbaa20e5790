"""Source code of the running Python's standard library, always the same files: a text that needs no network.

Another version of Python has another text. A run records the hash of its text, so it does not go on with another.
"""

from __future__ import annotations

import sysconfig
from functools import cache
from pathlib import Path

from minrnn.corpora.corpus import Corpus
from minrnn.errors import CorpusError

# Files that every supported Python has, without long tables and nearly without foreign letters.
_MODULES = """
    argparse bdb cmd collections/__init__ configparser contextlib copy csv dataclasses
    fileinput gettext json/decoder json/encoder logging/__init__ optparse os pickle shutil string
    subprocess textwrap threading tokenize traceback uuid weakref
"""


def files() -> list[Path]:
    """The files that exist, in the order of the text."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    paths = (stdlib / f"{module}.py" for module in _MODULES.split())
    return [path for path in paths if path.is_file()]


def available() -> bool:
    """Whether this Python came with its source."""
    return bool(files())


@cache
def load() -> Corpus:
    """The text.

    Raises:
        CorpusError: where Python was installed without its source.
    """
    if not (found := files()):
        raise CorpusError("This Python has no source files; use another text than 'python'.")
    return Corpus("python", "\n".join(path.read_text(encoding="utf-8") for path in found))
