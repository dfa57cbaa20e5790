import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from minrnn import cores, settings
from minrnn.errors import ConfigError


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_DATA_DIR", " ")
    monkeypatch.setenv("MINRNN_RUNS_DIR", "")
    assert settings.data_dir() is None
    assert str(settings.runs_dir()) == "runs"


def test_training_is_full_at_home_and_limited_on_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.training_mode() == "full"
    monkeypatch.setenv("SPACE_ID", "someone/minrnn")
    assert settings.training_mode() == "limited"
    assert settings.max_corpus_chars() == settings.MAX_CORPUS_CHARS_LIMITED
    monkeypatch.setenv("MINRNN_TRAINING", "OFF")
    assert settings.training_mode() == "off"


def test_an_unknown_training_mode_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "some")
    with pytest.raises(ConfigError, match="'some'.*full, limited or off"):
        settings.training_mode()


def test_a_space_looks_for_weights_at_its_owner_unless_a_variable_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPACE_AUTHOR_NAME", "someone")
    assert settings.hub_namespace() is None
    monkeypatch.setenv("SPACE_ID", "someone/minrnn")
    assert settings.hub_namespace() == "someone"
    monkeypatch.setenv("MINRNN_HUB_NAMESPACE", "")
    assert settings.hub_namespace() is None
    monkeypatch.setenv("MINRNN_HUB_NAMESPACE", "another")
    assert settings.hub_namespace() == "another"


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("false", False), ("", False)])
def test_zero_gpu_is_read_from_its_variable(
    value: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", value)
    assert settings.on_zero_gpu() is expected


FOLDERS = [
    ("MINRNN_DATA_DIR", settings.data_dir),
    ("MINRNN_RUNS_DIR", settings.runs_dir),
    ("XDG_CACHE_HOME", settings.cache_dir),
]


@pytest.mark.parametrize(("name", "folder"), FOLDERS)
def test_the_home_of_nobody_is_refused_with_the_remedy(
    name: str, folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "~no-such-user/x")
    with pytest.raises(ConfigError, match=f"{name} is '~no-such-user/x'.*give a whole path"):
        folder()


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without HOME whom the system's list of users does not name, as in some containers."""

    pwd = pytest.importorskip("pwd")

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize(("name", "folder"), FOLDERS)
def test_a_tilde_without_a_home_is_refused_with_the_remedy(
    name: str, folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "~/x")
    with pytest.raises(ConfigError, match=f"{name} is '~/x'.*give a whole path"):
        folder()


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_cache_is_in_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert settings.cache_dir() == Path(tempfile.gettempdir()) / "minrnn-cache"


def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MINRNN_RUNS_DIR", "~/runs")
    assert settings.runs_dir() == tmp_path / "runs"


@pytest.mark.parametrize(
    ("name", "value", "limits"),
    [
        ("MINRNN_WRITERS", "two", "0 to 64"),
        ("MINRNN_WRITERS", "-1", "0 to 64"),
        ("MINRNN_MAX_VISITORS", "0", "1 to 1,000"),
        ("MINRNN_MAX_VISITORS", "9" * 50, "1 to 1,000"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_its_limits(
    name: str, value: str, limits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name} is '{value}'; set it to a whole number from {limits}"):
        settings.writers() if name == "MINRNN_WRITERS" else settings.max_visitors()


def test_one_process_writes_for_each_core_unless_an_operator_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.writers() == min(cores.usable(), settings.MAX_WRITERS)
    monkeypatch.setenv("MINRNN_WRITERS", " 0 ")
    assert settings.writers() == 0
    assert settings.max_visitors() == settings.MAX_VISITORS


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("MINRNN_MAX_REQUEST_BYTES", settings.max_request_bytes),
        ("MINRNN_MAX_UPLOAD_BYTES", settings.max_upload_bytes),
        ("MINRNN_MAX_PAGES", settings.max_pages),
    ],
)
def test_an_operator_sets_a_limit_and_nonsense_is_refused_with_the_remedy(
    name: str, limit: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "54321")
    assert limit() == 54_321
    for value in ("-1", "many", "1e9", "٣", "9" * 90):
        monkeypatch.setenv(name, value)
        with pytest.raises(ConfigError, match=f"{name} is .*set it to a whole number from"):
            limit()


@pytest.mark.parametrize(
    ("name", "limit"),
    [("MINRNN_RUNS_MB", settings.max_kept_bytes), ("MINRNN_TRAIN_MB", settings.max_worker_bytes)],
)
def test_a_limit_in_megabytes_is_read_and_any_nonsense_refused(
    name: str, limit: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "150")
    assert limit() == 150_000_000
    for value in ("99", "٣٣٣", "9" * 5_000, "1e3"):
        monkeypatch.setenv(name, value)
        with pytest.raises(
            ConfigError, match=f"{name} is .{value[:60]}.; set it to a whole number of megabytes"
        ):
            limit()


def test_the_tests_see_no_variable_of_the_operators() -> None:
    given = {name for name in os.environ if name.startswith("MINRNN_")}
    assert given <= {"MINRNN_RUNS_DIR", "MINRNN_DATA_DIR"}


@pytest.mark.parametrize(
    ("mode", "bytes_", "upload"), [("off", 250_000, 0), ("limited", 6_250_000, 4_000_000)]
)
def test_no_more_may_be_sent_than_the_training_mode_needs(
    mode: str, bytes_: int, upload: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", mode)
    assert (settings.max_request_bytes(), settings.max_upload_bytes()) == (bytes_, upload)
