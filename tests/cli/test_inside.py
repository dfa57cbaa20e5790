"""`python -m minrnn inside`, as a person types it."""

from pathlib import Path

import pytest

from minrnn.cli.main import main
from minrnn.results import inside, inside_page
from minrnn.results.tables import section

MARKERS = "\n".join(f"<!-- {name} -->\n<!-- /{name} -->" for name in inside_page.sections({}))


def test_report_renews_the_page_from_the_stored_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / inside_page.PAGE).write_text(MARKERS, encoding="utf-8")
    main(["inside", "report", "--docs", str(tmp_path)])
    assert "renewed" in capsys.readouterr().out
    assert section(tmp_path / inside_page.PAGE, "context") == inside_page.sections(inside.load())["context"]
    main(["inside", "report", "--docs", str(tmp_path)])
    assert "nothing to change" in capsys.readouterr().out


def test_a_model_that_is_not_bundled_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["inside", "measure", "no_such_model"])
    assert "'no_such_model' of base is not bundled; choose among: mingru" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["inside", "measure", "--preset", "no_such"])
    assert "no model of 'no_such' is bundled; choose one of: allplays, base" in capsys.readouterr().err


def test_a_damaged_file_of_figures_is_found_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / inside_page.PAGE).write_text(MARKERS, encoding="utf-8")
    (tmp_path / "figures.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(inside, "measure", lambda *given: pytest.fail("measured"))
    with pytest.raises(SystemExit):
        main(["inside", "measure", "--docs", str(tmp_path), "--figures", str(tmp_path / "figures.json")])
    assert "figures.json does not hold figures" in capsys.readouterr().err
