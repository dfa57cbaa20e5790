"""One skeleton for all language models: embedding, blocks, norm, head. Only the mixer differs.

    idx (B, T) -> embedding (B, T, C) [+ positions] [-> dropout]
        -> n_layer blocks of  x + mixer(conv(norm(x)))  and  x + mlp(norm(x))
        -> norm -> head -> logits (B, T, vocab)

`mixer.py` says what a mixer is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError
from minrnn.models import disk, window
from minrnn.models.conv import CausalConv
from minrnn.models.dropout import Dropout
from minrnn.models.mixer import Look, State, mixer_class
from minrnn.models.undrawn import Undrawn


class MLP(nn.Sequential):
    """Linear, GELU (exact), linear."""

    def __init__(self, channels: int, hidden: int, bias: bool) -> None:
        super().__init__(nn.Linear(channels, hidden, bias), nn.GELU(), nn.Linear(hidden, channels, bias))


class Block(nn.Module):
    """norm -> [conv] -> mixer -> add, norm -> MLP -> add; or, where the config says "plain", [conv] -> mixer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.plain = config.block == "plain"
        hidden = 0 if self.plain else round(config.mlp_ratio * config.n_embd)
        self.norm = nn.Identity() if self.plain else nn.LayerNorm(config.n_embd, bias=config.bias)
        self.conv = CausalConv(config.n_embd, config.conv_kernel) if config.conv_kernel else None
        self.mixer = mixer_class(config.mixer)(config)
        self.mlp_norm = nn.LayerNorm(config.n_embd, bias=config.bias) if hidden else None
        self.mlp = MLP(config.n_embd, hidden, config.bias) if hidden else None
        self.dropout = Dropout(config.dropout, config.locked_dropout)

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Map x (B, T, C) and a state to y (B, T, C) and the state after the last step."""
        y, conv_state = self._mixer_input(x, state)
        y, mixer_state = self.mixer(y, None if state is None else state[1])
        x = self.dropout(y) if self.plain else x + self.dropout(y)
        if self.mlp is not None and self.mlp_norm is not None:
            x = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return x, (conv_state, mixer_state)

    def state_after(self, x: Tensor) -> State:
        """The state after x (B, T, C), from the start of a text."""
        y, conv_state = self._mixer_input(x, None)
        return conv_state, self.mixer(y)[1]

    def look(self, x: Tensor, state: State = None) -> Look | None:
        """What the mixer shows while `forward` reads the same; None if it shows nothing."""
        return self.mixer.look(self._mixer_input(x, state)[0], None if state is None else state[1])

    def _mixer_input(self, x: Tensor, state: State) -> tuple[Tensor, Tensor | None]:
        """What the mixer reads, (B, T, C), and the convolution's state after it."""
        y = self.norm(x)
        return (y, None) if self.conv is None else self.conv(y, None if state is None else state[0])


