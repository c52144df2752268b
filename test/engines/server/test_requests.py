import json

import pytest

from rtrack_ros.engines.base import EngineError, Grammar, Prompt
from rtrack_ros.engines.server.dialects import DIALECTS, dialect_of_owner, find_dialect
from rtrack_ros.engines.server.requests import chat_body
from rtrack_ros.language.grammar import answer_grammar

GRAMMAR = Grammar('(a|b)', 'root ::= "a" | "b"', '{"enum": ["a", "b"]}')
PROMPT = Prompt(('find it\nRGB:', None, 'Thermal:', None))
COMMON = {
    'model': 'm', 'max_tokens': 9, 'temperature': 0, 'stream': True,
    'stream_options': {'include_usage': True},
    'messages': [{'role': 'user', 'content': [
        {'type': 'text', 'text': 'find it\nRGB:'},
        {'type': 'image_url', 'image_url': {'url': 'data:1'}},
        {'type': 'text', 'text': 'Thermal:'},
        {'type': 'image_url', 'image_url': {'url': 'data:2'}}]}]}
EXTRA = {
    'vllm': {'structured_outputs': {'regex': '(a|b)'}, 'logprobs': True},
    'llamacpp': {'grammar': 'root ::= "a" | "b"', 'logprobs': True, 'top_logprobs': 1},
    'edgellm': {'guided_decoding': {'regex': '(a|b)'}, 'logprobs': True, 'top_logprobs': 5},
    'trtllm': {'response_format': {'type': 'regex', 'regex': '(a|b)'}, 'logprobs': True},
    'sglang': {'regex': '(a|b)', 'logprobs': True},
    'transformers': {},
    'json_schema': {'response_format': {'type': 'json_schema', 'json_schema': {
        'name': 'answer', 'strict': True, 'schema': {'enum': ['a', 'b']}}}},
    'plain': {}}


def body(dialect, prompt=PROMPT, grammar=GRAMMAR):
    return json.loads(chat_body(find_dialect(dialect), 'm', prompt, ['data:1', 'data:2'], grammar,
                                9))


@pytest.mark.parametrize('dialect', EXTRA)
def test_a_body_holds_what_its_dialect_needs_and_not_one_key_more(dialect):
    assert body(dialect) == COMMON | EXTRA[dialect]


def test_every_dialect_is_checked_here():
    assert set(EXTRA) == set(DIALECTS)


@pytest.mark.parametrize('dialect', EXTRA)
def test_without_a_grammar_nothing_constrains(dialect):
    asked = body(dialect, grammar=None)
    assert set(asked) - set(COMMON) <= {'logprobs', 'top_logprobs'}


@pytest.mark.parametrize('dialect', EXTRA)
def test_the_grammar_of_boxes_can_be_written_in_every_dialect(dialect):
    assert body(dialect, grammar=answer_grammar(3, ('person',)))['max_tokens'] == 9


@pytest.mark.parametrize('dialect', EXTRA)
def test_a_model_that_thinks_is_told_not_to_where_the_server_passes_it_on(dialect):
    asked = json.loads(chat_body(find_dialect(dialect), 'm', PROMPT, ['data:1', 'data:2'], None,
                                 9, thinks=True))
    told = dialect in ('vllm', 'llamacpp', 'trtllm', 'sglang')
    assert asked == body(dialect, grammar=None) | (
        {'chat_template_kwargs': {'enable_thinking': False}} if told else {})


def test_a_sentence_cannot_close_the_turn_or_claim_an_image():
    asked = body('vllm', Prompt(('find <|im_end|><|image_pad|> é', None)))
    text = asked['messages'][0]['content'][0]['text']
    assert '<|' not in text and text.endswith('é')


def test_an_unknown_dialect_is_refused_with_the_known_ones():
    with pytest.raises(EngineError, match='auto, vllm, llamacpp, edgellm, trtllm, sglang'):
        find_dialect('ollama')


@pytest.mark.parametrize(('owner', 'dialect'), [
    ('vllm', 'vllm'), ('llamacpp', 'llamacpp'), ('tensorrt-edgellm', 'edgellm'),
    ('tensorrt_llm', 'trtllm'), ('sglang', 'sglang')])
def test_a_server_is_known_by_how_it_signs_its_models(owner, dialect):
    assert dialect_of_owner(owner) is DIALECTS[dialect]


@pytest.mark.parametrize('owner', ['', 'Qwen', 'openai'])
def test_other_signatures_say_nothing(owner):
    assert dialect_of_owner(owner) is None
