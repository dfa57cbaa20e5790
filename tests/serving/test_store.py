"""The models that a worker writes with."""

import torch

from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, Committee, LanguageModel
from minrnn.serving.store import Store, parts


def small(name: str) -> LanguageModel:
    return LanguageModel(ModelConfig(name, "\nab", n_layer=1, n_embd=16)).eval()


def test_weights_are_made_ready_once_and_a_committee_takes_its_members() -> None:
    torch.manual_seed(0)
    models = dict(enumerate(small(name) for name in MODEL_NAMES))
    store = Store(models)
    store.prepare()
    before = [store.get((number,))[1] for number in models]
    together, stepper = store.get(tuple(models))
    with torch.inference_mode():
        wanted = Committee(list(models.values()))(torch.tensor([[1]]))[0][0, 0]
    assert stepper is not None and parts(together) == list(models.values())
    assert torch.from_numpy(stepper.begin()(1)).allclose(wanted, atol=1e-5)
    assert [store.get((number,))[1] for number in models] == before


def test_a_model_that_cannot_step_has_no_weights_made_ready() -> None:
    store = Store({0: small("lstm").double(), 1: small("lstm")})
    assert store.get((0,))[1] is None and store.get((0, 1))[1] is None


def test_a_forgotten_model_may_come_back_with_other_weights() -> None:
    store = Store({0: small("lstm")})
    before = store.get((0,))
    store.forget([0, 7])
    store.put(0, new := small("lstm"))
    assert store.get((0,))[0] is new and store.get((0,))[1] is not before[1]
