"""Shards of composed real frames, in the layout of ``training.samples``.

Shard ``k`` depends on the clips, the labels, the base seed and ``k`` alone.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.simulation.scene import MIN_VISIBILITY
from rtrack_ros.simulation.weather import Weather, draw_weather, light_rgb
from rtrack_ros.training.real.composition import (
    Canvas,
    Placed,
    person_row,
    relative_box,
    resize_cutout,
    stand,
)
from rtrack_ros.training.real.cutouts import Cutout
from rtrack_ros.training.real.places import Place, ground_point, simulated_place
from rtrack_ros.training.real.sentences import PERSON, draw_real_sentences
from rtrack_ros.training.samples import FrameRow, ObjectRow

CONDITIONS = {'day': 0.3, 'dusk': 0.1, 'night': 0.15, 'smoke': 0.35, 'glare': 0.1}
"""Share of each condition; smoke is what the clips were chosen for."""
PEOPLE = (0.1, 0.18, 0.2, 0.18, 0.14, 0.1, 0.06, 0.04)
"""Share of frames with 0, 1, 2, ... pasted people."""
SIMULATED_SHARE = 0.2
_LEAST_HEIGHT = 30.0
"""Thousandths of the picture; smaller boxes count as hidden."""
_WEATHERS = 12


@dataclass(frozen=True, eq=False)
class Stock:
    """What frames are composed of; the cutouts clip by clip, which are drawn from equally."""

    cutouts: tuple[tuple[Cutout, ...], ...]
    places: tuple[Place, ...]
    weathers: tuple[Weather, ...]


def stock_of(cutouts: Sequence[Cutout], places: Sequence[Place], seed: int) -> Stock:
    """Return a stock with a dozen weathers, drawn once as they are dear."""
    rng = np.random.default_rng((seed, 12))
    width = places[0].thermal.shape[1]
    clips = sorted({cutout.clip for cutout in cutouts})
    groups = tuple(tuple(item for item in cutouts if item.clip == clip) for clip in clips)
    return Stock(groups, tuple(places),
                 tuple(draw_weather(rng, width) for _ in range(_WEATHERS)))


def compose(rng: np.random.Generator, stock: Stock, size: tuple[int, int]
            ) -> tuple[Image8, Image8, FrameRow]:
    """Return one composed frame: rgb (H, W, 3) and thermal (H, W) at ``size``, and its row.

    Args:
        rng: Decides everything.
        stock: People and places.
        size: (width, height) in pixels of the model's input.
    """
    place = (simulated_place(int(rng.integers(1, 900_000))) if rng.random() < SIMULATED_SHARE
             else stock.places[int(rng.integers(len(stock.places)))])
    canvas = Canvas(place.rgb, place.thermal)
    _warm_things(rng, canvas)
    placed = _people(rng, stock, place)
    for owner, person in enumerate(placed, start=1):
        canvas.paste(person, owner, float(rng.uniform(0.6, 1.1)), float(rng.uniform(0.75, 1.2)))
    condition = str(rng.choice(list(CONDITIONS), p=list(CONDITIONS.values())))
    weather = stock.weathers[int(rng.integers(len(stock.weathers)))]
    lit = light_rgb(canvas.rgb, condition, weather, float(rng.uniform(0, 60)), [], rng)
    view = _view(rng, canvas.thermal.shape)
    row = _row(place, canvas, placed, view, condition)
    row = replace(row, sentences=draw_real_sentences(rng, row.objects, condition))
    x1, y1, x2, y2 = view
    return (resize_image(np.ascontiguousarray(lit[y1:y2, x1:x2]), size),
            resize_image(_expose(rng, canvas.thermal[y1:y2, x1:x2]), size), row)


def _people(rng: np.random.Generator, stock: Stock, place: Place) -> list[Placed]:
    """Return people on the ground of a place, far ones first."""
    count = int(rng.choice(len(PEOPLE), p=PEOPLE))
    height = place.thermal.shape[0]
    placed: list[tuple[float, Placed]] = []
    for _ in range(count):
        column, row = ground_point(rng, place.geometry, height)
        tall = place.geometry.person_height(row) * float(np.clip(rng.normal(1, 0.07), 0.8, 1.2))
        clip = stock.cutouts[int(rng.integers(len(stock.cutouts)))]
        cutout = clip[int(rng.integers(len(clip)))]
        sized = resize_cutout(cutout, max(tall, 24.0), bool(rng.random() < 0.5))
        placed.append((row, stand(sized, column, row)))
    return [person for _, person in sorted(placed, key=lambda item: item[0])]


def _warm_things(rng: np.random.Generator, canvas: Canvas) -> None:
    """Paint a few warm things that nobody should be mistaken for: machines, windows, lamps."""
    height, width = canvas.thermal.shape
    for _ in range(int(rng.choice(4, p=(0.6, 0.2, 0.12, 0.08)))):
        across, down = (int(value) for value in rng.uniform((14, 10), (130, 60)))
        left, top = int(rng.integers(0, width - across)), int(rng.integers(0, height - down))
        shape = np.zeros((height, width), np.uint8)
        if rng.random() < 0.5:
            cv2.ellipse(shape, (left + across // 2, top + down // 2), (across // 2, down // 2),
                        0, 0, 360, 255, -1)
        else:
            cv2.rectangle(shape, (left, top), (left + across, top + down), 255, -1)
        soft = cv2.GaussianBlur(shape, (0, 0), float(rng.uniform(1, 4))).astype(np.float32) / 255
        warm, colour = float(rng.uniform(110, 255)), rng.uniform(20, 230, 3)
        canvas.thermal[:] = canvas.thermal + soft * (warm - canvas.thermal)
        veil = float(rng.uniform(0, 0.9)) * soft[..., None]
        canvas.rgb[:] = canvas.rgb + veil * (colour - canvas.rgb)


def _view(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the part of the scene that becomes the picture, between half of it and all."""
    height, width = shape
    share = 1.0 if rng.random() < 0.35 else float(rng.uniform(0.55, 1.0))
    across, down = int(width * share), int(height * share)
    left, top = (int(rng.integers(0, span + 1)) for span in (width - across, height - down))
    return left, top, left + across, top + down


