"""The proof that a served model boxes rightly: the place where the self-test is run."""

from collections.abc import Callable
from typing import Any

from rtrack_ros.engines.base import Engine

SelfTest = Callable[[Engine], dict[str, Any]]
"""Asks an engine what is known, and returns what it found as JSON: 'passed', and 'message' for
people. An empty result means that nothing was asked."""


def not_tested(engine: Engine) -> dict[str, Any]:
    """Return that nothing was asked."""
    return {}
