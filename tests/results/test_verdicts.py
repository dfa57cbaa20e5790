"""The sentences follow from the rows, and claim no more than those that have been run."""

from __future__ import annotations

import pytest

from minrnn.models import MODEL_NAMES
from minrnn.results import verdicts
from minrnn.results.weights import Run, Weights
from minrnn.results.weights_studies import POINTS, Point

SMALL, PLAIN, MIDDLE, _, LARGE, PLAYS = POINTS
Table = dict[Point, dict[str, list[float]]]
ORDER = dict(zip(MODEL_NAMES, ([1.42], [1.43], [1.45], [1.46], [1.5]), strict=True))


def made(table: Table, spread: float = 0.012) -> Weights:
    """The table with these losses, one for each seed."""
    runs = [
        Run(p.study, p.name(model, seed), model, seed, loss, loss, p.chars, 1.0)
        for p, losses in table.items()
        for model, found in losses.items()
        for seed, loss in zip(p.seeds, found, strict=False)
    ]
    return Weights(spread, tuple(runs))


def test_the_lowest_is_named_with_its_lead_over_the_next_and_over_the_other_kind() -> None:
    said = verdicts.at_point(MIDDLE, ORDER, 0.005)
    assert (
        "On tiny Shakespeare after 9.8 M characters, with a convolution, minGRU has the lowest loss, 1.420"
        in said
    )
    assert "0.010 below minLSTM (1.430) and 0.080 below nanoGPT (1.500)" in said
    assert said.endswith("5 models, one seed each.")


def test_models_within_the_spread_of_seeds_are_level() -> None:
    said = verdicts.at_point(MIDDLE, ORDER, 0.012)
    assert "minGRU (1.420) and minLSTM (1.430) are level: seeds alone move one model by up to 0.012" in said
    assert "nanoGPT (1.500) is 0.080 above the lowest" in said and "the lowest loss" not in said


def test_a_transformer_that_is_ahead_is_said_to_be_ahead() -> None:
    said = verdicts.at_point(LARGE, {**ORDER, "nanogpt": [1.38]}, 0.012)
    assert "nanoGPT has the lowest loss, 1.380 nats per character, 0.040 below minGRU (1.420);" in said


def test_equal_losses_are_level_even_where_the_spread_is_unknown() -> None:
    said = verdicts.at_point(LARGE, {"lstm": [1.4], "nanogpt": [1.4]}, 0.0)
    assert "LSTM (1.400) and nanoGPT (1.400) are level; 2 models" in said
    assert "how far seeds differ is not known yet" in said


def test_models_that_lack_are_named_and_one_alone_is_compared_with_nothing() -> None:
    some = verdicts.at_point(MIDDLE, {"mingru": [1.42], "nanogpt": [1.5]}, 0.012)
    assert some.endswith("2 models, one seed each; minLSTM, LSTM and GRU are not yet run.")
    alone = verdicts.at_point(MIDDLE, {"mingru": [1.42]}, 0.012)
    assert "minGRU has 1.420 nats per character (one seed)" in alone and "nothing is compared" in alone
    assert "lowest" not in alone
    assert verdicts.at_point(MIDDLE, {}, 0.012).endswith("with a convolution: not yet run.")


@pytest.mark.parametrize(
    ("losses", "words"),
    [({"lstm": [1.4, 1.5], "gru": [1.3, 1.5]}, "the mean of 2 seeds each"),
     ({"lstm": [1.4, 1.5, 1.6], "gru": [1.3]}, "the mean of 1 to 3 seeds each")],
)  # fmt: skip
def test_means_over_seeds_are_compared_and_counted(losses: dict[str, list[float]], words: str) -> None:
    said = verdicts.at_point(MIDDLE, losses, 0.012)
    assert words in said and "GRU has the lowest loss" in said


def test_the_order_over_the_budgets_is_told_of_the_models_that_ran_at_all_of_them() -> None:
    pair = {m: ORDER[m] for m in ("mingru", "nanogpt")}
    middle = ORDER | {
        "lstm": [1.40]
    }  # the best recurrent model there, which was not run at the largest budget
    said = verdicts.over_budgets({SMALL: ORDER, MIDDLE: middle, LARGE: {**pair, "nanogpt": [1.3]}}, 0.012)
    order, gaps = said.split("; ")
    assert order == (
        "Lowest on tiny Shakespeare, of minGRU and nanoGPT: minGRU after 3.3 M, minGRU after 9.8 M and nanoGPT after "
        "30.0 M characters"
    )
    assert gaps == (
        "nanoGPT is 0.080 above the best recurrent model after 3.3 M, 0.100 above it after 9.8 M and 0.120 below the "
        "best one run after 30.0 M."
    )


@pytest.mark.parametrize("table", [{SMALL: {}}, {SMALL: ORDER}, {SMALL: ORDER, LARGE: {"gru": [1.4]}}])
def test_one_budget_tells_no_order_over_budgets(table: Table) -> None:
    assert "is not known yet" in verdicts.over_budgets(table, 0.012)


