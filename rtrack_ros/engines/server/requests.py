"""The bodies of requests."""

import json
from collections.abc import Sequence
from typing import Any

from rtrack_ros.engines.base import Grammar, Prompt
from rtrack_ros.engines.chat import plain_text
from rtrack_ros.engines.server.dialects import Dialect


def chat_body(dialect: Dialect, model: str, prompt: Prompt, images: Sequence[str],
              grammar: Grammar | None, max_tokens: int, thinks: bool = False) -> bytes:
    """Return the JSON body of one question.

    The answer is always asked for as a stream: on some servers only a closed stream ends the work
    on a question that nobody waits for any more.

    Args:
        dialect: Of the server.
        model: Its name for the model.
        prompt: Text and image places.
        images: Data URLs, one for each place.
        grammar: Constraint on the answer; None for free text.
        max_tokens: Upper bound on generated tokens.
        thinks: Whether the model thinks unless it is told not to.
    """
    body: dict[str, Any] = {
        'model': model, 'max_tokens': max_tokens, 'temperature': 0, 'stream': True,
        'stream_options': {'include_usage': True},
        'messages': [{'role': 'user', 'content': _content(prompt, images)}]}
    if grammar is not None and dialect.constraint is not None:
        body |= dialect.constraint(grammar)
    if thinks:
        body |= dialect.no_thought
    return json.dumps(body | dialect.probabilities).encode('ascii')


def _content(prompt: Prompt, images: Sequence[str]) -> list[dict[str, Any]]:
    """Return the parts of a message, sentences of strangers with their markers made harmless."""
    left = iter(images)
    return [{'type': 'image_url', 'image_url': {'url': next(left)}} if part is None
            else {'type': 'text', 'text': plain_text(part)} for part in prompt.parts]
