"""From records to documents: the tables and charts of the documents in docs/."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from minrnn.config import TrainConfig
from minrnn.files import write_text
from minrnn.models import MODEL_NAMES
from minrnn.results import length, records, scaling, svg, task_results, tasks, trials
from minrnn.results.figures import Result, bundled, title
from minrnn.results.records import TRIALS, Record, Records
from minrnn.results.studies import RECIPES, REPLICATION, STUDIES, TASK_STUDY, Study
from minrnn.results.tables import NOT_YET, duration, fill, loss, machines, params, table, val_loss

RECORDS, CHARTS = "studies.json", "charts"
HEAD = ("", "val loss", "carried", "train loss", "parameters", "ms/iter", "largest gradient", "time")
LOSS_AXIS = "validation loss, nats per character"
HEADROOM = 0.9
"""How far above the best loss a chart of curves goes, in nats."""


def renew(docs: Path, runs: Path, shipped: Path = task_results.SHIPPED) -> list[str]:
    """Read the run folders, keep what they hold, and renew the pages.

    Args:
        docs: the folder of the documents and of studies.json.
        runs: the folder that holds STUDY/ROW.
        shipped: the file of the tasks' figures that the page shows.

    Returns:
        One line on every study: how many of its rows have been run.

    Raises:
        MinrnnError: if a folder is damaged, or a page lacks its markers.
    """
    found = records.collect(runs, records.load(docs / RECORDS))
    records.save(found, docs / RECORDS)
    (docs / CHARTS).mkdir(exist_ok=True)
    for name, picture in charts(found).items():
        write_text(docs / CHARTS / name, picture)
    task_results.save(task_results.gather(found.get(TASK_STUDY, {})), shipped)
    for page, sections in pages(found).items():
        fill(docs / page, sections)
    return [f"{s.name}: {len(found.get(s.name, {}))} of {len(s.rows)} rows run" for s in STUDIES.values()]


def pages(found: Records) -> dict[str, dict[str, str]]:
    """What stands between the markers of every page: page -> name -> Markdown."""
    drawn = charts(found)

    def sections(names: Sequence[str]) -> dict[str, str]:
        return {name: section(STUDIES[name], found.get(name, {}), f"{name}.svg" in drawn) for name in names}

    recipes = sections(RECIPES) | {
        "seeds-mean": seeds_table(bundled(), found.get("seeds", {})),
        TRIALS: trials.trials_table(found.get(TRIALS, {})),
    }
    return {
        "replication.md": sections(REPLICATION),
        "recipes.md": recipes,
        "tasks.md": {
            **tasks.sections(found),
            "endless": length.section(length.stored()),
        },
        "performance.md": {"scaling": scaling.section(scaling.stored())},
    }


def section(study: Study, rows: Mapping[str, Record], drawn: bool = False) -> str:
    """A study's chart, its table and, folded, the command of every row."""
    lines = [[row.label, *_cells(rows.get(row.name))] for row in study.rows]
    commands = "\n".join(study.command(row) for row in study.rows)
    picture = [f"![{study.question}]({CHARTS}/{study.name}.svg)"] if drawn else []
    folded = f"<details><summary>Commands</summary>\n\n```\n{commands}\n```\n\n</details>"
    where = machines(r.device for r in rows.values())
    return "\n\n".join([*picture, table(HEAD, lines, range(1, len(HEAD))), *where, folded])


def seeds_table(own: Sequence[Result], rows: Mapping[str, Record]) -> str:
    """Validation loss by seed, mean and standard deviation; the first seed's is the bundled checkpoint."""
    bundled_seed = [r for r in own if r.preset == "base" and r.seed == TrainConfig().seed]
    first = {r.model: r.val_loss for r in bundled_seed if r.val_loss is not None}
    lines = []
    for model in MODEL_NAMES:
        seeds = [rows[name] for name in sorted(rows) if name.startswith(f"{model}-")]
        others = [r.val_loss for r in seeds if not r.failed]
        losses = [first[model], *others] if model in first else others
        lines.append([title(model), loss(first.get(model)) or NOT_YET, *_spread(losses)])
    return table(("", "bundled", "seeds", "mean", "standard deviation"), lines, range(1, 5))


def _spread(losses: Sequence[float]) -> list[str]:
    if len(losses) < 2:
        return [str(len(losses)), "", ""]
    return [str(len(losses)), loss(statistics.mean(losses)), loss(statistics.stdev(losses))]


def charts(found: Records) -> dict[str, str]:
    """File name -> SVG, for every study that has something to show."""
    drawn = {f"{name}.svg": _curves(STUDIES[name], found.get(name, {})) for name in ("ablation", "layers")}
    drawn["ladder.svg"] = _ladder(found)
    return {name: picture for name, picture in drawn.items() if picture}


def _cells(r: Record | None) -> list[str]:
    if r is None:
        return [NOT_YET] + [""] * (len(HEAD) - 2)
    if r.failed:
        return [f"failed: {r.failed}"] + [""] * (len(HEAD) - 2)
    losses = [val_loss(r.val_loss, r.val_loss_streaming), loss(r.val_loss_streaming), loss(r.train_loss)]
    return [*losses, params(r.n_params), f"{r.iter_ms:.0f}", f"{r.max_grad_norm:.3g}", duration(r.seconds)]


def _curves(study: Study, rows: Mapping[str, Record]) -> str:
    done = [
        (row.label, rows[row.name]) for row in study.rows if row.name in rows and rows[row.name].curve_tokens
    ]
    if not done:
        return ""
    series = [svg.Series(label, r.curve_tokens, r.curve_val_loss) for label, r in done]
    top = min(min(s.y) for s in series) + HEADROOM
    return svg.lines(series, "characters read", LOSS_AXIS, top)


def _ladder(found: Records) -> str:
    """The rungs at the LSTM's size and at its width, one row a rung."""
    study = STUDIES["ladder"]
    kinds = {"equal parameters": found.get("ladder", {}), "equal width": found.get("ladder-width", {})}
    series = [_rungs(label, study, rows) for label, rows in kinds.items()]
    return (
        svg.ladder([row.label for row in study.rows], series, LOSS_AXIS) if any(s.x for s in series) else ""
    )


def _rungs(label: str, study: Study, rows: Mapping[str, Record]) -> svg.Series:
    done = [(line, rows[row.name]) for line, row in enumerate(study.rows) if row.name in rows]
    measured = [(line, r) for line, r in done if not r.failed]
    return svg.Series(label, [r.val_loss for _, r in measured], [float(line) for line, _ in measured])
