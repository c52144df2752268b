"""Task prompts, by the name a model folder asks for in its ``rtrack.json``.

The sentence comes before the images: it stays the same from frame to frame, so an engine that
caches prefixes keeps it, and a causal model reads every image already knowing what to look for.
"""

from rtrack_ros.engines.base import Prompt

PROMPT_STYLES = ('full', 'brief')
"""'full' instructs a general model; 'brief' is what rtrack-nano was trained on."""

_INSTRUCTION = (
    'Locate every object that matches this description: {text}\n'
    'Two registered images of one moment follow, first RGB, then thermal (white is hot). '
    'Answer with a JSON list of {{"bbox_2d": [x1, y1, x2, y2], "label": "..."}}, '
    'or [] when nothing matches.\nRGB:')


def ground_prompt(text: str, style: str = 'full') -> Prompt:
    """Return the prompt that asks for the boxes of a sentence on an RGB and a thermal image.

    Args:
        text: The cleaned sentence.
        style: One of ``PROMPT_STYLES``.

    Raises:
        ValueError: unknown style.
    """
    if style == 'full':
        return Prompt((_INSTRUCTION.format(text=text), None, 'Thermal:', None))
    if style == 'brief':
        return Prompt((f'{text.lower().rstrip(" .!?")}\nRGB:', None, 'Thermal:', None))
    raise ValueError(f"unknown prompt style '{style}'; choose from {', '.join(PROMPT_STYLES)}")
