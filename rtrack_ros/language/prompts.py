"""The prompts. Training and every engine build their prompts here and nowhere else."""

from collections.abc import Mapping, Sequence
from typing import Final

from rtrack_ros.engines.base import Prompt

_PAIR: Final = ('These are two registered pictures of one moment, first RGB, then thermal (white '
                'is hot). ')
_GROUND: Final = {
    # What rtrack-nano reads: its most frequent task is the one without a word of its own.
    'brief': '{sentence}\nRGB:',
    # For a general model, which needs to read what to do and how to answer.
    'full': _PAIR + 'Locate every object that matches this description: {sentence}\n'
            'Answer with a JSON list of {{"bbox_2d": [x1, y1, x2, y2], "label": "..."}}, or [] '
            'when nothing matches.',
}
_VERIFY: Final = {
    'brief': 'verify {box} {sentence}\nRGB:',
    'full': _PAIR + 'Is the object in the box {box} this: {sentence}? Answer Yes or No.',
}
_DESCRIBE: Final = {
    'brief': 'describe {box}\nRGB:',
    'full': _PAIR + 'Describe the object in the box {box} in one short sentence: what it is, its '
                    'colours, what it does.',
}
_LOCATE: Final = {
    'brief': 'locate {box}\nRGB:',
    'full': 'The first two are registered pictures of one moment, RGB and thermal; the box {box} '
            'in them holds a target. The other two are of a later moment. Find the same target in '
            'those. Answer with a JSON list of one {{"bbox_2d": [x1, y1, x2, y2], "label": '
            '"..."}}, or [] when it is not there.',
}
STYLES: Final = tuple(_GROUND)


class PromptError(ValueError):
    """A model was trained with an unknown prompt style."""


def ground_prompt(text: str, style: str = 'brief') -> Prompt:
    """Return the prompt that asks for the boxes of ``text`` in an RGB and a thermal image.

    A general model sees the images first, as it was trained: a server with a prefix cache then
    looks at them once, however many sentences ask about them. rtrack-nano was trained to read the
    sentence first.

    Args:
        text: The sentence, any case; case, outer spaces and closing punctuation carry no meaning
            for the model and are removed.
        style: The wording the model was trained with, one of ``STYLES``.

    Raises:
        PromptError: the style is unknown.
    """
    sentence = plain_sentence(text)
    return _about_a_pair(_worded(_GROUND, style).format(sentence=sentence), style)


def plain_sentence(text: str) -> str:
    """Return a sentence without what carries no meaning for a model: case, spaces, a full stop."""
    return ' '.join(text.split()).lower().rstrip('.!?, ')


def verify_prompt(text: str, box: Sequence[float], style: str = 'brief') -> Prompt:
    """Return the prompt that asks whether the object in a box is what a sentence says: Yes or No.

    Args:
        text: The sentence, as for ``ground_prompt``.
        box: x1, y1, x2, y2 in both pictures, in the coordinates the model writes.
        style: The wording the model was trained with, one of ``STYLES``.

    Raises:
        PromptError: the style is unknown.
    """
    wording = _worded(_VERIFY, style)
    return _about_a_pair(wording.format(box=_corners(box), sentence=plain_sentence(text)), style)


def describe_prompt(box: Sequence[float], style: str = 'brief') -> Prompt:
    """Return the prompt that asks for a sentence about the object in a box (OmniPT).

    Args:
        box: x1, y1, x2, y2 in both pictures, in the coordinates the model writes.
        style: The wording the model was trained with, one of ``STYLES``.

    Raises:
        PromptError: the style is unknown.
    """
    return _about_a_pair(_worded(_DESCRIBE, style).format(box=_corners(box)), style)


def locate_prompt(box: Sequence[float], style: str = 'brief') -> Prompt:
    """Return the prompt that asks for the target of a template pair in a search pair.

    R1-Track shows one RGB image of each; a target in the dark or in smoke needs the thermal ones.

    Args:
        box: The target in the template, x1, y1, x2, y2 in the coordinates the model writes.
        style: The wording the model was trained with, one of ``STYLES``.

    Raises:
        PromptError: the style is unknown.
    """
    return _about_images(_worded(_LOCATE, style).format(box=_corners(box)), style, 2)


def _worded(wordings: Mapping[str, str], style: str) -> str:
    if style not in wordings:
        raise PromptError(f'prompt style {style!r} is unknown; in rtrack.json of the '
                          f'model set prompt to one of {", ".join(STYLES)}')
    return wordings[style]


def _about_a_pair(words: str, style: str) -> Prompt:
    return _about_images(words, style, 1)


def _about_images(words: str, style: str, pairs: int) -> Prompt:
    """Return a prompt whose words come after the images of some pairs, or before them."""
    images = ('RGB:', None, 'Thermal:', None) * pairs
    return Prompt((*images, words) if style == 'full' else (words, *images[1:]))


def _corners(box: Sequence[float]) -> str:
    return f'[{", ".join(str(round(value)) for value in box)}]'
