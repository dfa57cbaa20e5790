"""Texts as data: what a saved sample holds."""

import json
import string

import torch

from minrnn.config import ModelConfig, Sampling
from minrnn.data.texts import write_sample
from minrnn.models import MODEL_NAMES, LanguageModel


def test_a_sample_can_be_written_again_from_what_is_saved() -> None:
    torch.manual_seed(0)
    vocab = string.ascii_lowercase + " .\n"
    model = LanguageModel(ModelConfig(MODEL_NAMES[0], vocab, block_size=32, n_layer=1, n_embd=16)).eval()
    sample = json.loads(json.dumps(write_sample(model, "the ", Sampling(max_new_tokens=20, seed=7))))
    again = Sampling(max_new_tokens=20, temperature=sample["temperature"], seed=sample["seed"])
    assert write_sample(model, sample["prompt"], again) == sample and len(sample["text"]) == 20
