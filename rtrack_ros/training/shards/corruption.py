"""Histories as a tracker really has them: boxes that are loose, off, or no longer true.

A model that only saw exact templates and centred search windows trusts them when it runs on its
own output. Training on corrupted histories is what made CognitiveTrack (2026) say 'absent': it cut
the false positives on absent targets from 45.1 to 15.2 %. The amounts are our choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rtrack_ros.language.answers import Box
from rtrack_ros.language.closeup import roots_between


@dataclass(frozen=True)
class Corruption:
    """How far from the truth a history may be.

    Attributes:
        template_shift: Standard deviation of the template box's edges, in shares of its sides.
        search_shift: Largest shift of the search window, in roots of the box's area; about 1.6
            still shows most of a target.
        search_scale: Largest factor by which the predicted size is wrong, either way.
        exact_share: Share of questions with an exact template and a centred window.
        mistaken_share: Share of search windows about the object next to the target: a tracker
            that took one for the other looks there, and can still return.
        mistaken_reach: How near that object has to be, in roots of the target's area.
    """

    template_shift: float = 0.06
    search_shift: float = 1.2
    search_scale: float = 1.35
    exact_share: float = 0.25
    mistaken_share: float = 0.2
    mistaken_reach: float = 3.0

    def template(self, rng: np.random.Generator, box: Box) -> Box:
        """Return the box as a model might have answered it when the target was first named."""
        if rng.random() < self.exact_share:
            return box
        width, height = box[2] - box[0], box[3] - box[1]
        edges = rng.normal(0.0, self.template_shift, 4).clip(-0.2, 0.2)
        return (box[0] + edges[0] * width, box[1] + edges[1] * height,
                box[2] + edges[2] * width, box[3] + edges[3] * height)

    def predicted(self, rng: np.random.Generator, box: Box, others: Sequence[Box] = ()) -> Box:
        """Return the box at which a tracker predicts the target, the middle of a search window.

        Args:
            rng: Draws how wrong it is.
            box: Where the target is, or was when it was seen last.
            others: Boxes of the other objects there.
        """
        if others and rng.random() < self.mistaken_share:
            nearest = min(others, key=partial(roots_between, box))
            box = nearest if roots_between(box, nearest) < self.mistaken_reach else box
        if rng.random() < self.exact_share:
            return box
        width, height = box[2] - box[0], box[3] - box[1]
        root = float(np.sqrt(width * height))
        shift = rng.uniform(-self.search_shift, self.search_shift, 2) * root
        grown = float(np.exp(rng.uniform(-1, 1) * np.log(self.search_scale)))
        x, y = (box[0] + box[2]) / 2 + shift[0], (box[1] + box[3]) / 2 + shift[1]
        return (x - grown * width / 2, y - grown * height / 2,
                x + grown * width / 2, y + grown * height / 2)


def elsewhere(rng: np.random.Generator, box: Box, others: Sequence[Box],
              image_size: tuple[int, int]) -> Box:
    """Return where a tracker that lost its target looks: at one of ``others``, or anywhere.

    Args:
        rng: Draws the place.
        box: The target's, whose size is kept where no other object is looked at.
        others: Boxes of the other objects.
        image_size: (width, height) in pixels.
    """
    if others and rng.random() < 0.5:
        return others[int(rng.integers(len(others)))]
    x, y = (float(rng.uniform(0, side)) - box[axis] for axis, side in enumerate(image_size))
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y
