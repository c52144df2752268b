"""Real frames that show nobody: warm windows, lamps, pipes, vehicles and signs that are no people.

A model that knows the simulated world takes warm upright things for people. These frames say that
they are none. They are sure to show nobody where two agree: somebody who looked at them, and named
them in the settings, and a detector, which sees no person there in either spectrum.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rtrack_ros.boxes import share_inside
from rtrack_ros.data.pairs import DataError, Losses
from rtrack_ros.data.video_file import VideoFile
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.training.composites.cameras import expose
from rtrack_ros.training.composites.clips import ClipSettings, EmptyPart
from rtrack_ros.training.composites.composition import relative_box
from rtrack_ros.training.composites.detector import PersonDetector
from rtrack_ros.training.composites.sentences import draw_real_sentences, is_about_people
from rtrack_ros.training.shards.frames import FrameRow, is_drawn, save_shard

FRAMES_PER_PART: Final = 24
DOUBT: Final = 0.3
"""Score from which a detection of a person makes a frame doubtful: below what is taken for one, as
a frame too few costs little and a person called nobody much."""
_WHOLE: Final = 0.3
"""Share of views that show as much of a part as they can; the others show less, down to half."""


Seen = list[tuple[str, Box]]
PERSON: Final = 'person'


@dataclass(frozen=True, eq=False)
class EmptyFrame:
    """A part of a frame that shows nobody.

    Attributes:
        rgb: uint8 (h, w, 3); black where the clip has no RGB camera.
        thermal: uint8 (h, w).
        things: Boxes in pixels of what the detector sees besides: perhaps cars or cyclists.
        in_colour: Whether there was an RGB camera.
    """

    rgb: Image8
    thermal: Image8
    things: tuple[Box, ...]
    in_colour: bool


def read_empty_frames(folder: Path, settings: ClipSettings, detector: PersonDetector | None
                      ) -> tuple[EmptyFrame, ...]:
    """Return the parts of frames named under ``empty`` in which the detector sees nobody.

    Args:
        folder: Holds ``infrared/`` and ``visible/``, or the thermal videos of clips without RGB.
        settings: Which clips, and which parts of them.
        detector: Has to agree that nobody is there.

    Raises:
        DataError: a clip is unreadable, there is no detector, or it sees somebody everywhere.
    """
    if not settings.empty:
        return ()
    if detector is None:
        raise DataError('a detector has to agree that frames show nobody; name one with '
                        '--detector (make picodet), or leave empty out of the settings')
    found = tuple(frame for name, parts in settings.empty.items()
                  for frame in _clip(folder, name, parts, detector))
    if not found:
        raise DataError(f'the detector sees somebody in every frame of {", ".join(settings.empty)}'
                        '; correct the parts under empty in the settings')
    return found


def _clip(folder: Path, name: str, parts: Iterable[EmptyPart], detector: PersonDetector
          ) -> list[EmptyFrame]:
    alone, visible = folder / f'{name}.mp4', folder / 'visible' / f'{name}.mp4'
    wanted = [(number, part) for part in parts for number in _spread(part)]
    numbers = {number for number, _ in wanted}
    heat = _images(alone if alone.is_file() else folder / 'infrared' / f'{name}.mp4', numbers)
    colour = _images(visible, numbers) if visible.is_file() else {}
    seen = {number: _seen(detector, image, colour.get(number)) for number, image in heat.items()}
    found = (_empty(heat[number], colour.get(number), part, seen[number])
             for number, part in wanted if number in heat)
    return [frame for frame in found if frame is not None]


def _spread(part: EmptyPart) -> list[int]:
    """Return the numbers of about ``FRAMES_PER_PART`` frames of a part."""
    every = max(1, (part.last - part.first + 1) // FRAMES_PER_PART)
    return list(range(part.first, part.last + 1, every))


def _seen(detector: PersonDetector, heat: Image8, rgb: Image8 | None) -> Seen:
    """Return what the detector sees in the whole of both images, with the word for each box."""
    images = [heat[:, :, 0], *([] if rgb is None else [rgb])]
    return [(label, item.box) for image in images
            for label, item in detector.everything(image, DOUBT)]


def _empty(heat: Image8, rgb: Image8 | None, part: EmptyPart, seen: Seen) -> EmptyFrame | None:
    """Return a part of a frame; None where a person, or a bit of one, is seen in it."""
    if rgb is not None and rgb.shape != heat.shape:
        raise DataError(f'RGB has {rgb.shape[:2]} rows and columns, thermal {heat.shape[:2]}; '
                        'register the videos of a clip first')
    height, width = heat.shape[:2]
    x1, y1, x2, y2 = part.window or (0, 0, width, height)
    within = [(label, share_inside([box], (x1, y1, x2, y2))[0], box) for label, box in seen]
    if any(label == PERSON and share > 0 for label, share, _ in within):
        return None
    area = np.s_[y1:y2, x1:x2]
    return EmptyFrame(np.zeros_like(heat[area]) if rgb is None else rgb[area], heat[area][..., 0],
                      tuple((left - x1, top - y1, right - x1, bottom - y1)
                            for _, share, (left, top, right, bottom) in within if share > 0),
                      rgb is not None)


def _images(path: Path, numbers: set[int]) -> dict[int, Image8]:
    """Return RGB images of a video by their number."""
    if not path.is_file():
        raise DataError(f'there is no {path}; correct the names under empty in the settings')
    return {image.number: image.rgb() for image in VideoFile(path).read(Losses())
            if image.number in numbers and not image.problem}


def show_empty(rng: np.random.Generator, frames: Sequence[EmptyFrame], size: tuple[int, int]
               ) -> tuple[Image8, Image8, FrameRow]:
    """Return a part of one of the frames at ``size`` and what is known about it.

    Every sentence about people means nobody. Nothing is said of cars or cyclists, which may be
    there; what the detector saw counts as hidden, so that the dense heads learn nothing of it.

    Args:
        rng: Chooses frame, part, exposure and sentences.
        frames: To choose from.
        size: (width, height) in pixels of the model's input.
    """
    frame = frames[int(rng.integers(len(frames)))]
    x1, y1, x2, y2 = view = _part(rng, frame.thermal.shape, size)
    condition = 'day' if frame.in_colour else 'night'  # in the dark, thermal is never lost
    hidden = tuple(box for thing in frame.things
                   if (box := relative_box(thing, view)) is not None)
    sentences = tuple(item for item in draw_real_sentences(rng, (), condition)
                      if is_about_people(item.text))
    return (resize_image(frame.rgb[y1:y2, x1:x2], size),
            expose(rng, resize_image(frame.thermal[y1:y2, x1:x2], size)),
            FrameRow(condition, (), hidden, sentences))


def _part(rng: np.random.Generator, shape: tuple[int, ...], size: tuple[int, int]
          ) -> tuple[int, int, int, int]:
    """Return x1, y1, x2, y2 of a view in a part of this shape; it has the proportions of size."""
    share = 1.0 if rng.random() < _WHOLE else float(rng.uniform(0.5, 1.0))
    scale = share * min(shape[0] / size[1], shape[1] / size[0])
    width, height = int(scale * size[0]), int(scale * size[1])
    left, top = (int(rng.integers(0, side - kept + 1)) for side, kept in (
        (shape[1], width), (shape[0], height)))
    return left, top, left + width, top + height


def write_empty_shard(folder: Path, number: int, base_seed: int, frames: int,
                      size: tuple[int, int], drawn_from: Sequence[EmptyFrame]) -> None:
    """Write shard ``number`` of frames that show nobody, unless it is there already.

    Raises:
        ProvenanceError: another one is there.
    """
    made_from: Mapping[str, object] = {
        'kind': 'empty', 'seed': base_seed, 'frames': frames, 'size': size,
        'assets': _digest(drawn_from)}
    if is_drawn(folder, number, made_from):
        return
    width, height = size
    rgb = np.empty((frames, height, width, 3), np.uint8)
    thermal = np.empty((frames, height, width), np.uint8)
    rows = []
    for index in range(frames):
        rng = np.random.default_rng((base_seed, number, index))
        rgb[index], thermal[index], row = show_empty(rng, drawn_from, size)
        rows.append(asdict(row))
    save_shard(folder, number, rgb, thermal, rows, made_from)


def _digest(frames: Sequence[EmptyFrame]) -> str:
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(frame.rgb.tobytes() + frame.thermal.tobytes())
        digest.update(repr((frame.things, frame.in_colour)).encode())
    return digest.hexdigest()[:16]
