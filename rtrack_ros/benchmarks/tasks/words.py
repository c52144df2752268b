"""Sentences checked on an object, and objects described: how much of it is right."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rtrack_ros.benchmarks.tasks.object_crops import Claim, Gallery
from rtrack_ros.engines.base import EngineError
from rtrack_ros.language.describer import Describer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.verifier import Verifier
from rtrack_ros.simulation.descriptions import Attributes, read_attributes

ATTRIBUTES: Final = ('category', 'upper', 'lower', 'motion')


@dataclass(frozen=True)
class Verdict:
    """What was said about a claim.

    Attributes:
        claim: The claim.
        condition: The weather of its frame.
        probability: Of its being true; None where the answer was unusable.
    """

    claim: Claim
    condition: str
    probability: float | None

    @property
    def right(self) -> bool:
        """Whether it was taken for what it is; an unusable answer is wrong."""
        return self.probability is not None and (self.probability > 0.5) == self.claim.true


@dataclass(frozen=True)
class Told:
    """What was said about an object; nothing where the answer was unusable."""

    truth: Attributes
    condition: str
    said: Attributes


def verify_claims(verifier: Verifier, gallery: Gallery, deadline_s: float) -> list[Verdict]:
    """Ask about every claim of a frame; ``deadline_s`` is for one answer."""
    return [Verdict(claim, gallery.condition, _probability(verifier, gallery, claim, deadline_s))
            for claim in gallery.claims]


def _probability(verifier: Verifier, gallery: Gallery, claim: Claim, deadline_s: float
                 ) -> float | None:
    try:
        return verifier.verify(gallery.pair, claim.box, claim.text, deadline_s)
    except (AnswerError, EngineError):
        return None


def describe_objects(describer: Describer, gallery: Gallery, deadline_s: float) -> list[Told]:
    """Ask about the objects of a frame; ``deadline_s`` is for one answer."""
    return [Told(truth, gallery.condition, _said(describer, gallery, box, deadline_s))
            for box, truth in gallery.objects]


def _said(describer: Describer, gallery: Gallery, box: tuple[float, float, float, float],
          deadline_s: float) -> Attributes:
    try:
        return read_attributes(describer.describe(gallery.pair, box, deadline_s))
    except (AnswerError, EngineError):
        return Attributes()


def verify_scores(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return accuracy in [0, 1] beside that of always saying No: all, by condition and kind."""
    conditions = sorted({item.condition for item in verdicts})
    kinds = sorted({item.claim.kind for item in verdicts})
    return {'all': _accuracy(verdicts),
            'unusable': sum(item.probability is None for item in verdicts),
            'by_condition': {name: _accuracy([item for item in verdicts
                                              if item.condition == name]) for name in conditions},
            'by_kind': {name: _accuracy([item for item in verdicts if item.claim.kind == name])
                        for name in kinds}}


def _accuracy(verdicts: Sequence[Verdict]) -> dict[str, float | int]:
    count = max(len(verdicts), 1)
    return {'accuracy': round(sum(item.right for item in verdicts) / count, 4),
            'always_no': round(sum(not item.claim.true for item in verdicts) / count, 4),
            'claims': len(verdicts)}


def describe_scores(told: Sequence[Told]) -> dict[str, Any]:
    """Return the shares of right words beside those of always saying the most frequent ones."""
    conditions = sorted({item.condition for item in told})
    usual = Attributes(**{name: _most_frequent([getattr(item.truth, name) for item in told])
                          for name in ATTRIBUTES})
    constant = [Told(item.truth, item.condition, usual) for item in told]
    return {'all': _shares(told), 'usual_words': {**_shares(constant), **asdict(usual)},
            'by_condition': {name: _shares([item for item in told if item.condition == name])
                             for name in conditions}}


def _most_frequent(words: Sequence[str]) -> str:
    ranked = Counter(word for word in words if word).most_common(1)
    return ranked[0][0] if ranked else ''


def _shares(told: Sequence[Told]) -> dict[str, float | int | None]:
    """Return the share right of each attribute, over the objects of which it is told at all."""
    shares: dict[str, float | int | None] = {}
    for name in ATTRIBUTES:
        judged = [item for item in told if getattr(item.truth, name)]
        shares[name + '_right'] = _share([getattr(item.said, name) == getattr(item.truth, name)
                                          for item in judged])
    return shares | {'all_right': _share([item.said == item.truth for item in told]),
                     'objects': len(told)}


def _share(values: Sequence[bool]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