def test_more_text_is_compared_at_the_same_number_of_characters() -> None:
    after = {m: [loss[0] - 0.1] for m, loss in ORDER.items()} | {"gru": [1.4]}
    said = verdicts.more_text({MIDDLE: ORDER, LARGE: ORDER, PLAYS: after}, 0.012)
    assert "(all plays in the place of tiny Shakespeare, 30.0 M characters read of either)" in said
    assert "lowers the loss of all 5 models by 0.060 (GRU) to 0.100" in said
    assert said.endswith("the lowest of them is minGRU and minLSTM (level).")
    assert "not known yet" in verdicts.more_text({MIDDLE: ORDER, LARGE: {}, PLAYS: after}, 0.012)


def test_a_convolution_that_harms_a_model_is_said_to() -> None:
    plain = {"mingru": [1.5], "lstm": [1.43], "gru": [1.47]}
    (said,) = verdicts.convolution({SMALL: ORDER, PLAIN: plain}, 0.012)
    assert "lowers the loss of minGRU by 0.080, raises the loss of LSTM by 0.020 and moves" in said
    assert "that of GRU by no more than seeds do" in said


def test_a_convolution_that_changes_nothing_is_said_to() -> None:
    (said,) = verdicts.convolution({SMALL: {"lstm": [1.40]}, PLAIN: {"lstm": [1.41]}}, 0.012)
    assert said.endswith("characters, the convolution moves the loss of LSTM by no more than seeds do.")


def test_three_seeds_are_compared_with_one_by_the_first() -> None:
    (said,) = verdicts.convolution({SMALL: {"lstm": [1.40, 1.5, 1.6]}, PLAIN: {"lstm": [1.45]}}, 0.012)
    assert "lowers the loss of LSTM by 0.050" in said


def test_the_headline_names_the_budgets_at_which_either_kind_is_ahead() -> None:
    ahead = {**ORDER, "nanogpt": [1.3]}
    said = verdicts.headline(made({SMALL: ORDER, MIDDLE: ORDER, LARGE: ahead}))
    assert said.startswith(
        "It depends on the budget: a recurrent model is ahead of nanoGPT after 3.3 M and 9.8 M characters of tiny "
        "Shakespeare; nanoGPT is ahead of the recurrent models after 30.0 M characters of tiny Shakespeare."
    )
    assert "So far 15 of the 40 runs planned are made." in said
    text = verdicts.headline(made({LARGE: ORDER, PLAYS: ahead}))
    assert text.startswith("It depends on the text: a recurrent model")


def test_the_headline_says_what_may_change_and_where_nothing_is_known() -> None:
    nothing = verdicts.headline(made({MIDDLE: {"mingru": [1.4]}}))
    assert "is not known yet" in nothing and "ahead" not in nothing and "So far 1 of the 40 runs" in nothing
    early = verdicts.headline(made({MIDDLE: {"lstm": [1.4], "nanogpt": [1.3]}}))
    assert early.startswith(
        "Not decided yet: nanoGPT is ahead of the recurrent models run after 9.8 M characters of tiny Shakespeare."
    )
    level = verdicts.headline(made({MIDDLE: {**ORDER, "nanogpt": [1.425]}}))
    assert level.startswith("The best recurrent model and nanoGPT are level after 9.8 M")


def test_an_answer_depends_on_nothing_that_is_not_decided() -> None:
    some = {"mingru": [1.42], "nanogpt": [1.3]}
    said = verdicts.headline(made({SMALL: ORDER, LARGE: some}))
    assert said.startswith(
        "A recurrent model is ahead of nanoGPT after 3.3 M characters of tiny Shakespeare. Not"
    )
    assert "Not decided yet: nanoGPT is ahead of the recurrent models run after 30.0 M characters" in said
    recurrent = verdicts.headline(made({LARGE: {"mingru": [1.3], "nanogpt": [1.4]}}))
    assert (
        recurrent.startswith("A recurrent model is ahead of nanoGPT after 30.0 M") and "Not" not in recurrent
    )


def test_a_full_table_lacks_nothing() -> None:
    apart = (0.0, 0.006, -0.006)
    full = made({p: {m: [loss + by for _, by in zip(p.seeds, apart, strict=False)] for m, (loss,) in ORDER.items()}
                 for p in POINTS})  # fmt: skip
    said = [verdicts.headline(full), *verdicts.sentences(full)]
    assert full.missing() == 0 and not any(
        "not yet run" in s or "So far" in s or "not known" in s for s in said
    )
    assert len(said) == 1 + len(POINTS) + 2 + 2


@pytest.mark.parametrize(
    ("table", "said"),
    [({MIDDLE: ORDER}, "0.045 below its row"), ({SMALL: ORDER}, "its row without them is not yet run")],
)
def test_a_taught_model_stands_beside_its_row_without_teachers(table: Table, said: str) -> None:
    plain = made(table)
    run = Run("taught", "mingru-10m-conv", "mingru", 1337, 1.375, 1.36, MIDDLE.chars, 1.0)
    (found,) = verdicts.taught(Weights(plain.spread, (*plain.runs, run)))
    assert "minGRU has 1.375 nats per character on tiny Shakespeare after 9.8 M characters" in found
    assert said in found and found in verdicts.sentences(Weights(plain.spread, (*plain.runs, run)))
    assert verdicts.taught(plain) == []


def test_the_first_page_says_the_answer_without_counting_rows() -> None:
    table = made({MIDDLE: ORDER})
    assert "runs planned are made" in verdicts.headline(table)
    assert verdicts.headline(table).startswith(verdicts.headline(table, counted=False))
    assert "runs" not in verdicts.headline(table, counted=False)
