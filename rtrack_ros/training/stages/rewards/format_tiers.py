"""OmniPT's first stage: first learn to write boxes at all, then where."""

import re
from typing import Any

from rtrack_ros import boxes
from rtrack_ros.boxes import as_boxes
from rtrack_ros.training.stages.rewards.completion import Completion, Truth, load_list
from rtrack_ros.training.stages.rewards.matching import best_credits

RIGHT, OTHER_ORDER, NO_TAG = 2.0, 0.6, 0.4
"""Values of the tiers; a text without four numbers earns 0."""
MARGIN = 0.3
"""By how much the other order of the numbers must fit better to be taken for what was meant."""

Row = tuple[float, float, float, float]

_NUMBER = r'\s*(\d{1,6}(?:\.\d{1,6})?)\s*'
_FOUR = re.compile(f'{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}')
_TAG = re.compile(f'<bbox>{_FOUR.pattern}</bbox>')


def format_tiers(said: Completion, truth: Truth, form: str = 'json') -> float:
    """Return ``tier * (overlap / 2 + 1/2)``, in [0, 2].

    The tier is 2 for the wanted form, 0.6 for that form with the numbers in another order, 0.4
    for numbers outside the form, 0 for everything else. ``overlap`` is the matched IoU over the
    larger number of boxes, 1 where nothing was meant and nothing said.

    Source: OmniPT (arXiv 2511.17053), stage 1, known to us from a third party; its code is
    unpublished. How it tells a wrong order is not known. Our reconstruction: the order is another
    where the wanted one is impossible (a right edge left of the left one) or fits the truth worse
    by ``MARGIN``; and several boxes, which the formula does not treat, are matched one to one.

    Args:
        said: The answer.
        truth: What was meant.
        form: 'json' for our grammar (corners), 'tags' for OmniPT's ``<bbox>x,y,w,h</bbox>``.

    Raises:
        ValueError: unknown form.
    """
    readers = {'json': _json_rows, 'tags': _tag_rows}
    if form not in readers:
        raise ValueError(f'form {form!r} is unknown; choose one of {", ".join(readers)}')
    rows = readers[form](said.text)
    if rows is None:
        loose = _four_numbers(_FOUR, said.text)
        return NO_TAG * (_fit(loose, truth, form) / 2 + 0.5) if loose else 0.0
    wanted = _fit(rows, truth, form)
    other = _fit(rows, truth, 'tags' if form == 'json' else 'json')
    if not _possible(rows, form) or other > wanted + MARGIN:
        return OTHER_ORDER * (other / 2 + 0.5)
    return RIGHT * (wanted / 2 + 0.5)


def _json_rows(text: str) -> list[Row] | None:
    """Return the rows of a list of items of our grammar, in any order of the four numbers."""
    items, whole = load_list(text.strip())
    rows = [_row(item) for item in items or ()]
    return None if items is None or not whole or None in rows else [row for row in rows if row]


def _row(item: Any) -> Row | None:
    if not isinstance(item, dict) or set(item) != {'bbox_2d', 'label'}:
        return None
    values = item['bbox_2d']  # whole numbers of any length: no float holds them
    if not isinstance(values, list) or len(values) != 4 or not all(
            type(value) in (int, float) and abs(value) < 1e6
            for value in values):
        return None
    return values[0], values[1], values[2], values[3]


def _tag_rows(text: str) -> list[Row] | None:
    return None if _TAG.sub('', text).strip() else _four_numbers(_TAG, text)


def _four_numbers(pattern: re.Pattern[str], text: str) -> list[Row]:
    found = [tuple(map(float, match.groups())) for match in pattern.finditer(text)]
    return [(row[0], row[1], row[2], row[3]) for row in found]


def _possible(rows: list[Row], form: str) -> bool:
    if form == 'json':
        return all(x1 < x2 and y1 < y2 for x1, y1, x2, y2 in rows)
    return all(width > 0 and height > 0 for _, _, width, height in rows)


def _fit(rows: list[Row], truth: Truth, form: str) -> float:
    """Return matched IoU over the larger number of boxes, rows read in the order of ``form``."""
    larger = max(len(rows), len(truth.boxes))
    if larger == 0:
        return 1.0
    corners = as_boxes(rows) if form == 'json' else boxes.xyxy_from_xywh(rows)
    return float(best_credits(corners, truth.boxes, 0.0, 1.0).sum() / larger)
