"""Dialects: what servers do differently, as data.

A body holds no key that its dialect does not need: some servers refuse keys that they do not know.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from rtrack_ros.engines.base import EngineError, Grammar

Constraint = Callable[[Grammar], dict[str, Any]]


@dataclass(frozen=True)
class Dialect:
    """How one kind of server is spoken to.

    Attributes:
        name: Its name.
        start: A command that starts such a server, for messages.
        constraint: Makes of a grammar the keys of the body that enforce it; None where the server
            cannot.
        probabilities: The keys that ask for token probabilities; empty where it has none.
        concurrency: Questions that it gains from having in flight.
        owner: What the server writes as ``owned_by`` into its list of models; empty where that
            tells nothing.
        slots: Path from the root of the server to a JSON object whose ``total_slots`` says how
            many questions it answers at once; empty where there is none.
        no_thought: The keys that keep a model that thinks from it, which costs seconds; empty
            where it has none.
    """

    name: str
    start: str
    constraint: Constraint | None = None
    probabilities: dict[str, Any] = field(default_factory=dict)
    concurrency: int = 1
    owner: str = ''
    slots: str = ''
    no_thought: dict[str, Any] = field(default_factory=dict)


_NO_THOUGHT: Final = {'chat_template_kwargs': {'enable_thinking': False}}
"""For the chat template of the model, where a server passes on what it is told."""


def _json_schema(grammar: Grammar) -> dict[str, Any]:
    schema = {'name': 'answer', 'strict': True, 'schema': json.loads(grammar.json_schema)}
    return {'response_format': {'type': 'json_schema', 'json_schema': schema}}


DIALECTS: Final = {dialect.name: dialect for dialect in (
    Dialect('vllm', 'vllm serve MODEL --limit-mm-per-prompt \'{"image": 4}\'',
            lambda grammar: {'structured_outputs': {'regex': grammar.regex}},
            {'logprobs': True}, 4, 'vllm', no_thought=_NO_THOUGHT),
    # Unless told otherwise it lists twenty alternatives of every token.
    Dialect('llamacpp', 'llama-server -m MODEL.gguf --mmproj MMPROJ.gguf --port 8000',
            lambda grammar: {'grammar': grammar.ebnf},
            {'logprobs': True, 'top_logprobs': 1}, 1, 'llamacpp', '/props', _NO_THOUGHT),
    # Its requests under a grammar never share a batch. It tells the probability of a token only
    # where that is among the likeliest of the model alone: so many are asked for.
    Dialect('edgellm', 'tensorrt-edgellm-serve MODEL',
            lambda grammar: {'guided_decoding': {'regex': grammar.regex}},
            {'logprobs': True, 'top_logprobs': 5}, 1, 'tensorrt-edgellm'),
    Dialect('trtllm', 'trtllm-serve MODEL --config FILE, the file with the line '
            'guided_decoding_backend: xgrammar',
            lambda grammar: {'response_format': {'type': 'regex', 'regex': grammar.regex}},
            {'logprobs': True}, 4, 'tensorrt_llm', no_thought=_NO_THOUGHT),
    Dialect('sglang', 'python -m sglang.launch_server --model-path MODEL --port 8000',
            lambda grammar: {'regex': grammar.regex}, {'logprobs': True}, 4, 'sglang',
            no_thought=_NO_THOUGHT),
    Dialect('transformers', 'transformers serve MODEL'),
    Dialect('json_schema', 'the command in its manual', _json_schema),
    Dialect('plain', 'the command in its manual'),
)}

AUTO: Final = 'auto'
"""The name that stands for whichever dialect the server turns out to speak."""


def find_dialect(name: str) -> Dialect:
    """Return the dialect of this name.

    Raises:
        EngineError: there is none; the message lists those that there are.
    """
    if name not in DIALECTS:
        raise EngineError(f'the dialect {name!r} is unknown; choose one of '
                          f'{", ".join((AUTO, *DIALECTS))}')
    return DIALECTS[name]


def dialect_of_owner(owner: str) -> Dialect | None:
    """Return the dialect of the servers that sign their models so; None where that says nothing.

    Args:
        owner: ``owned_by`` in the list of models.
    """
    return next((dialect for dialect in DIALECTS.values() if owner and dialect.owner == owner),
                None)
