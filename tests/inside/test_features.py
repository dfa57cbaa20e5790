"""Features a reader can name, and the units that follow them."""

import pytest
import torch

from minrnn.inside.features import FEATURES, correlations, features, followers
from minrnn.inside.layers import Layer, layers
from tests.models.small import VOCAB, build, every_mixer, ids

TEXT = "JOHN:\nI'll go.\n\nSay: why?\n"


@pytest.mark.parametrize(
    ("feature", "text", "values"),
    [
        ("inside a speaker's name", "AB:\nit: so\nno:\n\nC:", "111000000000000011"),
        ("column in the line", "ab\ncd", "12012"),
        ("letters of the word so far", "ab, c", "12001"),
        ("after an apostrophe", "a'll b'd", "01110011"),
        ("capital letters", "aBC.", "0110"),
        ("open brackets", "(a[b])c", "1122100"),
        ("indentation", "  a b\n c", "12222011"),
        ("ends of sentences", "a. b!", "01001"),
    ],
)
def test_a_feature_says_what_its_name_says(feature: str, text: str, values: str) -> None:
    assert FEATURES[feature](text) == [float(value) for value in values]


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("text", ["", "a", "\n", "'", ")", TEXT, " " * 50])
def test_every_feature_has_a_value_for_each_character(feature: str, text: str) -> None:
    assert len(FEATURES[feature](text)) == len(text)


def test_a_feature_that_never_changes_is_left_out() -> None:
    assert "digits" not in features(TEXT) and "capital letters" in features(TEXT)


def test_correlations_are_pearsons() -> None:
    units = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    feature = torch.randn(40, generator=torch.Generator().manual_seed(1))
    wanted = torch.corrcoef(torch.cat([units, feature.unsqueeze(1)], dim=1).T)[-1, :-1]
    torch.testing.assert_close(correlations(units, feature), wanted)
    assert correlations(torch.ones(40, 1), feature).tolist() == [0.0]


def test_the_unit_that_follows_a_feature_is_found_and_the_closest_comes_first() -> None:
    noise = [torch.randn(len(TEXT), 4, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    noise[1][:, 2] = -torch.tensor(FEATURES["capital letters"](TEXT))
    found = followers([None, Layer(noise[0]), Layer(noise[1])], TEXT)
    assert (found[0].feature, found[0].layer, found[0].unit) == ("capital letters", 2, 2)
    assert found[0].correlation == pytest.approx(-1)
    assert [abs(f.correlation) for f in found] == sorted((abs(f.correlation) for f in found), reverse=True)
    assert len(found) == len(features(TEXT))


@every_mixer
def test_units_are_ranked_for_every_model_that_shows_some(mixer: str) -> None:
    text = ids(1, 60)[0]
    found = layers(build(mixer), text)
    ranked = followers(found, "".join(VOCAB[i] for i in text), each=2)
    assert bool(ranked) == any(found)
