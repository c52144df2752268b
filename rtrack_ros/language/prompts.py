"""What the model is asked. Training and every engine build their prompts here and nowhere else."""

from typing import Final

from rtrack_ros.engines.base import Prompt

_GROUND: Final = {'brief': 'Locate in JSON: {sentence}\nRGB:'}
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
