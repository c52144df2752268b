"""Held-out objects to be asked about closely: what they are, and what is true of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtrack_ros.frames import FramePair
from rtrack_ros.simulation import CONDITIONS, Scene, make_scene
from rtrack_ros.simulation.descriptions import Attributes, attributes_of, checkable
from rtrack_ros.simulation.expressions import Expression, Sighting

SCENE_SECONDS: Final = 12.0
_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Claim:
    """A sentence about an object in a frame.

    Attributes:
        box: The object, x1, y1, x2, y2 in pixels of the RGB image.
        text: The sentence.
        kind: Its kind, see ``simulation.Expression``.
        true: Whether it is true of the object.
    """

    box: _Box
    text: str
    kind: str
    true: bool


@dataclass(frozen=True, eq=False)
class Gallery:
    """The objects of a frame.

    Attributes:
        pair: The frame.
        condition: Its weather.
        claims: As many true as false ones.
        objects: Boxes, in pixels, with what the frame shows of each object.
    """

    pair: FramePair
    condition: str
    claims: tuple[Claim, ...]
    objects: tuple[tuple[_Box, Attributes], ...]


def galleries(seed: int, claims: int, objects: int, negations: bool = False
              ) -> Iterator[Gallery]:
    """Yield one frame of every condition of a scene; those that show nobody are left out.

    Args:
        seed: Of the scene; all that is drawn depends on it alone.
        claims: Most true claims of a frame, and most false ones.
        objects: Most objects of a frame to describe.
        negations: Whether the claims are negated and counterfactual.
    """
    scene = make_scene(seed, SCENE_SECONDS, conditions=CONDITIONS, fps=2)
    sentences = scene.negations if negations else scene.expressions
    rng = np.random.default_rng((seed, 17))
    span = len(scene) // len(CONDITIONS)
    for part in range(len(CONDITIONS)):
        index = part * span + int(rng.integers(span))
        seen = scene.sightings(index)
        if seen:
            true_and_false = _claims(sentences, index, scene.condition(index), seen)
            yield _gallery(rng, scene, index, true_and_false, claims, objects)


def _gallery(rng: np.random.Generator, scene: Scene, index: int, drawn: list[Claim],
             claims: int, objects: int) -> Gallery:
    frame = scene.frame(index)
    seen = scene.sightings(index)
    chosen = [seen[place] for place in rng.permutation(len(seen))[:objects]]
    return Gallery(frame.pair(), frame.condition,
                   _balanced(rng, drawn, claims),
                   tuple((item.box, attributes_of(item, frame.condition)) for item in chosen))


def _claims(sentences: Sequence[Expression], index: int, condition: str,
            seen: Sequence[Sighting]) -> list[Claim]:
    return [Claim(item.box, sentence.text, sentence.kind, item.actor.id in sentence.ids[index])
            for sentence in sentences if checkable(sentence.kind, condition)
            for item in seen]


def _balanced(rng: np.random.Generator, claims: list[Claim], count: int) -> tuple[Claim, ...]:
    """Return as many true as false claims, every kind with the same chance."""
    sides = [_spread(rng, [claim for claim in claims if claim.true == true])
             for true in (True, False)]
    count = min(count, *map(len, sides))
    return tuple(claim for side in sides for claim in side[:count])


def _spread(rng: np.random.Generator, claims: list[Claim]) -> list[Claim]:
    """Return the claims in an order in which the kinds take turns."""
    kinds: dict[str, list[Claim]] = defaultdict(list)
    for place in rng.permutation(len(claims)):
        kinds[claims[place].kind].append(claims[place])
    rounds = [(turn, float(rng.random()), claim) for group in kinds.values()
              for turn, claim in enumerate(group)]
    return [claim for _, _, claim in sorted(rounds, key=lambda entry: entry[:2])]
