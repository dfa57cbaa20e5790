import dataclasses
import resource
import time
from pathlib import Path

import pytest
import torch

from minrnn import checkpoint, data, train
from minrnn.corpora import own
from minrnn.evaluate import BATCH_CHARS, BATCH_LOGITS, batch_size, windowed_loss
from minrnn.models import LanguageModel
from minrnn.runs import ending, folder
from minrnn.tasks import TASKS
from tests.runs.helpers import MICRO, SHEEP, apart, made, micro

LONG = own.from_text(SHEEP * 1_000)


def test_scoring_ends_with_its_seconds_and_keeps_what_is_known(tmp_path: Path) -> None:
    """The whole training split takes some twenty seconds; the validation split's windows a second."""
    out = made(
        tmp_path / "run", SHEEP * 1_000, score_train=True, score_chars=2_000, score_seconds=0.5, max_iters=1
    )
    asked = time.monotonic()
    assert list(folder.execute(out))[-1] == train.Done(1, "max_iters")
    assert time.monotonic() - asked < 10
    found = checkpoint.load(out / "model").metrics
    assert "val_loss" in found and "train_loss" not in found
    assert found["note"] == "The scoring may take 0.5 s; what is missing was not scored in time."


def test_a_scoring_that_is_done_in_time_says_nothing_of_it(tmp_path: Path) -> None:
    spec = micro(score_seconds=60)
    model = LanguageModel(dataclasses.replace(MICRO, vocab=LONG.vocab))
    bound = data.bind(own.from_text(SHEEP), model.config)
    found = ending.score(bound, model, spec, lambda: False)
    assert (found.note, found.stopped) == ("", False) and found.figures == bound.score(model)


@pytest.mark.parametrize("task", ["parity", "recall"])
def test_a_tasks_scoring_is_asked_before_every_batch_and_keeps_the_lengths_it_knows(task: str) -> None:
    source, asked = TASKS[task], [0]
    model = LanguageModel(dataclasses.replace(MICRO, vocab=source.vocab))

    def stop() -> bool:
        asked[0] += 1
        return asked[0] > 3

    found = ending.score(data.bind(source, model.config), model, micro(), stop)
    assert found.stopped and asked[0] == 4
    assert set(found.figures["accuracy"]) < {str(T) for T in source.test_lengths}
    assert str(source.trained_length) in found.figures["accuracy"] and "val_loss" in found.figures


def test_a_large_vocabulary_makes_the_batches_that_are_scored_smaller() -> None:
    assert batch_size(256, 65) == BATCH_CHARS // 256
    assert batch_size(64, 4_096) * 64 * 4_096 <= BATCH_LOGITS
    assert batch_size(65_536, 4_096) == 1


def peak_bytes(vocab_size: int) -> int:
    """Memory that scoring a text of so many different characters takes."""
    text = own.from_text("".join(map(chr, range(0x4E00, 0x4E00 + vocab_size))) * (400_000 // vocab_size))
    shape = dataclasses.replace(MICRO, vocab=text.vocab, block_size=64)
    model, ids = LanguageModel(shape), torch.arange(100_000) % vocab_size
    windowed_loss(model, ids[:1_000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    windowed_loss(model, ids[:40_000])
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1_024


def test_scoring_a_text_of_four_thousand_characters_takes_little_memory() -> None:
    assert apart(peak_bytes, 4_000) < 150e6
