"""From clips on disk to what frames are composed of: labels, emptied places, cutouts."""

from pathlib import Path

from rtrack_ros.data.mot import MotFrames, read_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.training.composites.clips import ClipGeometry, ClipSettings, read_frames
from rtrack_ros.training.composites.cutouts import Cutout, cut_people, empty_scene
from rtrack_ros.training.composites.detector import PersonDetector
from rtrack_ros.training.composites.labels import propose
from rtrack_ros.training.composites.places import Place, real_place
from rtrack_ros.training.composites.shards import Assets, stock_of

FRAMES_PER_CLIP = 100


def build_assets(folder: Path, settings: ClipSettings, labels: Path,
                detector: PersonDetector | None, seed: int) -> Assets:
    """Return people and places of the clips of training; held-out clips are not opened.

    Args:
        folder: Holds ``visible/`` and ``infrared/``.
        settings: Which clips.
        labels: Folder of ``<clip>.gt.txt``, MOTChallenge rows; what the detector proposes is
            written there.
        detector: Labels the clips that have no file; None requires one for each.
        seed: Draws the weathers.

    Raises:
        DataError: a clip is unreadable, has no labels, or no person in it can be cut out.
    """
    cutouts: list[Cutout] = []
    places: list[Place] = []
    for geometry in settings.train:
        people, place = _clip(folder, geometry, labels / f'{geometry.name}.gt.txt', detector)
        cutouts += people
        places.append(place)
    if not cutouts:
        raise DataError(f'in no clip of {folder} does a person stand alone and whole; correct the '
                        f'labels in {labels} or the heights in the settings')
    return stock_of(cutouts, places, seed)


def _clip(folder: Path, geometry: ClipGeometry, path: Path, detector: PersonDetector | None
          ) -> tuple[list[Cutout], Place]:
    known: MotFrames | None = read_mot(path) if path.is_file() else None
    if known is None and detector is None:
        raise DataError(f'{geometry.name} has no labels; write {path} (MOTChallenge rows), or '
                        'name a detector with --detector')
    frames = read_frames(folder, geometry.name, FRAMES_PER_CLIP, frozenset(known or ()))
    if known is None:
        assert detector is not None
        known = propose(path, frames, geometry, detector)
    plate = empty_scene(frames, known)
    return cut_people(geometry.name, frames, known, plate), real_place(geometry, plate)
