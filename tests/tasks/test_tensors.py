import torch

from minrnn.tasks import NOT_ASKED
from minrnn.tasks.tensors import ask_after, latest, shuffled


def test_latest_finds_the_last_true_place_so_far() -> None:
    mask = torch.tensor([[0, 1, 0, 0, 1, 0], [1, 0, 1, 1, 0, 0]]).bool()
    assert latest(mask).tolist() == [[0, 1, 1, 1, 4, 4], [0, 0, 2, 3, 3, 3]]


def test_shuffled_rows_are_permutations_that_differ() -> None:
    rows = shuffled(torch.Generator().manual_seed(0), 50, 8)
    assert rows.sort(dim=1).values.tolist() == [list(range(8))] * 50
    assert len({tuple(row) for row in rows.tolist()}) > 40


def test_nothing_is_asked_while_something_is_given() -> None:
    idx, targets = ask_after(torch.tensor([[1, 2]]), torch.tensor([[9]]), torch.tensor([[1]]))
    assert idx.tolist() == [[1, 2, 9]]
    assert targets.tolist() == [[NOT_ASKED, NOT_ASKED, 1]]
