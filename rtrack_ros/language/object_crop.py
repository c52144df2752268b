"""Object crops: one object seen closely, with its box as a model reads it."""

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.language.closeup import OBJECT_CROP_FACTOR, close_up, within
from rtrack_ros.language.task_client import TaskClient


class ObjectCrops:
    """Close views for questions about one object; the last one is kept for the next question.

    Args:
        client: Client that puts the questions.
    """

    def __init__(self, client: TaskClient) -> None:
        self._client = client
        self._last: tuple[FramePair, Box, FramePair] | None = None

    def of(self, pair: FramePair, box: Box) -> tuple[FramePair, Box]:
        """Return the view of what is in a box, and the box as the model writes it.

        Args:
            pair: A whole frame pair.
            box: x1, y1, x2, y2 in pixels of its RGB image.
        """
        last = self._last  # another thread may replace it
        if last is None or last[0] is not pair or last[1] != box:
            size = self._client.capabilities.image_size
            last = self._last = (pair, box, close_up(pair, box, OBJECT_CROP_FACTOR, size))
        view = last[2]
        assert view.region is not None
        return view, self._client.written(within(box, view.region), view)
