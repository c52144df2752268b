"""Re-detection: the Siamese network looks for a few tracks on the newest frame.

The network costs time for every track, so each frame has room for a few: those that were not
looked for the longest. In between, flow carries them. Beside a slow thermal camera a track that
was looked for with a fresh thermal image waits for the next one: from RGB alone the network knows
its box less well.
"""

from collections.abc import Sequence
from dataclasses import replace

from rtrack_ros.boxes import BoxArray
from rtrack_ros.tracking.appearance.siamese import Patch, Siamese
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame, SiameseMeasurement
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.filter_step import advance
from rtrack_ros.tracking.motion.kalman import States
from rtrack_ros.tracking.tracklet import Tracklet

# A thermal camera of 5 Hz and more has its next image so soon.
_NEXT_THERMAL_NS = 200_000_000


class Redetector:
    """Looks for tracks with the Siamese network. Used by the thread of frames alone."""

    def __init__(self) -> None:
        self._siamese: Siamese | None = None
        self._thermal_ns: int | None = None

    def prepare(self, config: TrackerConfig) -> None:
        """Load the network if the settings want it, so that no frame waits for that."""
        if config.siamese_per_frame and self._siamese is None:
            self._siamese = Siamese()

    def find(self, views: Views, templates: Sequence[Patch | None], boxes: BoxArray
             ) -> list[SiameseMeasurement | None]:
        """Return what ``Siamese.find`` does, nothing where the settings want no network."""
        if self._siamese is None:
            return [None] * len(templates)
        return self._siamese.find(views, templates, boxes)

    def redetect(self, frame: Frame, tracklets: Sequence[Tracklet | None], states: States,
                 config: TrackerConfig) -> None:
        """Write into a frame where the network sees some of the tracks.

        Args:
            frame: The newest frame, with its motions; not yet with states.
            tracklets: The tracks that are followed, None where a track has ended meanwhile.
            states: Their states on the frame before, (N, 5, 4).
            config: Tracker settings.
        """
        if frame.views.thermal is not None:
            self._thermal_ns = frame.stamp_ns
        known = [(item, row) for row, item in enumerate(tracklets)
                 if item and item.template and not self._waits(item, frame)]
        waiting = sorted(known, key=lambda entry: entry[0].redetected_ns)
        due = waiting[:config.siamese_per_frame]
        if self._siamese is None or not due:
            return
        moved = advance(states[[row for _, row in due]],
                        [frame.motions.get(item.id) for item, _ in due],
                        frame.camera, frame.dt_s, config)
        measurements = self._siamese.find(frame.views, [item.template for item, _ in due],
                                          kalman.boxes_of(moved))
        for (item, _), measurement in zip(due, measurements, strict=True):
            if measurement:
                interval_s = (frame.stamp_ns - item.redetected_ns) * 1e-9
                frame.measurements[item.id] = replace(measurement, interval_s=interval_s)
            item.redetected_ns = frame.stamp_ns

    def _waits(self, item: Tracklet, frame: Frame) -> bool:
        """Whether a track was looked for with thermal, and a fresh image of it is to come."""
        last_ns = self._thermal_ns
        return (frame.views.thermal is None and last_ns is not None
                and 0 <= frame.stamp_ns - last_ns < _NEXT_THERMAL_NS
                and item.redetected_ns >= last_ns)
