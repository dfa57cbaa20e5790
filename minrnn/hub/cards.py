"""The texts a repo shows on the Hub: a model's card, and the Space's README and requirements.

All are functions of the files beside them, so that publishing the same content twice changes nothing.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData, SpaceCard

from minrnn.config import ModelConfig
from minrnn.corpora import CORPORA
from minrnn.corpora.tinyshakespeare import SHA256
from minrnn.hub import card_words
from minrnn.hub.card_words import Figure
from minrnn.hub.names import repo_of
from minrnn.models import mixer_class
from minrnn.presets import PRESETS

PREVIEW = "minrnn/ui/static/preview.png"
"""The picture that others show beside a link to the Space."""
CPU_TORCH = "--extra-index-url https://download.pytorch.org/whl/cpu"
# What ZeroGPU runs, and no newer.
ZERO_PYTHON, ZERO_TORCH = "3.12", "<2.12"

_BODY = """
# {title}

{about}

A character-level model of {n_params:,} parameters, trained on {corpus}. {program}

## Results

{results}{scoring} One token is one character. `metrics.json` has all figures, `history.jsonl` the whole run.

{sample_head}

{sample}

## Use

{get}

{use}

`config.json` and `model.safetensors` are the whole model; nothing in this repo is executed.

## How it was trained

{training}

The weights are the last moving average of the run, not its best moment on the validation data.

## Limits

{limits}
"""


# A bundled model's account has the Space beside it (`publish models` and `publish space`); a single run's need not.
_BESIDE = (
    """It is one of those that
[minRNN](https://huggingface.co/spaces/{namespace}/minrnn) sets side by side to ask: were RNNs all we needed?""",
    """```sh
git clone https://huggingface.co/spaces/{namespace}/minrnn && cd minrnn && pip install -r requirements.txt
```""",
)
_ALONE = (
    "It was trained with minRNN, which sets\nsmall models side by side to ask: were RNNs all we needed?",
    """Any copy of the Space *minRNN* holds the program: in its clone, `pip install -r requirements.txt`, and then
the lines below. On the page of such a Space, *Add a model from the Hub* takes the name of this repo.""",
)


def model_card(repo: str, config: ModelConfig, metrics: Mapping[str, Any]) -> str:
    """The README.md of a model's repo.

    Args:
        repo: "user/repo".
        config: the model's shape.
        metrics: its metrics.json.
    """
    head = f"---\n{_model_data(repo, config, metrics).to_yaml()}\n---\n"
    words, table = card_words.of(repo, config, metrics), _results_table(metrics)
    namespace = repo.split("/")[0]
    bundled = [repo_of(namespace, preset, model) for preset in PRESETS for model in PRESETS[preset]]
    program, get = (part.format(namespace=namespace) for part in (_BESIDE if repo in bundled else _ALONE))
    body = _BODY.format(
        title=f"{mixer_class(config.mixer).title}, {_corpus(metrics)}",
        about=_about(config.mixer),
        n_params=metrics["n_params"],
        corpus=_corpus(metrics),
        program=program,
        get=get,
        results=f"{table}\n\n" if table else "",
        scoring=words.scoring,
        sample_head=words.sample_head,
        sample=_fenced(metrics["sample"]["text"]),
        use=words.use,
        training=_table(("", ""), _training(config, metrics)),
        limits=words.limits,
    )
    return str(ModelCard(head + body))


def bundled_card(config: ModelConfig, metrics: Mapping[str, Any]) -> str:
    """The README.md of a checkpoint that comes with the program.

    Args:
        config: the model's shape.
        metrics: its metrics.json.
    """
    title = f"# {mixer_class(config.mixer).title}, preset {metrics['preset']}"
    made = f"Trained on {_corpus(metrics)} and put here by\n\n```\n{metrics['command']}\n```"
    parts = (title, made, _results_table(metrics), _table(("", ""), _training(config, metrics)))
    return "\n\n".join(part for part in parts if part) + "\n"


def space_readme(text: str, space: str, hardware: str, repos: Iterable[str], files: Iterable[str]) -> str:
    """The project's README.md as a Space's: front matter for the hardware, no picture that is not there.

    Args:
        text: the project's README.md.
        space: its repo, "user/name", which holds the picture that others show beside a link.
        hardware: the Hub's name of the hardware.
        repos: model repos to have at hand when the Space starts.
        files: what the Space will hold.
    """
    card, repos, present = SpaceCard(text), list(repos), set(files)
    card.data["suggested_hardware"] = hardware
    if PREVIEW in present:
        card.data["thumbnail"] = f"https://huggingface.co/spaces/{space}/resolve/main/{PREVIEW}"
    if hardware.startswith("zero-"):
        card.data["python_version"] = ZERO_PYTHON
    card.data["models"] = repos or None
    card.data["preload_from_hub"] = [
        f"{repo} config.json,model.safetensors,metrics.json" for repo in repos
    ] or None
    card.text = re.sub(
        r"!\[[^\]]*\]\(([^)\s]+)[^)]*\)\n?",
        lambda found: found[0] if _shown(found[1], present) else "",
        card.text,
    )
    return str(card)


