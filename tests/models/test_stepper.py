"""The step of every mixer, against its `forward`."""

import dataclasses
import gc
import sys
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from minrnn.config import MixerOptions, ModelConfig
from minrnn.models import MIXERS, MODEL_NAMES, Committee, LanguageModel, Mixer, state_bytes
from minrnn.models.committee import CharModel
from minrnn.models.minlstm import MinLSTMOptions
from minrnn.models.mixer import tensors
from minrnn.models.stepper import Stepper, Steps, can_step
from minrnn.models.window import starts_again
from tests.models.small import VOCAB, assert_same_state, build, every_mixer, ids, mixer_of

SHAPES: list[dict[str, Any]] = [
    {},
    {"block": "plain", "mlp_ratio": 0.0},
    {"block": "plain", "mlp_ratio": 0.0, "conv_kernel": 0, "bias": False},
    {"conv_kernel": 0, "bias": False, "tie_head": True, "n_layer": 4},
    {"conv_kernel": 1, "mlp_ratio": 0.5, "block_size": 7},
    {"mlp_ratio": 0.0, "block_size": 1, "n_layer": 1},
]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
CHOICES: dict[str, list[Any]] = {
    "decay": ["sigmoid", "signed"],
    "normalised": [True, False],
    "expansion": [1.0, 1.5],
    "n_head": [1, 4],
}


def options_of(mixer: str) -> list[MixerOptions]:
    """Every choice of every option of a mixer that changes what it computes, with the others at their defaults."""
    kind = MIXERS[mixer].Options
    names = [field.name for field in dataclasses.fields(kind) if field.name in CHOICES]
    pairs = [(a, b) for a in names for b in names if a <= b]
    made = {kind(): None}
    for a, b in pairs:
        made |= {kind(**{a: x, b: y}): None for x in CHOICES[a] for y in CHOICES[b]}
    return list(made)


def stepped(steps: Steps, idx: Tensor) -> Tensor:
    """The logits of one text's steps, (T, vocab_size)."""
    return torch.from_numpy(np.stack([steps(token).copy() for token in idx[0].tolist()]))


def assert_steps_as_forward(model: CharModel, chars: int = 300, prompt: int = 5) -> None:
    idx = ids(1, chars)
    with torch.inference_mode():
        wanted, after = model(idx)
        _, state = model(idx[:, :prompt])
    steps = Stepper(model).begin(state)
    torch.testing.assert_close(stepped(steps, idx[:, prompt:]), wanted[0, prompt:], rtol=2e-5, atol=2e-5)
    assert_same_state(steps.state(), after)
    assert steps.state_bytes == state_bytes(after)


@every_mixer
@every_shape
def test_steps_give_the_logits_and_the_state_of_forward(mixer: str, shape: dict[str, Any]) -> None:
    assert_steps_as_forward(build(mixer, **shape))


@pytest.mark.parametrize(
    ("mixer", "options"), [(name, o) for name in MIXERS for o in options_of(name)], ids=str
)
def test_steps_follow_every_option(mixer: str, options: MixerOptions) -> None:
    assert_steps_as_forward(build(mixer, options=options))


@every_mixer
def test_forward_goes_on_where_steps_have_stopped(mixer: str) -> None:
    model, idx = build(mixer), ids(1, 40)
    steps = Stepper(model).begin()
    stepped(steps, idx[:, :21])
    with torch.inference_mode():
        wanted = model(idx)[0][0, 21:]
        got = model(idx[:, 21:], steps.state())[0][0]
    torch.testing.assert_close(got, wanted, rtol=2e-5, atol=2e-5)


@every_mixer
def test_a_state_that_was_taken_stays_as_it_was(mixer: str) -> None:
    steps = Stepper(build(mixer)).begin()
    stepped(steps, ids(1, 3))
    taken = steps.state()
    before = [part.clone() for part in tensors(taken)]
    stepped(steps, ids(1, 3))
    assert all(a.equal(b) for a, b in zip(tensors(taken), before, strict=True))


@every_mixer
def test_steps_begin_where_the_text_begins(mixer: str) -> None:
    model, idx = build(mixer), ids(1, 4)
    with torch.inference_mode():
        wanted = model(idx)[0][0]
    torch.testing.assert_close(stepped(Stepper(model).begin(), idx), wanted, rtol=2e-5, atol=2e-5)


@every_mixer
def test_far_logits_of_the_gates_give_what_forward_gives(mixer: str) -> None:
    model = build(mixer)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".mixer." in name:
                weight *= 60
    idx = ids(1, 5)  # over more characters rounding grows, where a state feeds back through such weights
    with torch.inference_mode():
        wanted = model(idx)[0][0]
    got = stepped(Stepper(model).begin(), idx)
    assert got.isfinite().all()
    torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-3)


FAR = [
    (-45, -60),
    (-60, -45),
    (-90, -100),
    (-100, -90),
    (-30, -30),
    (-90, 60),
    (60, -90),
    (60, 90),
    (-300, -301),
]


