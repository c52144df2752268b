"""Nodes that a module of tests has let go of leave the network before the next begins."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope='module', autouse=True)
def no_node_stays() -> Iterator[None]:
    """Free nodes that only cycles hold: others in the domain would take them for the tracker."""
    yield
    gc.collect()
