"""Following a target by ``locate`` alone, scored as GOT-10k scores single-object trackers.

The run starts from the true box, as in GOT-10k (Huang et al., 2019); the template of the first
frame stays. Every answer moves the window; where the target is said to be gone, the window stays.
There is no motion model, no flow and no second model: what is scored is the task. Beside it the
same target is followed as the node does it: by the tracker, which asks a third as often.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rtrack_ros.engines.base import EngineError
from rtrack_ros.evaluation.metrics.single_object import TargetRun, pool_targets
from rtrack_ros.frames import FramePair
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.language.answers import Answer, Box, OnAnswer
from rtrack_ros.language.locator import Locator, Template
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.pipeline import TrackingPipeline
from rtrack_ros.simulation import CONDITIONS, ObjectTruth, make_scene
from rtrack_ros.simulation.scene import MIN_HEIGHT, MIN_VISIBILITY
from rtrack_ros.tracking.track import published

SCENE_FPS: Final = 30
ASKED_EVERY: Final = 3
"""Frames from one question to the next: ten a second."""
TRACKER_ASKS_S: Final = 0.3
"""Seconds from one question of the tracker to the next."""
TARGETS: Final = 2
"""Objects of a scene that are followed, each by itself."""


@dataclass(frozen=True)
class SightedTarget:
    """The truth of a target in one frame, a ``TargetFrame``.

    A target counts as in view where a sentence could mean it, and as gone where nothing of it is
    visible; a frame between the two is not labelled, as nobody can say what is right there.

    Attributes:
        truth: The target; None where it is out of view.
    """

    truth: ObjectTruth | None

    @property
    def objects(self) -> Mapping[int, Box]:
        """The box by id."""
        return {} if self.truth is None else {self.truth.id: self.truth.box}

    @property
    def meant(self) -> frozenset[int]:
        """The id where the target is in view."""
        return frozenset(self.objects) if self._in_view else frozenset()

    @property
    def labelled(self) -> bool:
        """Whether it is clear that the target is in view, or that it is gone."""
        return self._in_view or self.cover == 0

    @property
    def cover(self) -> float:
        """Visible share in [0, 1]."""
        return 0.0 if self.truth is None else self.truth.visibility

    @property
    def _in_view(self) -> bool:
        return self.truth is not None and _can_be_meant(self.truth)


def _can_be_meant(item: ObjectTruth) -> bool:
    return item.visibility >= MIN_VISIBILITY and item.box[3] - item.box[1] >= MIN_HEIGHT


@dataclass(frozen=True, eq=False)
class FollowedTarget:
    """One target with what the model and the baseline said about it.

    Attributes:
        condition: The weather's name.
        answers: The run of the model.
        tracked: That of the tracker with the model.
        static: The first box for every frame.
        unusable: Answers that could not be read or came too late.
    """

    condition: str
    answers: TargetRun
    tracked: TargetRun
    static: TargetRun
    unusable: int


class _Follower:
    """Follows one target from frame to frame."""

    def __init__(self, locator: Locator, pair: FramePair, first: ObjectTruth,
                 deadline_s: float) -> None:
        self.id, self._locator, self._deadline_s = first.id, locator, deadline_s
        self._tracker = TrackingPipeline(Speechless(), synchronous=True,
                                         ask_interval_s=TRACKER_ASKS_S, locator=locator)
        self._tracker.push(pair)
        self._tracker.initialize(first.box)
        self.tracked: list[Box | None] = [first.box]
        self._template: Template = locator.template(pair, first.box)
        self._believed: Box = first.box
        self.told: list[Box | None] = [first.box]
        self.truth: list[SightedTarget] = [SightedTarget(first)]
        self.unusable = 0

    def look(self, pair: FramePair, objects: Sequence[ObjectTruth]) -> None:
        try:
            found = self._locator.locate(self._template, pair, self._believed, self._deadline_s)
        except (AnswerError, EngineError):
            found = None
            self.unusable += 1
        self._believed = self._believed if found is None else found.box
        shown = [track.box for track in published(self._tracker.push(pair))]
        self.tracked.append(shown[0] if shown else None)
        self.told.append(None if found is None else found.box)
        self.truth.append(SightedTarget(next((item for item in objects if item.id == self.id),
                                             None)))

    def result(self, condition: str, size: tuple[int, int]) -> FollowedTarget:
        static: list[Box | None] = [self.told[0]] * len(self.told)
        told, tracked, still = (TargetRun(self.truth, boxes, size)
                                for boxes in (self.told, self.tracked, static))
        return FollowedTarget(condition, told, tracked, still, self.unusable)


class Speechless:
    """Answers no sentence: here all that is asked for are targets."""

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None) -> Answer:
        """Refuse."""
        raise EngineError(f'nobody answers {query.text!r} here')


def scene_plan(scenes: int, seed: int) -> list[tuple[int, str]]:
    """Return the seed and the condition of every scene, ``scenes`` of each condition."""
    return [(seed + number * len(CONDITIONS) + place, condition)
            for number in range(scenes) for place, condition in enumerate(CONDITIONS)]


def follow_targets(locator: Locator, seed: int, condition: str, seconds: float,
                   deadline_s: float) -> list[FollowedTarget]:
    """Follow up to ``TARGETS`` objects that are in view when a scene begins.

    Args:
        locator: Answers.
        seed: Seed of the scene.
        condition: Its weather.
        seconds: Its length.
        deadline_s: Seconds for one answer.
    """
    followers: list[_Follower] = []
    size = (0, 0)
    for number, (pair, objects) in enumerate(scene_frames(seed, condition, seconds)):
        size = (pair.width, pair.height)
        if number == 0:
            followers = [_Follower(locator, pair, item, deadline_s)
                         for item in chosen_targets(seed, objects)]
        for follower in followers if number else ():
            follower.look(pair, objects)
    return [follower.result(condition, size) for follower in followers]


def scene_frames(seed: int, condition: str, seconds: float
            ) -> Iterator[tuple[FramePair, tuple[ObjectTruth, ...]]]:
    """Yield what is looked at; thermal limits follow the scene as they do in the node."""
    scene = make_scene(seed, seconds, conditions=(condition,), fps=SCENE_FPS)
    normalise = ThermalNormaliser()
    for index in range(0, len(scene), ASKED_EVERY):
        frame = scene.frame(index)
        thermal = register_thermal(normalise(frame.thermal, frame.stamp_ns), scene.width,
                                   scene.height)
        yield FramePair(frame.stamp_ns, frame.rgb, thermal), frame.objects


def chosen_targets(seed: int, objects: Sequence[ObjectTruth]) -> list[ObjectTruth]:
    """Return what to follow, the same for a seed whatever the model."""
    possible = sorted((item for item in objects if _can_be_meant(item)), key=lambda item: item.id)
    order = np.random.default_rng((seed, 13)).permutation(len(possible))[:TARGETS]
    return [possible[place] for place in order]


def locate_scores(followed: Sequence[FollowedTarget]) -> dict[str, Any]:
    """Return AO, success rates and presence of model, tracker and static box, and by condition.

    Raises:
        DataError: nothing was in view in any scene.
    """
    parts = {condition: [item for item in followed if item.condition == condition]
             for condition in CONDITIONS}
    return {'all': _scores(followed), 'unusable': sum(item.unusable for item in followed),
            'by_condition': {name: _scores(part) for name, part in parts.items() if part}}


def _scores(followed: Sequence[FollowedTarget]) -> dict[str, Any]:
    return {**pool_targets('locate', [item.answers for item in followed]).as_dict(),
            'tracked': pool_targets('tracked', [item.tracked for item in followed]).as_dict(),
            'static': pool_targets('static', [item.static for item in followed]).as_dict()}
