"""Refinement: the model is asked again about every box of an answer, enlarged.

A model that sees a whole scene at a few hundred pixels knows roughly where a person is and hardly
what the person wears. In an enlarged window around that person the same model knows both better.
So it is asked again about each box of an answer. It says where the object is, in two windows of
different size, and the two boxes are averaged. Where the sentence can be judged from near, it also
says whether the object matches. Other objects of the same kind are judged too, and join the answer
where the model is sure of them. This is our own, made of R1-Track's search window (arXiv
2506.21980) and OmniPT's question about one object (arXiv 2511.17053).
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import (
    CancelledError,
    DeadlineError,
    Engine,
    EngineError,
    is_used,
)
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Grounding, OnAnswer, on_one_of
from rtrack_ros.language.closeup import window_around
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.language.splitting import grounder_for, verifier_for
from rtrack_ros.language.verifier import Verifier
from rtrack_ros.language.whole_image import needs_whole_image

_WINDOWS: Final = (3.5, 5.0)
"""Roots of the windows' areas over that of the box."""
_SAME_OBJECT: Final = 0.2
"""Least IoU of a refined box with the box of the answer: small boxes of answers are inaccurate."""
_IS_MEANT: Final = 0.5
"""Probability from which an object of the answer matches the sentence."""
_SURELY_MEANT: Final = 0.9
"""The same for an object that is not in the answer: there are many more of them."""
_MAX_OBJECTS: Final = 10


class Refiner:
    """Grounds sentences and refines the answers.

    As many threads may use it at once as the engine allows.

    Args:
        grounder: Answers about whole images and about windows of them.
        verifier: Checks a sentence on one object; None where the model cannot, and then only
            places are refined.
        image_size: (width, height) in pixels to which the model resizes what it is shown.
    """

    def __init__(self, grounder: Grounder, verifier: Verifier | None,
                 image_size: tuple[int, int]) -> None:
        self._grounder, self._verifier, self._size = grounder, verifier, image_size

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None,
               cancellation: Cancellation | None = None) -> Answer:
        """Return the model's answer to ``query`` about ``pair``, boxes in original RGB pixels.

        If time runs out or the engine fails after the first answer, the boxes not yet refined stay
        as they were in it. So does a box about which the model says nothing readable.

        Args:
            pair: The frame pair asked about. A crop is enlarged already: its first answer is
                returned.
            query: The sentence and its epoch.
            deadline_s: Seconds after which the answer is of no use; None waits.
            on_partial: Called with those boxes of the answer that are final, whenever there is
                another; must return at once.
            cancellation: Takes the question back, both looks at once.

        Raises:
            CancelledError: the question was taken back.
            EngineError: no text could be produced for the first answer.
            AnswerError: its text is not an answer, or was cut off.
        """
        started = time.perf_counter()
        first = self._grounder.ground(pair, query, deadline_s, cancellation=cancellation)
        if pair.region is not None or not first.present:
            return first
        final: list[Grounding] = []
        said = list(first.groundings)
        refinement = _Look(self._grounder, self._verifier, self._size, pair, query, started,
                           deadline_s, cancellation)
        try:
            for grounding in refinement.settled(said):
                final.append(grounding)
                if on_partial is not None:
                    on_partial(replace(first, groundings=tuple(final), partial=True,
                                       latency_ms=refinement.spent_s * 1e3))
        except CancelledError:
            raise
        except EngineError:
            final += said
        return replace(first, groundings=tuple(final), latency_ms=refinement.spent_s * 1e3)


