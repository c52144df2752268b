"""The ring of past frames, long enough for late answers.

It makes a late answer as good as a prompt one. The answer is matched to the states as they were,
and its corrections run again through the motion measured since.
"""

from bisect import bisect_left
from collections.abc import Iterator

from rtrack_ros.tracking.history.frame import Frame

MIN_SPAN_S = 4.0
"""Seconds for which the tracker keeps frames however prompt answers are."""
# The ring covers _COVER times the worst delay. Every answer fades that by _DELAY_MEMORY.
_COVER = 2.0
_DELAY_MEMORY = 0.98


class History:
    """Frames in stamp order, kept for twice as long as answers take.

    Args:
        min_s: Seconds kept whatever the delay of answers.
        max_s: Seconds kept at most, for the memory's sake.
    """

    def __init__(self, min_s: float, max_s: float) -> None:
        self.resize(min_s, max_s)
        self._worst_delay_s = 0.0
        self._frames: list[Frame] = []

    def resize(self, min_s: float, max_s: float) -> None:
        """Change how long frames are kept; frames too old are dropped with the next frame."""
        self._min_s, self._max_s = min_s, max(min_s, max_s)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def newest(self) -> Frame | None:
        """The last frame, None before the first."""
        return self._frames[-1] if self._frames else None

    @property
    def oldest_ns(self) -> int | None:
        """Stamp of the oldest frame kept."""
        return self._frames[0].stamp_ns if self._frames else None

    @property
    def span_s(self) -> float:
        """Seconds for which frames are kept."""
        return min(max(self._min_s, _COVER * self._worst_delay_s), self._max_s)

    def expect_delay(self, delay_s: float) -> None:
        """Note how late an answer was; a single slow one is forgotten over time.

        A delay counts for at most what the ring can hold. After a jump of the clock an answer
        looks hours late, and would otherwise be remembered too long.
        """
        self._worst_delay_s = max(min(delay_s, self._max_s), self._worst_delay_s * _DELAY_MEMORY)

    def append(self, frame: Frame) -> None:
        """Add the newest frame and drop what is too old."""
        self._frames.append(frame)
        horizon = frame.stamp_ns - int(self.span_s * 1e9)
        drop = bisect_left(self._frames, horizon, key=lambda kept: kept.stamp_ns)
        del self._frames[:drop]

    def at(self, stamp_ns: int) -> Frame | None:
        """Return the frame with exactly this stamp."""
        index = bisect_left(self._frames, stamp_ns, key=lambda kept: kept.stamp_ns)
        if index < len(self._frames) and self._frames[index].stamp_ns == stamp_ns:
            return self._frames[index]
        return None

    def since(self, stamp_ns: int) -> list[Frame]:
        """Return the frames with this stamp or a later one, in order."""
        index = bisect_left(self._frames, stamp_ns, key=lambda kept: kept.stamp_ns)
        return self._frames[index:]

    def before(self, stamp_ns: int) -> list[Frame]:
        """Return the frames with earlier stamps, in order."""
        return self._frames[:bisect_left(self._frames, stamp_ns, key=lambda kept: kept.stamp_ns)]

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()

    def forget(self, track_ids: set[int]) -> None:
        """Forget removed tracks on every frame."""
        for frame in self._frames:
            for by_id in (frame.motions, frame.states, frame.coasting_s, frame.measurements,
                          frame.sightings, frame.width_states, frame.corrections):
                for track_id in track_ids & by_id.keys():
                    del by_id[track_id]
