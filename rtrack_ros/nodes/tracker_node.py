"""The tracker as a managed ROS 2 node: loads on configure, tracks when active, frees on cleanup.

Everything runs in the executor's one thread except the model, which has its own: two image
streams need no more, and threads that share one interpreter only delay each other.
"""

import sys

import cv2
import rclpy
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from rtrack_ros.nodes.inputs import Inputs
from rtrack_ros.nodes.parameters import NodeParameters
from rtrack_ros.nodes.services import Services
from rtrack_ros.nodes.session import Session
from rtrack_ros.nodes.spinning import spin
from rtrack_ros.nodes.throttled_log import ThrottledLog

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
INTAKE_GROUPS = ('sync.', 'thermal.')
TRACKING_GROUPS = ('tracker.', 'ask.')
GIL_SWITCH_S = 0.001
"""Longest wait for the interpreter while the model's thread computes; Python's default is 5 ms."""


class TrackerNode(LifecycleNode):
    """Follows what a sentence names, in RGB and thermal, at the rate of the camera."""

    def __init__(self) -> None:
        super().__init__('rtrack')
        self._log = ThrottledLog(self.get_logger())
        self._session: Session | None = None
        self._inputs: Inputs | None = None
        self._served: Services | None = None  # rclpy.Node has `_services` of its own
        self._settings = NodeParameters(self, self._on_change)

    @property
    def autostart(self) -> bool:
        """Whether the node configures and activates itself."""
        return bool(self._settings['autostart'])

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and make the publishers; a failure leaves the node unconfigured."""
        problem = self._settings.problem()
        if problem:
            self.get_logger().error(f'cannot configure: {problem}')
            return FAILURE
        try:
            self._session = Session(self, self._settings, self._log)
        except Exception as error:
            self.get_logger().error(f'cannot configure: {error}')
            return FAILURE
        facts = self._session.model.capabilities
        self.get_logger().info(f'loaded {facts.model} on {facts.name} ({facts.device}, '
                               f'{facts.precision}) in {sys.executable}')
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe, start the timers and offer the services."""
        if self._session is None:
            return FAILURE
        result = super().on_activate(state)
        # Images that waited for a partner when the node was last active are of no use now.
        self._session.reconfigure()
        self._inputs = Inputs(self, self._settings, self._session, self._log)
        self._served = Services(self, self._session)
        self._session.publish_queries()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop receiving; queries, tracks and the model stay."""
        self._stop_inputs()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model."""
        self.close()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything."""
        self.close()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, so that the node can be configured again."""
        self.close()
        return SUCCESS

    def report(self, error: Exception) -> None:
        """Log what could not be served: a transition that the state does not allow, for one."""
        self.get_logger().error(f'a request could not be served: {error}')

    def close(self) -> None:
        """Stop receiving, free the model and remove the publishers."""
        self._stop_inputs()
        if self._session is not None:
            self._session.close()
            self._session = None

    def _stop_inputs(self) -> None:
        if self._inputs is not None:
            self._inputs.destroy()
            self._inputs = None
        if self._served is not None:
            self._served.destroy()
            self._served = None

    def _on_change(self, names: set[str]) -> None:
        if self._session is None:
            return
        if any(name.startswith(INTAKE_GROUPS) for name in names):
            self._session.reconfigure()
        if any(name.startswith(TRACKING_GROUPS) for name in names):
            self._session.model.reconfigure(self._settings)


def main(argv: list[str] | None = None) -> None:
    """Run the node until it is shut down."""
    # The tracker's small images gain nothing from more threads, and the model needs the cores.
    cv2.setNumThreads(1)
    sys.setswitchinterval(GIL_SWITCH_S)
    rclpy.init(args=argv)
    try:
        node = TrackerNode()
    except ParameterException as error:
        rclpy.try_shutdown()
        sys.exit(f'rtrack: {error}; compare with config/tracker.yaml')
    try:
        _start(node)
        spin(node, node.report)
    except KeyboardInterrupt:
        pass  # while the model was loading
    finally:
        # Threads of the model that outlive the node could hold up the end of the process.
        node.close()
        node.destroy_node()
        rclpy.try_shutdown()


def _start(node: TrackerNode) -> None:
    """Configure and activate the node if it is to do so itself."""
    try:
        if node.autostart and node.trigger_configure() == SUCCESS:
            node.trigger_activate()
    except RuntimeError:
        # Interrupted while the model was loading: there is no context left to report to.
        if rclpy.ok():
            raise


if __name__ == '__main__':
    main()
