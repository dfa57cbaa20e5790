import pytest

from minrnn.ui.components import bytes_text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (512, "512 B"), (24_576, "24.6 kB"), (2_889_728, "2.9 MB"), (3 * 10**9, "3.0 GB")],
)
def test_sizes_read_as_people_write_them(count: int, text: str) -> None:
    assert bytes_text(count) == text
