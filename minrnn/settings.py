"""Environment variables and limits, each with its reason.

Variables are read when a function is called, so a test or a notebook may set them late.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

from minrnn import cores
from minrnn.environment import folder, megabytes, variable, whole
from minrnn.errors import ConfigError

TrainingMode = Literal["full", "limited", "off"]

# Prefill of this many characters stays under a few seconds on one core, for every model.
MAX_PROMPT_CHARS = 20_000
# Learning a prompt this long takes about a second a model and pass on one core.
MAX_LEARN_CHARS = 2_000
# About ten seconds of decoding for the slowest bundled model on one core.
MAX_NEW_TOKENS = 5_000
# Characters that a text may see, where that is bounded: all of them are read again for each new one, which takes a
# fraction of a second, and the other texts of that core wait meanwhile.
MAX_CONTEXT = 4_096
# The head costs n_embd parameters a character; beyond this the text is no longer
# "character-level small", and scripts of that size want another tokeniser.
MAX_VOCAB = 4_096
# A split of 1/10 must hold at least one validation window of a small block_size.
MIN_CORPUS_CHARS = 1_000
# Ids are int64 and three copies of the text live at once: 50 M characters take about 1 GB.
MAX_CORPUS_CHARS = 50_000_000
# A visitor's own text on a shared Space; the named texts are served whatever their length.
MAX_CORPUS_CHARS_LIMITED = 1_000_000
# A shared Space trains one visitor's model at a time: nobody waits longer than this.
MAX_ITERS_LIMITED = 1_000
MAX_TRAIN_SECONDS_LIMITED = 180.0
# Weights from the Hub are tried this long before launch; after that the bundled ones serve.
HUB_TIMEOUT_S = 10.0
# The Hub says within a fraction of a second where a file is; after this long the local cache serves.
HUB_ANSWER_S = 4.0
# A download of one megabyte that takes longer than this has hung.
DOWNLOAD_TIMEOUT_S = 30.0
# The one text that is downloaded has 1.1 MB; a longer answer is something else.
MAX_DOWNLOAD_BYTES = 4_000_000
# Beyond this many visitors at once a reader reads faster than the models write; the rest wait in line.
MAX_VISITORS = 64
# Longest line. With 1,200 characters a visitor, its end is about two minutes away.
MAX_IN_LINE = 256
# Texts at once for one visitor: a page in two windows, each with a text that is being replaced.
MAX_REQUESTS_EACH = 4
# A request whose listener has not come, or has gone, ends after this. A browser takes a tenth of it.
UNHEARD_S = 1.5
# Event streams of one page at once: its heartbeat and its results, while older ones of a page that was reloaded end.
MAX_STREAMS_PAGE = 8
# Of one address: two for each visitor who writes or waits, where all are behind one proxy. It leaves the others some of
# the thousand handles that a process often has.
MAX_STREAMS_ADDRESS = 2 * (MAX_VISITORS + MAX_IN_LINE)
# Readings with Inside, and answers of runs on a task, at once: each takes a core for seconds.
MAX_READINGS = 2
# Processes that write; more are of no use to a small machine, and each has its own texts in memory.
MAX_WRITERS = 8
# Models that a visitor may add: more panels than these are no comparison.
MAX_FURTHER = 4
# Weights of added models and of runs that are kept in the app's memory, for all visitors together: four of the largest.
# The model that was not used longest goes first, and is read again when it is asked for.
MAX_FURTHER_BYTES = 800_000_000
# Seconds that one request may write. A visitor alone needs about five for 5,000 characters of each model.
MAX_WRITING_S = 60.0
# Snapshots a second for all visitors together: each costs the app about two milliseconds.
MAX_SNAPSHOTS_PER_S = 100
# Models that were sent to the processes that write, in all of them together, each with its weights made ready (as much
# again): four of the largest. A process keeps its share of it, and whatever its share the model that is written with.
MAX_SENT_BYTES = 1_600_000_000
# Copies of models that learn a prompt, for all visitors together, each with its weights made ready (as much again):
# twenty committees of the bundled models.
MAX_LEARNING_BYTES = 2_000_000_000


def data_dir() -> Path | None:
    """Folder that holds `tinyshakespeare.txt` (MINRNN_DATA_DIR); None where unset."""
    return folder("MINRNN_DATA_DIR")


def runs_dir() -> Path:
    """Folder that training runs are written to (MINRNN_RUNS_DIR, by default ./runs)."""
    return folder("MINRNN_RUNS_DIR") or Path("runs")


def cache_dir() -> Path:
    """Folder for what can be fetched again: under XDG_CACHE_HOME, else ~/.cache, else the temporary folder."""
    try:
        return (folder("XDG_CACHE_HOME") or Path.home() / ".cache") / "minrnn"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "minrnn-cache"


def on_space() -> bool:
    """Whether this process runs on a Hugging Face Space."""
    return variable("SPACE_ID") is not None


def space_url() -> str:
    """The address of the Space that this process runs on, to share links to; empty elsewhere."""
    name = variable("SPACE_ID")
    return f"https://huggingface.co/spaces/{name}" if name else ""


def on_zero_gpu() -> bool:
    """Whether this process runs on a Space that lends a GPU for a call (ZeroGPU)."""
    return (variable("SPACES_ZERO_GPU") or "").lower() in {"1", "t", "true"}


def hub_namespace() -> str | None:
    """Account whose repositories hold the weights; None means the bundled ones.

    MINRNN_HUB_NAMESPACE decides, where an empty value means none. Where it is unset, a Space
    looks at its owner's account (SPACE_AUTHOR_NAME) and a local machine at none.
    """
    if "MINRNN_HUB_NAMESPACE" in os.environ:
        return variable("MINRNN_HUB_NAMESPACE")
    return variable("SPACE_AUTHOR_NAME") if on_space() else None


def training_mode() -> TrainingMode:
    """What the training tab may do (MINRNN_TRAINING).

    Returns:
        "full", the default on one's own machine; "limited", the default on a Space; or "off".

    Raises:
        ConfigError: on any other value.
    """
    value = (variable("MINRNN_TRAINING") or ("limited" if on_space() else "full")).lower()
    modes: dict[str, TrainingMode] = {"full": "full", "limited": "limited", "off": "off"}
    if value in modes:
        return modes[value]
    raise ConfigError(f"MINRNN_TRAINING is {value!r}; set it to full, limited or off, or unset it.")


def max_visitors() -> int:
    """Visitors whose texts are written at once (MINRNN_MAX_VISITORS); the others wait in line.

    Raises:
        ConfigError: if it is no whole number from 1 to 1,000.
    """
    return whole("MINRNN_MAX_VISITORS", MAX_VISITORS, 1, 1_000)


def writers() -> int:
    """Processes that write texts (MINRNN_WRITERS), by default one for each core; 0 writes in the app's own process.

    Raises:
        ConfigError: if it is no whole number from 0 to 64.
    """
    return whole("MINRNN_WRITERS", min(cores.usable(), MAX_WRITERS), 0, 64)


def max_corpus_chars() -> int:
    """Longest text of one's own, in characters, that the current training mode takes."""
    return MAX_CORPUS_CHARS_LIMITED if training_mode() == "limited" else MAX_CORPUS_CHARS


