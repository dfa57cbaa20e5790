"""Results: the bundled checkpoints' figures beside the published ones, the studies, and their tables."""

from minrnn.results.figures import PARTS, Curve, Published, Result, bundled, curve, published, title
from minrnn.results.tables import readme_table, update_readme

__all__ = [
    "PARTS",
    "Curve",
    "Published",
    "Result",
    "bundled",
    "curve",
    "published",
    "readme_table",
    "title",
    "update_readme",
]
