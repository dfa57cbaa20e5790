"""Fixtures of the tests of models: the loopback Hub of tests/hub."""

from tests.hub.loopback import server
from tests.hub.published_model import files, model_hub, newer, no_network, reader, reading

__all__ = ["files", "model_hub", "newer", "no_network", "reader", "reading", "server"]
