"""Serving a node until it is shut down, at whatever moment the signal comes."""

from collections.abc import Callable
from typing import Final

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

# A signal may end the context while rclpy is about to wait in it, and nothing wakes it then.
_LONGEST_WAIT_S: Final = 1.0


def spin(node: Node, on_error: Callable[[Exception], object] | None = None) -> None:
    """Serve callbacks in this thread until Ctrl-C, SIGTERM or the end of the context.

    Args:
        node: The node.
        on_error: Called with what a callback or rclpy raised, and the node goes on; None lets it
            end the node.
    """
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while rclpy.ok():
            try:
                executor.spin_once(_LONGEST_WAIT_S)
            except Exception as error:
                # rclpy raises one thing or another where a signal takes its context away.
                if not rclpy.ok():
                    return
                if on_error is None:
                    raise
                on_error(error)
    except KeyboardInterrupt:
        return
