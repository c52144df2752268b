"""A sentence that denies is asked as two that do not, and one answer is taken from the other.

Models that read images read "not" badly, large ones too (NegVQA, arXiv 2505.22946). "The people
not in red" is put as "the people" and "the people in red": who is in both answers is not meant.
A verdict about one object is the difference of two probabilities in the same way.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import DeadlineError, Engine, is_used
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Grounding, OnAnswer
from rtrack_ros.language.denial import denial_in
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query
from rtrack_ros.language.verifier import Verifier

_ONE_OBJECT: Final = 0.5
"""IoU from which boxes of two answers are of one object."""


class SubtractingGrounder(Grounder):
    """Grounds what a sentence speaks of, less what it leaves out; others as they stand."""

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None,
               cancellation: Cancellation | None = None) -> Answer:
        """Return the answer, as ``Grounder.ground``; the deadline holds for both questions."""
        denial = denial_in(query.text)
        if denial is None:
            return super().ground(pair, query, deadline_s, on_partial, cancellation)
        denial = denial.of_all()
        started = time.perf_counter()
        # First, so that the boxes of the other answer are final as soon as they are written.
        left_out = [grounding.box for grounding in super().ground(
            pair, replace(query, text=denial.left_out), deadline_s,
            cancellation=cancellation).groundings]

        def less(answer: Answer) -> Answer:
            return replace(answer, groundings=_less(answer.groundings, left_out),
                           latency_ms=(time.perf_counter() - started) * 1e3)

        def pass_on(answer: Answer) -> None:
            kept = less(answer)
            if on_partial is not None and kept.groundings:
                on_partial(kept)

        return less(super().ground(pair, replace(query, text=denial.spoken_of),
                                   _left_s(deadline_s, started),
                                   None if on_partial is None else pass_on, cancellation))


class SubtractingVerifier(Verifier):
    """Verifies what a sentence speaks of, less what it leaves out; others as they stand."""

    def verify(self, pair: FramePair, box: Box, sentence: str, deadline_s: float | None = None,
               cancellation: Cancellation | None = None) -> float:
        """Return the probability, as ``Verifier.verify``; the deadline holds for both questions.

        Who is left out is spoken of as well. So the probability to be spoken of and not left out
        is the difference of the two.
        """
        denial = denial_in(sentence)
        if denial is None:
            return super().verify(pair, box, sentence, deadline_s, cancellation)
        started = time.perf_counter()
        spoken_of = super().verify(pair, box, denial.spoken_of, deadline_s, cancellation)
        left_out = super().verify(pair, box, denial.left_out, _left_s(deadline_s, started),
                                  cancellation)
        return max(spoken_of - left_out, 0.0)


def grounder_for(engine: Engine, max_boxes: int = 12, split_denials: str = 'auto') -> Grounder:
    """Return what grounds sentences in one look with the model of an engine.

    Args:
        engine: The engine that answers.
        max_boxes: Most boxes in one answer.
        split_denials: Whether a sentence that denies is asked as two; of ``engines.base.USES``.

    Raises:
        ValueError: ``split_denials`` is none of them.
        EngineError: the model was not trained to ground, or names an unknown protocol or prompt
            style; see ``Grounder``.
    """
    kind = SubtractingGrounder if _splits(engine, split_denials) else Grounder
    return kind(engine, max_boxes)


def verifier_for(engine: Engine, split_denials: str = 'auto') -> Verifier | None:
    """Return what verifies sentences with the model of an engine, None where it cannot.

    Args:
        engine: The engine that answers.
        split_denials: Whether a sentence that denies is asked as two; of ``engines.base.USES``.

    Raises:
        ValueError: ``split_denials`` is none of them.
        EngineError: the model names an unknown protocol or prompt style; see ``Verifier``.
    """
    kind = SubtractingVerifier if _splits(engine, split_denials) else Verifier
    return kind(engine) if 'verify' in engine.capabilities().tasks else None


def _splits(engine: Engine, use: str) -> bool:
    return is_used('split_denials', use, engine.capabilities().split_denials)


def _less(groundings: Sequence[Grounding], left_out: Sequence[Box]) -> tuple[Grounding, ...]:
    """Return the groundings that lie on none of the boxes."""
    if not groundings or not left_out:
        return tuple(groundings)
    overlap = iou([grounding.box for grounding in groundings], left_out).max(axis=1)
    return tuple(grounding for grounding, most in zip(groundings, overlap, strict=True)
                 if most < _ONE_OBJECT)


def _left_s(deadline_s: float | None, started: float) -> float | None:
    """Return the time that is left for the second question.

    Raises:
        DeadlineError: there is none.
    """
    if deadline_s is None:
        return None
    left_s = deadline_s - (time.perf_counter() - started)
    if left_s <= 0:
        raise DeadlineError(f'no answer to both halves of the sentence within {deadline_s} s')
    return left_s
