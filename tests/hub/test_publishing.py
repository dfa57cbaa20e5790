"""Publishing models, runs and the Space to a Hub on loopback, with the real client."""

from __future__ import annotations

import json
import re
import shutil
import string
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard, SpaceCard

from minrnn import cards, publish, uploads
from minrnn.config import ModelConfig, TrainConfig
from minrnn.errors import ConfigError
from minrnn.models import LanguageModel
from tests.hub.hub_client import ROOT, Client, environment
from tests.hub.hub_server import TOKEN, Hub, serve

PAIRS = [("base", "lstm"), ("base", "mingru"), ("replica", "mingru")]
REPOS = [f"ann/minrnn-{preset}-{model}" for preset, model in PAIRS]
MODEL_FILES = {"README.md", "config.json", "model.safetensors", "metrics.json", "history.jsonl"}
SAMPLE = "a | table\n````\n{braces} and ```fences``` and \\ ends"
METRICS: dict[str, Any] = {
    "preset": "base",
    "init": None,
    "val_loss": 1.4534,
    "val_loss_streaming": 1.4321,
    "bits_per_char": 2.0968,
    "tokens": 111_539,
    "iters": 1_200,
    "tokens_seen": 9_830_400,
    "seconds": 512.3,
    "device": "Some CPU, 2 thread(s)",
    "dtype": "bfloat16",
    "seed": 1337,
    "corpus": "tinyshakespeare",
    "corpus_sha256": "86c4" * 16,
    "command": "python -m minrnn train --preset base --model mingru --out runs/x",
    "train": {"learning_rate": 0.003, "init_std": 0.0, "max_iters": 1200},
    "torch": "2.13.0",
    "sample": {"prompt": "ROMEO:\n", "text": SAMPLE, "temperature": 0.8, "seed": 0},
}


def write_checkpoint(folder: Path, mixer: str, seed: int = 0, **metrics: Any) -> None:
    torch.manual_seed(seed)
    model = LanguageModel(ModelConfig(mixer, string.printable, n_layer=1, n_embd=32))
    disk.write(model, folder)
    whole = METRICS | {"model": mixer, "n_params": model.n_params} | metrics
    (folder / "metrics.json").write_text(json.dumps(whole))
    (folder / "history.jsonl").write_text('{"event": "done", "iter": 1200, "reason": "max_iters"}\n')


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with small weights, and with what must never be uploaded."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "minrnn", root / "minrnn", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "README.md", "requirements.txt", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    for preset, model in PAIRS:
        write_checkpoint(root / "checkpoints" / preset / model, model)
    secrets = (
        ".env",
        ".git/config",
        "runs/x/model/config.json",
        "tests/test_a.py",
        "docs/images/compare.png",
    )
    clutter = ("minrnn/__pycache__/hub.pyc", "minrnn/.hub.py.swp", "checkpoints/base/mingru/resume.pt")
    for name in (*secrets, *clutter):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("not to be seen")
    return root


@pytest.fixture(scope="module")
def server() -> Iterator[Hub]:
    with serve() as hub:
        yield hub


