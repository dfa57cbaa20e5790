"""Making a model whose weights come from a file."""

import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.models.undrawn import Undrawn

READ = """
import sys
from minrnn.models import LanguageModel
models = [LanguageModel.from_pretrained(folder) for folder in sys.argv[1:]]
print(*(name for name in ("torch._dynamo", "sympy") if name in sys.modules))
"""


def test_nothing_is_drawn_while_it_is_entered() -> None:
    before = torch.random.get_rng_state()
    with Undrawn():
        nn.Linear(3, 4)
        nn.init.normal_(torch.zeros(3))
        torch.zeros(3).uniform_()
    assert torch.random.get_rng_state().equal(before)
    assert nn.Linear(3, 4).weight.std() > 0


def test_what_does_not_draw_is_called() -> None:
    with Undrawn():
        assert torch.ones(3).add_(1).tolist() == [2, 2, 2]


def test_reading_models_does_not_import_the_compiler(tmp_path: Path) -> None:
    for name in MODEL_NAMES:
        LanguageModel(ModelConfig(name, "ab", n_layer=1, n_embd=16)).save(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", READ, *(str(tmp_path / name) for name in MODEL_NAMES)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
