"""What can be asked of the active node: begin from a box, describe a track, forget everything."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import Future as Answered
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future
from std_srvs.srv import Trigger

from rtrack_ros.language.queries import QueryError
from rtrack_ros.nodes.query_topics import DEFAULT_ID
from rtrack_ros.nodes.session import Session
from rtrack_ros.pipeline import RequestError
from rtrack_ros.srv import DescribeTrack, InitializeTrack


class Services:
    """The node's services; made on activation and destroyed on deactivation.

    None of them holds up an image: a description is awaited between other callbacks, which is why
    the services have a callback group of their own.

    Args:
        node: Node that offers them.
        session: Carries them out.
    """

    def __init__(self, node: LifecycleNode, session: Session) -> None:
        self._node, self._session = node, session
        group = ReentrantCallbackGroup()
        self._services = [
            node.create_service(kind, name, callback, callback_group=group)
            for kind, name, callback in (
                (Trigger, '~/reset', self._reset),
                (InitializeTrack, '~/initialize_track', self._initialize),
                (DescribeTrack, '~/describe_track', self._describe))]

    def destroy(self) -> None:
        """Offer nothing any more."""
        for service in self._services:
            self._node.destroy_service(service)

    def _reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        pipeline = self._session.model.pipeline
        tracks = len(pipeline.tracker.tracks())
        pipeline.reset()
        response.success = True
        response.message = f'forgot {tracks} tracks; the queries stay'
        return response

    def _initialize(self, request: InitializeTrack.Request, response: InitializeTrack.Response
                    ) -> InitializeTrack.Response:
        box = request.x1, request.y1, request.x2, request.y2
        try:
            track = self._session.model.pipeline.initialize(
                box, request.label or 'target', request.id or DEFAULT_ID, _stamp_ns(request.stamp))
        except (RequestError, QueryError) as error:
            return _refused(response, error)
        self._session.announce_queries()
        response.success, response.track_id = True, str(track.id)
        return response

    async def _describe(self, request: DescribeTrack.Request, response: DescribeTrack.Response
                        ) -> DescribeTrack.Response:
        try:
            answered = self._session.model.pipeline.describe(_number(request.id))
            await self._until(answered)
            response.description = answered.result()
        except CancelledError:
            return _refused(response, RequestError('the node was cleaned up meanwhile'))
        except Exception as error:  # the engine's, the parser's: it goes to the caller
            return _refused(response, error)
        response.success = True
        return response

    async def _until(self, answered: Answered[Any]) -> None:
        """Wait for another thread's future without holding up the executor."""
        executor = self._node.executor
        arrived = Future(executor=executor)
        wake: Callable[[], object] = getattr(executor, 'wake', bool)

        def tell(_: Answered[Any]) -> None:
            # In the model's thread. rclpy's future locks itself; the executor may be asleep.
            arrived.set_result(None)
            wake()

        answered.add_done_callback(tell)
        await arrived


def _refused(response: Any, error: Exception) -> Any:
    response.success, response.message = False, str(error) or type(error).__name__
    return response


def _stamp_ns(stamp: Time) -> int | None:
    """Return a stamp in nanoseconds, None for zero."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec) or None


def _number(text: str) -> int:
    """Return the id of a track.

    Raises:
        RequestError: the text is none.
    """
    if not text.strip().isdecimal():
        raise RequestError(f'{text!r} is no id of a track; send one as ~/tracks has it')
    return int(text)
