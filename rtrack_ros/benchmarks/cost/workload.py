"""Frames and answers that put a known number of tracks on real simulated objects.

A scene of its own has at most ten people and vehicles. The crowd here is drawn from the casts of
many scenes and put before one backdrop: only who is in view the whole time and overlaps nobody
much is taken, so that a track stands for an object and stays. Frames of one size are the same
for every number of tracks, which are the first so many of the crowd.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rtrack_ros.boxes import iou
from rtrack_ros.data.pairs import DataError
from rtrack_ros.language.answers import Answer, Box, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.simulation import Scene, SimFrame, make_scene
from rtrack_ros.simulation.world import Actor, draw_camera, populate

FPS = 30
ANSWER_PERIOD = 30
"""Frames between two questions of one query: an answer a second."""
ANSWER_DELAY = 15
"""Frames from a question to its answer: half a second, as of a model of 2B on a Jetson Orin."""
_INSTANTS = 6
_LARGEST_OVERLAP = 0.5
_MAX_CASTS = 400


@dataclass(frozen=True)
class Workload:
    """How much is to be tracked.

    Attributes:
        size: (width, height) of the RGB images in pixels.
        tracks: Objects, one track each.
        queries: Active queries; the objects are dealt out to them in turn.
    """

    size: tuple[int, int]
    tracks: int
    queries: int


def crowd_scene(seed: int, size: tuple[int, int], frames: int, people: int) -> Scene:
    """Return a day scene in which ``people`` actors stay in view; ids are 1 to ``people``.

    The thermal camera has half the resolution along each side.

    Raises:
        DataError: so many do not find room.
    """
    seconds = frames / FPS
    scene = make_scene(seed, seconds, place='yard', conditions=['day'], fps=FPS, size=size,
                       thermal_size=(size[0] // 2, size[1] // 2))
    instants = sorted({round(share) for share in np.linspace(0, frames - 1, _INSTANTS)})
    crowd: list[Actor] = []
    taken: list[list[Box]] = [[] for _ in instants]
    for cast in range(_MAX_CASTS):
        for actor, boxes in _staying(scene, _cast(seed, cast, seconds, size), instants):
            if len(crowd) < people and not _crowded(boxes, taken):
                crowd.append(replace(actor, id=len(crowd) + 1))
                for place, box in zip(taken, boxes, strict=True):
                    place.append(box)
        if len(crowd) == people:
            scene.actors = tuple(crowd)
            return scene
    raise DataError(f'only {len(crowd)} of {people} find room in {size[0]}x{size[1]} pixels; '
                    'ask for fewer tracks or a larger image')


def _cast(seed: int, number: int, seconds: float, size: tuple[int, int]) -> list[Actor]:
    rng = np.random.default_rng((seed, number))
    return populate(rng, 'yard', seconds, draw_camera(rng, size))


def _staying(scene: Scene, cast: Sequence[Actor], instants: Sequence[int]
             ) -> Iterator[tuple[Actor, list[Box]]]:
    """Yield the actors of a cast that are seen at all instants, with their boxes there."""
    scene.actors = tuple(cast)
    seen = [{sighting.actor.id: sighting.box for sighting in scene.sightings(index)}
            for index in instants]
    for actor in cast:
        if all(actor.id in boxes for boxes in seen):
            yield actor, [boxes[actor.id] for boxes in seen]


def _crowded(boxes: Sequence[Box], taken: Sequence[Sequence[Box]]) -> bool:
    return any(others and float(iou([box], others).max()) > _LARGEST_OVERLAP
               for box, others in zip(boxes, taken, strict=True))


class AnswerScript:
    """The answers to every query: the true boxes of its objects, half a second late.

    Every query has its objects answered at once at the first frame, which plants the tracks, and
    then about one frame a second, the queries in turn.

    Args:
        frames: The frames of a crowd scene.
        workload: How many objects and queries.
    """

    def __init__(self, frames: Sequence[SimFrame], workload: Workload) -> None:
        self._frames = frames
        self._tracks = workload.tracks
        self.queries = tuple(Query(f'q{number}', f'crowd {number}', number + 1)
                             for number in range(workload.queries))

    def boxes(self, index: int) -> list[Box]:
        """Return the true boxes of all tracked objects on a frame: what a detector would see."""
        return [item.box for item in self._frames[index].objects if item.id <= self._tracks]

    def due(self, index: int) -> Iterator[Answer]:
        """Yield the answers that arrive after a frame was tracked."""
        for number in range(len(self.queries)):
            if index == 0:
                yield self._answer(number, 0)
            asked = index - ANSWER_DELAY
            turn = number * ANSWER_PERIOD // len(self.queries)
            if asked > 0 and asked % ANSWER_PERIOD == turn:
                yield self._answer(number, asked)

    def _answer(self, number: int, index: int) -> Answer:
        frame, query = self._frames[index], self.queries[number]
        meant = [item for item in frame.objects if item.id <= self._tracks
                 and (item.id - 1) % len(self.queries) == number]
        return Answer(frame.stamp_ns, query.id, query.epoch,
                      tuple(Grounding(item.box, item.category) for item in meant))
