"""People in single images, by PicoDet of ``rtrack_ros.detectors``."""

from dataclasses import dataclass
from pathlib import Path

from rtrack_ros.data.pairs import DataError
from rtrack_ros.detectors.base import DetectorError
from rtrack_ros.detectors.picodet import PicoDet
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box

_PERSON = 'person'


@dataclass(frozen=True)
class Detection:
    """A box in pixels of the image and the network's confidence in [0, 1]."""

    box: Box
    score: float


class PersonDetector:
    """The people that PicoDet sees, on one CPU thread.

    Args:
        folder: Holds ``model.pdmodel`` and ``model.pdiparams``.

    Raises:
        DataError: the model is not there, or cannot be loaded.
    """

    def __init__(self, folder: Path | str) -> None:
        try:
            self._network = PicoDet(folder)
        except DetectorError as error:
            raise DataError(str(error)) from error

    def __call__(self, image: Image8, min_score: float = 0.25) -> list[Detection]:
        """Return the people in an image, uint8 (h, w, 3) RGB or (h, w) thermal."""
        return [item for label, item in self.everything(image, min_score) if label == _PERSON]

    def everything(self, image: Image8, min_score: float = 0.25) -> list[tuple[str, Detection]]:
        """Return all that is seen in such an image, with the word for each."""
        seen = self._network(image)
        return [(label, Detection((x1, y1, x2, y2), score))
                for (x1, y1, x2, y2), label, score in zip(
                    seen.boxes.tolist(), seen.labels, seen.scores.tolist(), strict=True)
                if score >= min_score]
