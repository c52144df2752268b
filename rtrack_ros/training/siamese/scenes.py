"""Pairs of the simulated world: all its people, cars and cyclists, under all conditions.

Both orders of time are drawn, because the tracker also looks back; the longest gap is how old a
slow answer may be.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.simulation.scene import MIN_HEIGHT, Scene
from rtrack_ros.simulation.weather import CONDITIONS
from rtrack_ros.training.siamese.pairs import Moment, Pairs, draw_pair, seen_as

SCENE_SECONDS: Final = 12.0
MOMENTS: Final = 5
"""Frames drawn under each condition of a scene."""
COUPLES: Final = 12
"""Couples of these frames, either of which may be the earlier one."""
LONGEST_GAP_S: Final = 1.6
SAME_SHARE: Final = 0.06
"""Share of couples that are one frame twice: the network then tightens a loose box."""
_TEMPLATE_VISIBILITY = 0.35


def draw_scene(seed: int) -> Iterator[Pairs]:
    """Draw the pairs of one scene, condition by condition; they follow from the seed alone."""
    scene = Scene(seed, SCENE_SECONDS, conditions=CONDITIONS)
    rng = np.random.default_rng((seed, 17))
    span = scene.frames // len(CONDITIONS)
    for part in range(len(CONDITIONS)):
        chosen = part * span + rng.choice(span, MOMENTS, replace=False)
        moments = [_moment(scene, index) for index in chosen.tolist()]
        found = [pair for first, second in _couples(rng, chosen / scene.fps)
                 for name in _nameable(moments[first])
                 if (pair := draw_pair(rng, moments[first], moments[second], name)) is not None]
        if found:
            yield Pairs.joined(found)


def _moment(scene: Scene, index: int) -> Moment:
    frame = scene.frame(index)
    return seen_as(frame.pair(), {item.id: item for item in frame.objects})


def _couples(rng: np.random.Generator, seconds: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return which moments (M,) are shown beside which, as indices."""
    gaps = np.abs(seconds[:, None] - seconds[None])
    near = np.argwhere((gaps <= LONGEST_GAP_S) & ~np.eye(len(seconds), dtype=bool))
    drawn = rng.permutation(near)[:COUPLES].tolist()
    return [(first, first if rng.random() < SAME_SHARE else second) for first, second in drawn]


def _nameable(moment: Moment) -> list[int]:
    return [name for name, item in moment.objects.items()
            if item.visibility >= _TEMPLATE_VISIBILITY
            and item.box[3] - item.box[1] >= MIN_HEIGHT]
