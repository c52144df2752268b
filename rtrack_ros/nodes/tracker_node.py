"""The tracker as a managed ROS 2 node: loads on configure, tracks when active, frees on cleanup.

Everything runs in the executor's one thread except the model, which has its own: two image
streams need no more, and threads that share one interpreter only delay each other.
"""

import argparse
import signal
import sys

import cv2
import rclpy
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.utilities import remove_ros_args

from rtrack_ros.nodes import garbage
from rtrack_ros.nodes.inputs import Inputs
from rtrack_ros.nodes.life_cycle import FailureReport, answer_every_transition, error_text
from rtrack_ros.nodes.pacing import pace_services
from rtrack_ros.nodes.parameters import NodeParameters
from rtrack_ros.nodes.services import WAITING_CALLS, Services
from rtrack_ros.nodes.session import Session, node_name
from rtrack_ros.nodes.spinning import spin
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.parameters.yaml_file import said_to_another

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
INTAKE_GROUPS = ('sync.', 'thermal.', 'limits.')
TRACKING_GROUPS = ('tracker.', 'ask.', 'limits.')
GIL_SWITCH_S = 0.001
"""Longest wait for the interpreter while the model's thread computes; Python's default is 5 ms."""


class _UnreadableError(Exception):
    """The command line or a parameter file cannot be read."""


class TrackerNode(LifecycleNode):
    """Follows what a sentence names, in RGB and thermal, at the rate of the camera.

    Args:
        problem: Why the node shall not be configured, '' where nothing is wrong.
    """

    def __init__(self, problem: str = '') -> None:
        super().__init__('rtrack')
        self._problem = problem
        self._failure = FailureReport(self, node_name(self))
        answer_every_transition(self, self.get_logger().error)
        self._log = ThrottledLog(self.get_logger())
        self._session: Session | None = None
        self._inputs: Inputs | None = None
        self._settings = NodeParameters(self, self._on_change)
        self._served = Services(self)  # rclpy.Node has `_services` of its own
        pace_services(self, lambda: float(self._settings['limits.calls_hz']), WAITING_CALLS)
        if problem:
            self._fail(problem)

    @property
    def autostart(self) -> bool:
        """Whether the node configures and activates itself."""
        return bool(self._settings['autostart'])

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and make the publishers; a failure leaves the node unconfigured."""
        problem = self._problem or self._settings.problem()
        if problem:
            return self._fail(problem)
        try:
            self._session = Session(self, self._settings, self._log)
        except Exception as error:
            return self._fail(str(error))
        self._failure.end()
        facts = self._session.model.capabilities
        self.get_logger().info(f'loaded {facts.model} on {facts.name} ({facts.device}, '
                               f'{facts.precision}) in {sys.executable}')
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe, start the timers and carry calls out."""
        if self._session is None:
            return FAILURE
        result = super().on_activate(state)
        # Images that waited for a partner when the node was last active are of no use now.
        self._session.reconfigure()
        self._inputs = Inputs(self, self._settings, self._session, self._log)
        self._served.begin(self._session)
        self._session.publish_queries()
        garbage.set_aside()
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
        self._failure.end()
        self.close()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, so that the node can be configured again."""
        self.close()
        return SUCCESS

    def report(self, error: Exception) -> None:
        """Log a request that could not be served."""
        self.get_logger().error(f'a request could not be served: {error}')

    def close(self) -> None:
        """Stop receiving, free the model and remove the publishers."""
        self._stop_inputs()
        if self._session is not None:
            garbage.take_back()
            self._session.close()
            self._session = None

    def _fail(self, problem: str) -> TransitionCallbackReturn:
        self.get_logger().error(f'cannot configure: {problem}')
        self._failure.tell(problem)
        return FAILURE

    def _stop_inputs(self) -> None:
        if self._inputs is not None:
            self._inputs.destroy()
            self._inputs = None
        self._served.end()

    def _on_change(self, names: set[str]) -> None:
        if self._session is None:
            return
        if any(name.startswith(INTAKE_GROUPS) for name in names):
            self._session.reconfigure()
        if any(name.startswith(TRACKING_GROUPS) for name in names):
            self._session.model.reconfigure(self._settings)


def main(argv: list[str] | None = None) -> None:
    """Run the node until it is shut down."""
    argv = sys.argv if argv is None else argv
    # The tracker's small images gain nothing from more threads, and the model needs the cores.
    cv2.setNumThreads(1)
    sys.setswitchinterval(GIL_SWITCH_S)
    node = None
    try:
        node = _make_node(argv)
        _start(node)
        spin(node, node.report)
    except KeyboardInterrupt:
        pass  # while the model was loading
    finally:
        # A terminal and ros2 launch each send one, and the second must not cut the end short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if node is not None:
            # Threads of the model that outlive the node could hold up the end of the process.
            node.close()
            node.destroy_node()
        rclpy.try_shutdown()


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='tracker_node', description=__doc__.splitlines()[0])
    parser.add_argument('--on-failure', choices=('end', 'report'), default='end',
                        help='end: parameters that cannot be read end the node; report: it stays '
                             'unconfigured and says so on /diagnostics')
    return parser.parse_args(remove_ros_args(without_parameters(argv))[1:])


def _make_node(argv: list[str]) -> TrackerNode:
    """Return the node; with ``--on-failure report`` also where its parameters cannot be read."""
    stay = _arguments(argv).on_failure == 'report'
    try:
        _init(argv)
        node = TrackerNode()
        for file in parameter_files(argv):
            wrong = said_to_another(file, str(node.get_fully_qualified_name()))
            if wrong:
                node.get_logger().warning(wrong)
        return node
    except (ParameterException, _UnreadableError) as error:
        rclpy.try_shutdown()
        problem = f'{error}; compare the parameters with config/tracker.yaml'
        if not stay:
            sys.exit(f'tracker_node: {problem}')
        rclpy.init(args=without_parameters(argv))
        return TrackerNode(problem)
    except RuntimeError as error:
        if rclpy.ok():
            raise
        raise KeyboardInterrupt from error  # a signal has taken the context away


def _init(argv: list[str]) -> None:
    try:
        rclpy.init(args=argv)
    except RuntimeError as error:
        raise _UnreadableError(error_text(error)) from error


def parameter_files(argv: list[str]) -> list[str]:
    """Return the parameter files that a command line names."""
    return [word for before, word in zip(argv, argv[1:], strict=False)
            if before == '--params-file']


def without_parameters(argv: list[str]) -> list[str]:
    """Return a command line without the parameters and parameter files in it."""
    flags = ('-p', '--param', '--params-file')
    return [word for before, word in zip(['', *argv], argv, strict=False)
            if word not in flags and before not in flags]


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