def _row(place: Place, canvas: Canvas, placed: Sequence[Placed],
         view: tuple[int, int, int, int], condition: str) -> FrameRow:
    """Return objects and hidden boxes on the 0-1000 grid of the view."""
    x1, y1, x2, y2 = view
    owner = canvas.owner[y1:y2, x1:x2]
    rows: list[ObjectRow] = []
    hidden: list[Box] = []
    for number, person in enumerate(placed, start=1):
        whole = float((person.cutout.alpha > 0.5).sum())
        seen = float((owner == number).sum()) / max(whole, 1.0)
        box = relative_box(person.box, view)
        _file(rows, hidden, None if box is None else person_row(person, box, PERSON), seen)
    for known in place.objects:
        box = relative_box(known.box, view)
        seen = _uncovered(canvas, known.box) * _within(known.box, view)
        _file(rows, hidden, None if box is None else replace(known, box=box), seen)
    others = (relative_box(box, view) for box in place.hidden)
    return FrameRow(condition, tuple(rows), (*hidden, *(box for box in others if box is not None)))


def _file(rows: list[ObjectRow], hidden: list[Box], row: ObjectRow | None, seen: float) -> None:
    if row is None or seen <= 0:
        return
    if seen >= MIN_VISIBILITY and row.box[3] - row.box[1] >= _LEAST_HEIGHT:
        rows.append(row)
    else:
        hidden.append(row.box)


def _uncovered(canvas: Canvas, box: Box) -> float:
    """Return the share of a box's area that no pasted person covers."""
    x1, y1, x2, y2 = (int(value) for value in box)
    area = canvas.owner[max(y1, 0):y2 + 1, max(x1, 0):x2 + 1]
    return float((area == 0).mean()) if area.size else 0.0


def _within(box: Box, view: Sequence[float]) -> float:
    across = min(box[2], view[2]) - max(box[0], view[0])
    down = min(box[3], view[3]) - max(box[1], view[1])
    return max(across, 0.0) * max(down, 0.0) / ((box[2] - box[0]) * (box[3] - box[1]))


def _expose(rng: np.random.Generator, thermal: NDArray[np.uint8]) -> Image8:
    """Return thermal as another camera might show it: gain, level, curve, blur and noise."""
    values = (thermal.astype(np.float32) / 255) ** np.float32(rng.uniform(0.6, 1.5))
    values = values * np.float32(rng.uniform(0.6, 1.1)) + np.float32(rng.uniform(-0.05, 0.25))
    if rng.random() < 0.5:
        values = np.asarray(cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.5, 2.0))),
                            np.float32)
    noise = rng.standard_normal(values.shape, np.float32) * np.float32(rng.uniform(0, 0.03))
    return np.clip((values + noise) * 255, 0, 255).astype(np.uint8)


def write_real_shard(folder: Path, number: int, base_seed: int, frames: int,
                     size: tuple[int, int], stock: Stock) -> None:
    """Compose shard ``number`` into ``folder`` unless it is there already."""
    if (folder / f'{number:04d}.json').exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    rgb = np.empty((frames, height, width, 3), np.uint8)
    thermal = np.empty((frames, height, width), np.uint8)
    rows = []
    for index in range(frames):
        rng = np.random.default_rng((base_seed, number, index))
        rgb[index], thermal[index], row = compose(rng, stock, size)
        rows.append(asdict(row))
    np.save(folder / f'{number:04d}.rgb.npy', rgb)
    np.save(folder / f'{number:04d}.thermal.npy', thermal)
    draft = folder / f'{number:04d}.json.part'
    draft.write_text(json.dumps(rows))
    draft.rename(folder / f'{number:04d}.json')
