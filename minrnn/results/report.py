"""From records to documents: the tables and charts of the documents in docs/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from minrnn.files import write_text
from minrnn.results import (
    budgets,
    kept,
    length,
    records,
    scaling,
    svg,
    task_results,
    tasks,
    together,
    trials,
    weights,
)
from minrnn.results.figures import bundled, published
from minrnn.results.records import TRIALS, Record, Records
from minrnn.results.studies import REPLICATION, STUDIES
from minrnn.results.study import Study
from minrnn.results.tables import NOT_YET, check, duration, fill, loss, machines, params, table, val_loss
from minrnn.results.task_studies import TASK_STUDY
from minrnn.results.weights_studies import WEIGHTS

RECORDS, CHARTS = "studies.json", "charts"
README = "README.md"
SHIPPED = weights.SHIPPED.parent
"""Where the figures lie that the page shows."""
HEAD = ("", "val loss", "carried", "train loss", "parameters", "ms/iter", "largest gradient", "time")
LOSS_AXIS = "validation loss, nats per character"
HEADROOM = 0.9
"""How far above the best loss a chart of curves goes, in nats."""


def renew(docs: Path, runs: Path, readme: Path, shipped: Path = SHIPPED) -> list[str]:
    """Read the run folders, keep what they hold, and renew the pages.

    Args:
        docs: the folder of the documents and of studies.json.
        runs: the folder that holds STUDY/ROW.
        readme: the README, whose answer and budgets are renewed.
        shipped: the folder of the figures that the page shows.

    Returns:
        One line on every study: how many of its rows have been run.

    Raises:
        MinrnnError: if a folder is damaged, or a page is not there or lacks its markers. Nothing is changed then.
    """
    found = records.collect(runs, records.load(docs / RECORDS))
    wanted = {readme if page == README else docs / page: parts for page, parts in pages(found).items()}
    for path, sections in wanted.items():
        check(path, sections)
    records.save(found, docs / RECORDS)
    (docs / CHARTS).mkdir(exist_ok=True)
    for name, picture in charts(found).items():
        write_text(docs / CHARTS / name, picture)
    task_results.save(task_results.gather(found.get(TASK_STUDY, {})), shipped / task_results.SHIPPED.name)
    weights.save(weights.gather(found), shipped / weights.SHIPPED.name)
    for path, sections in wanted.items():
        fill(path, sections)
    return [f"{s.name}: {len(found.get(s.name, {}))} of {len(s.rows)} rows run" for s in STUDIES.values()]


def pages(found: Records) -> dict[str, dict[str, str]]:
    """What stands between the markers of every page: page -> name -> Markdown."""
    drawn = charts(found)

    def sections(names: Sequence[str]) -> dict[str, str]:
        return {name: section(STUDIES[name], found.get(name, {}), f"{name}.svg" in drawn) for name in names}

    return {
        "replication.md": sections(REPLICATION),
        "tasks.md": {
            **tasks.sections(found),
            "endless": length.section(length.stored()),
        },
        "performance.md": {"scaling": scaling.section(scaling.stored())},
        **_weights_pages(found),
    }


def _weights_pages(found: Records) -> dict[str, dict[str, str]]:
    """What the README and docs/recipes.md say of the weights."""
    reached, known = weights.gather(found), published()
    base = [r for r in bundled() if r.preset == "base" and r.val_loss is not None]
    return {
        README: {
            "answer": budgets.answer(reached, base),
            "budgets": budgets.section(reached, f"docs/{CHARTS}/{budgets.CHART}"),
            "together": together.section(),
        },
        "recipes.md": {
            "finding": budgets.section(reached, f"{CHARTS}/{budgets.CHART}", known),
            "means": budgets.means(reached),
            **{name: _weights_section(STUDIES[name], found.get(name, {})) for name in WEIGHTS},
            TRIALS: trials.trials_table(found.get(TRIALS, {})),
        },
    }


def section(study: Study, rows: Mapping[str, Record], drawn: bool = False) -> str:
    """A study's chart, its table and, folded, the command of every row."""
    lines = [[row.label, *_cells(rows.get(row.name))] for row in study.rows]
    picture = [f"![{study.question}]({CHARTS}/{study.name}.svg)"] if drawn else []
    folded = _folded("Commands", map(study.command, study.rows))
    where = machines(r.device for r in rows.values())
    return "\n\n".join([*picture, table(HEAD, lines, range(1, len(HEAD))), *where, folded])


def _weights_section(study: Study, rows: Mapping[str, Record]) -> str:
    """The same for a study whose weights are here, and what scores them."""
    return (
        f"{section(study, rows)}\n\n{_folded('The same figures from the weights', kept.scores(study, rows))}"
    )


def _folded(title: str, commands: Iterable[str]) -> str:
    lines = "\n".join(commands)
    return f"<details><summary>{title}</summary>\n\n```\n{lines}\n```\n\n</details>"


def charts(found: Records) -> dict[str, str]:
    """File name -> SVG, for every study that has something to show."""
    drawn = {f"{name}.svg": _curves(STUDIES[name], found.get(name, {})) for name in ("ablation", "layers")}
    drawn["ladder.svg"] = _ladder(found)
    drawn[budgets.CHART] = budgets.chart(weights.gather(found), published())
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
