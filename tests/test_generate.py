"""Writing, alone and in turn."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import torch

from minrnn import generate
from minrnn.config import ModelConfig, Sampling
from minrnn.generate import Chunk, one_slice, stream
from minrnn.models import MODEL_NAMES, LanguageModel, mixer_class, state_bytes
from minrnn.models.graph import captured
from minrnn.models.stepper import Stepper
from minrnn.text import CharVocab
from tests.models.fake_graph import FakeGraph

VOCAB = "\nabcdefgh"


@pytest.fixture(params=MODEL_NAMES)
def model(request: pytest.FixtureRequest) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(ModelConfig(request.param, VOCAB, block_size=8, n_layer=2, n_embd=16)).eval()


def text(model: LanguageModel, prompt: str = "ab", **sampling: float) -> str:
    chosen = replace(Sampling(max_new_tokens=30), **sampling)
    return "".join(chunk.text for chunk in stream(model, prompt, chosen))


def test_the_same_seed_gives_the_same_text(model: LanguageModel) -> None:
    assert text(model, seed=3) == text(model, seed=3)
    assert text(model, seed=3) != text(model, seed=4)


def test_temperature_zero_takes_the_likeliest_character_each_time(model: LanguageModel) -> None:
    vocab, written = CharVocab(VOCAB), "ab"
    for _ in range(5):
        with torch.inference_mode():
            written += vocab.chars[int(model(vocab.encode(written).unsqueeze(0))[0][0, -1].argmax())]
    assert text(model, temperature=0, max_new_tokens=5) == written[2:]


def test_a_graph_writes_the_same_text(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = text(model, seed=3)
    graphs: list[FakeGraph] = []

    def new() -> FakeGraph:
        graphs.append(FakeGraph())
        return graphs[-1]

    monkeypatch.setattr(generate, "can_step", lambda model: False)
    monkeypatch.setattr(generate, "_has_graphs", lambda device: True)
    monkeypatch.setattr(generate, "captured", partial(captured, new=new))
    assert text(model, seed=3) == expected
    assert len(graphs) == (not mixer_class(model.config.mixer).learned_positions)  # one a text


def test_top_k_one_is_greedy(model: LanguageModel) -> None:
    assert text(model, top_k=1) == text(model, temperature=0)


def test_the_last_chunk_says_length_and_the_others_nothing(model: LanguageModel) -> None:
    reasons = [chunk.finish_reason for chunk in stream(model, "a", Sampling(max_new_tokens=3))]
    assert reasons == [None, None, "length"]


def test_an_empty_prompt_starts_from_a_newline(model: LanguageModel) -> None:
    assert text(model, "") == text(model, "\n")


def test_a_prompt_outside_the_vocabulary_is_refused(model: LanguageModel) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        next(stream(model, "é", Sampling()))


def test_a_recurrent_state_keeps_its_size_and_a_cache_grows(model: LanguageModel) -> None:
    sizes = [chunk.state_bytes for chunk in stream(model, "a", Sampling(max_new_tokens=4))]
    grows = mixer_class(model.config.mixer).learned_positions  # a cache of keys and values
    assert (sizes[0] < sizes[-1]) if grows else (len(set(sizes)) == 1)


@pytest.mark.parametrize("smallest", [1e-40, 5e-324])
def test_the_smallest_temperature_takes_the_likeliest_character(
    model: LanguageModel, smallest: float
) -> None:
    assert text(model, temperature=smallest) == text(model, temperature=0)


@pytest.mark.parametrize("smallest", [1e-50, 5e-324])
def test_the_smallest_top_p_keeps_the_likeliest_character(model: LanguageModel, smallest: float) -> None:
    assert text(model, top_p=smallest) == text(model, temperature=0)


def test_all_limits_at_once_keep_a_character(model: LanguageModel) -> None:
    narrow = text(model, temperature=1e-40, top_p=1e-50, top_k=1)
    assert narrow == text(model, temperature=0)


@pytest.mark.parametrize("temperature", [0, 1e-40, 0.8, 10])
def test_a_model_of_one_character_writes_it(model: LanguageModel, temperature: float) -> None:
    single = LanguageModel(replace(model.config, vocab="x")).eval()
    assert text(single, "", temperature=temperature, top_p=0.5, top_k=3) == "x" * 30


def test_a_text_is_the_one_that_forward_writes(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding differs by a millionth, so a draw can differ once in about a million characters; not in these."""
    ways = {"temperature": 0.0}, {"top_k": 3}, {"top_p": 0.7}, {"temperature": 1.3}
    by_steps = [text(model, max_new_tokens=100, seed=seed, **way) for seed in range(5) for way in ways]
    monkeypatch.setattr(generate, "can_step", lambda model: False)
    assert by_steps == [
        text(model, max_new_tokens=100, seed=seed, **way) for seed in range(5) for way in ways
    ]


def test_the_stepper_of_an_owner_writes_the_same(model: LanguageModel) -> None:
    kept, sampling = Stepper(model), Sampling(max_new_tokens=30)
    for _ in range(2):
        assert "".join(chunk.text for chunk in stream(model, "ab", sampling, kept)) == text(model)


def test_a_limited_context_is_read_through_forward(model: LanguageModel) -> None:
    sizes = {chunk.state_bytes for chunk in stream(model, "ab", Sampling(max_new_tokens=9, context=3))}
    assert sizes == {0}


def test_a_text_is_written_where_a_model_cannot_step(model: LanguageModel) -> None:
    assert len(text(model.to(torch.float64))) == 30


def test_the_size_of_the_state_is_that_of_forward(model: LanguageModel) -> None:
    idx = CharVocab(VOCAB).encode("ab" + text(model)).unsqueeze(0)
    last = [chunk.state_bytes for chunk in stream(model, "ab", Sampling(max_new_tokens=30))][-1]
    with torch.inference_mode():
        assert last == state_bytes(model(idx[:, :-1])[1])


def fake(name: str, count: int, each_s: float) -> Iterator[Chunk]:
    for n in range(1, count + 1):
        yield Chunk(name, n, n * each_s, each_s, 0, "length" if n == count else None)


def test_a_slice_ends_with_its_time_or_the_text_and_nothing_is_lost() -> None:
    chunks = fake("a", 10, 0.25)
    assert [one.text for one in iter(lambda: one_slice(chunks, 0.5), None)] == ["aaa", "aaa", "aaa", "a"]
    assert one_slice(chunks, 0.5) is None


def test_the_rate_leaves_the_first_token_out() -> None:
    assert Chunk("", 11, 3.0, 1.0, 0).tokens_per_s == pytest.approx(5.0)