# Training runs

# A token that names a visitor: with fewer random characters it could be guessed.
MIN_TOKEN_CHARS = 16
# Visitors whose jobs wait: at three minutes a job, of however many runs, nobody waits much longer than 25 minutes.
MAX_QUEUED = 8
# Twice what the largest preset reads in one iter and in one window; it fits a small machine's memory.
MAX_CHARS_AN_ITER, MAX_BLOCK = 16_384, 512
# Attention while training keeps a number for every pair of characters of a window, in every layer and head: 16
# windows of 512, or 64 of 256.
MAX_PAIRS_AN_ITER = 16_384 * 256
# The head's output keeps a number for every character of the text at every character of a batch.
MAX_LOGITS_AN_ITER = 4_096 * 4_096
# A task's texts are short. A larger block_size costs a model nothing but rows of learned positions.
MAX_TASK_BLOCK = 1_024
# Scoring after a visitor's training, beside its 180 seconds: whoever waits behind it waits no longer than this.
MAX_SCORE_SECONDS_LIMITED = 20.0
# Characters of the validation split that are scored then: about two seconds for the largest preset on one core.
MAX_SCORE_CHARS_LIMITED = 32_768
# A worker that lives longer than training, scoring and this has hung, and holds up everybody: it is killed.
WORKER_GRACE_S = 120.0
# Visitors' runs that are kept in all: the 72 of nine jobs of the most models, which wait and train at one time, and
# so many more that no queue, however long, pushes out what has just been trained.
MAX_KEPT_RUNS = 128
# A run that no page shows for so long is stopped. A hidden page reports once a minute.
UNFOLLOWED_S = 120.0
# A run, and the text it was given, is deleted so long after it has ended: time to look at it and to download it.
KEPT_S = 3_600.0
# Of one visitor: two jobs of the most models.
MAX_KEPT_RUNS_VISITOR = 16
# A base run has 46 MB, so one visitor can keep ten of them.
MAX_KEPT_BYTES_VISITOR = 500_000_000


def max_kept_bytes() -> int:
    """Bytes that all visitors' runs may hold together (MINRNN_RUNS_MB): 4 GB, a small part of a Space's 50 GB disk.

    Raises:
        ConfigError: if the variable is no whole number, or too small for one run.
    """
    return megabytes("MINRNN_RUNS_MB", 4_000)


