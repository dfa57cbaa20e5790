import json
from pathlib import Path

import pytest

from minrnn.cli.main import main


def written(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    main(["sample", *words, "--json"])
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_same_seed_gives_the_same_text(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(trained), "--prompt", "the ", "--max-new-tokens", "9", "--seed", "5"]
    first, second = written(words, capsys), written(words, capsys)
    assert set(first) == {"text", "tokens_per_s", "ttft_s", "state_bytes", "finish_reason"}
    assert first["text"] == second["text"] and len(str(first["text"])) == 9


def test_the_text_is_printed_as_it_is_written(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(trained), "--max-new-tokens", "9", "--seed", "5"]
    text = written(words, capsys)["text"]
    main(["sample", *words])
    assert capsys.readouterr().out == f"{text}\n"


def test_foreign_characters_are_folded_and_told(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sample", str(trained), "--prompt", "thé Ж", "--max-new-tokens", "2"])
    assert "1 replaced by a similar one, 1 left out" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--temperature", "-1"], ["--top-p", "0"], ["--max-new-tokens", "0"]])
def test_a_value_out_of_range_is_told(
    words: list[str], trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sample", str(trained), *words])
    assert end.value.code == 1
    assert words[0].strip("-").replace("-", "_") in capsys.readouterr().err
