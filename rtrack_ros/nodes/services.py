"""What can be asked of the active node: what to follow, what a track is, to forget everything."""

import inspect
from collections.abc import Callable
from concurrent.futures import Future as Answered
from typing import Any, Final

from builtin_interfaces.msg import Time
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from rclpy.task import Future
from std_srvs.srv import Trigger

from rtrack_ros.foreign_text import shown
from rtrack_ros.language.queries import DEFAULT_ID
from rtrack_ros.nodes.session import Session
from rtrack_ros.pipeline import RequestError
from rtrack_ros.srv import DescribeTrack, InitializeTrack, SetQuery

WAITING_CALLS: Final = 200
"""With the usual 10 a request is lost without an answer where many call at once."""
_MOST_DIGITS: Final = 20
_QUEUE: Final = QoSProfile(depth=WAITING_CALLS)


class Services:
    """The node's services, there as long as the node: whoever calls gets an answer in any state.

    None of them holds up an image: a description is awaited between other callbacks, which is why
    the services have a callback group of their own.

    Args:
        node: Node that offers them.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._active: Session | None = None
        # Descriptions that are awaited, and what ends the waiting for each.
        self._awaited: dict[Answered[Any], Callable[[], object]] = {}
        group = ReentrantCallbackGroup()
        self._services = [
            node.create_service(kind, name, _answering(callback), callback_group=group,
                                qos_profile=_QUEUE)
            for kind, name, callback in (
                (Trigger, '~/reset', self._reset),
                (SetQuery, '~/set_query', self._set_query),
                (InitializeTrack, '~/initialize_track', self._initialize),
                (DescribeTrack, '~/describe_track', self._describe))]

    def begin(self, session: Session) -> None:
        """Carry calls out from now on."""
        self._active = session

    def end(self) -> None:
        """Refuse calls from now on, those that wait included."""
        self._active = None
        for answered, stop_waiting in list(self._awaited.items()):
            # One that waits for the model is taken back; one in work ends for nobody.
            answered.cancel()
            stop_waiting()

    @property
    def _session(self) -> Session:
        if self._active is None:
            raise RequestError('the node is not active; activate it, then call again')
        return self._active

    def _reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        pipeline = self._session.model.pipeline
        tracks = len(pipeline.tracker.tracks())
        pipeline.reset()
        response.success = True
        response.message = f'forgot {tracks} tracks; the queries stay'
        return response

    def _set_query(self, request: SetQuery.Request, response: SetQuery.Response
                   ) -> SetQuery.Response:
        response.reason = self._session.commands.set(request.text, request.id)
        response.success = not response.reason
        return response

    def _initialize(self, request: InitializeTrack.Request, response: InitializeTrack.Response
                    ) -> InitializeTrack.Response:
        box = request.x1, request.y1, request.x2, request.y2
        track = self._session.model.pipeline.initialize(
            box, request.label or 'target', request.id or DEFAULT_ID, _stamp_ns(request.stamp))
        self._session.announce_queries()
        response.success, response.track_id = True, str(track.id)
        return response

    async def _describe(self, request: DescribeTrack.Request, response: DescribeTrack.Response
                        ) -> DescribeTrack.Response:
        answered = self._session.model.pipeline.describe(_number(request.id))
        await self._until(answered)
        if not answered.done() or answered.cancelled():
            raise RequestError('the node was deactivated meanwhile; activate it, then call again')
        response.success, response.description = True, answered.result()
        return response

    async def _until(self, answered: Answered[Any]) -> None:
        """Wait for another thread's future, or for the end, without holding up the executor."""
        executor = self._node.executor
        arrived = Future(executor=executor)
        wake: Callable[[], object] = getattr(executor, 'wake', bool)

        def tell(*_: object) -> None:
            # In the model's thread. rclpy's future locks itself; the executor may be asleep.
            arrived.set_result(None)
            wake()

        self._awaited[answered] = tell
        answered.add_done_callback(tell)
        try:
            await arrived
        finally:
            del self._awaited[answered]


def _answering(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return a service's callback that answers whatever happens: rclpy would leave it at that."""
    async def answer(request: Any, response: Any) -> Any:
        try:
            answered = callback(request, response)
            return await answered if inspect.isawaitable(answered) else answered
        except Exception as error:  # the engine's, the parser's: it goes to the caller
            return _refused(response, error)
    return answer


def _refused(response: Any, error: Exception) -> Any:
    said = 'message' if hasattr(response, 'message') else 'reason'
    response.success = False
    setattr(response, said, str(error) or type(error).__name__)
    return response


def _stamp_ns(stamp: Time) -> int | None:
    """Return a stamp in nanoseconds, None for zero."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec) or None


def _number(text: str) -> int:
    """Return the id of a track.

    Raises:
        RequestError: the text is none.
    """
    if len(text) > _MOST_DIGITS or not text.strip().isdecimal():
        raise RequestError(f'{shown(text)!r} is no id of a track; send one as ~/tracks has it')
    return int(text)
