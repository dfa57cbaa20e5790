"""Fixtures of the tests of the Hub."""

from tests.hub.loopback import checkout, client, hub, publisher, server
from tests.hub.published_model import files, model_hub, newer, no_network, reader, reading

__all__ = ["checkout", "client", "hub", "publisher", "server"]
__all__ += ["files", "model_hub", "newer", "no_network", "reader", "reading"]
