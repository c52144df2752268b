"""What is said of a detector outside: one sentence with the remedy, or nothing."""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final

from rtrack_ros.detections import DetectionCounts
from rtrack_ros.tracking.track_book import Outcome

_WINDOW: Final = 20
_ENOUGH: Final = 3
_SILENT_S: Final = 2.0
_SILENT_PERIODS: Final = 5


class Trouble(Enum):
    """What can be wrong with a message, with the remedy."""

    MALFORMED = 'detections cannot be read'
    UNMATCHED = ('stamps of detections are those of no image; let the detector copy the header of '
                 'the image that it looked at, and check detections.spectrum')
    LATE = ('detections come too late; raise tracker.history_length_s or take a faster detector')
    BEYOND = ('boxes of detections reach beyond the image; set detections.image_size to the size '
              'at which the detector sees it')
    SCORES = 'scores of detections lie outside 0 to 1; let the detector publish probabilities'
    NUMBERS = 'boxes of detections are no numbers or have no area'


class FeedReport:
    """Remembers what was wrong with the newest messages.

    Args:
        monotonic: Seconds of a clock that never jumps.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._arrivals: deque[float] = deque(maxlen=_WINDOW)
        self._newest: deque[Trouble | None] = deque(maxlen=_WINDOW)
        self._reason = ''
        self._foreign: deque[bool] = deque(maxlen=_WINDOW // 2)

    def of_another_size(self, boxes: DetectionCounts) -> bool:
        """Return whether a set of boxes is not to be used: it is about an image of another size.

        Most of them lie where no image of this size can have them; or so it was in the sets
        before, of which a few may fit by chance.

        Args:
            boxes: What became of them; to be called once for each set.
        """
        all_boxes = boxes.kept + boxes.dropped
        if all_boxes:
            self._foreign.append(2 * (boxes.far_out + boxes.outside) > all_boxes)
        return bool(self._foreign) and (
            self._foreign[-1] or sum(self._foreign) >= max(_ENOUGH, len(self._foreign) / 2))

    def came(self) -> None:
        """Note that a message came."""
        self._arrivals.append(self._monotonic())

    def note(self, trouble: Trouble | None, reason: str = '') -> None:
        """Note what was wrong with a message, None for nothing."""
        self._newest.append(trouble)
        if trouble is Trouble.MALFORMED:
            self._reason = reason

    def note_boxes(self, boxes: DetectionCounts, outcome: Outcome | None) -> None:
        """Note what became of the boxes of a message; no outcome means that none were used."""
        all_boxes = boxes.kept + boxes.dropped
        trouble = None
        if outcome in (Outcome.LATE, Outcome.UNKNOWN_FRAME):
            trouble = Trouble.LATE
        elif all_boxes and 2 * (boxes.clipped + boxes.outside) > all_boxes:
            trouble = Trouble.BEYOND
        elif all_boxes and 2 * boxes.bad_score > all_boxes:
            trouble = Trouble.SCORES
        elif all_boxes and 2 * (boxes.empty + boxes.not_finite) > all_boxes:
            trouble = Trouble.NUMBERS
        self.note(trouble)

    def sentence(self) -> str:
        """Return what is wrong and what to do, '' while all is well or nothing ever came."""
        if not self._arrivals:
            return ''
        silent_s = self._monotonic() - self._arrivals[-1]
        if silent_s > max(_SILENT_S, _SILENT_PERIODS * self._period_s()):
            return (f'detections stopped, none for {silent_s:.0f} s; objects come from the model '
                    'alone')
        for trouble in Trouble:
            if self._newest.count(trouble) >= max(_ENOUGH, len(self._newest) / 2):
                reason = f': {self._reason}' if trouble is Trouble.MALFORMED else ''
                return f'{trouble.value}{reason}'
        return ''

    def _period_s(self) -> float:
        count = len(self._arrivals) - 1
        return (self._arrivals[-1] - self._arrivals[0]) / count if count > 0 else 0.0
