"""Training questions about one object of the simulated world, seen closely, drawn into shards.

An episode is one object at two moments: an object crop (is it this? describe it), and a template
with a search window some time later (where is it now?), often with another object close by. Shard
``k`` depends only on the base seed and ``k``, as in ``training.shards.frames``.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import share_inside
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Box
from rtrack_ros.language.closeup import (
    MIN_SHOWN,
    OBJECT_CROP_FACTOR,
    SEARCH_FACTOR,
    roots_between,
    window_around,
    within,
)
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.simulation.descriptions import checkable, describe_sighting
from rtrack_ros.simulation.expressions import Sentence, Sighting, draw_sentences
from rtrack_ros.simulation.scene import Scene
from rtrack_ros.simulation.weather import CONDITIONS
from rtrack_ros.training.shards.corruption import Corruption, elsewhere
from rtrack_ros.training.shards.frames import (
    NEGATIONS,
    SCENE_SECONDS,
    FrameRow,
    ObjectRow,
    frame_row_as_json,
    frame_row_from_json,
    is_drawn,
    object_row,
    open_images,
    read_rows,
    save_shard,
    some_negations,
)

HISTORIES = Corruption()
VIEWS = ('object_crop', 'template', 'search')
OBJECTS_PER_MOMENT = 3
LONGEST_GAP_S = 1.5
"""Seconds between template and search in most episodes; in ``FAR_SHARE`` of them it is any time of
the scene, in any condition: a target that was lost for long."""
FAR_SHARE = 0.2
CROSSING_SHARE, CROSSING_DRAWS = 0.5, 8
"""In this share of the moments the frame is, of so many drawn, the one in which two objects are
closest; and in this share hidden objects are asked about first, then those in a crowd. Where
objects cross, one is mistaken for the other, and what hides an object for that object."""
ELSEWHERE_SHARE = 0.12
"""Share of search windows at another place, as of a tracker that follows the wrong object."""


@dataclass(frozen=True)
class Claim:
    """A sentence that is true or false of the object of an episode."""

    text: str
    kind: str
    true: bool


@dataclass(frozen=True)
class CloseUp:
    """One view of an episode.

    Attributes:
        frame: What is in the window, boxes in 0-1000 of it.
        box: The box of the object that the prompt names, 0-1000 of the window; in the search view
            none is named.
        target: Row of the object among ``frame.objects``; None where the window does not show it.
    """

    frame: FrameRow
    box: Box | None
    target: int | None


@dataclass(frozen=True)
class Episode:
    """One object: the three views of ``VIEWS``, what is true of it, and what it is in words."""

    views: tuple[CloseUp, CloseUp, CloseUp]
    claims: tuple[Claim, ...]
    description: str


@dataclass(frozen=True, eq=False)
class CloseUpShard:
    """Episodes on disk: rgb uint8 (N, 3, H, W, 3), thermal uint8 (N, 3, H, W), and their rows."""

    rgb: NDArray[np.uint8]
    thermal: NDArray[np.uint8]
    episodes: tuple[Episode, ...]


@dataclass(frozen=True, eq=False)
class _Moment:
    """A drawn frame of a scene with what can be referred to in it."""

    pair: FramePair
    seen: dict[int, Sighting]
    condition: str


Images = list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]


def draw_episodes(seed: int, size: tuple[int, int], corruption: Corruption = HISTORIES,
                  negations: bool = False) -> Iterator[tuple[Images, Episode]]:
    """Draw the episodes of one scene, all conditions; images in the order of ``VIEWS``.

    Args:
        seed: Scene seed.
        size: (width, height) in pixels of the model's input.
        corruption: How far template boxes and search windows are from the truth.
        negations: Whether some claims are negated or counterfactual; all else stays the same.
    """
    scene = Scene(seed, SCENE_SECONDS, conditions=CONDITIONS)
    rng = np.random.default_rng((seed, 5))
    denying = np.random.default_rng((seed, 6)) if negations else None
    span = scene.frames // len(CONDITIONS)
    for part in range(len(CONDITIONS)):
        first = _moment_index(rng, scene, partial(_frame_between, rng, part * span, span))
        now = _moment(scene, first)
        names = sorted(now.seen)
        if not names:
            continue
        later = _moment(scene, _moment_index(
            rng, scene, partial(_later_frame, rng, scene, first, span), names))
        sentences = [*draw_sentences(rng, scene.actors, scene.width),
                     *some_negations(denying, scene)]
        for name in _asked_about(rng, later, names):
            yield _episode(_Draw(rng, size, corruption), now, later, name, sentences)


def _moment_index(rng: np.random.Generator, scene: Scene, draw: Callable[[], int],
                  names: Collection[int] | None = None) -> int:
    """Draw a frame, often one of several in which one of ``names`` is close to something."""
    if rng.random() >= CROSSING_SHARE:
        return draw()
    drawn = {draw() for _ in range(CROSSING_DRAWS)}
    return min(sorted(drawn), key=lambda index: min(
        (away for name, away in _apart(scene.sightings(index)).items()
         if names is None or name in names), default=np.inf))


def _frame_between(rng: np.random.Generator, begin: int, length: int) -> int:
    return begin + int(rng.integers(length))


def _later_frame(rng: np.random.Generator, scene: Scene, first: int, span: int) -> int:
    """Draw the frame in which what was seen at ``first`` is sought."""
    if rng.random() < FAR_SHARE:
        return int(rng.integers(scene.frames))
    reach = round(LONGEST_GAP_S * scene.fps)
    begin = first - first % span
    return int(np.clip(first + rng.integers(-reach, reach + 1), begin, begin + span - 1))


def _asked_about(rng: np.random.Generator, later: _Moment, names: Sequence[int]) -> list[int]:
    """Return the objects of a moment's episodes: any, or first those hidden or in a crowd."""
    order: list[int] = rng.permutation(names).tolist()
    if rng.random() < CROSSING_SHARE:
        apart = _apart(later.seen.values())
        order.sort(key=lambda name: apart.get(name, 0.0))
    return order[:OBJECTS_PER_MOMENT]


