import pytest
import torch
from torch import Tensor

from minrnn import presets
from minrnn.config import ModelConfig, TrainConfig
from minrnn.models import MIXERS, LanguageModel
from minrnn.optimizers import Optimizers, hidden_matrices, learning_rate

ADAMW = TrainConfig(optimizer="adamw", weight_decay=0)
MUON = TrainConfig(optimizer="muon", weight_decay=0)


def small(mixer: str = "mingru") -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(ModelConfig(mixer, "abcdefgh", n_layer=2, n_embd=32, block_size=16, mlp_ratio=2))


def first_updates(model: LanguageModel, config: TrainConfig, rate: float = 0.01) -> dict[str, Tensor]:
    """How far the first step moves every weight."""
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    idx = torch.arange(48).remainder(8).view(3, 16)
    model(idx)[0].log_softmax(-1)[..., 0].mean().backward()
    Optimizers(model, config).step(rate)
    return {name: p.detach() - before[name] for name, p in model.named_parameters()}


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("config", [ADAMW, MUON], ids=["adamw", "muon"])
def test_every_weight_is_in_one_optimiser(mixer: str, config: TrainConfig) -> None:
    model = small(mixer)
    groups = [group for part in Optimizers(model, config).parts for group in part.param_groups]
    assert sorted(id(p) for g in groups for p in g["params"]) == sorted(id(p) for p in model.parameters())


@pytest.mark.parametrize("mixer", MIXERS)
def test_muon_is_for_the_matrices_inside_the_blocks(mixer: str) -> None:
    model = small(mixer)
    names = {id(p): name for name, p in model.named_parameters()}
    chosen = {names[id(p)] for p in hidden_matrices(model)}
    assert chosen
    assert all(name.startswith("blocks.") and name.endswith(("weight", "_l0")) for name in chosen)
    assert not any("conv" in name or "norm" in name for name in chosen)


def spread(matrix: Tensor) -> float:
    """How much stronger the first of the eight leading directions is than the last."""
    strengths = torch.linalg.svdvals(matrix)
    return float(strengths[0] / strengths[7])


def test_muon_moves_a_matrix_alike_in_every_direction() -> None:
    name = "blocks.0.mlp.0.weight"
    assert spread(first_updates(small(), MUON)[name]) < 2
    assert spread(first_updates(small(), ADAMW)[name]) > 4


def test_muon_steps_as_far_as_adamw_would() -> None:
    update = first_updates(small(), MUON)["blocks.0.mlp.0.weight"]
    strongest = torch.linalg.svdvals(update)[0]
    assert float(strongest) == pytest.approx(0.01 * 0.2 * 64**0.5, rel=0.2)


def test_outside_the_blocks_muon_leaves_the_step_to_adamw() -> None:
    ours, plain = first_updates(small(), MUON), first_updates(small(), ADAMW)
    for name in ("embedding.weight", "head.weight", "norm.weight", "blocks.0.mlp.0.bias"):
        torch.testing.assert_close(ours[name], plain[name])


def test_a_step_forgets_the_gradients() -> None:
    model = small()
    first_updates(model, MUON)
    assert all(p.grad is None for p in model.parameters())


def test_decay_spares_the_vectors() -> None:
    decays = {p.ndim >= 2: g["weight_decay"] for g in _groups(TrainConfig()) for p in g["params"]}
    assert decays == {True: 0.1, False: 0.0}


def _groups(config: TrainConfig) -> list[dict[str, list[Tensor]]]:
    return [group for part in Optimizers(small(), config).parts for group in part.param_groups]


def test_the_rate_warms_up_and_falls_by_the_budget_that_is_further_spent() -> None:
    config = TrainConfig(learning_rate=1.0, warmup_iters=9, max_iters=109, max_seconds=1e6, min_lr_ratio=0.1)
    assert [learning_rate(config, iter, 0) for iter in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert learning_rate(config, 109, 0) == pytest.approx(0.1)
    assert learning_rate(config, 9, 1e6) == pytest.approx(0.1)
    assert learning_rate(config, 59, 0) == pytest.approx(0.55)


def test_a_budget_in_seconds_reaches_the_peak_however_few_iters_it_holds() -> None:
    config = TrainConfig(learning_rate=1.0, warmup_iters=100, max_iters=0, max_seconds=60)
    slow = [learning_rate(config, iter, 3.0 * iter) for iter in range(20)]  # twenty iters in a minute
    assert slow[0] < 0.02
    assert max(slow) == pytest.approx(1.0, abs=0.02)
    assert slow[1] == max(slow)


def test_what_comes_before_the_first_update_is_part_of_the_budget_but_not_of_the_warm_up() -> None:
    config = TrainConfig(learning_rate=1.0, warmup_iters=100, max_iters=0, max_seconds=60)
    rates = [learning_rate(config, n, 20.0 + 1.5 * n, began=20.0) for n in range(3)]
    assert rates[0] == pytest.approx(1 / 101)
    assert rates[1] == pytest.approx(0.5)  # of a warm-up of three seconds
    assert rates[2] == pytest.approx(learning_rate(config, 100, 23.0)) and rates[2] < 0.7  # the cosine's


def test_a_fast_machine_warms_up_by_iters_though_the_budget_is_in_seconds() -> None:
    config = TrainConfig(learning_rate=1.0, warmup_iters=9, max_iters=0, max_seconds=1e6)
    assert learning_rate(config, 9, 0.1) == pytest.approx(1.0)


def test_without_iters_or_seconds_the_rate_stays_at_its_peak() -> None:
    config = TrainConfig(learning_rate=1.0, warmup_iters=9, max_iters=0, target_val_loss=1)
    assert learning_rate(config, 10_000, 1e5) == pytest.approx(1.0)


def peak(config: TrainConfig, iters: int, iter_s: float) -> float:
    """The highest rate of a run whose iters take so long, as a share of the recipe's."""
    return max(learning_rate(config, n, n * iter_s) for n in range(iters)) / config.learning_rate


@pytest.mark.parametrize("iter_s", [0.01, 0.5, 5.0])
def test_a_budget_in_seconds_leaves_the_warm_up_behind_on_a_slow_machine_too(iter_s: float) -> None:
    config = TrainConfig(max_iters=0, max_seconds=60, warmup_iters=100)
    assert peak(config, int(60 / iter_s), iter_s) > 0.9


@pytest.mark.parametrize("iters", [2, 10, 30, 2_000])
def test_a_small_budget_in_iters_leaves_the_warm_up_behind(iters: int) -> None:
    assert peak(TrainConfig(max_iters=iters, warmup_iters=100), iters, 0.0) > 0.9


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_the_presets_warm_up_as_they_always_did(preset: str) -> None:
    for found in presets.PRESETS[preset].values():
        config = found.train
        first = config.learning_rate / (config.warmup_iters + 1)
        assert learning_rate(config, 0, 0.0) == pytest.approx(first)
        assert learning_rate(config, config.warmup_iters, 0.0) == pytest.approx(config.learning_rate)