@pytest.mark.parametrize("decay", ["sigmoid", "signed"])
@pytest.mark.parametrize(("forget", "input"), FAR)
def test_gates_that_sum_to_one_do_so_however_far_both_are_shut(decay: Any, forget: int, input: int) -> None:
    model = build("minlstm", options=MinLSTMOptions(decay=decay))
    with torch.no_grad():
        for layer in range(2):
            bias = mixer_of(model, layer).get_parameter("gates_and_candidate.bias")
            bias[:32] += torch.tensor([forget, input]).repeat_interleave(16)
    idx = ids(1, 40)
    with torch.inference_mode():
        wanted, after = model(idx)
    steps = Stepper(model).begin()
    torch.testing.assert_close(stepped(steps, idx), wanted[0], rtol=2e-5, atol=2e-5)
    assert_same_state(steps.state(), after)


def test_a_committee_can_step_if_every_member_can() -> None:
    members = [build(next(iter(MIXERS)), seed) for seed in range(2)]
    assert can_step(Committee(members))
    members[1].train()
    assert not can_step(Committee(members))


def test_a_committee_steps_every_member() -> None:
    assert_steps_as_forward(Committee([build(mixer, seed) for seed, mixer in enumerate(MIXERS)]), chars=60)


@every_mixer
def test_two_texts_at_once_do_not_disturb_each_other(mixer: str) -> None:
    stepper = Stepper(build(mixer))
    texts = [ids(1, 200, seed) for seed in range(4)]
    alone = [stepped(stepper.begin(), text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: stepped(stepper.begin(), text), texts))
    assert all(a.equal(b) for a, b in zip(alone, together, strict=True))


def test_what_the_model_learns_later_does_not_reach_its_stepper() -> None:
    model, idx = build(next(iter(MIXERS))), ids(1, 9)
    stepper = Stepper(model)
    before = stepped(stepper.begin(), idx)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    assert stepped(stepper.begin(), idx).equal(before)


def test_only_float32_on_the_cpu_in_evaluation_mode_can_step() -> None:
    model = LanguageModel(ModelConfig(next(iter(MIXERS)), VOCAB, n_embd=16))
    assert not can_step(model)
    assert can_step(model.eval())
    assert not can_step(model.to(torch.bfloat16))
    assert not can_step(model.to("meta", torch.float32))


@pytest.mark.parametrize("block_size", [1, 2, 7, 8])
def test_a_window_starts_again_once_it_is_full_and_then_every_half(block_size: int) -> None:
    at = [position for position in range(4 * block_size) if starts_again(position, block_size)]
    assert at == list(range(block_size, 4 * block_size, max(1, block_size // 2)))


OWN_STEP = [name for name, mixer in MIXERS.items() if mixer.prepare is not Mixer.prepare]


@pytest.mark.parametrize("mixer", OWN_STEP)
def test_a_long_text_takes_no_more_memory_than_a_short_one(mixer: str) -> None:
    steps = Stepper(build(mixer, n_layer=1)).begin()
    for token in range(100):  # past a window, with every buffer in place
        steps(token % 8)
    tracemalloc.start()
    try:
        steps(0)
        before, _ = tracemalloc.get_traced_memory()
        for token in range(10_000):
            steps(token % 8)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 50_000  # five bytes a step: an object a step would be 280 kB or more


def test_every_compared_model_has_a_step_of_its_own() -> None:
    assert set(MODEL_NAMES) <= set(OWN_STEP)


@pytest.mark.parametrize("mixer", OWN_STEP)
def test_a_block_takes_few_calls_a_character(mixer: str) -> None:
    """Beside the matrices, calls are what a character's time is made of."""
    assert blocks_calls(mixer, layers=3) - blocks_calls(mixer, layers=2) <= 30
    calls = [calls_of(Stepper(build(mixer, n_layer=layers, block_size=64)).begin()) for layers in (1, 3)]
    functions, builtins = ((calls[1][kind] - calls[0][kind]) / 2 for kind in ("call", "c_call"))
    assert functions <= 5
    assert builtins <= 16


def blocks_calls(mixer: str, layers: int) -> int:
    """The calls that a step is made of, most of them of NumPy's."""
    steps = Stepper(build(mixer, n_layer=layers)).begin()
    return len(getattr(steps, "calls"))  # noqa: B009


def calls_of(steps: Steps) -> Counter[str]:
    """The calls of one step: functions of Python's, and built-in functions and methods (ufuncs are neither)."""
    counted: Counter[str] = Counter()
    steps(0)
    sys.setprofile(lambda frame, event, arg: counted.update([event]))
    try:
        steps(1)
    finally:
        sys.setprofile(None)
    return counted


@every_mixer
def test_a_text_s_steps_are_freed_when_it_ends(mixer: str) -> None:
    stepper = Stepper(build(mixer).eval())
    gc.collect()
    gc.disable()
    try:
        steps = stepper.begin()
        steps(1)
        del steps
        assert gc.collect() == 0  # nothing waits for the collector: a text's buffers may hold megabytes
    finally:
        gc.enable()