@pytest.fixture(scope="module")
def worker(server: Hub, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(server.url, tmp_path_factory.mktemp("home"), PYTHONPATH=str(checkout)) as client:
        yield client


@pytest.fixture
def hub(server: Hub) -> Hub:
    """An empty Hub on a good day."""
    url = server.url
    server.__init__(url=url)  # type: ignore[misc]
    return server


@pytest.fixture
def client(worker: Client, tmp_path: Path) -> Client:
    """The client, logged in, with an empty cache."""
    worker.use_cache(tmp_path / "cache")
    worker.run(f"import os; os.environ['HF_TOKEN'] = {TOKEN!r}")
    return worker


def run(words: str) -> str:
    """Code that publishes, and gives the printed lines."""
    return f"from minrnn import publish; result = list(publish.run(publish.parse({words.split()!r})))"


# Models


def test_models_are_published_byte_for_byte(hub: Hub, client: Client, checkout: Path) -> None:
    lines = client.run(run("models --namespace ann"))
    assert len(lines) == 3 and all("commit" in line and "5 files" in line for line in lines)
    for (preset, model), repo in zip(PAIRS, REPOS, strict=True):
        files = hub.repos["model", repo].files
        assert set(files) == MODEL_FILES | {".gitattributes"}
        for name in MODEL_FILES - {"README.md"}:
            assert files[name] == (checkout / "checkpoints" / preset / model / name).read_bytes()


def test_what_was_published_is_what_is_loaded(hub: Hub, client: Client) -> None:
    client.run(run("models --namespace ann"))
    same = client.run("""
from minrnn import checkpoint, hub
result = []
for (preset, model), got in hub.load_all("ann", ["base"], ["mingru", "lstm"]).items():
    ours = checkpoint.load(checkpoint.bundled(preset, model))
    pairs = zip(got.model.state_dict().values(), ours.model.state_dict().values())
    result.append(all(bool((a == b).all()) for a, b in pairs) and got.metrics == ours.metrics)
""")
    assert same == [True, True]


def test_publishing_the_same_again_makes_no_commit(hub: Hub, client: Client) -> None:
    client.run(run("models --namespace ann"))
    commits = {name: list(repo.trees) for name, repo in hub.repos.items()}
    lines = client.run(run("models --namespace ann"))
    assert all("unchanged at" in line for line in lines)
    assert {name: list(repo.trees) for name, repo in hub.repos.items()} == commits


def test_only_what_changed_is_uploaded(hub: Hub, client: Client, checkout: Path) -> None:
    client.run(run("models --namespace ann --preset replica"))
    folder = checkout / "checkpoints" / "replica" / "mingru"
    before = (folder / "history.jsonl").read_text()
    (folder / "history.jsonl").write_text(before + "{}\n")
    hub.requests.clear()
    assert ", 1 files" in client.run(run("models --namespace ann --preset replica"))[0]
    assert not [line for line in hub.requests if line.startswith("PUT")]
    (folder / "history.jsonl").write_text(before)


def test_a_preset_can_be_published_alone(hub: Hub, client: Client) -> None:
    client.run(run("models --namespace ann --preset replica"))
    assert list(hub.repos) == [("model", "ann/minrnn-replica-mingru")]


def test_what_others_put_into_a_model_repo_stays(hub: Hub, client: Client) -> None:
    client.run(run("models --namespace ann --preset replica"))
    repo = hub.repos["model", REPOS[2]]
    repo.commit(repo.files | {"picture.png": b"1", "README.md": b"changed"})
    client.run(run("models --namespace ann --preset replica"))
    assert repo.files["picture.png"] == b"1" and repo.files["README.md"] != b"changed"


@pytest.mark.parametrize(("flag", "private"), [("", False), (" --private", True)])
def test_a_repo_is_private_if_asked(hub: Hub, client: Client, flag: str, private: bool) -> None:
    client.run(run("models --namespace ann --preset replica" + flag))
    assert hub.repos["model", REPOS[2]].private == private


def test_a_dry_run_prints_files_and_cards_and_asks_nobody(hub: Hub, client: Client) -> None:
    client.run("import os; del os.environ['HF_TOKEN']")
    text = "\n".join(client.run(run("models --namespace ann --dry-run")))
    assert not hub.requests
    for repo in REPOS:
        assert f"model {repo}" in text and f"{repo}: README.md" in text
    assert all(re.search(rf"[\d,]+ bytes  {name}\n", text) for name in MODEL_FILES)


# The card


def card_of(mixer: str = "mingru", **metrics: Any) -> ModelCard:
    config = LanguageModel(ModelConfig(mixer, string.printable, n_layer=1, n_embd=32)).config
    return ModelCard(cards.model_card("ann/minrnn-base-x", config, METRICS | {"n_params": 12_345} | metrics))


def test_a_cards_front_matter_is_what_the_hub_reads() -> None:
    data = card_of().data
    assert (data.library_name, data.license, data.pipeline_tag) == ("minrnn", "mit", "text-generation")
    assert data.datasets == ["karpathy/tiny_shakespeare"] and data.language == "en"
    assert {"minrnn", "mingru", "rnn"} <= set(data.tags)
    assert data.model_name == "minrnn-base-x" and data.get("base_model") is None


def test_a_cards_results_are_those_of_the_metrics() -> None:
    results = card_of(train_loss=1.2).data.eval_results
    found = {(result.metric_name, result.dataset_split): result.metric_value for result in results}
    assert found == {
        ("Validation loss, nats per character", "validation"): 1.4534,
        ("Validation loss with the state carried on, nats per character", "validation"): 1.4321,
        ("Validation loss, bits per character", "validation"): 2.0968,
        ("Training loss, nats per character", "train"): 1.2,
    }
    assert {result.dataset_type for result in results} == {"karpathy/tiny_shakespeare"}


@pytest.mark.parametrize("mixer", ["mingru", "minlstm", "lstm", "nanogpt"])
def test_a_card_tells_use_training_and_limits(mixer: str) -> None:
    text = card_of(mixer).text
    assert all(heading in text for heading in ("## Results", "## Use", "## How it was trained", "## Limits"))
    for fact in (
        "12,345",
        METRICS["command"],
        METRICS["corpus_sha256"],
        "bfloat16",
        "Some CPU",
        "1,200 iters",
    ):
        assert fact in text
    assert "init_std" not in text and "block_size 256" in text


def test_the_sample_stands_in_a_card_as_it_was_written() -> None:
    assert f"\n`````text\n{SAMPLE}\n`````\n" in card_of().text


def test_a_text_of_ones_own_is_no_dataset_of_the_hub() -> None:
    data = card_of(corpus="diary: 1", init="ann/minrnn-base-mingru@main").data
    assert data.datasets is None and data.get("base_model") == "ann/minrnn-base-mingru"
    assert data.eval_results[0].dataset_type == "text" and data.eval_results[0].dataset_name == "diary: 1"


def test_the_same_metrics_give_the_same_card() -> None:
    assert str(card_of()) == str(card_of())


def test_the_three_lines_of_a_card_run(hub: Hub, client: Client) -> None:
    client.run(run("models --namespace ann --preset replica"))
    card = hub.repos["model", REPOS[2]].files["README.md"].decode()
    (lines,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(lines.splitlines()) == 3
    printed = client.run(f"""
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as out:
    exec({lines!r}, {{}})
result = out.getvalue()
""")
    assert len(printed) > 100


# Refusals


@pytest.mark.parametrize("words", ["models --namespace ann", "space --namespace ann", "run {run}"])
def test_without_a_token_nothing_is_asked(hub: Hub, client: Client, words: str, checkout: Path) -> None:
    client.run("import os; del os.environ['HF_TOKEN']")
    message = client.error(run(words.format(run=checkout / "checkpoints" / "base" / "lstm")))
    assert message == "HubError: publishing needs a token; log in with `hf auth login`, or set HF_TOKEN."
    assert not hub.requests


def test_a_token_that_is_wrong_is_told_and_not_shown(hub: Hub, client: Client) -> None:
    client.run("import os; os.environ['HF_TOKEN'] = 'hf_wrong_one'")
    message = client.error(run("models --namespace ann"))
    assert "the Hub does not accept your token; log in with" in message and "hf_wrong_one" not in message


def test_the_token_is_never_printed(hub: Hub, client: Client) -> None:
    lines = client.run(run("models --namespace ann")) + client.run(run("space --namespace ann"))
    hub.failing["/commit/"] = 500
    hub.repos.clear()
    assert TOKEN not in "\n".join(lines) and TOKEN not in client.error(run("models --namespace ann"))


def test_another_ones_namespace_is_refused(hub: Hub, client: Client) -> None:
    message = client.error(run("models --namespace bob"))
    assert message.startswith("HubError: bob/minrnn-base-lstm: your token may not write there")
    assert "check the namespace" in message


@pytest.mark.parametrize(
    ("status", "words"), [(412, "run the command again"), (500, "answered 500"), (429, "answered 429")]
)
def test_a_commit_that_fails_is_told(hub: Hub, client: Client, status: int, words: str) -> None:
    hub.failing["/commit/"] = status
    message = client.error(run("models --namespace ann"))
    assert message.startswith(f"HubError: {REPOS[0]}: ") and words in message and "\n" not in message


@pytest.mark.parametrize("namespace", ["a/b", "ünn", "."])
def test_a_namespace_that_cannot_be_is_refused(hub: Hub, client: Client, namespace: str) -> None:
    assert "cannot be a repo on the Hub" in client.error(run(f"models --namespace {namespace}"))
    assert "cannot be a repo on the Hub" in client.error(run(f"space --namespace {namespace} --dry-run"))


def test_an_unknown_preset_is_told(hub: Hub, client: Client) -> None:
    assert "holds no models of preset 'huge'" in client.error(run("models --namespace ann --preset huge"))


def test_an_unknown_hardware_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="hardware is 'toaster'; choose one of: cpu-basic, .*zero-a10g"):
        publish.Space("ann", hardware="toaster")


# Runs


def finished_run(folder: Path, **metrics: Any) -> Path:
    write_checkpoint(folder / "model", "minlstm", **metrics)
    (folder / "config.json").write_text("{}")
    (folder / "resume.pt").write_bytes(b"not to be seen")
    return folder


def test_a_run_is_shared_under_its_folders_name(hub: Hub, client: Client, tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "sonnets")
    (line,) = client.run(run(f"run {folder}"))
    assert "/ann/minrnn-sonnets  commit" in line
    assert set(hub.repos["model", "ann/minrnn-sonnets"].files) == MODEL_FILES | {".gitattributes"}
    assert "unchanged" in client.run(run(f"run {folder} --namespace ann"))[0]


def test_a_run_may_have_another_name(hub: Hub, client: Client, tmp_path: Path) -> None:
    client.run(run(f"run {finished_run(tmp_path / 'x')} --name bard --private"))
    assert hub.repos["model", "ann/bard"].private


def test_paths_of_this_machine_are_pointed_out(hub: Hub, client: Client, tmp_path: Path) -> None:
    command = "python -m minrnn train --corpus /home/ann/diary.txt --out ~/x"
    folder = finished_run(tmp_path / "diary", command=command)
    lines = client.run(run(f"run {folder} --dry-run"))
    assert [line.split(": ")[-1] for line in lines if line.startswith("note")] == [
        "/home/ann/diary.txt",
        "~/x",
    ]
    assert not hub.requests


def test_a_run_that_has_not_ended_is_refused(hub: Hub, client: Client, tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "half")
    (folder / "model" / "metrics.json").unlink()
    assert "holds no metrics.json; only a model whose training has ended" in client.error(
        run(f"run {folder}")
    )


def test_a_damaged_model_is_not_published(hub: Hub, client: Client, tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "broken")
    (folder / "model" / "model.safetensors").write_bytes(b"half")
    assert "not a whole safetensors file" in client.error(run(f"run {folder}"))
    assert not any(line.startswith("POST") for line in hub.requests)


# The Space


def space(hub: Hub) -> Any:
    return hub.repos["space", "ann/minrnn"]


def test_the_space_holds_what_it_needs_and_nothing_else(hub: Hub, client: Client, checkout: Path) -> None:
    client.run(run("space --namespace ann"))
    files = set(space(hub).files) - {".gitattributes"}
    weights = {f"checkpoints/{preset}/{model}/{name}" for preset, model in PAIRS for name in uploads.FILES}
    modules = {path.relative_to(checkout).as_posix() for path in checkout.glob("minrnn/**/*.py")}
    tops = {"app.py", "LICENSE", "README.md", "requirements.txt"}
    assert files >= weights | modules | tops
    assert all(name.startswith("minrnn/") for name in files - weights - tops)
    assert not any("not to be seen" in content.decode("latin-1") for content in space(hub).files.values())


def test_the_space_knows_its_namespace_and_hardware(hub: Hub, client: Client) -> None:
    client.run(run("space --namespace ann"))
    assert space(hub).variables == {"MINRNN_HUB_NAMESPACE": "ann"} and space(hub).hardware == "zero-a10g"


def test_publishing_the_same_space_again_changes_nothing(hub: Hub, client: Client) -> None:
    client.run(run("space --namespace ann"))
    hub.requests.clear()
    assert "unchanged at" in client.run(run("space --namespace ann"))[-1]
    assert [line for line in hub.requests if line.startswith("POST")] == ["POST /api/repos/create"]


def test_a_space_that_was_set_otherwise_is_set_right(hub: Hub, client: Client) -> None:
    client.run(run("space --namespace ann"))
    space(hub).variables["MINRNN_HUB_NAMESPACE"] = "bob"
    client.run(run("space --namespace ann --hardware cpu-basic"))
    assert space(hub).variables == {"MINRNN_HUB_NAMESPACE": "ann"} and space(hub).hardware == "cpu-basic"
    assert SpaceCard(space(hub).files["README.md"].decode()).data.get("suggested_hardware") == "cpu-basic"


def test_a_module_that_is_gone_leaves_the_space(hub: Hub, client: Client) -> None:
    client.run(run("space --namespace ann"))
    space(hub).commit(space(hub).files | {"minrnn/old.py": b"1", "checkpoints/old/x": b"1", "notes.md": b"1"})
    client.run(run("space --namespace ann"))
    assert {"minrnn/old.py", "checkpoints/old/x"}.isdisjoint(space(hub).files) and "notes.md" in space(
        hub
    ).files


def test_models_that_are_published_are_preloaded(hub: Hub, client: Client) -> None:
    lines = client.run(run("space --namespace ann"))
    assert lines[0] == "note: 3 models are not on the Hub; `publish models` puts them there."
    assert SpaceCard(space(hub).files["README.md"].decode()).data.get("preload_from_hub") is None
    client.run(run("models --namespace ann"))
    assert len(client.run(run("space --namespace ann"))) == 1
    data = SpaceCard(space(hub).files["README.md"].decode()).data
    assert data.models == REPOS
    assert data["preload_from_hub"] == [
        f"{repo} config.json,model.safetensors,metrics.json" for repo in REPOS
    ]


def test_a_dry_run_of_the_space_asks_nobody(hub: Hub, client: Client) -> None:
    text = "\n".join(client.run(run("space --namespace ann --hardware cpu-basic --dry-run")))
    assert not hub.requests
    assert "space ann/minrnn\n" in text and "bytes  app.py" in text and "preload_from_hub:" in text
    assert "  --extra-index-url https://download.pytorch.org/whl/cpu\n" in text
    assert text.endswith("MINRNN_HUB_NAMESPACE=ann on cpu-basic")


@pytest.mark.slow
def test_the_uploaded_files_alone_are_the_app(hub: Hub, client: Client, tmp_path: Path) -> None:
    client.run(run("space --namespace ann"))
    for name, content in space(hub).files.items():
        (tmp_path / "space" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "space" / name).write_bytes(content)
    code = "import sys; sys.path.insert(0, '.'); import app, minrnn.cli; print(app.__file__)"
    here = environment(hub.url, tmp_path, PYTHONPATH="", SPACE_ID="ann/minrnn", SPACE_AUTHOR_NAME="ann")
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path / "space", env=here, capture_output=True, text=True)
    assert done.returncode == 0 and str(tmp_path) in done.stdout, done.stderr


