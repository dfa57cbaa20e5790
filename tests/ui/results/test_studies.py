"""The figures that the page takes from the studies are those of docs/studies.json."""

from collections.abc import Callable
from pathlib import Path

from minrnn.results import Result
from minrnn.results.records import load
from minrnn.ui.results import studies

DOCS = Path(__file__).resolve().parents[3] / "docs" / "studies.json"


def test_the_shipped_runs_are_those_of_the_studies() -> None:
    remedy = 'python -c "from minrnn.ui.results import studies; studies.renew()"'
    assert list(studies.runs()) == studies.pick(load(DOCS)), f"renew them: {remedy}"


def test_a_budget_is_a_run_of_the_models_own_recipe(result: Callable[..., Result]) -> None:
    rows = [run.row for run in studies.budgets(result("nanogpt"))]
    assert rows == ["nanogpt-conv-0", "nanogpt-twice"]
    assert [run.row for run in studies.budgets(result("mingru"))] == ["mingru-conv-4"]


def test_other_presets_and_models_without_runs_have_no_budgets(result: Callable[..., Result]) -> None:
    for other in (result("mingru", "replica"), result("gru"), result("no_such_model"), result("lstm", "<b>")):
        assert studies.budgets(other) == []


def test_the_spread_is_the_widest_range_over_seeds(result: Callable[..., Result]) -> None:
    losses = [run.val_loss for run in studies.runs() if run.study == "seeds" and run.model == "lstm"]
    own = result("lstm", val_loss=min(losses))
    assert studies.spread([own]) == max(losses) - min(losses) > 0
    assert studies.spread([result("no_such_model"), result("lstm", "replica")]) == 0
