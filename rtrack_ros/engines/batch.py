"""Questions about the same images that a model on torch answers in one batch.

Most of what an answer of a small model costs is one pass for each token; a batch makes one pass
for the tokens of all its questions.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rtrack_ros.engines.base import Grammar, OnText, Prompt, Reply
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.greedy import GreedyUnderGrammar
from rtrack_ros.engines.likelihood import mean_token_probability


@dataclass(eq=False)
class Question:
    """A question that waits for its answer.

    Attributes:
        seen: The encoded images that it is about.
        prompt: Text and image places.
        grammar: Constraint on the answer, None for free text.
        max_tokens: Upper bound on generated tokens.
        ends: ``time.perf_counter()`` after which the answer is of no use; None where it always is.
        on_text: Called while the answer is written.
        cancellation: Takes the question back.
        reply: The answer, once there is one.
        error: Why there is none.
    """

    seen: Any
    prompt: Prompt
    grammar: Grammar | None
    max_tokens: int
    ends: float | None = None
    on_text: OnText | None = None
    cancellation: Cancellation | None = None
    reply: Reply | None = None
    error: Exception | None = None

    @property
    def unwanted(self) -> bool:
        """Whether nobody waits for its answer any more."""
        return (self.cancellation is not None and self.cancellation.cancelled) or (
            self.ends is not None and time.perf_counter() > self.ends)


class Batch:
    """What ``generate`` asks about every token of a batch: which is chosen, and who has ended.

    Args:
        questions: One a row.
        tokenizer: The model's tokenizer.
        prompt_length: Tokens of every row before its answer, padding included.
        ends: Token id or ids that end an answer.
    """

    def __init__(self, questions: Sequence[Question], tokenizer: Any, prompt_length: int,
                 ends: int | list[int]) -> None:
        self._questions, self._tokenizer, self._length = questions, tokenizer, prompt_length
        self._rows = [GreedyUnderGrammar(tokenizer, prompt_length, question.grammar, ends)
                      for question in questions]
        self._ended = [False] * len(questions)

    def choose(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return scores that leave each row the token that its grammar allows."""
        return torch.cat([scores[row:row + 1] if self._ended[row] else
                          processor(input_ids[row:row + 1], scores[row:row + 1])
                          for row, processor in enumerate(self._rows)])

    def stop(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return which rows end after the newest token, and pass on what they have written."""
        for row, question in enumerate(self._questions):
            if self._ended[row]:
                continue
            chosen = input_ids[row, self._length:].tolist()
            if question.on_text is not None:
                question.on_text(self._text(chosen))
            self._ended[row] = (chosen[-1] in self._rows[row].ends or question.unwanted
                                or len(chosen) >= question.max_tokens)
        return torch.tensor(self._ended, device=input_ids.device)

    def replies(self, output: torch.Tensor, timings: dict[str, float]) -> list[Reply]:
        """Return the answers in what ``generate`` returned, int64 (questions, tokens)."""
        return [self._reply(row, output[row, self._length:].tolist(), timings)
                for row in range(len(self._questions))]

    def _reply(self, row: int, written: list[int], timings: dict[str, float]) -> Reply:
        ends = self._rows[row].ends
        last = next((place for place, token in enumerate(written) if token in ends), None)
        # Beyond its own end a row is filled while others are still written.
        chosen = written[:self._questions[row].max_tokens if last is None else last + 1]
        return Reply(self._text(chosen), len(chosen), 'length' if last is None else 'stop',
                     dict(timings),
                     mean_token_probability(self._rows[row].log_likelihood, len(chosen)))

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))


def padded(rows: Sequence[torch.Tensor], fill: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rows of tokens as one tensor, filled on the left, and its mask.

    Both are int64, shape (rows, tokens of the longest).

    Args:
        rows: Tokens, int64 (n,).
        fill: Token that is not read.
    """
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), fill, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, longest - len(row):] = row
        mask[place, longest - len(row):] = 1
    return ids, mask


def repeated(features: Any, times: int) -> Any:
    """Return what the vision tower made of images, for so many questions about them."""
    if times == 1:
        return features
    return type(features)(**{name: _repeated(value, times, name == 'deepstack_features')
                             for name, value in features.items() if value is not None})


def _repeated(value: Any, times: int, layers: bool) -> Any:
    if layers:
        return [_repeated(layer, times, False) for layer in value]
    if isinstance(value, torch.Tensor):
        return value.repeat(times, *[1] * (value.dim() - 1))
    return tuple(value) * times
