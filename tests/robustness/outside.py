"""Values as a stranger sends them."""

from typing import Any

from hypothesis import strategies as st

WEIRD_TEXTS = (
    "", " ", "\0", "\x1b[31m", "\u202eabc", "\u200b", "\u3164", "\ud800", "a\udfffb", "𝕬𝖇", "é̂̂̂", "\ufeff",
    "../../etc/passwd", "/etc/passwd", "~root", "<script>alert(1)</script>", "'; DROP TABLE runs; --", "%s%n{0}",
    "NaN", "1e999", "-0", "None", "all", "committee,mingru", "user/repo", "user/repo@../..", "hub:a/b@main", "a" * 300,
    "x" * 30_000,
)  # fmt: skip
WEIRD_NUMBERS = (
    0, -1, 1, 2, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e-320, 1e308, 1e999, -1e999, 2.0, 3.999999999999999999,
)  # fmt: skip

texts = (
    st.sampled_from(WEIRD_TEXTS)
    | st.text(max_size=20)
    | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Co"]), max_size=8)
)
numbers = st.sampled_from(WEIRD_NUMBERS) | st.integers() | st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | numbers | texts
values: st.SearchStrategy[Any] = scalars | st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
"""Any JSON that is not too large."""
