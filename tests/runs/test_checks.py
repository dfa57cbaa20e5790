"""What is checked of a run before there is a folder."""

import dataclasses
from pathlib import Path

import pytest
import torch

from minrnn.corpora import own
from minrnn.errors import BackendUnavailable, ConfigError, CorpusError
from minrnn.models import LanguageModel
from minrnn.ranks import Ranks
from minrnn.runs.checks import check_machine, check_trainable, vocab_of
from minrnn.runs.queue import TrainingQueue
from tests.runs.helpers import MICRO, SHEEP, knowing, micro, request

TEXT = own.from_text(SHEEP)


def test_a_fine_tune_knows_its_checkpoints_characters_and_then_those_of_the_text(tmp_path: Path) -> None:
    LanguageModel(dataclasses.replace(MICRO, vocab="zs!")).save(tmp_path)
    tuned = dataclasses.replace(micro(), init=str(tmp_path))
    assert vocab_of(tuned, TEXT) == "zs!" + "".join(sorted(set(SHEEP) - {"s"}))
    assert vocab_of(micro(), TEXT) == TEXT.vocab


def test_a_vocabulary_that_grows_too_large_is_refused_with_its_parts(tmp_path: Path) -> None:
    init = knowing(4_080, tmp_path / "model")
    told = r"model knows 4,080 characters and the text adds 20, which makes 4,100; the limit is 4,096\. Use"
    with pytest.raises(ConfigError, match=told):
        check_trainable(dataclasses.replace(micro(), init=init), TEXT)
    check_trainable(dataclasses.replace(micro(), init=knowing(4_076, tmp_path / "less")), TEXT)


def test_a_fine_tune_whose_vocabulary_grows_too_large_does_not_wait_for_its_turn(
    queue: TrainingQueue, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="which makes 4,100; the limit is 4,096"):
        queue.start(request([], inits=[knowing(4_080, tmp_path / "model")]))
    assert queue.runs.every() == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_a_run_on_a_device_that_is_not_here_does_not_wait_for_its_turn(queue: TrainingQueue) -> None:
    with pytest.raises(BackendUnavailable, match="device 'cuda' is not on this machine; choose one of: cpu"):
        queue.start(request(device="cuda"))
    assert queue.runs.every() == []


def test_a_shape_that_no_model_has_or_none_is_loaded_of_is_refused() -> None:
    large = dataclasses.replace(micro(), model=dataclasses.replace(MICRO, n_embd=4_096, n_layer=64))
    with pytest.raises(ConfigError, match=r"[\d,]{13} parameters, and no checkpoint of more than 50,000,000"):
        check_trainable(large, TEXT)
    odd = dataclasses.replace(micro("nanogpt"), model=dataclasses.replace(MICRO, mixer="nanogpt", n_embd=17))
    with pytest.raises(ConfigError, match="does not divide n_embd 17"):
        check_trainable(odd, TEXT)
    long = dataclasses.replace(micro(), model=dataclasses.replace(MICRO, block_size=5_000))
    with pytest.raises(CorpusError, match="use a longer text or a smaller window"):
        check_trainable(long, TEXT)


def test_a_batch_must_be_split_evenly_among_the_processes() -> None:
    check_machine(micro().train, Ranks(0, 3))
    with pytest.raises(ConfigError, match="batch_size 3 cannot be split among 2 processes"):
        check_machine(micro().train, Ranks(0, 2))
