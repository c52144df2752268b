"""Training frames from the simulated world, drawn once into shards that later epochs map.

A shard holds frames at the model's input size, the objects in them and the sentences about them.
Shard ``k`` depends only on the base seed and ``k``, so shards can be drawn in any order, by any
number of processes, and a run that resumes finds the same ones.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.simulation.expressions import Sighting, draw_sentences
from rtrack_ros.simulation.palette import CLOTHES
from rtrack_ros.simulation.scene import Scene
from rtrack_ros.simulation.weather import CONDITIONS

CATEGORIES = ('person', 'car', 'cyclist')
COLOURS = tuple(CLOTHES)
FACINGS = ('left', 'right', 'near', 'far')
FRAMES_PER_SCENE = 18
SCENE_SECONDS = 12.0


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


def draw_frames(seed: int, size: tuple[int, int]
                ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], FrameRow]]:
    """Draw the training frames of one scene, all conditions, RGB and thermal at ``size``.

    Args:
        seed: Scene seed.
        size: (width, height) in pixels of the model's input.
    """
    scene = Scene(seed, SCENE_SECONDS, conditions=CONDITIONS)
    rng = np.random.default_rng((seed, 3))
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
                           _sentences(rng, scene, seen))
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


def _sentences(rng: np.random.Generator, scene: Scene, seen: list[Sighting]
               ) -> tuple[SentenceRow, ...]:
    rows = {item.actor.id: number for number, item in enumerate(seen)}
    return tuple(SentenceRow(sentence.text, sentence.kind,
                             tuple(sorted(rows[name] for name in sentence.ids(seen))))
                 for sentence in draw_sentences(rng, scene.actors, scene.width))


def write_shard(folder: Path, number: int, base_seed: int, frames: int, size: tuple[int, int]
                ) -> None:
    """Draw shard ``number`` into ``folder`` unless it is there already."""
    if (folder / f'{number:04d}.json').exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    rgb = np.empty((frames, height, width, 3), np.uint8)
    thermal = np.empty((frames, height, width), np.uint8)
    rows: list[dict[str, Any]] = []
    scene = base_seed + number * 10_000
    while len(rows) < frames:
        for image, heat, row in draw_frames(scene, size):
            if len(rows) == frames:
                break
            rgb[len(rows)], thermal[len(rows)] = image, heat
            rows.append(frame_row_as_json(row))
        scene += 1
    save_shard(folder, number, rgb, thermal, rows)


def save_shard(folder: Path, number: int, rgb: NDArray[np.uint8], thermal: NDArray[np.uint8],
               rows: list[dict[str, Any]]) -> None:
    """Write shard ``number``; its rows come last: where they are, all of it is."""
    np.save(folder / f'{number:04d}.rgb.npy', rgb)
    np.save(folder / f'{number:04d}.thermal.npy', thermal)
    draft = folder / f'{number:04d}.json.part'
    draft.write_text(json.dumps(rows))
    draft.rename(folder / f'{number:04d}.json')


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
    rows = json.loads((folder / f'{number:04d}.json').read_text())
    return Shard(
        np.load(folder / f'{number:04d}.rgb.npy', mmap_mode='r'),
        np.load(folder / f'{number:04d}.thermal.npy', mmap_mode='r'),
        tuple(frame_row_from_json(row) for row in rows))
