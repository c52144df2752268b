"""Runs the self-test, and finds out what is wrong with a model that fails it."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rtrack_ros.engines.base import Capabilities, DeadlineError, Engine, EngineError
from rtrack_ros.language.coordinates import BBOX_PROTOCOLS
from rtrack_ros.language.self_test.asking import Said, ask
from rtrack_ros.language.self_test.judging import Judge, thresholds_of
from rtrack_ros.language.self_test.pictures import RGB, THERMAL, draw_questions
from rtrack_ros.language.self_test.verdict import (
    BLIND,
    FINE,
    OTHER_PROTOCOL,
    REMEDIES,
    SLOW,
    SWAPPED,
    UNREADABLE,
    WRONG,
    Verdict,
)

MODES: Final = ('refuse', 'warn', 'off')
"""What is done with a model that fails: it is refused, used with a warning, or never tested."""

_LIMIT_S: Final = 60.0
"""Longest wait for one answer; the first one may pay for the warming up of a server."""
_SHOWN_CHARACTERS = 80


def run_self_test(engine: Engine, mode: str, warn: Callable[[str], object],
                  deadline_s: float | None = None) -> Verdict | None:
    """Test an engine and act on the verdict; the scripted engine, which sees nothing, is let be.

    Args:
        engine: A loaded engine.
        mode: One of ``MODES``.
        warn: Is told why an engine fails, in the mode 'warn'.
        deadline_s: Seconds after which an answer will be of no use; None for any time.

    Returns:
        The verdict, None where none was sought or none could be had.

    Raises:
        EngineError: the engine fails, in the mode 'refuse'.
        ValueError: the mode is unknown.
    """
    if mode not in MODES:
        raise ValueError(f'engine.self_test must be one of {", ".join(MODES)}; got {mode!r}')
    if mode == 'off' or engine.capabilities().name == 'scripted':
        return None
    try:
        verdict = self_test(engine, deadline_s)
    except EngineError as error:
        if mode == 'refuse':
            raise
        warn(f'the self-test could not be run: {error}')
        return None
    if not verdict.ok and mode == 'refuse':
        raise EngineError(f'the self-test of {engine.capabilities().model} failed: {verdict}')
    if not verdict.ok:
        warn(f'the self-test of {engine.capabilities().model} failed: {verdict}')
    return verdict


def self_test(engine: Engine, deadline_s: float | None = None) -> Verdict:
    """Ask an engine about drawn pictures and judge its answers; it stays loaded.

    A model that passes is asked seven questions about two pairs of images, one that fails about
    twice as many more: what it says is read in other coordinate protocols, and it is shown black
    images and images in the other order.

    Args:
        engine: A loaded engine, asked by this thread.
        deadline_s: Seconds after which an answer will be of no use; None for any time.

    Raises:
        EngineError: the engine gives no answers at all, or was not trained to ground.
    """
    model = engine.capabilities()
    questions = draw_questions(model.image_size)
    judge = Judge(questions, model.image_size, thresholds_of(model.family))
    limit_s = _LIMIT_S if deadline_s is None else max(_LIMIT_S / 2, 3 * deadline_s)
    try:
        said = ask(engine, questions, limit_s)
        if judge.passes(said, model.bbox_protocol):
            return _passed(judge, said, model, deadline_s)
        return _Failure(engine, judge, said, model, limit_s).verdict()
    except DeadlineError:
        return Verdict(SLOW, f'it gave no answer within {limit_s:g} s', REMEDIES[SLOW],
                       asked=len(questions))


def _passed(judge: Judge, said: Sequence[Said], model: Capabilities, deadline_s: float | None
            ) -> Verdict:
    overlaps = judge.overlaps(said, model.bbox_protocol)
    answer_s = _median_s(said)
    facts = len(overlaps), len(said), min(overlaps), answer_s
    if deadline_s is not None and answer_s > deadline_s:
        return Verdict(SLOW, f'an answer takes {answer_s:.1f} s, and {deadline_s:g} s are allowed',
                       REMEDIES[SLOW], *facts)
    return Verdict(FINE, f'{len(overlaps)} of {len(said)} answers are right, IoU at least '
                         f'{min(overlaps):.2f}, {answer_s * 1e3:.0f} ms an answer', '', *facts)


def _median_s(said: Sequence[Said]) -> float:
    """Return the median time of an answer; the first, which pays for the start, left out."""
    return statistics.median(text.seconds for text in said[1:])


@dataclass(frozen=True)
class _Failure:
    """A model that failed, and all that can be found out about why."""

    engine: Engine
    judge: Judge
    said: Sequence[Said]
    model: Capabilities
    limit_s: float

    def verdict(self) -> Verdict:
        """Return the most exact verdict; what costs no question is looked at first."""
        fits, configured = self._fitting_protocol(), self.model.bbox_protocol
        if fits:
            return self._of(OTHER_PROTOCOL, f'its boxes fit {fits}, {configured} is configured',
                            f'set bbox_protocol in rtrack.json of the model to {fits}, or '
                            'name its family')
        unreadable = self.judge.unreadable(self.said)
        if len(unreadable) > self.judge.thresholds.most_wrong:
            return self._of(UNREADABLE, f'{len(unreadable)} of {len(self.said)} answers cannot be '
                                        f'read, such as {_shown(unreadable[0].text)}')
        # Before blindness: who expects thermal first may say nothing of RGB, black or not.
        if self._is_swapped():
            return self._of(SWAPPED, 'the images reach the model in the wrong order: it answers '
                                     'right when thermal is sent before RGB')
        unseen = self._unseen()
        if unseen:
            return self._of(BLIND, unseen)
        return self._of(WRONG, self._example())

    def _of(self, kind: str, sentence: str, remedy: str = '') -> Verdict:
        overlaps = self.judge.overlaps(self.said, self.model.bbox_protocol)
        return Verdict(kind, sentence, remedy or REMEDIES[kind], len(overlaps), len(self.said),
                       min(overlaps, default=None), _median_s(self.said))

    def _fitting_protocol(self) -> str:
        """Return the protocol that its boxes fit, '' where they fit none."""
        for protocol in BBOX_PROTOCOLS:
            if self.judge.passes(self.said, protocol):
                return protocol
        # The grammar of one protocol may not allow the numbers of another.
        for protocol in BBOX_PROTOCOLS:
            if protocol != self.model.bbox_protocol:
                again = ask(self.engine, self.judge.questions, self.limit_s, protocol=protocol)
                if self.judge.passes(again, protocol):
                    return protocol
        return ''

    def _unseen(self) -> str:
        """Return which images the model does not see, in a sentence; '' where it sees both."""
        blind = [sensor for sensor in (RGB, THERMAL) if self._is_blind_to(sensor)]
        if len(blind) == 2:
            return 'it sees nothing: it says the same when the images are black'
        return ''.join(f'it does not see the {sensor} image: it says the same when that is black'
                       for sensor in blind)

    def _is_blind_to(self, sensor: str) -> bool:
        chosen = [(question, text.text)
                  for question, text in zip(self.judge.questions, self.said, strict=True)
                  if question.sensor == sensor and question.boxes]
        again = ask(self.engine, [question.without_its_image() for question, _ in chosen],
                    self.limit_s)
        return [text.text for text in again] == [text for _, text in chosen]

    def _is_swapped(self) -> bool:
        again = ask(self.engine, self.judge.questions, self.limit_s,
                    lambda images: list(reversed(images)))
        return self.judge.passes(again, self.model.bbox_protocol)

    def _example(self) -> str:
        protocol = self.model.bbox_protocol
        question, said = self.judge.first_wrong(self.said, protocol)
        found = self.judge.boxes(question, said, protocol)
        told = 'nothing readable' if found is None else _listed(found)
        right = len(self.judge.overlaps(self.said, protocol))
        return (f'only {right} of {len(self.said)} answers are right: {question.sentence!r} is at '
                f'{_listed(question.boxes)}, it says {told} (pixels of {question.pair.width} x '
                f'{question.pair.height})')


def _listed(boxes: Sequence[Sequence[float]]) -> str:
    return str([[round(edge) for edge in box] for box in boxes]) if boxes else 'no place'


def _shown(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= _SHOWN_CHARACTERS else f'{shown[:_SHOWN_CHARACTERS]}...'


