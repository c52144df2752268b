"""Writes a simulated scene as two video files, as a person would record it without ROS."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.truth import TruthCollector
from rtrack_ros.foreign_text import utf8_path
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.simulation import Scene, SimFrame


def write_video(folder: Path | str, scene: Scene, *,
                frames: Iterable[SimFrame] | None = None) -> Path:
    """Write ``visible.mp4``, ``infrared.mp4`` and ``truth/`` into a folder.

    Thermal is 8-bit grey on the RGB grid, stretched as the tracker would stretch raw counts.

    Args:
        folder: Folder to be created.
        scene: What to write.
        frames: The scene's frames where they are drawn elsewhere; None draws them here.

    Returns:
        The folder.

    Raises:
        DataError: videos are already there, or this OpenCV cannot write them.
    """
    target = Path(folder)
    if (target / 'visible.mp4').exists():
        raise DataError(f'{target} exists; remove it or choose another folder')
    target.mkdir(parents=True, exist_ok=True)
    size = (scene.width, scene.height)
    visible, infrared = (_open(target / f'{name}.mp4', scene.fps, size)
                         for name in ('visible', 'infrared'))
    normalise, collector = ThermalNormaliser(), TruthCollector(scene.fps, scene.expressions)
    for frame in scene if frames is None else frames:
        visible.write(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))
        grey = register_thermal(normalise(frame.thermal, frame.stamp_ns), *size)
        infrared.write(np.repeat(grey[:, :, None], 3, axis=2))
        collector.add(frame)
    visible.release()
    infrared.release()
    collector.truth().save(target / 'truth')
    return target


def _open(path: Path, fps: float, size: tuple[int, int]) -> cv2.VideoWriter:
    video = cv2.VideoWriter(utf8_path(path), cv2.VideoWriter.fourcc(*'mp4v'), fps, size)
    if not video.isOpened():
        raise DataError(f'this OpenCV cannot write {path}; install opencv-python-headless')
    return video
