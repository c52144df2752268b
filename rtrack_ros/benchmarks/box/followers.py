"""Trackers of one target from a box, all behind one form, with what a frame costs them."""

import time
from collections.abc import Callable
from typing import Final, Protocol

import cv2

from rtrack_ros.benchmarks.tasks.locating import TRACKER_ASKS_S, Speechless
from rtrack_ros.engines.base import EngineError
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Box, Grounding
from rtrack_ros.language.locator import Template
from rtrack_ros.pipeline import TrackingPipeline
from rtrack_ros.scheduling.target_grounder import LocatesTargets
from rtrack_ros.tracking.track import published

STILL: Final = 'still box'
MIL: Final = 'MIL'
EYE: Final = 'rtrack, no model'
MODEL: Final = 'rtrack'
METHODS: Final = (STILL, MIL, EYE, MODEL)
"""What is compared, by the heading of its column."""


class Follower(Protocol):
    """Follows one target; one object for each."""

    def start(self, pair: FramePair, box: Box) -> None:
        """Take the target: ``box`` (x1, y1, x2, y2 in RGB pixels) in the first pair."""

    def follow(self, pair: FramePair) -> Box | None:
        """Return where the target is in the next pair, None for "gone"."""

    @property
    def elsewhere_s(self) -> float:
        """Processor seconds so far in ``follow`` that were the model's."""


class StillBox:
    """Never moves."""

    elsewhere_s = 0.0

    def start(self, pair: FramePair, box: Box) -> None:
        """Take the target."""
        self._box = box

    def follow(self, pair: FramePair) -> Box | None:
        """Return the first box."""
        return self._box


class Mil:
    """OpenCV's ``TrackerMIL`` (Babenko et al., 2009), on the RGB image."""

    elsewhere_s = 0.0

    def start(self, pair: FramePair, box: Box) -> None:
        """Take the target; MIL wants whole pixels."""
        x1, y1, x2, y2 = (round(edge) for edge in box)
        # Its classifiers are drawn at random: without a seed no two runs give the same boxes.
        cv2.setRNGSeed(0)
        self._tracker = cv2.TrackerMIL_create()  # type: ignore[attr-defined]
        self._tracker.init(pair.rgb, (x1, y1, max(x2 - x1, 1), max(y2 - y1, 1)))

    def follow(self, pair: FramePair) -> Box | None:
        """Return its box."""
        found, (left, top, width, height) = self._tracker.update(pair.rgb)
        return (left, top, left + width, top + height) if found else None


class Ours:
    """This package as the node uses it, fed as from a file.

    Args:
        locator: The model; None leaves the target to flow and appearance.
    """

    def __init__(self, locator: LocatesTargets | None = None) -> None:
        self._locator = _Timed(locator or _Mute())
        self._pipeline = TrackingPipeline(Speechless(), synchronous=True, locator=self._locator,
                                          ask_interval_s=TRACKER_ASKS_S)

    @property
    def elsewhere_s(self) -> float:
        """Processor seconds of the model."""
        return self._locator.seconds

    def start(self, pair: FramePair, box: Box) -> None:
        """Take the target."""
        self._pipeline.push(pair)
        self._pipeline.initialize(box)

    def follow(self, pair: FramePair) -> Box | None:
        """Return the box that is published, None where there is none."""
        shown = [track.box for track in published(self._pipeline.push(pair))]
        return shown[0] if shown else None


class _Timed:
    """A locator with the processor time it took."""

    def __init__(self, locator: LocatesTargets) -> None:
        self._locator, self.seconds = locator, 0.0

    def template(self, pair: FramePair, box: Box) -> Template:
        return self._locator.template(pair, box)

    def window(self, pair: FramePair, believed_box: Box) -> Region:
        return self._locator.window(pair, believed_box)

    def locate(self, template: Template, pair: FramePair, believed_box: Box,
               deadline_s: float | None = None) -> Grounding | None:
        begun = time.process_time()
        try:
            return self._locator.locate(template, pair, believed_box, deadline_s)
        finally:
            self.seconds += time.process_time() - begun


class _Mute:
    """A model that never answers."""

    def template(self, pair: FramePair, box: Box) -> Template:
        return Template(pair, box)

    def window(self, pair: FramePair, believed_box: Box) -> Region:
        return 0, 0, pair.width, pair.height

    def locate(self, template: Template, pair: FramePair, believed_box: Box,
               deadline_s: float | None = None) -> Grounding | None:
        raise EngineError('there is no model here')


def makers(locator: LocatesTargets | None) -> dict[str, Callable[[], Follower]]:
    """Return what makes a follower of each method; without a locator all but ``MODEL``."""
    made: dict[str, Callable[[], Follower]] = {STILL: StillBox, MIL: Mil, EYE: Ours}
    if locator is not None:
        made[MODEL] = lambda: Ours(locator)
    return made
