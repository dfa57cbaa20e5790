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
    "repo",
    [
        "ann", "ann/", "/x", "a/b/c", "ünn/x", ".ann/x", "ann/-x", "a b/x", "a" * 97 + "/x", "ann/x" + "y" * 96,
        "ann/x--y", "ann/x.", "ann/x-", "ann/a..b", "ann/x.git", "an--n/x", "ann./x", "ann-/x",
    ],
)  # fmt: skip
def test_what_can_be_no_repo_is_named_with_the_rule(repo: str) -> None:
    with pytest.raises(HubError, match="cannot be a repo on the Hub; user and repo are letters"):
        checked(repo)


@pytest.mark.parametrize("repo", ["ann/x", "a/b", "Ann-1/x.y_z-0", "ann/x_", "a" * 96 + "/" + "b" * 96])
def test_what_can_be_a_repo_is_returned_unchanged(repo: str) -> None:
    assert checked(repo) == repo
