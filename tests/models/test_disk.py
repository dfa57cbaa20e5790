"""Loading trusts nothing: each thing that can be wrong with a checkpoint has its own clear refusal."""

import json
import os
import pickle
import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError
from minrnn.models import MIXERS, LanguageModel, disk
from minrnn.settings import MAX_JSON_BYTES, MAX_PARAMS

ALIGNMENT = 64
"""Bytes at whose multiples torch allocates on a CPU."""
VOCAB = string.ascii_lowercase
every_mixer = pytest.mark.parametrize("mixer", list(MIXERS))


def small(mixer: str = "mingru") -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(ModelConfig(mixer, VOCAB, block_size=8, n_layer=1, n_embd=16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good checkpoint of a small minGRU, to be spoilt."""
    small().save(tmp_path / "model")
    return tmp_path / "model"


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / disk.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_weights(folder: Path, change: Callable[[dict[str, Tensor]], Any]) -> None:
    weights = load_file(folder / disk.WEIGHTS)
    change(weights)
    save_file(weights, folder / disk.WEIGHTS)


def refusal(folder: Path | str) -> str:
    with pytest.raises(CheckpointError) as caught:
        LanguageModel.from_pretrained(folder)
    return str(caught.value)


@every_mixer
def test_what_is_written_is_two_plain_files(mixer: str, tmp_path: Path) -> None:
    small(mixer).save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    assert json.loads((tmp_path / "config.json").read_text())["mixer"] == mixer


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_files_have_the_permissions_of_any_new_file(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        small().save(tmp_path / "one")
        small().save_pretrained(tmp_path / "two")
    finally:
        os.umask(before)
    found = [path for path in tmp_path.glob("*/*") if path.name in (disk.CONFIG, disk.WEIGHTS)]
    assert [path.stat().st_mode & 0o777 for path in found] == [mode] * 4


@every_mixer
def test_weights_are_aligned_as_torch_allocates_them(mixer: str, tmp_path: Path) -> None:
    small(mixer).save(tmp_path)
    weights = LanguageModel.from_pretrained(tmp_path).state_dict().values()
    assert [w.data_ptr() % ALIGNMENT for w in weights] == [0] * len(weights)


@every_mixer
def test_writing_twice_gives_the_same_bytes(mixer: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        small(mixer).save(tmp_path / name)
    for name in (disk.CONFIG, disk.WEIGHTS):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@every_mixer
def test_a_config_survives_as_plain_data(mixer: str) -> None:
    config = small(mixer).config
    odd = replace(config, vocab='a"\\\n\té—😀', dropout=0.25, mlp_ratio=1, tie_head=True)
    assert disk.config_from_dict(json.loads(json.dumps(odd.to_dict()))) == odd


def test_weights_in_half_precision_are_read_as_float32(folder: Path) -> None:
    change_weights(folder, lambda w: w.update({name: t.bfloat16() for name, t in w.items()}))
    assert {p.dtype for p in LanguageModel.from_pretrained(folder).parameters()} == {torch.float32}


def test_a_folder_without_a_file_is_named_with_it(folder: Path) -> None:
    (folder / disk.WEIGHTS).unlink()
    assert f"{folder} holds no model.safetensors" in refusal(folder)
    (folder / disk.CONFIG).unlink()
    assert f"{folder} holds no config.json" in refusal(folder)


@pytest.mark.parametrize("source", ["no/such/folder", "", "a b/c", "../x", "user/repo/"])
def test_what_is_neither_folder_nor_repo_is_called_so(source: str) -> None:
    assert "neither a folder on this machine nor a Hub repo of the form user/repo" in refusal(source)


def test_pickled_weights_are_never_opened(folder: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (folder / "sprung",)

    (folder / disk.WEIGHTS).write_bytes(pickle.dumps(Trap()))
    assert "model.safetensors is not a whole safetensors file" in refusal(folder)
    (folder / disk.WEIGHTS).rename(folder / "pytorch_model.bin")
    assert "holds no model.safetensors" in refusal(folder)
    assert not (folder / "sprung").exists()


@pytest.mark.parametrize("kept", [0, 5, 8, 100, -1])
def test_half_a_download_is_refused(folder: Path, kept: int) -> None:
    path = folder / disk.WEIGHTS
    path.write_bytes(path.read_bytes()[:kept])
    assert "model.safetensors is not a whole safetensors file" in refusal(folder)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"n_embd": ' + "9" * 5_000 + "}", "\udcff"])
def test_a_config_that_is_not_json_is_refused(folder: Path, text: str) -> None:
    (folder / disk.CONFIG).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert "config.json is not JSON" in refusal(folder)


@pytest.mark.parametrize(
    "text", ["[]", "null", "3", '"mingru"', "{}", '{"model_type": "gpt2", "n_embd": 768}']
)
def test_another_librarys_config_is_refused(folder: Path, text: str) -> None:
    (folder / disk.CONFIG).write_text(text)
    assert "not a minRNN model" in refusal(folder)


def test_an_endless_config_is_not_read(folder: Path) -> None:
    change_config(folder, vocab="a" * MAX_JSON_BYTES)
    assert "at most 1,000,000 are read" in refusal(folder)


def test_unknown_keys_are_named(folder: Path) -> None:
    change_config(folder, window=3, auto_map={})
    assert "unknown keys 'auto_map, window'" in refusal(folder)


def test_unknown_options_are_named(folder: Path) -> None:
    change_config(folder, options={"n_head": 4})
    assert "unknown keys 'n_head'" in refusal(folder)


def test_an_unknown_mixer_is_named_with_the_known_ones(folder: Path) -> None:
    change_config(folder, mixer="no_such_model")
    assert "mixer 'no_such_model' is not known; choose one of: " in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mixer", ["mingru"]),
        ("vocab", 65),
        ("vocab", ["a", "b"]),
        ("block_size", "256"),
        ("n_layer", 2.5),
        ("n_layer", True),
        ("n_embd", None),
        ("mlp_ratio", "4"),
        ("block", 1),
        ("bias", 1),
        ("tie_head", None),
        ("options", []),
        ("options", "none"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(folder: Path, key: str, value: Any) -> None:
    change_config(folder, **{key: value})
    assert key in refusal(folder).lower()


def test_a_whole_number_may_be_written_with_a_point(folder: Path) -> None:
    change_config(folder, n_layer=1.0)
    assert LanguageModel.from_pretrained(folder).config.n_layer == 1


def test_half_a_surrogate_pair_in_a_vocabulary_is_one_clear_error(folder: Path) -> None:
    change_config(folder, vocab=VOCAB[:-1] + "\ud83d")
    message = refusal(folder)
    assert message == r"config.json: vocab holds '\ud83d', half a surrogate pair, which is no character."


@pytest.mark.parametrize("value", [float("nan"), True, "2", None])
def test_an_option_of_the_wrong_type_is_named(folder: Path, value: Any) -> None:
    change_config(folder, options={"expansion": value})
    assert "expansion is " in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("n_layer", 0),
        ("n_layer", 10**9),
        ("n_embd", 10**300),
        ("n_embd", -1),
        ("block_size", 0),
        ("block_size", 10**12),
        ("conv_kernel", -1),
        ("conv_kernel", 10**9),
        ("mlp_ratio", float("inf")),
        ("mlp_ratio", float("nan")),
        ("dropout", 1.0),
        ("vocab", "".join(map(chr, range(5_000)))),
        ("vocab", ""),
        ("vocab", "abca"),
        ("block", "sandwich"),
    ],
)
def test_a_value_out_of_range_is_named(folder: Path, key: str, value: Any) -> None:
    change_config(folder, **{key: value})
    assert key in refusal(folder)


@every_mixer
def test_absurd_sizes_are_refused_before_anything_is_allocated(mixer: str, tmp_path: Path) -> None:
    small(mixer).save(tmp_path)
    change_config(tmp_path, n_layer=64, n_embd=4_096, block_size=65_536)
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = refusal(tmp_path)
    assert f"at most {MAX_PARAMS:,} are loaded" in message
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000, f"peak memory rose by {grown} kB"


@every_mixer
def test_sizes_that_the_file_does_not_hold_are_refused_by_name(mixer: str, tmp_path: Path) -> None:
    small(mixer).save(tmp_path)
    change_config(tmp_path, n_embd=1_024)
    assert "the config asks for" in refusal(tmp_path)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    small("lstm").save(folder.parent / "lstm")
    (folder.parent / "lstm" / disk.WEIGHTS).replace(folder / disk.WEIGHTS)
    assert "is it another architecture's?" in refusal(folder)


def test_a_missing_weight_is_named(folder: Path) -> None:
    change_weights(folder, lambda w: w.pop("head.weight"))
    assert "lacks head.weight (1 in all)" in refusal(folder)


def test_a_weight_too_many_is_named(folder: Path) -> None:
    change_weights(folder, lambda w: w.update(extra=torch.zeros(3)))
    assert "holds 'extra', which a model of this config has not" in refusal(folder)


def test_a_weight_of_the_wrong_shape_is_named_with_both(folder: Path) -> None:
    change_weights(folder, lambda w: w.update({"head.bias": torch.zeros(27)}))
    assert "head.bias is (27,); the config asks for (26,)" in refusal(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_not_finite_is_named(folder: Path, value: float) -> None:
    change_weights(folder, lambda w: w["norm.weight"].fill_(value))
    assert "norm.weight holds values that are not finite numbers" in refusal(folder)


def test_a_weight_that_is_finite_and_no_trained_one_is_named(folder: Path) -> None:
    change_weights(folder, lambda w: w["norm.weight"].fill_(1e30))
    assert "norm.weight holds values that are not finite numbers of a trained model" in refusal(folder)


@every_mixer
@pytest.mark.parametrize("scale", [1e17, 1e9])
def test_weights_too_large_to_compute_with_are_refused(mixer: str, scale: float, folder: Path) -> None:
    small(mixer).save(folder)
    change_weights(folder, lambda w: w.update({name: torch.randn(t.shape) * scale for name, t in w.items()}))
    assert "the model computes no finite numbers" in refusal(folder)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_a_weight_that_is_no_real_number_is_named(folder: Path, dtype: torch.dtype) -> None:
    change_weights(folder, lambda w: w.update({"head.bias": torch.zeros(26, dtype=dtype)}))
    assert "head.bias holds values that are not finite numbers" in refusal(folder)


def test_a_weight_of_eight_bits_is_checked_like_any_other(folder: Path) -> None:
    change_weights(
        folder, lambda w: w.update({"head.bias": torch.full((26,), torch.nan).to(torch.float8_e5m2)})
    )
    assert "head.bias holds values that are not finite numbers" in refusal(folder)


def test_a_number_too_large_for_float32_is_not_finite(folder: Path) -> None:
    huge = torch.full((26,), 1e300, dtype=torch.float64)
    change_weights(folder, lambda w: w.update({"head.bias": huge}))
    assert "head.bias holds values that are not finite numbers" in refusal(folder)


def test_a_config_can_be_checked_without_weights() -> None:
    with pytest.raises(ConfigError, match="unknown keys 'colour'"):
        disk.config_from_dict({"mixer": "mingru", "colour": "red"})
