"""What the card of a task's model says: its accuracy by length, and nothing that holds for texts alone."""

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import ModelCard

from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError
from minrnn.hub import cards, uploads
from minrnn.hub.card_words import figures, task_of
from minrnn.tasks import TASKS
from tests.hub.loopback import METRICS

PARITY = TASKS["parity"]
OF_PARITY: dict[str, Any] = {
    **{key: value for key, value in METRICS.items() if key not in ("val_loss_streaming", "bits_per_char")},
    "corpus": "parity",
    "corpus_sha256": PARITY.sha256,
    "accuracy": {"32": 1.0, "512": 0.75},
    "n_params": 99,
    "sample": {"prompt": "", "text": "sees 01", "temperature": 0.0, "seed": 0},
}


def card_of(**changed: Any) -> ModelCard:
    config = ModelConfig("lstm", PARITY.vocab, block_size=64)
    return ModelCard(cards.model_card("ann/minrnn-parity", config, OF_PARITY | changed))


def test_a_task_s_figures_are_its_accuracies_by_length() -> None:
    found = {(f.metric, f.name): f.value for f in figures(OF_PARITY)}
    assert found == {
        ("accuracy", "Accuracy on texts of 32 characters"): 1.0,
        ("accuracy", "Accuracy on texts of 512 characters"): 0.75,
    }


def test_a_task_s_card_gives_rule_example_and_command_and_no_word_of_a_text_s() -> None:
    text = card_of().text
    assert PARITY.question in text and "sees 01" in text
    assert "minrnn eval ann/minrnn-parity --corpus parity --json" in text
    assert not any(word in text for word in ("Validation loss", "windows of", "generate.stream", "opinions"))


def test_a_task_with_another_rule_is_not_called_by_its_name() -> None:
    assert task_of(OF_PARITY) == PARITY and task_of(OF_PARITY | {"corpus_sha256": "0" * 64}) is None
    assert "the task Parity" not in card_of(corpus_sha256="0" * 64).text


def test_a_stopped_run_on_a_task_has_no_figures() -> None:
    assert "was not scored" in card_of(accuracy=None).text


def test_a_model_of_a_task_is_shared_and_not_bundled(tmp_path: Any) -> None:
    with pytest.raises(
        CheckpointError, match="trained on the task 'parity'; only models of a text are bundled"
    ):
        uploads._check_scored(tmp_path, {"preset": "task", "corpus": "parity"})
