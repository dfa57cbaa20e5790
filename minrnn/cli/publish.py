"""`python -m minrnn publish`: models, the Space or a trained run, to the Hub.

Each command is a dataclass of flags; `run` carries it out and yields lines for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from minrnn import checkpoint
from minrnn.cli import terminal
from minrnn.hub import cards, publishing
from minrnn.hub.names import checked, repo_of
from minrnn.hub.publishing import Upload
from minrnn.hub.uploads import bundled, model_upload, space_upload
from minrnn.runs.saving import model_of


@dataclass(frozen=True)
class Models:
    """Publish the bundled models, each as the repo NAMESPACE/minrnn-PRESET-MODEL.

    Attributes:
        namespace: user or organisation on the Hub.
        preset: publish this preset only; empty publishes every bundled one.
        private: make new repos private.
        dry_run: print the list of files and the cards; nothing leaves this machine.
    """

    namespace: str
    preset: str = ""
    private: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Space:
    """Publish the app as the Space NAMESPACE/minrnn, with the models of that namespace.

    Attributes:
        namespace: user or organisation on the Hub.
        hardware: the Hub's name of it, such as zero-a10g (ZeroGPU), cpu-basic or t4-small.
        private: make a new Space private.
        dry_run: print the list of files and the README; nothing leaves this machine.
    """

    namespace: str
    hardware: str = "zero-a10g"
    private: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        publishing.check_hardware(self.hardware)


@dataclass(frozen=True)
class Run:
    """Share a trained run as the repo NAMESPACE/NAME.

    Attributes:
        folder: a run's folder, or a checkpoint's.
        namespace: user or organisation on the Hub; empty is the token's owner.
        name: of the repo; empty makes it minrnn- and the folder's name.
        private: make a new repo private.
        dry_run: print the list of files and the card; nothing leaves this machine.
    """

    folder: tyro.conf.Positional[Path]
    namespace: str = ""
    name: str = ""
    private: bool = False
    dry_run: bool = False


Command = Models | Space | Run


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: as `run`.
    """
    for line in run(parse(words)):
        terminal.say(line)


def parse(words: Sequence[str]) -> Command:
    """The command that words on the command line ask for; ends the process on words that ask for none."""
    commands: dict[str, Callable[..., Command]] = {"models": Models, "space": Space, "run": Run}
    command: Command = tyro.extras.subcommand_cli_from_dict(
        commands, prog="python -m minrnn publish", description="Publish to the Hugging Face Hub.", args=words
    )
    return command


def run(command: Command) -> Iterator[str]:
    """Carry out a command.

    Yields:
        Lines that say what will be, or has been, published.

    Raises:
        HubError: if there is no token, or the Hub refuses or cannot be reached.
        CheckpointError: if something to publish is missing or damaged.
    """
    if isinstance(command, Models):
        yield from _models(command)
    elif isinstance(command, Space):
        yield from _space(command)
    else:
        yield from _run(command)


def _models(command: Models) -> Iterator[str]:
    uploads = [
        model_upload(checkpoint.bundled(*pair), repo_of(command.namespace, *pair))
        for pair in bundled(command.preset)
    ]
    if command.dry_run:
        for upload in uploads:
            yield from _shown(upload, "README.md")
        return
    client = publishing.api()
    for upload in uploads:
        yield publishing.push_model(client, upload, command.private)


def _run(command: Run) -> Iterator[str]:
    folder = model_of(command.folder)
    client = None if command.dry_run else publishing.api()
    namespace = command.namespace or (publishing.owner(client) if client else "YOU")
    name = command.name or f"minrnn-{command.folder.resolve().name}"
    upload = model_upload(folder, checked(f"{namespace}/{name}"))
    for path in cards.local_paths(checkpoint.read_metrics(folder / checkpoint.METRICS)):
        yield f"note: metrics.json and the card name a path of this machine: {path}"
    if client is None:
        yield from _shown(upload, "README.md")
    else:
        yield publishing.push_model(client, upload, command.private)


def _space(command: Space) -> Iterator[str]:
    wanted = [repo_of(command.namespace, *pair) for pair in bundled()]
    if command.dry_run:
        upload = space_upload(command.namespace, command.hardware, wanted)
        yield from _shown(upload, "README.md", "requirements.txt")
        yield f"MINRNN_HUB_NAMESPACE={command.namespace} on {command.hardware}"
        return
    client = publishing.api()
    published = publishing.existing(client, wanted)
    if published != wanted:
        yield f"note: {len(wanted) - len(published)} models are not on the Hub; `publish models` puts them there."
    upload = space_upload(command.namespace, command.hardware, published)
    publishing.set_up_space(client, upload.repo, command.namespace, command.hardware, command.private)
    yield publishing.push(client, upload)


def _shown(upload: Upload, *texts: str) -> Iterator[str]:
    """A dry run: the list of files, and some of them in full."""
    yield from upload.listing()
    for path in texts:
        yield ""
        yield f"{upload.repo}: {path}"
        yield from ("  " + line for line in upload.text(path).splitlines())
