"""What a model is, how it is trained and how it writes: three frozen dataclasses that check themselves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Interval

from minrnn.checked import Checked
from minrnn.errors import ConfigError
from minrnn.settings import MAX_CONTEXT, MAX_NEW_TOKENS, MAX_VOCAB

BlockKind = Literal["residual", "plain"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DtypeName = Literal["auto", "float32", "bfloat16"]
OptimizerName = Literal["adamw", "muon"]


Count = Annotated[int, Interval(ge=0, le=10**9)]
Probability = Annotated[float, Interval(ge=0, le=0.95)]
"""Probability of dropping something; with 1 nothing would be left."""
Seed = Annotated[int, Interval(ge=0, le=2**31 - 1)]


@dataclass(frozen=True)
class MixerOptions(Checked):
    """The choices that one kind of mixer offers. Each mixer declares its own subclass."""


@dataclass(frozen=True)
class ModelConfig(Checked):
    """The shape of a model. Together with the weights it is the whole model.

    Attributes:
        mixer: name of the layer that mixes over time, a key of `minrnn.models.MIXERS`.
        vocab: the characters the model knows; a character's id is its index in the string.
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
    block_size: Annotated[int, Interval(ge=1, le=65_536)] = 256
    n_layer: Annotated[int, Interval(ge=1, le=64)] = 3
    n_embd: Annotated[int, Interval(ge=1, le=4_096)] = 256
    mlp_ratio: Annotated[float, Interval(ge=0, le=16)] = 4.0
    conv_kernel: Annotated[int, Interval(ge=0, le=64)] = 4
    dropout: Probability = 0.0
    embedding_dropout: Probability = 0.0
    locked_dropout: bool = False
    block: BlockKind = "residual"
    bias: bool = True
    tie_head: bool = False
    options: MixerOptions | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.vocab) > MAX_VOCAB:
            raise ConfigError(
                f"vocab size is {len(self.vocab):,}; at most {MAX_VOCAB:,} characters are allowed."
            )
        if len(set(self.vocab)) < len(self.vocab):
            raise ConfigError("vocab names a character twice; name each character once.")
        if halves := [char for char in self.vocab if "\ud800" <= char <= "\udfff"]:
            raise ConfigError(f"vocab holds {halves[0]!r}, half a surrogate pair, which is no character.")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, as they stand in config.json."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class TrainConfig(Checked):
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
        target_val_loss: stop once an evaluation is at or below it, in nats per character; 0 is off. It needs an
            `eval_interval`.
        ema_decay: decay an iter of the moving average of the weights that becomes the checkpoint;
            0 keeps the raw weights.
        init_std: draw every weight from a normal with this standard deviation; 0 keeps the model's own.
        eval_interval: iters between evaluations; 0 evaluates at the end only.
        eval_chars: characters scored while training, in windows spread over the validation split; of a task, in whole
            texts, 2,500 at most.
        score_chars: characters of the validation split scored at the end, in windows spread over it; 0 scores all.
        sample_interval: iters between samples; 0 is off.
        sample_chars: length of a sample, in characters.
        save_seconds: seconds of training between saves, besides those at evaluations.
        teacher_share: how much of the target comes from the run's teachers, the rest from the text; without teachers
            it has no effect.
        score_train: score the whole training split at the end, too.
        score_seconds: end the scoring at the end after so long and keep what is known by then; 0 means no limit.
        seed: of the weights, the data order and dropout.
        device: "auto" picks CUDA, then Apple's MPS, then the CPU.
        dtype: of the matrix products; "auto" picks bfloat16 where the hardware multiplies it natively.
        compile: let torch.compile fuse the training on CUDA; where it cannot, the model is trained as it is.
    """

    optimizer: OptimizerName = "adamw"
    learning_rate: Annotated[float, Interval(ge=1e-9, le=10)] = 3e-3
    min_lr_ratio: Annotated[float, Interval(ge=0, le=1)] = 0.05
    warmup_iters: Count = 100
    weight_decay: Annotated[float, Interval(ge=0, le=10)] = 0.1
    beta1: Annotated[float, Interval(ge=0, le=0.9999)] = 0.9
    beta2: Annotated[float, Interval(ge=0, le=0.99999)] = 0.99
    grad_clip: Annotated[float, Interval(ge=0, le=1e6)] = 1.0
    batch_size: Annotated[int, Interval(ge=1, le=65_536)] = 32
    max_iters: Count = 2_000
    max_seconds: Annotated[float, Interval(ge=0, le=1e9)] = 0.0
    target_val_loss: Annotated[float, Interval(ge=0, le=100)] = 0.0
    ema_decay: Annotated[float, Interval(ge=0, le=0.99999)] = 0.995
    init_std: Annotated[float, Interval(ge=0, le=100)] = 0.0
    eval_interval: Count = 100
    eval_chars: Annotated[int, Interval(ge=1, le=10**9)] = 16_384
    score_chars: Count = 0
    sample_interval: Count = 500
    sample_chars: Annotated[int, Interval(ge=1, le=MAX_NEW_TOKENS)] = 200
    save_seconds: Annotated[float, Interval(ge=0, le=86_400)] = 30.0
    teacher_share: Annotated[float, Interval(ge=0, le=1)] = 0.5
    score_train: bool = False
    score_seconds: Annotated[float, Interval(ge=0, le=1e9)] = 0.0
    seed: Seed = 1337
    device: DeviceName = "auto"
    dtype: DtypeName = "auto"
    compile: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.max_iters and not self.max_seconds and not self.target_val_loss:
            raise ConfigError(
                "max_iters, max_seconds and target_val_loss are all 0, so the run would never end; "
                "set at least one of them."
            )
        if self.target_val_loss and not self.eval_interval:
            raise ConfigError(
                f"target_val_loss is {self.target_val_loss:g} and eval_interval is 0, so no evaluation would look "
                "whether it is reached; set eval_interval to the iters between evaluations, such as 100."
            )


@dataclass(frozen=True)
class Sampling(Checked):
    """How the next character is drawn.

    Attributes:
        max_new_tokens: characters to write.
        temperature: divides the logits; 0 always takes the likeliest character.
        top_k: keep the k likeliest characters only; 0 is off.
        top_p: keep the likeliest characters that together reach this probability; 1 is off.
        seed: the same seed gives the same text.
        context: characters that the model may see when it draws the next one; 0 is all of them.
        finish_line: further characters, at most, that are written to reach the end of a line.
    """

    max_new_tokens: Annotated[int, Interval(ge=1, le=MAX_NEW_TOKENS)] = 300
    temperature: Annotated[float, Interval(ge=0, le=10)] = 0.8
    top_k: Annotated[int, Interval(ge=0, le=MAX_VOCAB)] = 0
    top_p: Annotated[float, Interval(ge=0, le=1)] = 1.0
    seed: Seed = 0
    context: Annotated[int, Interval(ge=0, le=MAX_CONTEXT)] = 0
    finish_line: Annotated[int, Interval(ge=0, le=1_000)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.top_p > 0:
            raise ConfigError("top_p is 0, which keeps no character; use 1 to turn it off.")
