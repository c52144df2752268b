"""Training frames from the simulated world, drawn once into shards that later epochs map.

A shard holds frames at the model's input size, the objects in them and the sentences about them.
Shard ``k`` depends only on the base seed and ``k``, so shards can be drawn in any order, by any
number of processes, and a run that resumes finds the same ones.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.files import whole_file, write_whole
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.provenance import require_same
from rtrack_ros.simulation.expressions import Sentence, Sighting, draw_sentences
from rtrack_ros.simulation.negations import draw_negations
from rtrack_ros.simulation.palette import CLOTHES
from rtrack_ros.simulation.scene import Scene
from rtrack_ros.simulation.weather import CONDITIONS

CATEGORIES = ('person', 'car', 'cyclist')
COLOURS = tuple(CLOTHES)
FACINGS = ('left', 'right', 'near', 'far')
FRAMES_PER_SCENE = 18
SCENE_SECONDS = 12.0
NEGATIONS = 6
"""Negated and counterfactual sentences about a frame beside about fifteen ordinary ones."""


@dataclass(frozen=True)
class ObjectRow:
    """One object of a training frame; class indices into the tuples above, box in 0-1000."""

    category: int
    upper: int
    lower: int
    facing: int
    moving: bool
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class SentenceRow:
    """A sentence and the rows of the objects it means."""

    text: str
    kind: str
    objects: tuple[int, ...]


@dataclass(frozen=True)
class FrameRow:
    """What is known about one training frame."""

    condition: str
    objects: tuple[ObjectRow, ...]
    hidden: tuple[tuple[float, float, float, float], ...]
    sentences: tuple[SentenceRow, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class Shard:
    """Frames on disk: rgb uint8 (N, H, W, 3), thermal uint8 (N, H, W), and their rows."""

    rgb: NDArray[np.uint8]
    thermal: NDArray[np.uint8]
    rows: tuple[FrameRow, ...]


def draw_frames(seed: int, size: tuple[int, int], negations: bool = False
                ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], FrameRow]]:
    """Draw the training frames of one scene, all conditions, RGB and thermal at ``size``.

    Args:
        seed: Scene seed.
        size: (width, height) in pixels of the model's input.
        negations: Whether some sentences are negated or counterfactual; the others stay the same.
    """
    scene = Scene(seed, SCENE_SECONDS, conditions=CONDITIONS)
    rng = np.random.default_rng((seed, 3))
    denying = np.random.default_rng((seed, 4)) if negations else None
    per_condition = FRAMES_PER_SCENE // len(CONDITIONS)
    span = scene.frames // len(CONDITIONS)
    for part in range(len(CONDITIONS)):
        for offset in rng.choice(span, per_condition, replace=False):
            index = part * span + int(offset)
            frame = scene.frame(index)
            thermal = ThermalNormaliser()(frame.thermal, frame.stamp_ns)
            seen = scene.sightings(index)
            shown = {item.actor.id for item in seen}
            hidden = tuple(_relative(item.box, scene) for item in frame.objects
                           if item.id not in shown)
            row = FrameRow(frame.condition, tuple(object_row(item, _relative(item.box, scene))
                                                  for item in seen), hidden,
                           _rows((*draw_sentences(rng, scene.actors, scene.width),
                                  *some_negations(denying, scene)), seen))
            yield resize_image(frame.rgb, size), register_thermal(thermal, *size), row


def _relative(box: tuple[float, float, float, float], scene: Scene
              ) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    return (round(1000 * x1 / scene.width, 1), round(1000 * y1 / scene.height, 1),
            round(1000 * x2 / scene.width, 1), round(1000 * y2 / scene.height, 1))


def object_row(item: Sighting, box: tuple[float, float, float, float]) -> ObjectRow:
    """Return the row of an actor whose box, in 0-1000, is ``box``."""
    actor = item.actor
    return ObjectRow(CATEGORIES.index(actor.category), COLOURS.index(actor.upper),
                     COLOURS.index(actor.lower) if actor.lower else -1,
                     FACINGS.index(actor.facing(item.seconds)), actor.moving(item.seconds), box)


def some_negations(rng: np.random.Generator | None, scene: Scene) -> list[Sentence]:
    """Return ``NEGATIONS`` negated or counterfactual sentences of a scene, without rng none."""
    if rng is None:
        return []
    drawn = draw_negations(rng, scene.actors, scene.width)
    return [drawn[place] for place in rng.permutation(len(drawn))[:NEGATIONS]]


def _rows(sentences: Iterable[Sentence], seen: list[Sighting]) -> tuple[SentenceRow, ...]:
    rows = {item.actor.id: number for number, item in enumerate(seen)}
    return tuple(SentenceRow(sentence.text, sentence.kind,
                             tuple(sorted(rows[name] for name in sentence.ids(seen))))
                 for sentence in sentences)


def write_shard(folder: Path, number: int, base_seed: int, frames: int, size: tuple[int, int],
                negations: bool = False) -> None:
    """Draw shard ``number`` into ``folder`` unless it is there already.

    Args:
        folder: Where it goes.
        number: Its number.
        base_seed: Seed of the first scene of shard 0.
        frames: How many.
        size: (width, height) in pixels of the model's input.
        negations: As in ``draw_frames``.

    Raises:
        ProvenanceError: another one is there.
    """
    made_from = {'kind': 'frames', 'seed': base_seed, 'frames': frames, 'size': size,
                 **({'negations': NEGATIONS} if negations else {})}
    if is_drawn(folder, number, made_from):
        return
    width, height = size
    rgb = np.empty((frames, height, width, 3), np.uint8)
    thermal = np.empty((frames, height, width), np.uint8)
    rows: list[dict[str, Any]] = []
    scene = base_seed + number * 10_000
    while len(rows) < frames:
        for image, heat, row in draw_frames(scene, size, negations):
            if len(rows) == frames:
                break
            rgb[len(rows)], thermal[len(rows)] = image, heat
            rows.append(frame_row_as_json(row))
        scene += 1
    save_shard(folder, number, rgb, thermal, rows, made_from)


def save_shard(folder: Path, number: int, rgb: NDArray[np.uint8], thermal: NDArray[np.uint8],
               rows: list[dict[str, Any]], made_from: Mapping[str, Any]) -> None:
    """Write shard ``number``; its rows come last: where they are, all of it is.

    Args:
        folder: Where it goes.
        number: Its number.
        rgb: uint8 (N, ..., H, W, 3).
        thermal: uint8 (N, ..., H, W).
        rows: N plain objects.
        made_from: What it follows from, besides its number.
    """
    for name, images in (('rgb', rgb), ('thermal', thermal)):
        with whole_file(_place(folder, number, f'{name}.npy')) as draft, draft.open('wb') as file:
            np.save(file, images)
    content = {'made_from': made_from, 'rows': rows}
    write_whole(_place(folder, number, 'json'), json.dumps(content, allow_nan=False))


def is_drawn(folder: Path, number: int, made_from: Mapping[str, Any]) -> bool:
    """Return whether shard ``number`` is there, whole.

    Raises:
        ProvenanceError: a shard is there that follows from something else, or from what nobody
            knows.
    """
    path = _place(folder, number, 'json')
    if not path.is_file():
        return False
    content = json.loads(path.read_text(encoding='utf-8'))
    known = content['made_from'] if isinstance(content, dict) else 'what nobody wrote down'
    require_same(path, known, made_from, 'choose another folder, or remove this one to draw anew')
    try:
        lengths = {len(open_images(folder, number, name)) for name in ('rgb', 'thermal')}
    except (OSError, ValueError):
        return False
    return lengths == {len(content['rows'])}


def shard_numbers(folder: Path) -> list[int]:
    """Return the numbers of the shards in a folder."""
    return sorted(int(path.stem) for path in folder.glob('*.json') if path.stem.isdecimal())


def read_rows(folder: Path, number: int) -> list[dict[str, Any]]:
    """Return the plain rows of shard ``number``.

    Raises:
        FileNotFoundError: it has not been drawn yet.
    """
    content = json.loads(_place(folder, number, 'json').read_text(encoding='utf-8'))
    rows: list[dict[str, Any]] = content['rows'] if isinstance(content, dict) else content
    return rows


def open_images(folder: Path, number: int, name: str) -> NDArray[np.uint8]:
    """Map the images of shard ``number``; ``name`` is 'rgb' or 'thermal'."""
    return np.load(_place(folder, number, f'{name}.npy'), mmap_mode='r')


def _place(folder: Path, number: int, kind: str) -> Path:
    return folder / f'{number:04d}.{kind}'


def frame_row_as_json(row: FrameRow) -> dict[str, Any]:
    """Return what ``frame_row_from_json`` reads."""
    return {'condition': row.condition, 'hidden': row.hidden,
            'objects': [vars(item) for item in row.objects],
            'sentences': [vars(item) for item in row.sentences]}


def frame_row_from_json(row: dict[str, Any]) -> FrameRow:
    """Return the row that ``frame_row_as_json`` wrote."""
    return FrameRow(row['condition'],
                    tuple(ObjectRow(**{**item, 'box': tuple(item['box'])})
                          for item in row['objects']),
                    tuple(tuple(box) for box in row['hidden']),
                    tuple(SentenceRow(item['text'], item['kind'], tuple(item['objects']))
                          for item in row['sentences']))


def read_shard(folder: Path, number: int) -> Shard:
    """Map shard ``number`` from disk.

    Raises:
        FileNotFoundError: it has not been drawn yet.
    """
    return Shard(open_images(folder, number, 'rgb'), open_images(folder, number, 'thermal'),
                 tuple(frame_row_from_json(row) for row in read_rows(folder, number)))
