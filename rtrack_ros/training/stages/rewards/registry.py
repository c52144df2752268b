"""Rewards by name, in the form in which TRL's trainers call them."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from rtrack_ros.boxes import as_boxes
from rtrack_ros.training.stages.rewards.completion import Completion, Truth
from rtrack_ros.training.stages.rewards.detection import (
    comprehensive_detection,
    length_penalised,
    raw_overlap,
)
from rtrack_ros.training.stages.rewards.format_tiers import format_tiers
from rtrack_ros.training.stages.rewards.stepped_giou import stepped_giou, thoughtful_stepped_giou
from rtrack_ros.training.stages.rewards.structured_output import structured_output
from rtrack_ros.training.stages.rewards.wording import described, exact_words

Reward = Callable[..., float]

REWARDS: Final[dict[str, Reward]] = {
    reward.__name__: reward for reward in (
        structured_output, comprehensive_detection, length_penalised, raw_overlap, stepped_giou,
        thoughtful_stepped_giou, format_tiers, exact_words, described)}
_LOG: Final = logging.getLogger(__name__)
OF_WORDS: Final = (exact_words.__name__, described.__name__)
"""Rewards of questions that are answered in words; the others are of boxes."""


def make_reward(name: str, options: Mapping[str, Any] | None = None
                ) -> Callable[..., list[float | None]]:
    """Return a reward as TRL's ``GRPOTrainer`` takes it.

    It is called with keyword lists of one entry per completion: ``completions`` (conversational),
    ``completion_ids`` and the columns ``boxes``, ``frame`` and ``words`` of the dataset. A
    question that is answered in words has no reward of boxes, nor the other way round: None, by
    which TRL leaves it out.

    Args:
        name: One of ``REWARDS``.
        options: Keyword arguments of the reward.

    A text on which the reward fails, whatever it holds, earns what no text at all does: a sampled
    answer never ends a run.

    Raises:
        ValueError: the name or an option is unknown.
    """
    if name not in REWARDS:
        raise ValueError(f'reward {name!r} is unknown; choose among {", ".join(REWARDS)}')
    reward = partial(REWARDS[name], **(options or {}))
    try:
        reward(Completion(''), Truth(as_boxes([])))
    except (TypeError, ValueError) as error:
        raise ValueError(f'reward {name}: its options {dict(options or {})} cannot be used '
                         f'({error})') from error

    def rewards(completions: Sequence[Sequence[Mapping[str, Any]]],
                completion_ids: Sequence[Sequence[int]],
                boxes: Sequence[Sequence[Sequence[float]]], frame: Sequence[Sequence[int]],
                words: Sequence[str], **_: Any) -> list[float | None]:
        return [_guarded(reward, Completion(answer_text(turns), len(ids)),
                         Truth(as_boxes(meant), (size[0], size[1]), text))
                if bool(text) == (name in OF_WORDS) else None
                for turns, ids, meant, size, text in zip(completions, completion_ids, boxes, frame,
                                                         words, strict=True)]

    rewards.__name__ = name
    return rewards


def _guarded(reward: Reward, said: Completion, truth: Truth) -> float:
    try:
        value = float(reward(said, truth))
        if math.isfinite(value):
            return value
        failure = f'it is {value}'
    except Exception as error:
        failure = repr(error)
    _LOG.warning('a reward failed on an answer, which counts as none: %s; %s', failure,
                 repr(said.text)[:200])
    return float(reward(Completion('', said.tokens), truth))


def answer_text(turns: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of a conversational completion, whose content may be a string or parts."""
    content = turns[0]['content']
    if isinstance(content, str):
        return content
    return ''.join(part.get('text', '') for part in content)
