"""What a model wrote and what was meant, and all that can be read of an answer however broken.

Between two answers of a group a reward has to see which is the less broken one. The reader here is
therefore lenient about the whole and strict about each item: an item counts as a box exactly where
:func:`rtrack_ros.language.parser.parse_answer` would accept it alone.
"""

import json
from dataclasses import dataclass
from typing import Any

from rtrack_ros.boxes import BoxArray, as_boxes
from rtrack_ros.language.parser import AnswerError, parse_answer


@dataclass(frozen=True)
class Completion:
    """One sampled answer.

    Attributes:
        text: Decoded text, special tokens removed.
        tokens: Number of tokens, the stop token included.
    """

    text: str
    tokens: int = 0


@dataclass(frozen=True, eq=False)
class Truth:
    """What the answer should have been.

    Attributes:
        boxes: (N, 4) corner boxes in the coordinates the model writes; N may be 0.
        frame: (width, height) of the image in those coordinates: (1000, 1000), or the size of the
            resized image in pixels.
        words: The answer where it is no list of boxes, else empty.
    """

    boxes: BoxArray
    frame: tuple[int, int] = (1000, 1000)
    words: str = ''


@dataclass(frozen=True, eq=False)
class Reading:
    """What could be read of a text.

    Attributes:
        found: A JSON list is there.
        whole: The text is that list and nothing else.
        items: Number of items of the list, broken ones included.
        boxes: (M, 4) boxes of the items that are well formed, M <= items, clipped to the frame.
    """

    found: bool
    whole: bool
    items: int
    boxes: BoxArray

    @property
    def distinct(self) -> int:
        """Number of different boxes."""
        return len({tuple(box) for box in self.boxes.tolist()})


def read_completion(text: str, frame: tuple[int, int]) -> Reading:
    """Return what can be read of ``text``; never raises on text of any kind.

    Args:
        text: The completion.
        frame: (width, height) of the image in the model's coordinates.
    """
    items, whole = load_list(text.strip())
    if items is None:
        return Reading(False, False, 0, as_boxes([]))
    found = [box for item in items if (box := _box(item, frame)) is not None]
    return Reading(True, whole, len(items), as_boxes(found))


def load_list(text: str) -> tuple[list[Any] | None, bool]:
    """Return the JSON list of a text and whether the text is nothing else."""
    begin, end = text.find('['), text.rfind(']')
    for candidate, whole in ((text, True), (text[begin:end + 1], False)):
        try:
            value = json.loads(candidate, object_pairs_hook=_object_without_repeats)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list):
            return value, whole
    return None, False


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any] | None:
    return dict(pairs) if len({key for key, _ in pairs}) == len(pairs) else None


def _box(item: Any, frame: tuple[int, int]) -> tuple[float, float, float, float] | None:
    try:
        return parse_answer(json.dumps([item]), 'abs_resized', frame, frame)[0].box
    except (AnswerError, RecursionError):  # brackets in brackets, too deep to be written again
        return None