# What the app makes of it

ORIGINS = """
import os; os.environ["MINRNN_HUB_NAMESPACE"] = "ann"
from minrnn import library
result = [entry.origin for entry in library.open_library().models("base").values()]
"""


def test_the_app_shows_repo_and_revision_then_its_cache_then_the_bundled(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    client.run(run("models --namespace ann"))
    shown = {
        f"{repo} @ {hub.repos['model', repo].branches['main'][:7]}"
        for repo in REPOS
        if repo.startswith("ann/minrnn-base")
    }
    assert set(client.run(ORIGINS)) == shown
    hub.failing["/"] = 500
    assert set(client.run(ORIGINS)) == shown
    client.use_cache(tmp_path / "another")
    bundled = client.run(ORIGINS)
    assert len(bundled) == 2
    assert all("bundled" in origin and "the Hub answered 500" in origin for origin in bundled)


# What is fitted to the hardware


@pytest.mark.parametrize(
    ("hardware", "first", "torch_line"),
    [
        ("zero-a10g", "torch>=2.9,<2.12", "torch>=2.9,<2.12"),
        ("cpu-basic", "--extra-index-url https://download.pytorch.org/whl/cpu", "torch>=2.9,<2.14"),
        ("t4-small", "torch>=2.9,<2.14", "torch>=2.9,<2.14"),
    ],
)
def test_requirements_fit_the_hardware(hardware: str, first: str, torch_line: str) -> None:
    lines = cards.requirements("torch>=2.9,<2.14\ntorch-x<3\ngradio==6.31.0\n", hardware).splitlines()
    assert lines[0] == first and lines[-3:] == [torch_line, "torch-x<3", "gradio==6.31.0"]


def test_the_real_requirements_stop_at_zerogpus_torch() -> None:
    lines = cards.requirements((ROOT / "requirements.txt").read_text(), "zero-a10g").splitlines()
    assert [line for line in lines if re.match(r"torch\b", line)] == ["torch>=2.9,<2.12"]


def test_pictures_that_are_not_uploaded_leave_the_readme() -> None:
    text = "---\ntitle: x\nsdk: gradio\n---\n\nA\n\n![one](docs/a.png)\n![two](minrnn/b.png)\n![three](https://x.y/c.png)\nB\n"
    body = SpaceCard(cards.space_readme(text, "cpu-basic", [], ["minrnn/b.png"])).text
    assert body == "\nA\n\n![two](minrnn/b.png)\n![three](https://x.y/c.png)\nB\n"


# The project's own README is the Space's


@pytest.fixture(scope="module")
def readme() -> SpaceCard:
    return SpaceCard((ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_readmes_front_matter_is_complete(readme: SpaceCard) -> None:
    data = readme.data
    names = ("title", "emoji", "colorFrom", "colorTo")
    texts = (*names, "short_description", "tags", "datasets", "suggested_hardware")
    assert [key for key in texts if not data.get(key)] == []
    assert (data.sdk, data.python_version, data.license) == ("gradio", "3.12", "mit")
    assert (ROOT / str(data.app_file)).is_file()


def test_the_readmes_front_matter_is_what_the_hub_allows(readme: SpaceCard) -> None:
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {readme.data["colorFrom"], readme.data["colorTo"]} <= colours
    assert len(readme.data["short_description"]) <= 60


def test_gradio_is_the_spaces_version(readme: SpaceCard) -> None:
    pins = re.findall(r"^gradio==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pins == [str(readme.data.sdk_version)]


def test_the_licence_is_the_same_everywhere(readme: SpaceCard) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"].lower() == readme.data.license == "mit"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_a_default_recipe_is_told_without_its_zeros() -> None:
    text = card_of(train=TrainConfig().__dict__).text
    assert "learning_rate 0.003" in text and "target_val_loss" not in text
