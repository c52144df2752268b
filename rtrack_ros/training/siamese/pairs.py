"""What the Siamese network learns from: a patch of an object when it was named, and one of later.

Patches are cut by the tracker's own code from the tracker's own views, so that training and
tracking cannot differ in how they prepare an image. Templates are as loose as a model's boxes are,
windows as far off as a box that flow carried; some windows do not hold the object at all. The
amounts are our choice. (GOTURN, Held et al., ECCV 2016, draws its windows in the same spirit.)
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray, iou
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.simulation.scene import ObjectTruth
from rtrack_ros.tracking.appearance.siamese import REACH, cut
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.views import Views

ELSEWHERE_SHARE: Final = 0.12
"""Share of windows that are somewhere else: on another object or anywhere."""
_TEMPLATE_JITTER = 0.05
_NEAR_SHARE, _NEAR, _FAR = 0.6, 0.13, 0.65
_SIZE_JITTER = 0.1


@dataclass(frozen=True, eq=False)
class Pairs:
    """N pairs of patches and what is true of them.

    Attributes:
        templates: uint8 (N, SIDE, SIDE, 2), luminance and thermal of the object when it was named.
        searches: uint8 (N, SIDE, SIDE, 2), of a window at the other moment.
        places: float32 (N, 4), the object's box in the window: centre x and y from the window's
            centre in sides of the window's box, logarithms of its sides over those; 0 if absent.
        visibility: float32 (N,), share of the object that is seen; 0 where the window is not on
            it.
    """

    templates: Image8
    searches: Image8
    places: NDArray[np.float32]
    visibility: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.visibility)

    def take(self, rows: NDArray[np.intp]) -> 'Pairs':
        """Return the pairs of some rows (K,), copied."""
        return Pairs(self.templates[rows], self.searches[rows], self.places[rows],
                     self.visibility[rows])

    @classmethod
    def joined(cls, parts: 'list[Pairs]') -> 'Pairs':
        """Return the pairs of all parts, of which there is at least one."""
        return cls(np.concatenate([part.templates for part in parts]),
                   np.concatenate([part.searches for part in parts]),
                   np.concatenate([part.places for part in parts]),
                   np.concatenate([part.visibility for part in parts]))


@dataclass(frozen=True, eq=False)
class Moment:
    """The views of one frame, the objects in it by id, and (width, height) in pixels."""

    views: Views
    objects: dict[int, ObjectTruth]
    size: tuple[int, int]


def seen_as(pair: FramePair, objects: dict[int, ObjectTruth]) -> Moment:
    """Return a frame with its objects as the tracker keeps it."""
    config = TrackerConfig()
    return Moment(Views.of(pair, config.flow_width, config.siamese_width), objects,
                  (pair.width, pair.height))


def draw_pair(rng: np.random.Generator, first: Moment, second: Moment, name: int) -> Pairs | None:
    """Return the pair of one object at two moments, None where a window lies outside the image.

    Args:
        rng: Draws how loose the template is and where the window lies.
        first: When the object was named.
        second: When it is looked for.
        name: Its id.
    """
    known = second.objects.get(name)
    truth = np.array((known or first.objects[name]).box)
    visible = known.visibility if known else 0.0
    elsewhere = _elsewhere(rng, second, name, truth) if rng.random() < ELSEWHERE_SHARE else None
    named = _jittered(rng, np.array(first.objects[name].box), _TEMPLATE_JITTER)
    template = cut(first.views, named)
    search = cut(second.views, _believed(rng, truth if elsewhere is None else elsewhere))
    if template is None or search is None:
        return None
    present = known is not None and elsewhere is None
    place = place_of(truth, search.window) if present else np.zeros(4)
    return Pairs(template.pixels[None], search.pixels[None], place[None].astype(np.float32),
                 np.array([visible if present else 0.0], np.float32))


def place_of(box: BoxArray, window: BoxArray) -> NDArray[np.float64]:
    """Return what the network is to say of a box (4,) in a window (4,): see ``Pairs.places``."""
    unit = (window[2:] - window[:2]) / REACH
    middle = (box[:2] + box[2:] - window[:2] - window[2:]) / 2
    return np.concatenate([middle / unit, np.log((box[2:] - box[:2]) / unit)])


def _elsewhere(rng: np.random.Generator, moment: Moment, name: int, truth: BoxArray
               ) -> BoxArray | None:
    """Return a box whose window does not show the object; None where the draw found none."""
    sides = truth[2:] - truth[:2]
    corner = rng.uniform(0, np.maximum(np.array(moment.size) - sides, 1))
    boxes = [np.array(item.box) for other, item in moment.objects.items() if other != name]
    boxes = [*boxes, np.concatenate([corner, corner + sides])]
    box = boxes[int(rng.integers(len(boxes)))]
    grown = np.concatenate([2 * box[:2] - box[2:], 2 * box[2:] - box[:2]])
    return box if iou(grown, truth).item() == 0 else None


def _believed(rng: np.random.Generator, box: BoxArray) -> BoxArray:
    """Return where a tracker might believe an object that is at ``box`` (4,)."""
    near = rng.random() < _NEAR_SHARE
    offset = rng.normal(0, _NEAR, 2) if near else rng.uniform(-_FAR, _FAR, 2)
    return _moved(box, offset, rng.normal(0, _SIZE_JITTER, 2))


def _jittered(rng: np.random.Generator, box: BoxArray, amount: float) -> BoxArray:
    return _moved(box, rng.normal(0, amount, 2), rng.normal(0, amount, 2))


def _moved(box: BoxArray, offset: NDArray[np.float64], growth: NDArray[np.float64]) -> BoxArray:
    """Return a box (4,) moved by shares of its sides, its sides grown by exp(``growth``)."""
    sides = box[2:] - box[:2]
    centre = (box[:2] + box[2:]) / 2 + offset * sides
    half = sides * np.exp(growth) / 2
    return np.concatenate([centre - half, centre + half])
