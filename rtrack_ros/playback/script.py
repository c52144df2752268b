"""Which sentences the demonstration asks, and when.

The choice looks at the truth of the scene only, never at a score: in its part of the scene, each
kind of sentence is represented by the one that means somebody in most frames; among equals by the
one that means most boxes, then by the first. Sentences about people come before others: people
move and hide, where a parked car would be too easy. By day a colour is asked for, since only RGB
in light shows one, and it is kept for a while into the night; then a class; at last, in smoke,
somebody who is not there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.run import RunQuery
from rtrack_ros.simulation import Expression

CONDITIONS = ('day', 'night', 'smoke')
PEOPLE = re.compile(r'\b(person|people|pedestrians?)\b')


@dataclass(frozen=True)
class Part:
    """A stretch of the scene in which one sentence is active, as shares of its length."""

    kind: str
    begin: float
    end: float


PARTS = (Part('colour', 0.0, 0.4), Part('class', 0.4, 0.83), Part('nobody', 0.83, 1.0))


def write_script(expressions: Sequence[Expression], frames: int, fps: float
                 ) -> tuple[RunQuery, ...]:
    """Return the sentences of the demonstration with the times to publish them.

    Args:
        expressions: Those of the scene.
        frames: Number of frames of the scene.
        fps: Frames per second.

    Raises:
        DataError: the scene has no suitable sentence of a kind.
    """
    queries = []
    for part in PARTS:
        first, end = round(part.begin * frames), round(part.end * frames)
        chosen = _choose([item for item in expressions if item.kind == part.kind], part.kind,
                         first, end)
        queries.append(RunQuery(chosen.text, first / fps, chosen.kind))
    return tuple(queries)


def _choose(candidates: Sequence[Expression], kind: str, first: int, end: int) -> Expression:
    if kind != 'nobody':
        candidates = [item for item in candidates if _truth(item, first, end) > (0, 0)]
    people = [item for item in candidates if PEOPLE.search(item.text)]
    found = sorted(people or candidates, key=lambda item: _truth(item, first, end), reverse=True)
    if not found:
        raise DataError(f"the scene has no sentence of kind '{kind}' with anybody in it between "
                        f'frames {first} and {end}; choose another --seed')
    return found[0]


def _truth(expression: Expression, first: int, end: int) -> tuple[int, int]:
    """Return (frames with somebody, boxes) of an expression in some frames."""
    meant = expression.ids[first:end]
    return sum(map(bool, meant)), sum(map(len, meant))
