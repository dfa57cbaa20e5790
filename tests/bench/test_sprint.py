"""The sprint's clock and verdict, on a training of seconds."""

from dataclasses import replace

import pytest

from minrnn import presets
from minrnn.bench import sprint
from minrnn.bench.sprint import Sprint, SprintFlags
from minrnn.corpora import Corpus
from minrnn.errors import MinrnnError


def test_a_whole_training_is_timed(monkeypatch: pytest.MonkeyPatch, shakespeare: Corpus) -> None:
    """The command and its clock are real; a smaller recipe stands in the sprint's place."""
    monkeypatch.setattr(sprint, "PRESET", "tiny")
    monkeypatch.setattr(sprint, "MORE", ("--max-iters", "3", "--n-embd", "16", "--eval-chars", "500"))
    found = sprint.measure(SprintFlags(model="lstm", processes=1))
    assert found.tokens_seen == 3 * 16 * 96 and 2 < found.val_loss < 5 and found.seconds > 0.5


def test_a_training_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_DATA_DIR", "/nowhere")
    with pytest.raises(MinrnnError, match=r"failed.*preset sprint has no model 'rnn'"):
        sprint.measure(SprintFlags(model="rnn"))


FOUND = Sprint("minlstm", 1.4690, 170.0, 2_400_000, 2_300_000, 0.1, 2.0)


@pytest.mark.parametrize(
    ("changes", "ok"), [({}, True), ({"val_loss": 1.47}, False), ({"seconds": 181.0}, False)]
)
def test_both_goals_count(changes: dict[str, float], ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sprint, "measure", lambda flags: replace(FOUND, **changes))
    assert sprint.figures(SprintFlags())["ok"] is ok
    assert ("short" in "\n".join(sprint.lines(SprintFlags()))) is not ok


def test_the_preset_has_small_models_of_both_kinds() -> None:
    assert set(presets.PRESETS[sprint.PRESET]) >= {"mingru", "minlstm"}
