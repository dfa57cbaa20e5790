"""The results as Markdown: one table for the README, generated, never typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from minrnn.errors import MinrnnError
from minrnn.files import write_text
from minrnn.results.figures import Published, Result, bundled, published

NOT_YET = "*not yet run*"
SPLITS = {"val": "validation", "train": "training"}


def readme_table() -> str:
    """Every bundled checkpoint beside the published figures, as Markdown tables with their notes."""
    results = bundled()
    presets = list(dict.fromkeys(result.preset for result in results))
    tables = [_own_table(preset, [r for r in results if r.preset == preset]) for preset in presets]
    return "\n\n".join([*(tables or [NOT_YET]), _published_table(published())])


def update_readme(path: Path) -> bool:
    """Replace what stands between `<!-- results -->` and `<!-- /results -->` by the tables of now.

    Returns:
        Whether the file changed.

    Raises:
        MinrnnError: as `fill`.
    """
    return fill(path, {"results": readme_table()})


def fill(path: Path, sections: dict[str, str]) -> bool:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`, for every name.

    Returns:
        Whether the file changed.

    Raises:
        MinrnnError: if the file cannot be read or written, or lacks a pair of markers.
    """
    before = text = _read(path)
    for name, content in sections.items():
        start, end = _inside(text, name, path)
        text = f"{text[:start]}\n\n{content}\n\n{text[end:]}"
    if text != before:
        try:
            write_text(path, text)
        except OSError as error:
            raise MinrnnError(
                f"{path} cannot be written ({error.strerror or error}); check its permissions."
            ) from None
    return text != before


def check(path: Path, names: Iterable[str]) -> None:
    """Whether `fill` can fill these sections, so that nobody computes for minutes for a page that is not there.

    Raises:
        MinrnnError: if the file cannot be read, or lacks a pair of markers.
    """
    for name in names:
        section(path, name)


def section(path: Path, name: str) -> str:
    """What stands between a pair of markers.

    Raises:
        MinrnnError: if the file cannot be read, or lacks them.
    """
    text = _read(path)
    start, end = _inside(text, name, path)
    return text[start:end].strip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A Markdown table; the columns of `numbers` are aligned to the right."""
    ruler = ["---:" if column in numbers else "---" for column in range(len(head))]
    lines = [[cell.replace("|", "\\|") for cell in cells] for cells in (head, ruler, *rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def loss(value: float | None) -> str:
    """A loss with as many digits as are worth reading."""
    return "" if value is None else f"{value:.4f}"


def val_loss(value: float | None, carried: float | None) -> str:
    """The validation loss in bold, where it was taken: a stopped run has none, and some runs score a sample only.

    Args:
        value: nats per character over windows.
        carried: the same with the state carried, which is there where the whole split was scored.
    """
    if value is None:
        return "not scored"
    return f"**{loss(value)}**" + " (of a sample)" * (carried is None)


def params(count: int | None) -> str:
    """A number of weights: 2.31 M, 116 k."""
    if count is None:
        return "not stated"
    return f"{count / 1e6:.2f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def duration(seconds: float) -> str:
    """A time in the unit one would say it in."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def machines(devices: Iterable[str]) -> list[str]:
    """The machines that some runs had, as a sentence; none where nothing was run."""
    names = dict.fromkeys(device for device in devices if device)
    return [f"Machine: {'; '.join(names)}."] if names else []


def breakdown(result: Result) -> str:
    """Where the weights sit, in thousands: `17 / 1,190 / 1,090 / 17`."""
    return " / ".join(f"{count / 1000:,.0f}" for count in result.params.values())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
    except UnicodeDecodeError as error:
        reason = f"byte {error.start:,} is not UTF-8"
    raise MinrnnError(f"the page {path} cannot be read ({reason}); name one that is there, or its folder.")


def _inside(text: str, name: str, path: Path) -> tuple[int, int]:
    """Where the text between a pair of markers begins and ends."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    start, end = text.find(opening), text.find(closing)
    if start < 0 or end < start:
        raise MinrnnError(f"{path} has no {opening} … {closing}; put the two where the table goes.")
    return start + len(opening), end


def _own_table(preset: str, results: Sequence[Result]) -> str:
    scored = any(r.train_loss is not None for r in results)
    head = [
        "model",
        "parameters",
        "embedding / mixer / MLP / head (k)",
        "val loss",
        "carried state",
        "bits/char",
    ]
    head += ["train loss"] * scored + ["characters read", "training time"]
    rows = [_own_row(result, scored) for result in results]
    machines = "; ".join(dict.fromkeys(r.device for r in results))
    texts = "; ".join(dict.fromkeys(r.text for r in results if r.text))
    text = f"text: {texts}; " if texts else ""
    return f"**`{preset}`**, {text}machine: {machines}\n\n" + table(head, rows, range(1, len(head)))


def _own_row(r: Result, with_train: bool) -> list[str]:
    carried = r.val_loss_streaming
    cells = [r.title, params(r.n_params), breakdown(r), val_loss(r.val_loss, carried), loss(carried)]
    cells += ["" if r.bits_per_char is None else f"{r.bits_per_char:.3f}"] + [loss(r.train_loss)] * with_train
    return [*cells, f"{r.tokens_seen / 1e6:.1f} M", duration(r.seconds)]


def _published_table(entries: Sequence[Published]) -> str:
    notes = list(dict.fromkeys(entry.note for entry in entries))
    head = ["published", "loss", "split", "parameters", "size", "cost", "source", "note"]
    rows = [_published_row(entry, notes.index(entry.note) + 1) for entry in entries]
    numbered = "\n".join(f"{number}. {note}" for number, note in enumerate(notes, 1))
    return f"{table(head, rows, (1, 3))}\n\nNotes:\n\n{numbered}"


def _published_row(p: Published, note: int) -> list[str]:
    source = f"[{p.source}]({p.url})" if p.url else p.source
    return [p.system, f"{p.loss:g}", SPLITS[p.split], params(p.params), p.size, p.cost, source, str(note)]
