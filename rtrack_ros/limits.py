"""How much of everything a stranger may ask for; what is above is refused with the limit's name.

Whoever may publish in the domain can send anything, at any rate. Each limit keeps one thing that
comes from outside from growing without end. ``docs/security.md`` lists them with their parameters.
"""

from dataclasses import dataclass, fields
from typing import Final

from rtrack_ros.settings import check_settings, setting

MAX_CHARACTERS: Final = 2000
"""Longest text that is looked at at all; its tokens are counted afterwards."""


@dataclass(frozen=True)
class Limits:
    """The limits of a session; parameters ``limits.*``.

    Raises:
        ValueError: a value is out of its range.
    """

    image_mpx: float = setting(
        64.0, 'Largest compressed image that is decoded, by the size in its header; raising it '
        'lets a small file take more memory', 'Mpx', (0.01, 1000.0), advanced=True)
    sentences: int = setting(
        24, 'Most sentences and targets followed at once, beside that of the id default, which '
        'always has its place; raising it makes each be asked about '
        'less often', span=(1, 1000), advanced=True)
    sentence_tokens: int = setting(
        256, 'Longest sentence; raising it lets one sentence keep the model from the others for '
        'longer', 'tokens', (8, 4096), advanced=True)
    id_characters: int = setting(
        64, 'Longest id of a sentence', 'characters', (1, 1000), advanced=True)
    targets: int = setting(
        2, 'Most targets followed from a box at once; each is looked for on every frame, which '
        'takes about 5 ms: raising it can cost the camera rate', span=(1, 1000), advanced=True)
    descriptions: int = setting(
        4, 'Most descriptions that wait for the model; raising it lets callers wait longer '
        'instead of being refused', span=(1, 100), advanced=True)
    commands_hz: float = setting(
        20.0, 'Most commands about sentences carried out a second on each topic, after a burst of '
        'the number that wait there (64); each takes about a millisecond of the camera: raising '
        'it lets a flood take more', 'Hz', (0.1, 10_000.0), advanced=True)
    calls_hz: float = setting(
        50.0, 'Most calls answered a second by each service, after a burst of 200; the others '
        'wait; each takes about a millisecond of the camera: raising it lets a flood take more',
        'Hz', (1.0, 10_000.0), advanced=True)
    description_s: float = setting(
        10.0, 'Time after which a description is given up; raising it lets slow models finish and '
        'keeps sentences waiting', 's', (0.1, 600.0), advanced=True)

    def __post_init__(self) -> None:
        check_settings(self)


def limit_named(refusal: str) -> str:
    """Return the limit that a refusal names, '' where it names none: refusals of one kind."""
    return next((item.name for item in fields(Limits) if f'(limits.{item.name})' in refusal), '')


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has for a model whose tokenizer is not here.

    Words of plain letters have three or more letters to a token; other characters can take a token
    for each of their bytes, as in the byte-level tokenizers of Qwen.
    """
    plain = sum(char.isascii() for char in text)
    return -(-plain // 3) + len(text.encode(errors='replace')) - plain
