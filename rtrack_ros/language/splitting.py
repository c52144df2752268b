"""A sentence that denies or relates is asked as two that do not, and the answers are combined.

Models that read images read "not" badly, large ones too (NegVQA, arXiv 2505.22946), and they
confuse left and right, before and behind. "The people not in red" is put as "the people" and "the
people in red": who is in both answers is not meant. "The people left of the car" is put as "the
people" and "every car": geometry says who is left of it. A verdict about a denial is the
difference of two probabilities. A relation does not show from near and is not verified.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rtrack_ros.engines.base import DeadlineError, Engine, is_used
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, OnAnswer, on_one_of
from rtrack_ros.language.denial import denial_in
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query
from rtrack_ros.language.relation import relation_in
from rtrack_ros.language.verifier import Verifier


@dataclass(frozen=True)
class _Split:
    """A sentence in two.

    Attributes:
        spoken_of: The sentence of whose answer some boxes are meant.
        beside: The other sentence.
        is_meant: Says of a box of the first answer, beside those of the other, whether it is.
        needs_others: Whether nobody is meant where the other answer is empty.
    """

    spoken_of: str
    beside: str
    is_meant: Callable[[Box, Sequence[Box]], bool]
    needs_others: bool


class SplittingGrounder(Grounder):
    """Grounds a sentence that denies or relates in two questions, others as they stand."""

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None,
               cancellation: Cancellation | None = None) -> Answer:
        """Return the answer, as ``Grounder.ground``; the deadline holds for both questions."""
        split = _split(query.text)
        if split is None:
            return super().ground(pair, query, deadline_s, on_partial, cancellation)
        started = time.perf_counter()
        # First, so that the boxes of the other answer are final as soon as they are written. It
        # may have to be split again: "the people not left of the car".
        beside = self.ground(pair, replace(query, text=split.beside), deadline_s,
                             cancellation=cancellation)
        if split.needs_others and not beside.present:
            return beside
        others = [grounding.box for grounding in beside.groundings]

        def meant(answer: Answer) -> Answer:
            kept = tuple(item for item in answer.groundings if split.is_meant(item.box, others))
            return replace(answer, groundings=kept,
                           latency_ms=(time.perf_counter() - started) * 1e3)

        def pass_on(answer: Answer) -> None:
            kept = meant(answer)
            if on_partial is not None and kept.groundings:
                on_partial(kept)

        return meant(super().ground(pair, replace(query, text=split.spoken_of),
                                    _left_s(deadline_s, started),
                                    None if on_partial is None else pass_on, cancellation))


class SplittingVerifier(Verifier):
    """Verifies a sentence that denies in two questions, others as they stand."""

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


def grounder_for(engine: Engine, max_boxes: int = 12, split_sentences: str = 'auto') -> Grounder:
    """Return what grounds sentences in one look with the model of an engine.

    Args:
        engine: The engine that answers.
        max_boxes: Most boxes in one answer.
        split_sentences: Whether a sentence that denies or relates is asked as two; of
            ``engines.base.USES``.

    Raises:
        ValueError: ``split_sentences`` is none of them.
        EngineError: the model was not trained to ground, or names an unknown protocol or prompt
            style; see ``Grounder``.
    """
    kind = SplittingGrounder if _splits(engine, split_sentences) else Grounder
    return kind(engine, max_boxes)


def verifier_for(engine: Engine, split_sentences: str = 'auto') -> Verifier | None:
    """Return what verifies sentences with the model of an engine, None where it cannot.

    Args:
        engine: The engine that answers.
        split_sentences: Whether a sentence that denies or relates is asked as two; of
            ``engines.base.USES``.

    Raises:
        ValueError: ``split_sentences`` is none of them.
        EngineError: the model names an unknown protocol or prompt style; see ``Verifier``.
    """
    kind = SplittingVerifier if _splits(engine, split_sentences) else Verifier
    return kind(engine) if 'verify' in engine.capabilities().tasks else None


def _splits(engine: Engine, use: str) -> bool:
    return is_used('split_sentences', use, engine.capabilities().split_sentences)


def _split(sentence: str) -> _Split | None:
    """Return a sentence in two, None where it stays one."""
    denial = denial_in(sentence)
    if denial is not None:
        denial = denial.of_all()
        return _Split(denial.spoken_of, denial.left_out,
                      lambda box, others: not on_one_of(box, others), needs_others=False)
    relation = relation_in(sentence)
    if relation is None:
        return None
    return _Split(relation.spoken_of, relation.anchor,
                  lambda box, others: (not on_one_of(box, others)
                                       and relation.holds(box, others)), needs_others=True)


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