def _shown(target: str, files: set[str]) -> bool:
    return "://" in target or target.removeprefix("./") in files


def requirements(text: str, hardware: str) -> str:
    """The project's requirements.txt for some hardware: ZeroGPU stops at a version, a CPU wants the CPU build."""
    lines = text.splitlines()
    if hardware.startswith("zero-"):
        lines = [re.sub(r"<[\d.]+", ZERO_TORCH, line) if _is_torch(line) else line for line in lines]
    elif hardware.startswith("cpu-"):
        lines = [CPU_TORCH, *lines]
    return "\n".join(lines) + "\n"


def local_paths(metrics: Mapping[str, Any]) -> list[str]:
    """Paths of this machine that a metrics.json would tell to everybody."""
    command = str(metrics.get("command", ""))
    try:
        words = shlex.split(command)
    except ValueError:  # a quotation mark without its fellow: no shell, but perhaps a person, wrote it
        words = command.split()
    words += [str(metrics.get("init") or ""), *card_words.teacher_names(metrics)]
    return sorted({word for word in words if Path(word).is_absolute() or word.startswith("~")})


def _is_torch(line: str) -> bool:
    return re.match(r"torch\b(?!-)", line) is not None


def _model_data(repo: str, config: ModelConfig, metrics: Mapping[str, Any]) -> ModelCardData:
    dataset = _dataset(metrics)
    init = str(metrics.get("init") or "")
    return ModelCardData(
        language="en" if dataset else None,
        license="mit",
        library_name="minrnn",
        pipeline_tag="text-generation",
        tags=["minrnn", "character-level", config.mixer, *(["rnn"] if _recurrent(config.mixer) else [])],
        datasets=[dataset] if dataset else None,
        base_model=init.partition("@")[0] if re.fullmatch(r"[\w.-]+/[\w.-]+(@\w+)?", init) else None,
        model_name=repo.split("/")[1],
        eval_results=[_eval_result(figure, metrics) for figure in card_words.figures(metrics)] or None,
    )


def _recurrent(mixer: str) -> bool:
    """Whether the mixer carries a state without a limit to its context, instead of a window with positions."""
    return not mixer_class(mixer).learned_positions


def _eval_result(figure: Figure, metrics: Mapping[str, Any]) -> EvalResult:
    return EvalResult(
        task_type="text-generation",
        dataset_type=_dataset(metrics) or "text",
        dataset_name=_corpus(metrics),
        dataset_split=figure.split,
        metric_type=figure.metric,
        metric_name=figure.name,
        metric_value=round(figure.value, 4),
    )


def _results_table(metrics: Mapping[str, Any]) -> str:
    """The figures as a table; empty where there are none."""
    rows = [(figure.name, f"{figure.value:.4f}") for figure in card_words.figures(metrics)]
    return _table(("", "value"), rows) if rows else ""


def _corpus(metrics: Mapping[str, Any]) -> str:
    """The text's name for people. Whether it is the benchmark's is decided by its hash, never by its name."""
    if metrics["corpus_sha256"] == SHA256:
        return CORPORA["tinyshakespeare"].title
    name = str(metrics["corpus"])
    if name in CORPORA and name != "tinyshakespeare":
        return CORPORA[name].title
    if (task := card_words.task_of(metrics)) is not None:
        return f"the task {task.title}"
    return "a text of its owner's"


def _dataset(metrics: Mapping[str, Any]) -> str:
    """The Hub's name for the text; empty where it has none."""
    return CORPORA["tinyshakespeare"].dataset if metrics["corpus_sha256"] == SHA256 else ""


def _about(mixer: str) -> str:
    """The first sentence of the file that holds the mixer."""
    doc = sys.modules[mixer_class(mixer).__module__].__doc__ or mixer
    return doc.strip().splitlines()[0]


def _training(config: ModelConfig, metrics: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    shape = {k: v for k, v in config.to_dict().items() if k not in ("vocab", "mixer", "options")}
    yield "shape", _pairs(shape | (config.to_dict()["options"] or {}))
    yield "text", f"{_corpus(metrics)}, SHA-256 `{metrics['corpus_sha256']}`"
    yield "recipe", _pairs(card_words.recipe(metrics))
    yield (
        "work",
        f"{metrics['iters']:,} iters, {metrics['tokens_seen']:,} characters, {metrics['seconds']:,.0f} seconds",
    )
    yield "machine", f"{metrics['device']}, {metrics['dtype']}, torch {metrics['torch']}"
    if metrics.get("init"):
        yield "begun from", f"`{metrics['init']}`"
    if metrics.get("teachers"):
        yield "taught by", card_words.teachers(metrics)
    yield "command", f"`{metrics['command']}`"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    cells = ((left, right.replace("|", "\\|").replace("\n", " ")) for left, right in rows)
    return "\n".join(f"| {left} | {right} |" for left, right in (head, ("---", "---"), *cells))


def _fenced(text: str) -> str:
    """A text as it is, within a fence longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"