class LanguageModel(nn.Module, PyTorchModelHubMixin):
    """A character-level language model. config.json and model.safetensors are all of it.

    Args:
        config: the shape; its `options` are filled with the mixer's defaults if None.

    Raises:
        ConfigError: for an unknown mixer, an empty vocabulary, or options of another mixer.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = _complete(config)
        channels, size = config.n_embd, len(config.vocab)
        mixer = mixer_class(config.mixer)
        self.embedding = nn.Embedding(size, channels)
        self.positions = nn.Embedding(config.block_size, channels) if mixer.learned_positions else None
        self.dropout = Dropout(config.embedding_dropout)
        self.blocks = nn.ModuleList(Block(self.config) for _ in range(config.n_layer))
        self.norm = nn.Identity() if config.block == "plain" else nn.LayerNorm(channels, bias=config.bias)
        self.head = None if config.tie_head else nn.Linear(channels, size, bias=config.bias)
        mixer.initialise(self, self.config.options)

    def forward(self, idx: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Read ids, starting from a state. A text whole, in pieces, or one id at a time gives the same.

        Args:
            idx: (B, T) ids in [0, vocab_size), T >= 1.
            state: what the previous call returned; None at the start of a text.

        Returns:
            (B, T, vocab_size) logits of each next character, and the state after the last id.

        Raises:
            ValueError: if idx is not (B, T) with T >= 1.
        """
        if idx.ndim != 2 or idx.shape[1] == 0:
            raise ValueError(f"idx is {tuple(idx.shape)}; expected (B, T) with T >= 1.")
        if self.positions is not None:
            return window.read(self._encode, idx, state, self.config.block_size, self.encode_again)
        return self._encode(idx, state, 0)

    def look(self, idx: Tensor, state: State = None) -> tuple[Tensor, State, list[list[Look | None]]]:
        """Read as `forward` does, and let every layer's mixer show itself.

        Returns:
            Logits and state, as `forward` returns them, and what the layers show. A model with a window reads a
            longer text in pieces: there is one list for each piece, and in it one Look for each layer.
        """
        pieces: list[list[Look | None]] = []

        def encode(idx: Tensor, state: State, offset: int) -> tuple[Tensor, State]:
            pieces.append([])
            return self._encode(idx, state, offset, pieces[-1])

        if self.positions is None:
            return *encode(idx, state, 0), pieces
        return *window.read(encode, idx, state, self.config.block_size, self.encode_again), pieces

    def _encode(
        self, idx: Tensor, state: State, offset: int, looks: list[Look | None] | None = None
    ) -> tuple[Tensor, State]:
        """Logits and state; what each layer shows is added to `looks`, where there is such a list."""
        x = self.embedding(idx)
        if self.positions is not None:
            x = x + self.positions.weight[offset : offset + idx.shape[1]]
        x = self.dropout(x)
        states = state or (None,) * len(self.blocks)
        after = []
        for block, block_state in zip(self.blocks, states, strict=True):
            if looks is not None:
                looks.append(cast(Block, block).look(x, block_state))
            x, block_state = block(x, block_state)
            after.append(block_state)
        x = self.norm(x)
        logits = F.linear(x, self.embedding.weight) if self.head is None else self.head(x)
        return logits, tuple(after)

    def encode_again(self, idx: Tensor) -> State:
        """The blocks' state after ids (B, T) read from the window's start, without the logits and what only they need.

        The last block's MLP and the head read no state and leave none.
        """
        x = self.embedding(idx)
        if self.positions is not None:
            x = x + self.positions.weight[: idx.shape[1]]
        x, after = self.dropout(x), []
        *others, last = (cast(Block, block) for block in self.blocks)
        for block in others:
            x, state = block(x)
            after.append(state)
        return (*after, last.state_after(x))

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.embedding.weight.device

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return sum(p.numel() for p in self.parameters())

    @property
    def weight_bytes(self) -> int:
        """Bytes that the weights take in memory."""
        return sum(p.numel() * p.element_size() for p in self.parameters())

    def param_counts(self) -> dict[str, int]:
        """Where the weights sit: embedding (and positions), mixer (with its conv and norm), mlp, head (and norm)."""
        counts = {"embedding": 0, "mixer": 0, "mlp": 0, "head": 0}
        for name, p in self.named_parameters():
            part = name.split(".")[0]
            if part == "blocks":
                counts["mlp" if name.split(".")[2].startswith("mlp") else "mixer"] += p.numel()
            else:
                counts["head" if part in ("head", "norm") else "embedding"] += p.numel()
        return counts

    def with_vocab(self, vocab: str) -> LanguageModel:
        """A copy whose vocabulary begins with this one's and goes on; new rows start at the old rows' mean.

        Raises:
            ConfigError: if `vocab` does not begin with the model's own.
        """
        old = len(self.config.vocab)
        if vocab[:old] != self.config.vocab:
            raise ConfigError(
                "a vocabulary can only grow: the new one must begin with the model's own characters."
            )
        grown = LanguageModel(replace(self.config, vocab=vocab))
        kept = {name: w for name, w in self.state_dict().items() if w.shape == grown.state_dict()[name].shape}
        grown.load_state_dict(kept, strict=False)
        with torch.no_grad():
            for name, new in grown.state_dict().items():
                if name not in kept:
                    new[:old] = self.state_dict()[name]
                    new[old:] = new[:old].mean(dim=0)
        return grown

    def with_dropout(self, p: float) -> LanguageModel:
        """A copy that drops activations with probability p while training."""
        copy = LanguageModel(replace(self.config, dropout=p))
        copy.load_state_dict(self.state_dict())
        return copy

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors, each whole or not at all."""
        disk.write(folder, self.config, self.state_dict())

    def _save_pretrained(self, save_directory: Path) -> None:
        self.save(save_directory)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | Path, *, revision: str | None = None, **download: Any
    ) -> LanguageModel:
        """Load a model from a folder or a Hub repo, from safetensors only, checked before anything is allocated.

        Args:
            pretrained_model_name_or_path: a folder, or "user/repo".
            revision: branch, tag or commit of a repo; the newest of `main` if None.
            download: further arguments of `huggingface_hub.hf_hub_download` (token, cache_dir, …).

        Returns:
            The model on the CPU, in evaluation mode.

        Raises:
            HubError: if the repo cannot be reached or lacks a file.
            CheckpointError: if config or weights are not those of a model this code knows.
        """
        source = str(pretrained_model_name_or_path)
        config = disk.fetch_config(source, revision, **download)
        try:
            with torch.device("meta"), Undrawn():  # shapes only: nothing is allocated
                model = cls(disk.read_config(config))
        except ConfigError as error:
            raise CheckpointError(f"{disk.CONFIG}: {error}") from None
        expected = model.state_dict()
        weights = disk.fetch_weights(source, disk.pinned(config, revision), expected, **download)
        model.load_state_dict(disk.read_weights(weights, expected), strict=True, assign=True)
        return model._computing()

    def _computing(self) -> LanguageModel:
        """The model in evaluation mode, if it gives finite numbers for each of its characters.

        Raises:
            CheckpointError: if it does not: weights may be finite and yet too large to compute with.
        """
        idx = torch.arange(len(self.config.vocab)).unsqueeze(1)
        with torch.inference_mode():
            logits, _ = self.eval()(idx)
        if not logits.isfinite().all():
            raise CheckpointError(
                f"{disk.WEIGHTS}: the weights are so large that the model computes no finite numbers; "
                "the file is damaged or the training diverged."
            )
        return self


def _complete(config: ModelConfig) -> ModelConfig:
    """The config with its mixer's options filled in."""
    if not config.vocab:
        raise ConfigError("the vocabulary is empty; a model needs at least one character.")
    options = mixer_class(config.mixer).Options
    if config.options is None:
        return replace(config, options=options())
    if type(config.options) is not options:
        raise ConfigError(
            f"options of {config.mixer} must be {options.__qualname__}, not {type(config.options).__qualname__}."
        )
    return config
