"""A short form of `python -m minrnn bench load`: readers who write, stop, leave, come back, or never listen."""

from pathlib import Path

import pytest

from minrnn.bench.load import Load, measure
from minrnn.checkpoint import bundled
from minrnn.models import MODEL_NAMES


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks at the app through /proc")
@pytest.mark.skipif(not bundled("base", MODEL_NAMES[0]).is_dir(), reason="asks the bundled models")
def test_readers_who_come_and_go_get_their_texts_and_no_errors() -> None:
    seen = measure(Load(visitors=8, seconds=8))
    assert not seen.problems and not seen.stuck and not seen.wrong
    assert {"writes on the page", "stops", "leaves", "asks by script", "never listens"} == set(seen.done)
    assert max(seen.quickest.values()) < 2  # of several: another load of the machine slows some of them
    growth = seen.growth()  # from the first second, so buffers and connections that load needs are in it
    assert growth["memory_mb"] < 1.5 and growth["threads"] < 3 and growth["handles"] < 3
