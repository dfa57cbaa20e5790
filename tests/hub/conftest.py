"""Fixtures of the tests of the Hub."""

from tests.hub.loopback import checkout, client, hub, publisher, server

__all__ = ["checkout", "client", "hub", "publisher", "server"]
