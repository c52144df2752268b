"""What the model is asked. Training and every engine build their prompts here and nowhere else."""

from collections.abc import Sequence
from typing import Final

from rtrack_ros.engines.base import Prompt

_GROUND: Final = {
    # What rtrack-nano reads: it has no other task, so the sentence alone is the instruction.
    'brief': '{sentence}\nRGB:',
    # For a general model that must be told what to do and how to answer.
    'full': 'Locate every object that matches this description: {sentence}\n'
            'Two registered images of one moment follow, first RGB, then thermal (white is hot). '
            'Answer with a JSON list of {{"bbox_2d": [x1, y1, x2, y2], "label": "..."}}, or [] '
            'when nothing matches.\nRGB:',
}
_LOCATE: Final = {
    'brief': 'locate {box}\n',
    'full': 'The box {box} in the first picture holds a target. Find the same target in the '
            'second picture. Answer with a JSON list of one {{"bbox_2d": [x1, y1, x2, y2], '
            '"label": "..."}}, or [] when it is not there.\n',
}
GROUND_STYLES: Final = tuple(_GROUND)


class PromptError(ValueError):
    """A model was trained with a prompt that nobody here can write."""


def ground_prompt(text: str, style: str = 'brief') -> Prompt:
    """Return the prompt that asks for the boxes of ``text`` in an RGB and a thermal image.

    The sentence comes before the images because it stays the same from frame to frame: an engine
    with a prefix cache then keeps everything up to the first image.

    Args:
        text: The sentence, any case; case, outer spaces and closing punctuation carry no meaning
            for the model and are removed.
        style: The wording the model was trained with, one of ``GROUND_STYLES``.

    Raises:
        PromptError: the style is unknown.
    """
    if style not in _GROUND:
        raise PromptError(f'prompt style {style!r} is unknown; in rtrack.json of the '
                          f'model set prompt to one of {", ".join(GROUND_STYLES)}')
    sentence = ' '.join(text.split()).lower().rstrip('.!?, ')
    return Prompt((_GROUND[style].format(sentence=sentence), None, 'Thermal:', None))


def locate_prompt(box: Sequence[float], style: str = 'brief') -> Prompt:
    """Return the prompt that asks for the target of a template crop in a search crop.

    Args:
        box: The target in the template, x1, y1, x2, y2 in the coordinates the model writes.
        style: The wording the model was trained with, one of ``GROUND_STYLES``.

    Raises:
        PromptError: the style is unknown.
    """
    if style not in _LOCATE:
        raise PromptError(f'prompt style {style!r} is unknown; in rtrack.json of the '
                          f'model set prompt to one of {", ".join(GROUND_STYLES)}')
    corners = ', '.join(str(round(value)) for value in box)
    return Prompt((_LOCATE[style].format(box=f'[{corners}]'), None, None))
