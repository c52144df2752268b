"""Scenes drawn once: their frames as arrays, in memory or in a folder, shared by many runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.data.truth import SceneTruth, TruthCollector
from rtrack_ros.evaluation.sequences import by_frame
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.simulation import Expression, Scene, SimFrame


@dataclass(frozen=True, eq=False)
class DrawnScene:
    """The frames of a scene and their truth; a sequence of frame pairs.

    Attributes:
        seed: Seed of the scene.
        rgb: uint8 (N, H, W, 3).
        thermal: uint8 (N, h, w) at the thermal camera's own resolution.
        truth: Objects and sentences, frame by frame.
    """

    seed: int
    rgb: Image8
    thermal: Image8
    truth: SceneTruth

    def __len__(self) -> int:
        return len(self.rgb)

    def __getitem__(self, index: int, /) -> FramePair:
        rgb = self.rgb[index]
        height, width = rgb.shape[:2]
        return FramePair(self.truth.frames[index].stamp_ns, rgb,
                         register_thermal(self.thermal[index], width, height))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the RGB images in pixels."""
        return int(self.rgb.shape[2]), int(self.rgb.shape[1])

    @property
    def stamps_ns(self) -> list[int]:
        """Stamps of the frames."""
        return [frame.stamp_ns for frame in self.truth.frames]

    def meant(self, expression: Expression) -> MotFrames:
        """Return the boxes that an expression means, by frame from 1."""
        return by_frame(self.truth.rows(expression))

    def others(self, expression: Expression) -> MotFrames:
        """Return the boxes in view that an expression does not mean, by frame from 1."""
        return by_frame(MotRow(index + 1, item.id, item.box, visibility=item.visibility)
                        for index, frame in enumerate(self.truth.frames)
                        for item in frame.objects if item.id not in expression.ids[index])


def draw(scene: Scene, frames: Iterable[SimFrame], folder: Path | None = None) -> DrawnScene:
    """Return a scene drawn to its end.

    Args:
        scene: What to draw.
        frames: Its frames, wherever they are drawn.
        folder: Keeps the frames on the disk, about 1 MB each at 640x480; a scene that is there
            already is read instead of drawn. None keeps them in memory.
    """
    if folder is not None and (folder / 'truth.json').exists():
        return DrawnScene(scene.seed, np.load(folder / 'rgb.npy', mmap_mode='r'),
                          np.load(folder / 'thermal.npy', mmap_mode='r'),
                          SceneTruth.load(folder))
    rgb = _array(folder, 'rgb', (len(scene), scene.height, scene.width, 3))
    thermal = None
    normalise, collector = ThermalNormaliser(), TruthCollector(scene.fps, scene.expressions)
    for frame in frames:
        if thermal is None:
            thermal = _array(folder, 'thermal', (len(scene), *frame.thermal.shape))
        rgb[frame.index] = frame.rgb
        thermal[frame.index] = normalise(frame.thermal, frame.stamp_ns)
        collector.add(frame)
    assert thermal is not None
    truth = collector.truth()
    if folder is not None:
        # The truth comes last: a folder without it was not finished.
        truth.save(folder)
    return DrawnScene(scene.seed, rgb, thermal, truth)


def _array(folder: Path | None, name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if folder is None:
        return np.zeros(shape, np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    array: NDArray[np.uint8] = np.lib.format.open_memmap(
        folder / f'{name}.npy', mode='w+', dtype=np.uint8, shape=shape)
    return array
