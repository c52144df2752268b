"""Effort: how much a step may do, so that boxes are never late for want of processor time.

Late is worse than less. Where steps take longer than the time there is, the tracker does less, in
this order: the network looks for fewer tracks; flow runs on one spectrum, in turn; flow follows
half of the tracks, those longest unseen, by fewer points; a frame goes by without measuring, until
the time that was overdrawn is made up for. Where there is time again, it does more, one by one.
Amounts are our choice.
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum
from functools import lru_cache
from statistics import median

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame

# Share of the camera's period that a step may take: pixels must come and boxes go, too.
_SHARE_OF_PERIOD = 0.6
# Of that share, so much is left after an image that was passed over, and so much more after each
# that was not: what else is done for an image takes more time than was thought.
_LESS_ROOM, _MORE_ROOM, _LEAST_ROOM = 0.9, 0.002, 0.5
# Frames over which the camera's period and the cost of a step are the median: one hiccup of the
# machine is no want of time.
_PERIODS, _COSTS = 15, 3
# A step may do more again after so many frames that took less than this share of the budget.
_PATIENCE, _EASY = 30, 0.5
# If it was too much after all, the next attempt waits twice as long, up to so many frames.
_LONGEST_PATIENCE = 900


class Effort(IntEnum):
    """What a step does; each does less than the one before, and leaves out what that left out.

    Attributes:
        FULL: Everything.
        FEWER_LOOKS: The network looks for one track in a frame.
        ONE_SPECTRUM: Flow runs on RGB and thermal in turn.
        COARSE_FLOW: Flow follows half of the tracks by fewer points.
        KALMAN_ONLY: Nothing is measured.
    """

    FULL = 0
    FEWER_LOOKS = 1
    ONE_SPECTRUM = 2
    COARSE_FLOW = 3
    KALMAN_ONLY = 4

    def applied(self, config: TrackerConfig) -> TrackerConfig:
        """Return the settings of a step with this effort."""
        return _applied(self, config)

    def followed(self, ids: list[int], frame: Frame) -> list[int]:
        """Return which tracks flow follows from a frame on, those longest unseen first."""
        if self < Effort.COARSE_FLOW:
            return ids
        waiting = sorted(ids, key=lambda track_id: -frame.coasting_s.get(track_id, 0.0))
        return waiting[:-(-len(ids) // 2)] if self is Effort.COARSE_FLOW else []


@lru_cache(maxsize=16)
def _applied(effort: Effort, config: TrackerConfig) -> TrackerConfig:
    if effort >= Effort.FEWER_LOOKS:
        looks = 0 if effort is Effort.KALMAN_ONLY else 1
        config = replace(config, siamese_per_frame=min(looks, config.siamese_per_frame))
    if effort >= Effort.ONE_SPECTRUM:
        config = replace(config, spectra_per_frame=1)
    if effort >= Effort.COARSE_FLOW:
        fewer = max(2 * config.min_points, config.points_per_box // 3)
        config = replace(config, points_per_box=min(fewer, config.points_per_box))
    return replace(config, max_flow_gap_s=0.0) if effort is Effort.KALMAN_ONLY else config


class EffortControl:
    """Chooses the effort of every step by what the last ones took. Used by one thread.

    Args:
        clock: Seconds, from any beginning.

    Attributes:
        counts: Steps by effort.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[Effort] = Counter()
        self._clock = clock
        self._periods: deque[float] = deque(maxlen=_PERIODS)
        self._costs: deque[float] = deque(maxlen=_COSTS)
        self._level = self._effort = Effort.FULL
        self._began = self._overdrawn = self._budget_s = 0.0
        self._room = 1.0
        self._patience = _PATIENCE
        self._easy = 0
        self._since_more = _LONGEST_PATIENCE

    def begin(self, dt_s: float, config: TrackerConfig, passed_over: int = 0) -> Effort:
        """Return the effort of the step that begins now.

        Args:
            dt_s: Seconds between the stamps of this image of the camera and the one before, which
                may have been passed over; 0 for the first.
            config: Settings; ``budget_ms`` counts.
            passed_over: Images of the camera that were passed over before this one.
        """
        self._began = self._clock()
        if dt_s > 0:
            self._periods.append(dt_s)
        period_s = median(self._periods) if self._periods else 0.0
        self._room = (max(_LESS_ROOM * self._room, _LEAST_ROOM) if passed_over
                      else min(self._room + _MORE_ROOM, 1.0))
        self._budget_s = config.budget_ms * 1e-3 or _SHARE_OF_PERIOD * self._room * period_s
        overdrawn = self._level is Effort.COARSE_FLOW and self._overdrawn > 0
        self._effort = Effort.KALMAN_ONLY if overdrawn else self._level
        self.counts[self._effort] += 1
        return self._effort

    def end(self) -> None:
        """Note that the step is done."""
        cost_s, budget_s = self._clock() - self._began, self._budget_s
        if budget_s <= 0:
            return
        if self._level is Effort.COARSE_FLOW:
            self._overdrawn = max(0.0, self._overdrawn + cost_s - budget_s)
        if self._effort is Effort.KALMAN_ONLY:
            return
        self._costs.append(cost_s)
        self._since_more += 1
        self._easy = self._easy + 1 if cost_s < _EASY * budget_s else 0
        if len(self._costs) == _COSTS and median(self._costs) > budget_s:
            self._do_less()
        elif self._easy >= self._patience and self._level > Effort.FULL:
            self._do_more()

    def _do_less(self) -> None:
        if self._level is Effort.COARSE_FLOW:
            return
        if self._since_more < _PATIENCE:
            self._patience = min(2 * self._patience, _LONGEST_PATIENCE)
        self._level = Effort(self._level + 1)
        self._change()

    def _do_more(self) -> None:
        if self._since_more >= self._patience:
            self._patience = _PATIENCE
        self._level = Effort(self._level - 1)
        self._since_more = 0
        self._change()

    def _change(self) -> None:
        self._costs.clear()
        self._easy = 0
        self._overdrawn = 0.0
