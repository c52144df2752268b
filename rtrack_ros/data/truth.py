"""The truth that lies beside a recorded scene: where everything is, and what each sentence means.

A recording ``scene/`` carries ``scene/truth/truth.json`` with all of it, and one MOTChallenge file
per sentence for whoever evaluates a single one.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.foreign_text import foreign_bytes, parse_json
from rtrack_ros.simulation import Expression, ObjectTruth, SimFrame


@dataclass(frozen=True)
class TruthFrame:
    """One RGB image of a recording.

    Attributes:
        stamp_ns: Header stamp of the RGB image in the recording.
        condition: Name of the weather.
        objects: What is in view, boxes in RGB pixels.
    """

    stamp_ns: int
    condition: str
    objects: tuple[ObjectTruth, ...]


@dataclass(frozen=True)
class SceneTruth:
    """Truth of a recording, frame by frame in the order of its RGB images.

    Attributes:
        fps: RGB frames per second.
        frames: One per RGB image.
        expressions: Sentences; their ``ids`` run along ``frames``.
    """

    fps: float
    frames: tuple[TruthFrame, ...]
    expressions: tuple[Expression, ...]

    def expression(self, text: str) -> Expression:
        """Return the expression of a sentence.

        Raises:
            DataError: the scene has no such sentence.
        """
        for expression in self.expressions:
            if expression.text == text:
                return expression
        known = '; '.join(f"'{item.text}'" for item in self.expressions)
        raise DataError(f"the truth has no sentence '{text}'; it has {known}")

    def rows(self, expression: Expression, frames: Iterable[int] | None = None) -> list[MotRow]:
        """Return the boxes that an expression means.

        Args:
            expression: One of this scene's.
            frames: Indices from 0 to take; the rows are numbered 1, 2, ... in their order. None
                takes all frames.
        """
        chosen = range(len(self.frames)) if frames is None else frames
        return [MotRow(number, item.id, item.box, visibility=item.visibility)
                for number, index in enumerate(chosen, start=1)
                for item in self.frames[index].objects if item.id in expression.ids[index]]

    def save(self, folder: Path | str) -> None:
        """Write ``truth.json`` and one MOTChallenge file per sentence into a folder."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for number, expression in enumerate(self.expressions):
            write_mot(target / f'{number:02d}_{file_name(expression.text)}.gt.txt',
                      self.rows(expression))
        content = {'fps': self.fps, 'frames': [asdict(frame) for frame in self.frames],
                   'expressions': [{'text': item.text, 'kind': item.kind,
                                    'ids': [sorted(ids) for ids in item.ids]}
                                   for item in self.expressions]}
        (target / 'truth.json').write_text(json.dumps(content, separators=(',', ':')) + '\n',
                                           encoding='utf-8')

    @staticmethod
    def load(folder: Path | str) -> 'SceneTruth':
        """Read what :meth:`save` wrote.

        Raises:
            DataError: the file is missing or damaged.
        """
        source = Path(folder) / 'truth.json'
        try:
            content = parse_json(foreign_bytes(source))
            frames = tuple(TruthFrame(item['stamp_ns'], item['condition'], tuple(
                ObjectTruth(known['id'], known['category'], tuple(known['box']),
                            known['visibility']) for known in item['objects']))
                for item in content['frames'])
            expressions = tuple(Expression(item['text'], item['kind'],
                                           tuple(frozenset(ids) for ids in item['ids']))
                                for item in content['expressions'])
            return SceneTruth(content['fps'], frames, expressions)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise DataError(f'cannot read the truth in {source} ({error!r}); write the scene '
                            'again with: rtrack simulate') from error


class TruthCollector:
    """Gathers the truth of a scene while its frames are written."""

    def __init__(self, fps: float, expressions: Iterable[Expression]) -> None:
        self._fps = fps
        self._expressions = tuple(expressions)
        self._frames: list[TruthFrame] = []
        self._indices: list[int] = []

    def add(self, frame: SimFrame, stamp_ns: int | None = None) -> None:
        """Take one written RGB frame, in order.

        Args:
            frame: The simulated frame.
            stamp_ns: Its stamp in the recording; None keeps the scene's.
        """
        self._frames.append(TruthFrame(frame.stamp_ns if stamp_ns is None else stamp_ns,
                                       frame.condition, frame.objects))
        self._indices.append(frame.index)

    def truth(self) -> SceneTruth:
        """Return the truth of the frames taken so far."""
        expressions = tuple(Expression(item.text, item.kind,
                                       tuple(item.ids[index] for index in self._indices))
                            for item in self._expressions)
        return SceneTruth(self._fps, tuple(self._frames), expressions)


def file_name(text: str) -> str:
    """Return a sentence as part of a file name: letters and digits of any script, hyphens."""
    return re.sub(r'[^\w]+', '-', text.strip()).strip('-')[:80] or 'sentence'
