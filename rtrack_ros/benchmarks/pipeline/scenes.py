"""What is played: a scene for a model, and a crowd whose true boxes are the answers.

The crowd serves to have a known number of tracks. Its answers are true and half a second late, and
cost no processor time: what is measured is the node alone.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rtrack_ros.benchmarks.cost.live import prepare_scene, scripted_answers
from rtrack_ros.benchmarks.cost.workload import FPS, crowd_scene
from rtrack_ros.data.rendering import render_frames
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.evaluation.run import RunQuery
from rtrack_ros.frames import Image8
from rtrack_ros.simulation import Expression, SimFrame

CROWD_SEED = 9_600_002
SIZE = (640, 480)
_EVERY = 8
_THOUSAND = 1000


@dataclass(frozen=True)
class PlayedScene:
    """A recording with its truth, and how the node is to be run on it.

    Attributes:
        bag: The recording, at 30 Hz.
        seconds: Its length.
        queries: Sentences and when to publish them.
        truth: Where everything is.
        parameters: Parameters of the node.
        answers: File with the true boxes by image, for a node without a model; None with one.
    """

    bag: Path
    seconds: float
    queries: tuple[RunQuery, ...]
    truth: SceneTruth
    parameters: dict[str, str]
    answers: Path | None = None

    def with_idle_model(self, folder: Path) -> 'PlayedScene':
        """Return the same with a model that always answers ten boxes and takes no time."""
        return replace(self, parameters=scripted_answers(folder / 'idle.json'))


def model_scene(folder: Path, seconds: float, parameters: dict[str, str]) -> PlayedScene:
    """Record a scene of day, night and smoke with three sentences; see ``prepare_scene``."""
    scene = prepare_scene(folder / 'scene', seconds)
    return PlayedScene(scene.bag, scene.seconds, scene.queries,
                       SceneTruth.load(scene.bag / 'truth'), parameters)


def crowd_scenes(folder: Path, seconds: float, tracks: Sequence[int]) -> dict[int, PlayedScene]:
    """Record one crowd; the sentence of every number of tracks means so many of it.

    Raises:
        DataError: so many find no room.
    """
    scene = crowd_scene(CROWD_SEED, SIZE, round(seconds * FPS), max(tracks))
    digests: list[str] = []
    drawn = write_bag(folder / 'crowd', scene, jitter_ms=2.0, offset_ms=4.0,
                      frames=_noted(render_frames(scene), digests))
    truth = replace(drawn, expressions=tuple(
        Expression(_sentence(number), 'plural',
                   (frozenset(range(1, number + 1)),) * len(drawn.frames)) for number in tracks))
    return {number: PlayedScene(
        folder / 'crowd', seconds, (RunQuery(_sentence(number), 0.0, 'plural'),), truth,
        # YAML reads the bare word as no.
        {'engine.self_test': "'off'", 'engine.max_boxes': str(max(tracks))},
        _write_answers(folder / f'answers_{number}.json', digests, truth, number))
        for number in tracks}


def _sentence(number: int) -> str:
    return f'crowd of {number}'


def _noted(frames: Iterator[SimFrame], digests: list[str]) -> Iterator[SimFrame]:
    for frame in frames:
        digests.append(digest(frame.rgb))
        yield frame


def digest(image: Image8) -> str:
    """Return by what an image is known again; DDS changes no pixel."""
    return hashlib.blake2b(image[::_EVERY, ::_EVERY].tobytes(), digest_size=12).hexdigest()


def _write_answers(path: Path, digests: Sequence[str], truth: SceneTruth, number: int) -> Path:
    answers = {known: json.dumps([
        {'bbox_2d': _relative(item.box), 'label': item.category}
        for item in frame.objects if item.id <= number])
        for known, frame in zip(digests, truth.frames, strict=True)}
    path.write_text(json.dumps(answers), encoding='utf-8')
    return path


def _relative(box: tuple[float, float, float, float]) -> list[int]:
    width, height = SIZE
    return [round(edge * _THOUSAND / side)
            for edge, side in zip(box, (width, height, width, height), strict=True)]
