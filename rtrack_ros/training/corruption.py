"""Histories as a tracker really has them: boxes that are loose, off, or no longer true.

A model that only saw exact templates and centred search windows trusts them when it runs on its
own output. Training on corrupted histories is what made CognitiveTrack (2026) say 'absent': it cut
the false positives on absent targets from 45.1 to 15.2 %. The amounts are our choice.
"""

from dataclasses import dataclass

import numpy as np

from rtrack_ros.language.answers import Box


@dataclass(frozen=True)
class Corruption:
    """How far from the truth a history may be.

    Attributes:
        template_shift: Standard deviation of the template box's edges, in shares of its sides.
        search_shift: Largest shift of the search window, in roots of the box's area; about 1.6
            still shows most of a target.
        search_scale: Largest factor by which the size believed in is wrong, either way.
        exact_share: Share of questions with an exact template and a centred window.
    """

    template_shift: float = 0.06
    search_shift: float = 1.2
    search_scale: float = 1.35
    exact_share: float = 0.25

    def template(self, rng: np.random.Generator, box: Box) -> Box:
        """Return the box as a model might have answered it when the target was first named."""
        if rng.random() < self.exact_share:
            return box
        width, height = box[2] - box[0], box[3] - box[1]
        edges = rng.normal(0.0, self.template_shift, 4).clip(-0.2, 0.2)
        return (box[0] + edges[0] * width, box[1] + edges[1] * height,
                box[2] + edges[2] * width, box[3] + edges[3] * height)

    def belief(self, rng: np.random.Generator, box: Box) -> Box:
        """Return the box at which a tracker believes the target, to look around."""
        if rng.random() < self.exact_share:
            return box
        width, height = box[2] - box[0], box[3] - box[1]
        root = float(np.sqrt(width * height))
        shift = rng.uniform(-self.search_shift, self.search_shift, 2) * root
        grown = float(np.exp(rng.uniform(-1, 1) * np.log(self.search_scale)))
        x, y = (box[0] + box[2]) / 2 + shift[0], (box[1] + box[3]) / 2 + shift[1]
        return (x - grown * width / 2, y - grown * height / 2,
                x + grown * width / 2, y + grown * height / 2)
