"""Each dialect as its server really writes it."""

import math

import numpy as np
import pytest

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Grounding
from rtrack_ros.language.grammar import verdict_grammar
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.prompts import verify_prompt
from rtrack_ros.language.queries import Query
from rtrack_ros.language.verifier import Verifier

ALL = ['vllm', 'llamacpp', 'edgellm', 'trtllm', 'sglang', 'transformers', 'json_schema', 'plain']
WITH_PROBABILITIES = ALL[:5]
WITH_END = ['vllm', 'edgellm', 'trtllm', 'sglang']
PIECES = ('[{"bbox_2d": [', '100', ', 250, 500, 750], "label": "', 'person', '"}]')
IMAGE = np.zeros((192, 256, 3), np.uint8)
VERDICT = verdict_grammar()


def ask(engine, on_text=None, max_tokens=40):
    return engine.infer([IMAGE, IMAGE], verify_prompt('a', (1, 2, 3, 4)), VERDICT, max_tokens,
                        on_text=on_text)


@pytest.mark.parametrize('dialect', ALL)
def test_an_answer_of_each_dialect_is_read(dialect, engine_on, say):
    used = engine_on(say.answer(*PIECES, dialect=dialect), dialect=dialect)
    told = []
    reply = ask(used.engine, told.append)
    assert reply.text == ''.join(PIECES) and reply.finish == 'stop'
    assert told == [''.join(PIECES[:count]) for count in range(1, len(PIECES) + 1)]
    assert reply.tokens == len(PIECES) + (dialect not in ('json_schema', 'plain'))
    assert set(reply.timings) == {'preprocess', 'ttft', 'decode', 'total'}


@pytest.mark.parametrize('dialect', ALL)
def test_an_answer_cut_at_the_bound_says_so(dialect, engine_on, say):
    used = engine_on(say.answer('[{', dialect=dialect, finish='length'), dialect=dialect)
    assert ask(used.engine).finish == 'length'


@pytest.mark.parametrize('dialect', WITH_END)
def test_confidence_is_the_mean_over_the_tokens_with_the_end(dialect, engine_on, say):
    used = engine_on(say.answer('Y', 'es', dialect=dialect, each=-0.3, end=-0.9), dialect=dialect)
    assert ask(used.engine).confidence == pytest.approx(math.exp(-(0.3 + 0.3 + 0.9) / 3))


def test_confidence_counts_the_end_that_llama_cpp_does_not_list(engine_on, say):
    used = engine_on(say.answer('Y', 'es', each=-0.3))
    reply = ask(used.engine)
    assert reply.tokens == 3
    assert reply.confidence ** reply.tokens == pytest.approx(math.exp(-0.6))


@pytest.mark.parametrize('dialect', ['transformers', 'json_schema', 'plain'])
def test_without_probabilities_confidence_is_unknown(dialect, engine_on, say):
    used = engine_on(say.answer('Yes', dialect=dialect), dialect=dialect)
    assert ask(used.engine).confidence is None


def test_probabilities_of_a_part_of_the_tokens_tell_nothing(engine_on, say):
    events = say.events_of('llamacpp', 'Y', 'e', 's')
    del events[1]['choices'][0]['logprobs'], events[2]['choices'][0]['logprobs']
    assert ask(engine_on(say.events(events)).engine).confidence is None


def test_a_token_whose_probability_edge_llm_does_not_know_tells_nothing(engine_on, say):
    events = say.events_of('edgellm', 'No')
    events[1]['choices'][0]['logprobs']['content'][0]['logprob'] = None
    reply = ask(engine_on(say.events(events), dialect='edgellm').engine)
    assert (reply.text, reply.tokens, reply.confidence) == ('No', 2, None)


@pytest.mark.parametrize(('pieces', 'each', 'yes'), [
    (('Yes',), math.log(0.8), 0.8), (('No',), math.log(0.8), 0.2), (('No',), math.log(0.1), 0.5)])
def test_a_verdict_has_the_probability_that_the_server_tells(pieces, each, yes, engine_on, say):
    used = engine_on(say.answer(*pieces, dialect='vllm', each=each, end=0.0), dialect='vllm')
    pair = FramePair(1, np.zeros((480, 640, 3), np.uint8), None)
    probability = Verifier(used.engine).verify(pair, (100, 100, 200, 200), 'a person')
    assert probability == pytest.approx(yes, abs=1e-6)


def test_a_verdict_in_quotes_without_probabilities_is_believed(engine_on, say):
    used = engine_on(say.answer('"Y', 'es"', dialect='json_schema'), dialect='json_schema')
    pair = FramePair(1, np.zeros((480, 640, 3), np.uint8), None)
    assert Verifier(used.engine).verify(pair, (100, 100, 200, 200), 'a person') == 1.0


@pytest.mark.parametrize('dialect', ALL)
def test_boxes_reach_the_tracker_in_pixels_and_one_by_one(dialect, engine_on, say):
    items = ('[{"bbox_2d": [100, 250, 500, 750], "label": "person"}',
             ', {"bbox_2d": [0, 0, 1000, 1000], "label": "car"}', ']')
    used = engine_on(say.answer(*items, dialect=dialect), dialect=dialect)
    pair = FramePair(7, np.zeros((480, 640, 3), np.uint8), None)
    partial = []
    answer = Grounder(used.engine).ground(pair, Query('q', 'all', 1), on_partial=partial.append)
    person = Grounding((64.0, 120.0, 320.0, 360.0), 'person')
    car = Grounding((0.0, 0.0, 640.0, 480.0), 'car')
    assert answer.groundings == (person, car)
    assert [told.groundings for told in partial] == [(person,), (person, car)]


def test_a_server_that_does_not_stream_is_read_as_well(engine_on, say):
    used = engine_on(say.whole(200, {'choices': [{
        'index': 0, 'message': {'role': 'assistant', 'content': '[]'}, 'finish_reason': 'stop'}],
        'usage': {'completion_tokens': 2}}), dialect='plain')
    told = []
    reply = ask(used.engine, told.append)
    assert (reply.text, reply.tokens, reply.finish, told) == ('[]', 2, 'stop', ['[]'])


def test_only_the_first_of_several_answers_is_read(engine_on, say):
    second = say.choice({'content': 'other'})
    second['choices'][0]['index'] = 1
    used = engine_on(say.events([say.choice({'content': 'one'}), second,
                                 say.choice({}, 'stop'), '[DONE]']))
    assert ask(used.engine).text == 'one'


def test_thoughts_are_no_part_of_an_answer(engine_on, say):
    used = engine_on(say.events([say.choice({'reasoning_content': 'hm'}),
                                 say.choice({'content': '[]'}, 'stop'), '[DONE]']))
    assert ask(used.engine).text == '[]'
