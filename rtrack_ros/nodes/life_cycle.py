"""What rclpy's managed node leaves open: refused transitions, and failures nobody hears of."""

import re
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node

from rtrack_ros.nodes.diagnostics import failure_array

REPORT_PERIOD_S = 1.0


def answer_every_transition(node: LifecycleNode, report: Callable[[str], object]) -> None:
    """Let a transition that the state does not allow be answered with ``success=False``.

    rclpy raises out of its service and sends no answer, for which a lifecycle manager, or a
    launch file started a second time, then waits for good.

    Args:
        node: The managed node.
        report: Takes one line about what was refused.
    """
    service = node._service_change_state
    carry_out = service.callback

    def answer(request: Any, response: Any) -> Any:
        try:
            return carry_out(request, response)
        except Exception as error:  # rclpy's RCLError has no public name
            wanted = request.transition.label or f'number {request.transition.id}'
            state = node._state_machine.current_state[1]
            report(f'transition {wanted} is refused in state {state}; ros2 lifecycle list '
                   f'{node.get_name()} shows which are allowed ({error_text(error)})')
            response.success = False
            return response

    service.callback = answer


def error_text(error: Exception) -> str:
    """Return what rcl says, without the places in its own source that it adds."""
    return re.sub(r'\s*, at /\S+:\d+', '', str(error))


class FailureReport:
    """Tells ``/diagnostics`` why a node could not be configured, until it is.

    Args:
        node: Node that publishes.
        name: Its name in the diagnostics.
    """

    def __init__(self, node: Node, name: str) -> None:
        self._node, self._name = node, name
        self._publisher: Any = None
        self._timer: Any = None
        self._problem = ''

    def tell(self, problem: str) -> None:
        """Publish a problem now and once a second."""
        self._problem = problem
        if self._publisher is None:
            self._publisher = self._node.create_publisher(DiagnosticArray, '/diagnostics', 10)
            self._timer = self._node.create_timer(REPORT_PERIOD_S, self._publish,
                                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._publish()

    def end(self) -> None:
        """Publish no more."""
        if self._publisher is not None:
            self._node.destroy_timer(self._timer)
            self._node.destroy_publisher(self._publisher)
            self._publisher = self._timer = None

    def _publish(self) -> None:
        self._publisher.publish(failure_array(self._name, self._problem,
                                              self._node.get_clock().now().to_msg()))
