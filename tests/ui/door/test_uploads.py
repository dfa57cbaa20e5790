"""How much uploaded files may take together, those on their way included."""

import asyncio
import os
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import gradio as gr
import pytest
from gradio.routes import App

from minrnn import settings
from minrnn.ui.door import sessions, uploads
from minrnn.ui.door.refusal import Refusal
from minrnn.ui.door.uploads import Uploads


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "limited")


@pytest.fixture
def page() -> gr.Blocks:
    return gr.Blocks()


def come(page: gr.Blocks, path: Path, size: int) -> None:
    path.write_bytes(b"x" * size)
    page.upload_file_set.add(str(path))


def test_uploads_that_come_at_once_have_no_more_room_than_those_that_follow_each_other(
    page: gr.Blocks,
) -> None:
    places = Uploads()
    with ExitStack() as coming:
        for _ in range(settings.MAX_UPLOADS):
            coming.enter_context(places.place(page))
        with pytest.raises(Refusal, match="25 files are kept here or on their way"), places.place(page):
            pass
    with places.place(page):
        pass


def test_the_files_that_are_kept_count_until_they_are_deleted(
    page: gr.Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_MAX_UPLOAD_BYTES", "1000")
    places = Uploads()
    for number in range(settings.MAX_UPLOADS):
        with places.place(page):
            come(page, tmp_path / str(number), 1_000)
    with pytest.raises(Refusal, match="25,000 bytes"), places.place(page):
        pass
    page.upload_file_set.clear()
    with places.place(page):
        pass


def test_no_more_than_so_many_files_are_kept_and_each_is_looked_at_once(
    page: gr.Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    monkeypatch.setattr(uploads, "_size", lambda path: looks.append(path) or 1)
    places = Uploads()
    for number in range(settings.MAX_UPLOADED_FILES):
        with places.place(page):
            page.upload_file_set.add(str(number))
    with pytest.raises(Refusal, match="500 files"), places.place(page):
        pass
    assert len(looks) == settings.MAX_UPLOADED_FILES


def test_folders_that_have_long_been_empty_are_removed_and_no_others(tmp_path: Path) -> None:
    old, full, new, other = (tmp_path / name for name in ("0" * 64, "1" * 64, "2" * 64, "mine"))
    for folder in (old, full, new, other):
        folder.mkdir()
    (full / "a.txt").write_text("a")
    for folder in (old, full, other):
        os.utime(folder, (time.time() - 1_000,) * 2)
    uploads.remove_empty(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {full.name, new.name, other.name}


def test_an_app_that_serves_sweeps_its_folder_of_files(tmp_path: Path, page: gr.Blocks) -> None:
    (old := tmp_path / ("0" * 64)).mkdir()
    os.utime(old, (0, 0))
    app = SimpleNamespace(get_blocks=lambda: page, uploaded_file_dir=str(tmp_path))

    async def serve() -> None:
        async with sessions.lifespan(cast(App, app)):
            for _ in range(500):
                if not old.exists():
                    break
                await asyncio.sleep(0.01)

    asyncio.run(serve())
    assert not old.exists()


def test_the_sweep_goes_on_and_survives_a_folder_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SWEEP_S", 0.01)

    async def later() -> None:
        task = asyncio.create_task(uploads.sweep(tmp_path / "files"))
        await asyncio.sleep(0.05)
        (old := tmp_path / "files" / ("0" * 64)).mkdir(parents=True)
        os.utime(old, (0, 0))
        for _ in range(500):
            if not old.exists():
                break
            await asyncio.sleep(0.01)
        task.cancel()
        assert not old.exists()

    asyncio.run(later())