def _apart(seen: Iterable[Sighting]) -> dict[int, float]:
    """Return how far the next object is from each, by id, in roots of its area."""
    boxes = {item.actor.id: item.box for item in seen}
    return {name: min((roots_between(box, other) for key, other in boxes.items() if key != name),
                      default=np.inf) for name, box in boxes.items()}


def _moment(scene: Scene, index: int) -> _Moment:
    frame = scene.frame(index)
    return _Moment(frame.pair(), {item.actor.id: item for item in scene.sightings(index)},
                   frame.condition)


@dataclass(frozen=True, eq=False)
class _Draw:
    """How windows are drawn."""

    rng: np.random.Generator
    size: tuple[int, int]
    corruption: Corruption

    def window(self, moment: _Moment, around: Box, factor: float) -> Region:
        return window_around(around, factor, (moment.pair.width, moment.pair.height), self.size)

    def images(self, moment: _Moment, region: Region
               ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        rgb, thermal = moment.pair.crop(region).images()
        return resize_image(rgb, self.size), resize_image(thermal, self.size)[:, :, 0]

    def relative(self, box: Box, region: Region) -> Box:
        """Return a box of the image in 0-1000 of a region, cut to it."""
        size = (region[2] - region[0], region[3] - region[1])
        return model_from_pixels(within(box, region), 'rel1000', size, self.size)


def _episode(draw: _Draw, now: _Moment, later: _Moment, name: int, sentences: Sequence[Sentence]
             ) -> tuple[Images, Episode]:
    truth = now.seen[name].box
    named = draw.corruption.template(draw.rng, truth)
    regions = [draw.window(now, named, OBJECT_CROP_FACTOR), draw.window(now, named, SEARCH_FACTOR),
               draw.window(later, _predicted(draw, now, later, name), SEARCH_FACTOR)]
    moments = (now, now, later)
    boxes = (draw.relative(named, regions[0]), draw.relative(named, regions[1]), None)
    views = tuple(_view(draw, moment, region, name, box)
                  for moment, region, box in zip(moments, regions, boxes, strict=True))
    episode = Episode((views[0], views[1], views[2]), _claims(now, name, sentences),
                      describe_sighting(now.seen[name], now.condition))
    images = [draw.images(*look) for look in zip(moments, regions, strict=True)]
    return images, episode


def _predicted(draw: _Draw, now: _Moment, later: _Moment, name: int) -> Box:
    """Return where the tracker thinks the object is at the later moment."""
    known = later.seen.get(name, now.seen[name]).box
    others = [later.seen[key].box for key in sorted(set(later.seen) - {name})]
    if draw.rng.random() < ELSEWHERE_SHARE:
        return elsewhere(draw.rng, known, others, (later.pair.width, later.pair.height))
    return draw.corruption.predicted(draw.rng, known, others)


def _view(draw: _Draw, moment: _Moment, region: Region, name: int, box: Box | None) -> CloseUp:
    """Return what a window shows; objects that are mostly outside count as hidden."""
    shown: list[ObjectRow] = []
    hidden: list[Box] = []
    target = None
    shares = share_inside([item.box for item in moment.seen.values()], region)
    for item, share in zip(moment.seen.values(), shares, strict=True):
        if share >= MIN_SHOWN:
            target = len(shown) if item.actor.id == name else target
            shown.append(object_row(item, draw.relative(item.box, region)))
        elif share > 0:
            hidden.append(draw.relative(item.box, region))
    return CloseUp(FrameRow(moment.condition, tuple(shown), tuple(hidden)), box, target)


def _claims(moment: _Moment, name: int, sentences: Sequence[Sentence]) -> tuple[Claim, ...]:
    """Return the sentences whose truth the object crop shows; darkness hides colours."""
    seen = list(moment.seen.values())
    return tuple(Claim(sentence.text, sentence.kind, name in sentence.ids(seen))
                 for sentence in sentences if checkable(sentence.kind, moment.condition))


def write_closeups(folder: Path, number: int, base_seed: int, episodes: int,
                   size: tuple[int, int], negations: bool = False) -> None:
    """Draw shard ``number`` of close-ups into ``folder`` unless it is there already.

    Args:
        folder: Where it goes.
        number: Its number.
        base_seed: Seed of the first scene of shard 0.
        episodes: How many.
        size: (width, height) in pixels of the model's input.
        negations: As in ``draw_episodes``.

    Raises:
        ProvenanceError: another one is there.
    """
    made_from = {'kind': 'close-ups', 'seed': base_seed, 'episodes': episodes, 'size': size,
                 **({'negations': NEGATIONS} if negations else {})}
    if is_drawn(folder, number, made_from):
        return
    width, height = size
    rgb = np.empty((episodes, len(VIEWS), height, width, 3), np.uint8)
    thermal = np.empty((episodes, len(VIEWS), height, width), np.uint8)
    rows: list[dict[str, Any]] = []
    scene = base_seed + number * 10_000
    while len(rows) < episodes:
        for images, episode in draw_episodes(scene, size, negations=negations):
            if len(rows) == episodes:
                break
            for view, (colour, heat) in enumerate(images):
                rgb[len(rows), view], thermal[len(rows), view] = colour, heat
            rows.append(_as_json(episode))
        scene += 1
    save_shard(folder, number, rgb, thermal, rows, made_from)


def _as_json(episode: Episode) -> dict[str, Any]:
    return {'views': [{'frame': frame_row_as_json(view.frame), 'box': view.box,
                       'target': view.target} for view in episode.views],
            'claims': [vars(claim) for claim in episode.claims],
            'description': episode.description}


def read_closeups(folder: Path, number: int) -> CloseUpShard:
    """Map shard ``number`` of close-ups from disk.

    Raises:
        FileNotFoundError: it has not been drawn yet.
    """
    return CloseUpShard(open_images(folder, number, 'rgb'),
                        open_images(folder, number, 'thermal'),
                        tuple(_from_json(row) for row in read_rows(folder, number)))


def _from_json(row: dict[str, Any]) -> Episode:
    object_crop, template, search = (
        CloseUp(frame_row_from_json(view['frame']), view['box'] and tuple(view['box']),
                view['target']) for view in row['views'])
    return Episode((object_crop, template, search),
                   tuple(Claim(**claim) for claim in row['claims']), row['description'])
