"""Clients made of bytes, as the tests of the fan-out use them, and a stand-in for the service manager."""

import pytest

from tests.chaos.service_manager import Manager
from tests.fanout.conftest import raw

__all__ = ["manager", "raw"]


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path)
    yield made
    made.close()
