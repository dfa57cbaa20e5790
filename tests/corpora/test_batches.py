import pytest
import torch

from minrnn.corpora import Batches
from minrnn.errors import CorpusError


def test_a_batch_is_a_pure_function_of_the_seed_and_its_number() -> None:
    ids = torch.arange(1000)
    forwards, backwards = Batches(ids, 16, 4, seed=1), Batches(ids, 16, 4, seed=1)
    expected = [forwards.batch(it) for it in range(60)]
    for it in reversed(range(60)):
        assert torch.equal(backwards.batch(it)[0], expected[it][0])
    assert not torch.equal(Batches(ids, 16, 4, seed=2).batch(0)[0], expected[0][0])


def test_the_targets_are_the_ids_one_character_later() -> None:
    idx, targets = Batches(torch.arange(1000), 16, 4, seed=0).batch(3)
    assert idx.shape == targets.shape == (4, 16)
    assert idx.dtype == targets.dtype == torch.int64
    assert torch.equal(targets, idx + 1)
    assert (idx.diff() == 1).all()


def test_batches_lie_where_the_text_lies() -> None:
    ids = torch.arange(1000, device="meta")  # a device without numbers
    batches = Batches(ids, 16, 4, seed=0)
    assert all(part.device == ids.device and part.shape == (4, 16) for part in batches.batch(3))
    short = Batches(ids[:20], 16, 4, seed=0)  # read in random windows
    assert all(part.device == ids.device for part in short.batch(0))


@pytest.mark.parametrize(("length", "block_size", "batch_size"), [(1000, 16, 4), (300, 8, 32), (130, 1, 3)])
def test_an_epoch_reads_no_character_twice(length: int, block_size: int, batch_size: int) -> None:
    batches = Batches(torch.arange(length), block_size, batch_size, seed=0)
    n = batches.batches_per_epoch
    assert n > 0
    for epoch in range(3):
        read = torch.cat([batches.batch(it)[0].flatten() for it in range(epoch * n, (epoch + 1) * n)])
        assert len(set(read.tolist())) == len(read) == n * batch_size * block_size
        assert len(read) > length - (batch_size + 2) * block_size


def test_windows_move_from_epoch_to_epoch() -> None:
    batches = Batches(torch.arange(1000), 16, 4, seed=0)
    offsets = {int(batches.batch(epoch * batches.batches_per_epoch)[0][0, 0]) % 16 for epoch in range(40)}
    assert len(offsets) > 8


@pytest.mark.parametrize("length", [17, 18, 40, 79])
def test_a_text_shorter_than_a_batch_is_read_in_random_windows(length: int) -> None:
    batches = Batches(torch.arange(length), 16, 4, seed=0)
    read = [batches.batch(it) for it in range(200)]
    assert batches.batches_per_epoch == 0
    assert all(idx.shape == (4, 16) for idx, _ in read)
    assert min(int(idx.min()) for idx, _ in read) == 0
    assert max(int(targets.max()) for _, targets in read) == length - 1


def test_a_split_shorter_than_a_window_is_refused_with_the_numbers() -> None:
    with pytest.raises(CorpusError, match="16 characters and a block_size of 16 needs 17"):
        Batches(torch.arange(16), 16, 4, seed=0)
