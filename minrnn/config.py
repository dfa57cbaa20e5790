"""What a model is, how it is trained and how it writes: three frozen dataclasses that check themselves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from minrnn.errors import ConfigError
from minrnn.settings import MAX_NEW_TOKENS, MAX_VOCAB

BlockKind = Literal["residual", "plain"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DtypeName = Literal["auto", "float32", "bfloat16"]
OptimizerName = Literal["adamw", "muon"]


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError unless low <= value <= high (NaN fails)."""
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}; it must lie between {low:g} and {high:g}.")


@dataclass(frozen=True)
class MixerOptions:
    """What one kind of mixer lets one choose. Each mixer declares its own subclass."""


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a model. Together with the weights it is the whole model.

    Attributes:
        mixer: name of the layer that mixes over time, a key of `minrnn.models.MIXERS`.
        vocab: the characters the model knows; a character's id is its place in the string.
        block_size: training window, in characters.
        n_layer: blocks.
        n_embd: width of the residual stream, in channels.
        mlp_ratio: hidden width of a block's MLP, as a multiple of `n_embd`; 0 leaves the MLP out.
        conv_kernel: taps of the causal convolution before the mixer; 0 leaves it out.
        dropout: probability of dropping an activation of a mixer or an MLP while training.
        embedding_dropout: probability of dropping an activation of the embedding while training.
        locked_dropout: whether what a mixer's or an MLP's dropout drops stays dropped over a whole window.
        block: "residual" (norm, residual, MLP) or "plain" (the mixer alone, as in the replication).
        bias: whether linear layers and norms add a bias.
        tie_head: whether the output layer shares the embedding's weights.
        options: the mixer's own choices; None stands for its defaults.
    """

    mixer: str
    vocab: str = ""
    block_size: int = 256
    n_layer: int = 3
    n_embd: int = 256
    mlp_ratio: float = 4.0
    conv_kernel: int = 4
    dropout: float = 0.0
    embedding_dropout: float = 0.0
    locked_dropout: bool = False
    block: BlockKind = "residual"
    bias: bool = True
    tie_head: bool = False
    options: MixerOptions | None = None

    def __post_init__(self) -> None:
        check_range("vocab size", len(self.vocab), 0, MAX_VOCAB)
        if len(set(self.vocab)) < len(self.vocab):
            raise ConfigError("vocab names a character twice; every character must stand in it once.")
        check_range("block_size", self.block_size, 1, 65_536)
        check_range("n_layer", self.n_layer, 1, 64)
        check_range("n_embd", self.n_embd, 1, 4_096)
        check_range("mlp_ratio", self.mlp_ratio, 0, 16)
        check_range("conv_kernel", self.conv_kernel, 0, 64)
        check_range("dropout", self.dropout, 0, 0.95)
        check_range("embedding_dropout", self.embedding_dropout, 0, 0.95)
        if self.block not in ("residual", "plain"):
            raise ConfigError(f"block is {self.block!r}; choose 'residual' or 'plain'.")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, as they stand in config.json."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class TrainConfig:
    """The recipe and budget of one training run.

    Attributes:
        optimizer: "adamw", or "muon" for the matrices inside the blocks and AdamW for everything else.
        learning_rate: the optimisers' rate after the warm-up.
        min_lr_ratio: the rate at the end of the cosine, as a share of `learning_rate`.
        warmup_iters: iters over which the rate rises linearly.
        weight_decay: decoupled, applied to matrices only.
        beta1: AdamW's decay of the mean gradient.
        beta2: AdamW's decay of the mean squared gradient.
        grad_clip: largest norm of the whole gradient; 0 turns clipping off.
        batch_size: windows an iter.
        max_iters: budget in optimiser updates; 0 means no limit.
        max_seconds: budget in seconds of training; 0 means no limit.
        target_val_loss: stop once an evaluation is at or below it, in nats per character; 0 is off.
        ema_decay: decay an iter of the moving average of the weights that becomes the checkpoint;
            0 keeps the raw weights.
        init_std: draw every weight from a normal with this standard deviation; 0 keeps the model's own.
        eval_interval: iters between evaluations; 0 evaluates at the end only.
        eval_chars: characters scored while training, in windows spread over the validation split.
        sample_interval: iters between samples; 0 is off.
        sample_chars: length of a sample, in characters.
        save_seconds: seconds of training between saves, besides those at evaluations.
        score_train: score the whole training split at the end, too.
        seed: of the weights, the data order and dropout.
        device: "auto" picks CUDA, then Apple's MPS, then the CPU.
        dtype: of the matrix products; "auto" picks bfloat16 where the hardware multiplies it natively.
    """

    optimizer: OptimizerName = "adamw"
    learning_rate: float = 3e-3
    min_lr_ratio: float = 0.05
    warmup_iters: int = 100
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.99
    grad_clip: float = 1.0
    batch_size: int = 32
    max_iters: int = 2_000
    max_seconds: float = 0.0
    target_val_loss: float = 0.0
    ema_decay: float = 0.995
    init_std: float = 0.0
    eval_interval: int = 100
    eval_chars: int = 16_384
    sample_interval: int = 500
    sample_chars: int = 200
    save_seconds: float = 30.0
    score_train: bool = False
    seed: int = 1337
    device: DeviceName = "auto"
    dtype: DtypeName = "auto"

    def __post_init__(self) -> None:
        if self.optimizer not in ("adamw", "muon"):
            raise ConfigError(f"optimizer is {self.optimizer!r}; choose 'adamw' or 'muon'.")
        check_range("learning_rate", self.learning_rate, 1e-9, 10)
        check_range("min_lr_ratio", self.min_lr_ratio, 0, 1)
        check_range("warmup_iters", self.warmup_iters, 0, 10**9)
        check_range("weight_decay", self.weight_decay, 0, 10)
        check_range("beta1", self.beta1, 0, 0.9999)
        check_range("beta2", self.beta2, 0, 0.99999)
        check_range("grad_clip", self.grad_clip, 0, 1e6)
        check_range("batch_size", self.batch_size, 1, 65_536)
        check_range("max_iters", self.max_iters, 0, 10**9)
        check_range("max_seconds", self.max_seconds, 0, 10**9)
        check_range("target_val_loss", self.target_val_loss, 0, 100)
        check_range("ema_decay", self.ema_decay, 0, 0.99999)
        check_range("init_std", self.init_std, 0, 100)
        for name in ("eval_interval", "sample_interval"):
            check_range(name, getattr(self, name), 0, 10**9)
        check_range("eval_chars", self.eval_chars, 1, 10**9)
        check_range("sample_chars", self.sample_chars, 1, MAX_NEW_TOKENS)
        check_range("save_seconds", self.save_seconds, 0, 86_400)
        check_range("seed", self.seed, 0, 2**31 - 1)
        if not self.max_iters and not self.max_seconds and not self.target_val_loss:
            raise ConfigError(
                "max_iters, max_seconds and target_val_loss are all 0, so the run would never end; "
                "set at least one of them."
            )


@dataclass(frozen=True)
class Sampling:
    """How the next character is drawn.

    Attributes:
        max_new_tokens: characters to write.
        temperature: divides the logits; 0 always takes the likeliest character.
        top_k: keep the k likeliest characters only; 0 is off.
        top_p: keep the likeliest characters that together reach this probability; 1 is off.
        seed: the same seed gives the same text.
    """

    max_new_tokens: int = 300
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("max_new_tokens", self.max_new_tokens, 1, MAX_NEW_TOKENS)
        check_range("temperature", self.temperature, 0, 10)
        check_range("top_k", self.top_k, 0, MAX_VOCAB)
        check_range("top_p", self.top_p, 0, 1)
        check_range("seed", self.seed, 0, 2**31 - 1)
        if not self.top_p > 0:
            raise ConfigError("top_p is 0, which keeps no character; use 1 to turn it off.")
