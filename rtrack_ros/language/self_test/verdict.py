"""What the self-test found out about a model, in one sentence with its remedy."""

from dataclasses import dataclass
from typing import Final

FINE: Final = 'fine'
OTHER_PROTOCOL: Final = 'other protocol'
SWAPPED: Final = 'images swapped'
BLIND: Final = 'blind'
UNREADABLE: Final = 'unreadable'
SLOW: Final = 'too slow'
WRONG: Final = 'wrong'


@dataclass(frozen=True)
class Verdict:
    """The outcome of a self-test.

    Attributes:
        kind: One of the constants of this module.
        sentence: What was found.
        remedy: What to do about it; empty where the model is fine.
        right: Number of right answers.
        asked: Number of questions.
        overlap: Least IoU of the boxes in right answers, None where there are none.
        answer_s: Median time of an answer in seconds, None where none came in time.
    """

    kind: str
    sentence: str
    remedy: str = ''
    right: int = 0
    asked: int = 0
    overlap: float | None = None
    answer_s: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the model may be used."""
        return self.kind == FINE

    def __str__(self) -> str:
        return f'{self.sentence}; {self.remedy}' if self.remedy else self.sentence


REMEDIES: Final = {
    SWAPPED: 'let the engine or server keep the order of the images: RGB first, then thermal',
    BLIND: 'check that engine and export hold the vision tower (llama.cpp: the projector), and '
           'that two images may come with one question',
    UNREADABLE: 'let the engine enforce the answer format (server: another dialect), or take a '
                'model of a known family that was trained to box objects',
    SLOW: 'allow more time (ask.deadline_s), show it smaller images, or take a smaller model or '
          'a faster engine',
    WRONG: 'take another model, precision or engine; to use this one all the same, set '
           'engine.self_test to warn',
}
