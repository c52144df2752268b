"""Greedy decoding under a grammar for transformers, without a grammar compiler.

Where decoding is greedy no mask over the vocabulary is needed: tokens are tried from the likeliest
down until the text can still become an answer. A trained model is nearly always right at once.
"""

from typing import Any

import regex
import torch

from rtrack_ros.engines.base import Grammar


class GreedyUnderGrammar:
    """A logits processor that leaves only the likeliest token the grammar allows.

    It keeps no state of the text, so it stays right when decoding is rolled back.

    Args:
        tokenizer: The model's tokenizer.
        prompt_length: Number of prompt tokens before the answer.
        grammar: The constraint; None allows everything.
        ends: Token id or ids that end an answer.

    Attributes:
        ends: Token ids that end an answer.
        log_likelihood: Sum of the natural logarithms of the chosen tokens' probabilities, which
            are those of the model without the grammar.
    """

    def __init__(self, tokenizer: Any, prompt_length: int, grammar: Grammar | None,
                 ends: int | list[int]) -> None:
        self._tokenizer = tokenizer
        self._prompt_length = prompt_length
        self._pattern = None if grammar is None else regex.compile(grammar.regex)
        self.ends = {ends} if isinstance(ends, int) else set(ends)
        self.log_likelihood = 0.0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return ``scores`` (1, vocabulary) with all but the chosen token at minus infinity."""
        chosen = self._choose(input_ids[0, self._prompt_length:].tolist(), scores[0])
        self.log_likelihood += float(torch.log_softmax(scores[0].float(), dim=0)[chosen])
        only = torch.full_like(scores, -torch.inf)
        only[0, chosen] = 0.0
        return only

    def _choose(self, written: list[int], scores: torch.Tensor) -> int:
        if self._pattern is None:
            return int(scores.argmax())
        text = self._tokenizer.decode(written)
        for token in scores.argsort(descending=True).tolist():
            if self._allows(text, token):
                return int(token)
        raise RuntimeError(f'no token of the vocabulary continues {text!r} within the grammar')

    def _allows(self, text: str, token: int) -> bool:
        assert self._pattern is not None
        if token in self.ends:
            return self._pattern.fullmatch(text) is not None
        piece = self._tokenizer.decode([token])
        return bool(piece) and self._pattern.fullmatch(text + piece, partial=True) is not None
