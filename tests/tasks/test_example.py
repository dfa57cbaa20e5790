from minrnn.tasks import example
from minrnn.tasks.copying import Copying


def test_an_example_reads_as_the_task_describes_it() -> None:
    one = example(Copying(), T=8, seed=1)
    assert one.sees[4:] == "????"
    assert one.wants == "····" + one.sees[:4]


def test_an_example_has_the_trained_length_unless_told_otherwise() -> None:
    assert len(example(Copying()).sees) == len(example(Copying()).wants) == 64
