"""Which frames to learn from: every condition equally often, empty answers at a chosen rate."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rtrack_ros.data.annotated import AnnotatedSequence


@dataclass(frozen=True)
class FrameChoice:
    """A frame of a sequence, both by index."""

    sequence: int
    frame: int


class _Deck:
    """Deals its cards in random order, and shuffles again when all are dealt."""

    def __init__(self, cards: Sequence[FrameChoice], rng: np.random.Generator) -> None:
        self._cards, self._rng = cards, rng
        self._order: list[int] = []

    def deal(self) -> FrameChoice:
        if not self._order:
            self._order = [int(index) for index in self._rng.permutation(len(self._cards))]
        return self._cards[self._order.pop()]


def balanced_frames(sequences: Sequence[AnnotatedSequence], count: int, seed: int,
                    empty_share: float = 0.25) -> Iterator[FrameChoice]:
    """Yield labelled frames, balanced over conditions and over empty answers.

    Conditions take turns. Within one, an answer is empty with probability ``empty_share`` as far
    as the condition has frames of both kinds; frames come again only when all others of their
    kind were there.

    Args:
        sequences: Where to choose from.
        count: How many frames.
        seed: Fixes the choice.
        empty_share: Share of frames in which nothing is meant; raising it makes a model
            answer ``[]`` more readily.

    Raises:
        ValueError: there is no labelled frame, or the share is not in [0, 1].
    """
    if not 0 <= empty_share <= 1:
        raise ValueError(f'empty_share is a share in [0, 1]; got {empty_share}')
    rng = np.random.default_rng(seed)
    cards: dict[tuple[str, bool], list[FrameChoice]] = defaultdict(list)
    for number, sequence in enumerate(sequences):
        for index, frame in enumerate(sequence.frames):
            if frame.labelled:
                cards[sequence.condition, frame.absent].append(FrameChoice(number, index))
    if not cards:
        raise ValueError('no frame is labelled; choose a split whose truth is public')
    decks = {kind: _Deck(group, rng) for kind, group in cards.items()}
    conditions = sorted({condition for condition, _ in decks})
    for turn in range(count):
        condition = conditions[turn % len(conditions)]
        empty = bool(rng.random() < empty_share)
        kind = (condition, empty if (condition, empty) in decks else not empty)
        yield decks[kind].deal()
