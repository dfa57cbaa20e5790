"""`python -m minrnn inside`, as a person types it."""

from pathlib import Path

import pytest

from minrnn.cli.main import main
from minrnn.results import inside
from minrnn.results.tables import section

MARKERS = "\n".join(f"<!-- {name} -->\n<!-- /{name} -->" for name in inside.sections({}))


def test_report_renews_the_page_from_the_stored_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / inside.PAGE).write_text(MARKERS, encoding="utf-8")
    main(["inside", "report", "--docs", str(tmp_path)])
    assert "renewed" in capsys.readouterr().out
    assert section(tmp_path / inside.PAGE, "context") == inside.sections(inside.load())["context"]
    main(["inside", "report", "--docs", str(tmp_path)])
    assert "nothing to change" in capsys.readouterr().out


def test_a_model_that_is_not_bundled_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["inside", "measure", "no_such_model"])
    assert "'no_such_model' is not bundled; choose among: mingru" in capsys.readouterr().err