@dataclass(frozen=True)
class _Look:
    """One refinement: its models, its pair and sentence, its begin and its deadline."""

    grounder: Grounder
    verifier: Verifier | None
    image_size: tuple[int, int]
    pair: FramePair
    query: Query
    started: float
    deadline_s: float | None
    cancellation: Cancellation | None

    def settled(self, said: list[Grounding]) -> Iterator[Grounding]:
        """Yield the final boxes of the answer; removes from ``said`` what is done."""
        judged = self.verifier is not None and not needs_whole_image(self.query.text)
        others = self._others(said) if judged else []
        final: list[Box] = []
        while said:
            closer = self._closer(said[0]) if len(final) < _MAX_OBJECTS else said[0]
            if closer is not None and on_one_of(closer.box, final):
                # Two who stand close may end in one box; who was listed twice is one.
                closer = None if on_one_of(said[0].box, final) else said[0]
            kept = closer is not None and (not judged or self._meant(closer.box) >= _IS_MEANT)
            del said[0]
            if closer is not None and kept:
                final.append(closer.box)
                yield closer
        for other in others[:_MAX_OBJECTS]:
            closer = self._closer(other) if self._meant(other.box) >= _SURELY_MEANT else None
            if closer is not None and not on_one_of(closer.box, final):
                final.append(closer.box)
                yield closer

    def _closer(self, said: Grounding) -> Grounding | None:
        """Return a grounding refined, None where nothing of its kind is there."""
        size = self.pair.width, self.pair.height
        windows = {window_around(said.box, factor, size, self.image_size) for factor in _WINDOWS}
        answers = [self._every(said.label, self.pair.crop(window)) for window in sorted(windows)
                   if window != (0, 0, *size)]
        readable = [found for found in answers if found is not None]
        if not readable:
            return said
        seen = [box for found in readable if (box := _nearest(said.box, found)) is not None]
        if not seen:
            return None
        x1, y1, x2, y2 = np.mean(seen, axis=0).tolist()
        return replace(said, box=(x1, y1, x2, y2))

    def _others(self, said: Sequence[Grounding]) -> list[Grounding]:
        """Return objects of the answer's kinds that are not in the answer."""
        labels = dict.fromkeys(grounding.label for grounding in said)
        found = [other for label in labels for other in self._every(label, self.pair) or ()]
        boxes = [grounding.box for grounding in said]
        return [other for other in found if not on_one_of(other.box, boxes)]

    def _every(self, label: str, view: FramePair) -> tuple[Grounding, ...] | None:
        """Return all objects of a kind in a view, None where the answer cannot be read."""
        every = Query(self.query.id, f'every {label}', self.query.epoch)
        with suppress(AnswerError):
            return self.grounder.ground(view, every, self._left_s(),
                                        cancellation=self.cancellation).groundings
        return None

    def _meant(self, box: Box) -> float:
        """Return the probability that the sentence is true of a box, 0.5 without a verdict."""
        assert self.verifier is not None
        with suppress(AnswerError):
            return self.verifier.verify(self.pair, box, self.query.text, self._left_s(),
                                        self.cancellation)
        return 0.5

    def _left_s(self) -> float | None:
        if self.deadline_s is None:
            return None
        left_s = self.deadline_s - self.spent_s
        if left_s <= 0:
            raise DeadlineError(f'no second look within {self.deadline_s} s')
        return left_s

    @property
    def spent_s(self) -> float:
        """Seconds since the first question was asked."""
        return time.perf_counter() - self.started


def _nearest(box: Box, found: Sequence[Grounding]) -> Box | None:
    """Return the box that is most like another one, None where none is like it."""
    if not found:
        return None
    overlap = iou([box], [other.box for other in found])[0]
    best = int(overlap.argmax())
    return found[best].box if overlap[best] >= _SAME_OBJECT else None


def make_grounder(engine: Engine, max_boxes: int = 12, refine: str = 'auto',
                  split_sentences: str = 'auto') -> Grounder | Refiner:
    """Return what grounds sentences best with the model of an engine.

    Args:
        engine: The engine that answers.
        max_boxes: Most boxes in one answer.
        refine: Whether every box is asked about again; one of ``engines.base.USES``.
        split_sentences: Whether a sentence that denies or relates is asked as two, likewise.

    Raises:
        ValueError: one of the two is none of them.
        EngineError: the model was not trained to ground, or names an unknown protocol or prompt
            style; see ``Grounder``.
    """
    grounder = grounder_for(engine, max_boxes, split_sentences)
    model = engine.capabilities()
    if not is_used('refine', refine, model.refine):
        return grounder
    return Refiner(grounder, verifier_for(engine, split_sentences), model.image_size)
