"""A preset's models together: the figures are of the bundled weights, told apart from a single model's."""

from __future__ import annotations

from pathlib import Path

import pytest

from minrnn import checkpoint, corpora
from minrnn.cli.main import main
from minrnn.corpora import Corpus
from minrnn.errors import CheckpointError
from minrnn.models import Committee
from minrnn.results import together
from minrnn.results.together import Together
from tests.results.bundled_copy import change, copied

STORED = together.read()


@pytest.mark.parametrize("preset", STORED)
def test_the_stored_figures_are_those_of_the_bundled_weights(preset: str) -> None:
    assert STORED[preset].weights == together.digests(together.members_of(preset))


@pytest.mark.parametrize("preset", STORED)
def test_a_committee_is_below_its_members_and_gains_by_its_state_and_by_learning(preset: str) -> None:
    one, members = STORED[preset], together.members_of(preset)
    assert one.learning < one.carried < one.val_loss < min(r.loss for r in members)


def test_what_is_measured_is_the_loss_of_the_mean_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    text = corpora.load("python").text[:60_000]
    text = "".join(c for c in text if c in set("abcdefghijklmnopqrstuvwxyz \n"))[:20_000]
    monkeypatch.setattr(together, "members_of", lambda preset: members)
    members = [r for r in together.bundled() if r.preset == "replica" and r.model in ("mingru", "lstm")]
    found = together.measure("replica", corpus := Corpus("letters", text))
    committee = Committee([checkpoint.load(str(r.folder)).model for r in members])
    scores = checkpoint.score(committee, corpus)
    assert found.val_loss == pytest.approx(scores["val_loss"], abs=1e-5) and list(found.weights) == [
        "mingru",
        "lstm",
    ]
    assert found.carried == pytest.approx(scores["val_loss_streaming"], abs=1e-5)
    assert found.learning < found.carried and found.rate == together.RATE


def test_one_model_is_no_committee() -> None:
    with pytest.raises(CheckpointError, match="no_such has 0 bundled models; a committee needs two or more"):
        together.measure("no_such", corpora.load("python"))


def test_figures_survive_their_file_and_none_is_no_error(tmp_path: Path) -> None:
    one = Together({"mingru": "00", "lstm": "11"}, 1.35, 1.34, 1.27, 0.1)
    together.save({"base": one}, tmp_path / "together.json")
    assert together.read(tmp_path / "together.json") == {"base": one}
    assert together.read(tmp_path / "nothing.json") == {}


def test_of_other_weights_than_those_that_lie_there_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied("replica", tmp_path, monkeypatch)
    one = Together(together.digests(together.members_of("replica")), 1.2345, 1.2344, 1.2343, 0.1)
    monkeypatch.setattr(together, "read", lambda path=None: {"replica": one})
    assert together.stored() == {"replica": one} and "**1.2345**" in together.section()
    change("replica", "lstm")
    assert together.stored() == {} and together.section() == (
        "**`replica`**: not measured together for these weights. "
        "`python -m minrnn results --together replica` does it."
    )


def test_the_sentence_tells_the_three_measures_apart() -> None:
    members = together.members_of("replica")
    best = min(members, key=lambda r: r.loss)
    one = Together(dict.fromkeys([r.model for r in members], ""), best.loss - 0.05, 1.4, 1.3, 0.1)
    said = together.sentence(one, members)
    assert (
        f"the {len(members)} models have {best.loss - 0.05:.3f}" in said
        and "0.050 below the best of them" in said
    )
    assert (
        "1.400 with the states carried on; 1.300 if they also learn what they read at a rate of 0.1" in said
    )


def test_the_command_keeps_what_it_measures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, corpus: Corpus
) -> None:
    one, saved = Together({"mingru": "00"}, 1.35, 1.34, 1.27, 0.1), list[object]()
    monkeypatch.setattr(corpora, "load", lambda name: corpus)
    monkeypatch.setattr(together, "measure", lambda preset, text: one)
    monkeypatch.setattr(together, "save", saved.append)
    main(["results", "--together", "replica"])
    assert saved == [{**STORED, "replica": one}] and "1.350 nats" in capsys.readouterr().out
