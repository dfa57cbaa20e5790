"""`python -m minrnn bundle`, as a person types it."""

from pathlib import Path

import pytest

from minrnn import checkpoint, presets
from minrnn.cli.main import main
from tests.hub.loopback import write_checkpoint


@pytest.mark.parametrize("named", ["run", "run/model"])
def test_a_run_s_folder_and_a_checkpoint_s_are_bundled_alike(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "checkpoints")
    write_checkpoint(tmp_path / "run" / "model", "lstm", shape=presets.get("base", "lstm").model)
    main(["bundle", str(tmp_path / named)])
    assert (tmp_path / "checkpoints" / "base" / "lstm" / "model.safetensors").is_file()
    assert "lstm" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_named_as_it_was_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["bundle", str(tmp_path / "mistyped")])
    assert f"error: {tmp_path / 'mistyped'} is no folder on this machine" in capsys.readouterr().err
