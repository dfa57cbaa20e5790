"""Fixtures of the tests of the command line: the loopback Hub of tests/hub."""

from tests.hub.loopback import checkout, client, hub, publisher, server

__all__ = ["checkout", "client", "hub", "publisher", "server"]
