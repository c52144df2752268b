"""Shards of composed real frames, in the layout of ``training.shards.frames``.

Shard ``k`` depends on the clips, the labels, the base seed and ``k`` alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.simulation.scene import MIN_VISIBILITY
from rtrack_ros.simulation.weather import Weather, draw_weather, light_rgb
from rtrack_ros.training.composites.appearance import dress, warm
from rtrack_ros.training.composites.backgrounds import place_things, vary_place
from rtrack_ros.training.composites.cameras import expose, veil
from rtrack_ros.training.composites.composition import Canvas, Placed, person_row, relative_box
from rtrack_ros.training.composites.crowds import Cutouts, draw_people
from rtrack_ros.training.composites.cutouts import Cutout
from rtrack_ros.training.composites.places import Place, simulated_place
from rtrack_ros.training.composites.sentences import PERSON, draw_real_sentences
from rtrack_ros.training.shards.frames import FrameRow, ObjectRow, is_drawn, save_shard

CONDITIONS = {'day': 0.2, 'dusk': 0.1, 'night': 0.15, 'smoke': 0.45, 'glare': 0.1}
"""Share of each condition; smoke is what the clips were chosen for."""
SIMULATED_SHARE = 0.08
_COLOURED_SMOKE = 0.7
_MIN_HEIGHT = 30.0
"""Thousandths of the picture; smaller boxes count as hidden."""
_WEATHERS = 12


@dataclass(frozen=True, eq=False)
class Assets:
    """What frames are composed of."""

    cutouts: Cutouts
    places: tuple[Place, ...]
    weathers: tuple[Weather, ...]

    @cached_property
    def digest(self) -> str:
        """Digest of people and places, which tells what was composed of others apart."""
        digest = hashlib.sha256()
        for cutout in (item for group in self.cutouts for item in group):
            for pixels in (cutout.rgb, cutout.thermal, cutout.alpha):
                digest.update(np.ascontiguousarray(pixels).tobytes())
            digest.update(repr((cutout.box, cutout.origin, cutout.clip, cutout.colour)).encode())
        for place in self.places:
            digest.update(place.rgb.tobytes() + place.thermal.tobytes())
            digest.update(repr(place.geometry).encode())
        return digest.hexdigest()[:16]


def stock_of(cutouts: Sequence[Cutout], places: Sequence[Place], seed: int) -> Assets:
    """Return a assets with a dozen weathers, drawn once as they are dear."""
    rng = np.random.default_rng((seed, 12))
    width = places[0].thermal.shape[1]
    clips = sorted({cutout.clip for cutout in cutouts})
    groups = tuple(tuple(item for item in cutouts if item.clip == clip) for clip in clips)
    return Assets(groups, tuple(places),
                 tuple(draw_weather(rng, width) for _ in range(_WEATHERS)))


def compose_frame(rng: np.random.Generator, assets: Assets, size: tuple[int, int]
            ) -> tuple[Image8, Image8, FrameRow]:
    """Return one composed frame: rgb (H, W, 3) and thermal (H, W) at ``size``, and its row.

    Args:
        rng: Decides everything.
        assets: People and places.
        size: (width, height) in pixels of the model's input.
    """
    weather = assets.weathers[int(rng.integers(len(assets.weathers)))]
    place = _place(rng, assets, weather)
    canvas = Canvas(place.rgb, place.thermal)
    if not place.objects:  # they would be painted over
        place_things(rng, canvas)
    height, width = canvas.thermal.shape
    placed = draw_people(rng, assets.cutouts, place.geometry, (width, height))
    placed = [_paste(rng, canvas, person, owner) for owner, person in enumerate(placed, start=1)]
    condition = str(rng.choice(list(CONDITIONS), p=list(CONDITIONS.values())))
    row = _row(place, canvas, placed, view := _view(rng, canvas.thermal.shape), condition)
    row = replace(row, sentences=draw_real_sentences(rng, row.objects, condition))
    x1, y1, x2, y2 = view
    thermal = expose(rng, resize_image(canvas.thermal[y1:y2, x1:x2], size))
    if condition == 'smoke' and rng.random() < _COLOURED_SMOKE:
        return veil(rng, resize_image(canvas.rgb[y1:y2, x1:x2], size), weather.smoke), thermal, row
    lit = light_rgb(canvas.rgb, condition, weather, float(rng.uniform(0, 60)), [], rng)
    return resize_image(lit[y1:y2, x1:x2], size), thermal, row


def _place(rng: np.random.Generator, assets: Assets, weather: Weather) -> Place:
    if rng.random() < SIMULATED_SHARE:
        return simulated_place(int(rng.integers(1, 900_000)))
    place = assets.places[int(rng.integers(len(assets.places)))]
    return vary_place(rng, place, assets.places, weather.smoke)


def _paste(rng: np.random.Generator, canvas: Canvas, person: Placed, owner: int) -> Placed:
    looks = warm(rng, dress(rng, person.cutout), canvas.warmth_behind(person))
    changed = replace(person, cutout=looks)
    canvas.paste(changed, owner)
    return changed


def _view(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the part of the scene that becomes the picture, between a quarter of it and all.

    Width and height differ by a quarter at most, as lenses and people do. A third
    of the pictures show all of the height: where most people are cut off at the knees, a model
    takes every box down to the edge.
    """
    height, width = shape
    share = 1.0 if rng.random() < 0.35 else float(rng.uniform(0.5, 1.0))
    other = float(np.clip(share * rng.uniform(0.85, 1.35), 0.45, 1.0))
    across, down = int(width * share), int(height * other)
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
    if seen >= MIN_VISIBILITY and row.box[3] - row.box[1] >= _MIN_HEIGHT:
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


def write_real_shard(folder: Path, number: int, base_seed: int, frames: int,
                     size: tuple[int, int], assets: Assets) -> None:
    """Compose shard ``number`` into ``folder`` unless it is there already.

    Raises:
        ProvenanceError: another one is there.
    """
    made_from = {'kind': 'composed', 'seed': base_seed, 'frames': frames, 'size': size,
                 'assets': assets.digest}
    if is_drawn(folder, number, made_from):
        return
    width, height = size
    rgb = np.empty((frames, height, width, 3), np.uint8)
    thermal = np.empty((frames, height, width), np.uint8)
    rows = []
    for index in range(frames):
        rng = np.random.default_rng((base_seed, number, index))
        rgb[index], thermal[index], row = compose_frame(rng, assets, size)
        rows.append(asdict(row))
    save_shard(folder, number, rgb, thermal, rows, made_from)