def max_worker_bytes() -> int:
    """Memory that a visitor's worker may hold (MINRNN_TRAIN_MB): 3 GB, half more than the largest allowed recipe was
    seen to take, and a fifth of a free Space's.

    Raises:
        ConfigError: if the variable is no whole number, or too small for one run.
    """
    return megabytes("MINRNN_TRAIN_MB", 3_000)


# No larger weights are downloaded: MAX_PARAMS in float32 and room for the header.
MAX_WEIGHTS_BYTES = 201_000_000
# config.json and metrics.json hold a few kilobytes.
MAX_JSON_BYTES = 1_000_000
# A checkpoint's config may ask for no more than this: 200 MB of float32, five times nanoGPT's own size. Visitors
# may name models of their own, and several are kept in memory.
MAX_PARAMS = 50_000_000
# A text to look inside: all its figures go to the page at once, 200 to 500 bytes a character and model, and reading
# it with every model takes a few seconds on one core.
MAX_READ_CHARS = 5_000


# Requests: what a stranger may send, and what the app keeps of it

# A prompt of MAX_PROMPT_CHARS takes six bytes a character at worst, and the other fields a few kilobytes.
MAX_REQUEST_BYTES = 250_000
# As that, where a text to train on may be among the fields: MAX_CORPUS_CHARS_LIMITED at six bytes a character.
MAX_REQUEST_BYTES_LIMITED = 6_250_000
# On one's own machine a text of MAX_CORPUS_CHARS in plain letters; one with more bytes comes as a file.
MAX_REQUEST_BYTES_FULL = 51_000_000
# Characters of all texts of a request beside the text to train on: a prompt and a text to look inside, twice.
MAX_FIELD_CHARS = 2 * (MAX_PROMPT_CHARS + MAX_READ_CHARS)
# The largest request of the page has about thirty. A list of a million empty lists takes 3 MB to send and 64 to hold.
MAX_REQUEST_VALUES = 1_000
# The page's own requests nest four deep; Python gives up at about a thousand.
MAX_REQUEST_DEPTH = 16
# Bodies that are being received at one time, of all visitors, in units of the largest one.
MAX_BODIES_AT_ONCE = 8
# A body that takes longer is held open on purpose: the largest comes in a second over a slow line.
BODY_TIMEOUT_S = 60.0
# Gradio's clients name a page by 10 to 36 characters.
MAX_SESSION_CHARS = 64
# An open page keeps about 20 kB here. The page used least recently is forgotten first; it works on, but shows its
# runs anew, and a model that its visitor added must be added again.
MAX_PAGES = 1_000
# Gradio's clients ask for their results at once. What nobody has asked for after this long is dropped.
UNFETCHED_S = 30.0
# Clients whose results wait for them at one time.
MAX_UNFETCHED = 64
# Calls of one page that wait or whose results wait: a script may begin a hundred at once.
MAX_CALLS = 200
# As that, while nobody listens to the page and many calls wait: a client listens as soon as its first call is taken.
MAX_CALLS_UNHEARD = 8
# What is many: with MAX_UNFETCHED pages that have MAX_CALLS_UNHEARD more, it is half of MAX_WAITING.
MANY_WAITING = 500
# Calls that wait in all. Each keeps its request, so these may also have no more bytes than MAX_BODIES_AT_ONCE.
MAX_WAITING = 2_000
# Uploaded files are deleted after an hour. Until then all of them together may take this many times the largest one.
MAX_UPLOADS = 25
# The files of that hour: each is a folder and a name besides its bytes, however few.
MAX_UPLOADED_FILES = 500
# A message that a page or a script gets: the longest of ours, with its value shortened, has about 300 characters.
MAX_MESSAGE_CHARS = 600


def max_request_bytes() -> int:
    """Largest body of a request, in bytes (MINRNN_MAX_REQUEST_BYTES; by default as the training mode needs it)."""
    usual = {
        "full": MAX_REQUEST_BYTES_FULL, "limited": MAX_REQUEST_BYTES_LIMITED, "off": MAX_REQUEST_BYTES,
    }  # fmt: skip
    return whole("MINRNN_MAX_REQUEST_BYTES", usual[training_mode()], 10_000, 999_999_999)


def max_request_chars() -> int:
    """Most characters of all texts of a request."""
    return MAX_FIELD_CHARS + (0 if training_mode() == "off" else max_corpus_chars())


def max_upload_bytes() -> int:
    """Largest file that may be uploaded, in bytes (MINRNN_MAX_UPLOAD_BYTES).

    By default the longest text that may be trained on, at four bytes a character; 0 where training is off, for then
    nothing on the page takes a file.
    """
    if training_mode() == "off":
        return 0
    return whole("MINRNN_MAX_UPLOAD_BYTES", 4 * max_corpus_chars(), 0, 999_999_999)


def max_pages() -> int:
    """Open pages that the app remembers (MINRNN_MAX_PAGES)."""
    return whole("MINRNN_MAX_PAGES", MAX_PAGES, 1, 1_000_000)
