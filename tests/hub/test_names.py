"""Names that a repo may have."""

import pytest

from minrnn.errors import HubError
from minrnn.hub.names import checked, repo_of
from minrnn.models import MODEL_NAMES
from minrnn.presets import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_presets_model_has_a_repo_of_its_own(preset: str, model: str) -> None:
    assert repo_of("ann", preset, model) == f"ann/minrnn-{preset}-{model}"


@pytest.mark.parametrize(
    "repo", ["ann", "ann/", "/x", "a/b/c", "ünn/x", ".ann/x", "ann/-x", "a b/x", "a" * 97 + "/x"]
)
def test_what_can_be_no_repo_is_named_with_the_rule(repo: str) -> None:
    with pytest.raises(HubError, match="cannot be a repo on the Hub; user and repo are letters"):
        checked(repo)
