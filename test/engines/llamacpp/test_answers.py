"""rtrack-nano behind the real llama.cpp answers as it does with OpenVINO."""

import json
import os
import shutil
import threading
import time
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import CancelledError, DeadlineError, EngineError, Grammar, Prompt
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.engines.server.dialects import DIALECTS
from rtrack_ros.engines.server.requests import chat_body
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.locator import Locator
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.prompts import ground_prompt, verify_prompt
from rtrack_ros.language.queries import Query
from rtrack_ros.language.verifier import Verifier

LABELS = ('person', 'car', 'cyclist')
BOXES = answer_grammar(12, LABELS)
LONG = Grammar('', 'root ::= [a-z] root', '')
LONG_TOKENS = 1500
QUIET_S = 0.3


def boxes_of(engine, pair, sentence):
    try:
        answer = Grounder(engine).ground(pair, Query('default', sentence, 1))
    except AnswerError:
        return []
    return [one.box for one in answer.groundings]


def overlaps(first, second):
    """IoU of every box of the first list with its partner in the second; 0 without one."""
    found = np.zeros(len(first))
    if first and second:
        table = iou(first, second)
        rows, columns = linear_sum_assignment(-table)
        found[rows] = table[rows, columns]
    return found


@pytest.mark.parametrize('precision', ['f16', 'q8_0'])
def test_boxes_are_those_of_openvino(start, openvino, questions, precision):
    engine = start(precision)
    found = [(boxes_of(openvino, pair, text), boxes_of(engine, pair, text))
             for pair, text in questions]
    assert sum(bool(first) for first, _ in found) >= 10
    same_number = sum(len(first) == len(second) for first, second in found)
    assert same_number >= 0.95 * len(found)
    shared = np.concatenate([overlaps(first, second) for first, second in found])
    assert (shared >= 0.8).mean() >= 0.9
    assert np.median(shared) >= 0.95
    engine.close()


def test_the_projector_sees_both_images(llamacpp, questions):
    pair, text = questions[0]
    rgb, thermal = pair.images()
    black = np.zeros_like(rgb)
    asked = ground_prompt(text)
    said = {llamacpp.infer(images, asked, BOXES, 480).text
            for images in ([rgb, thermal], [black, thermal], [rgb, black], [black, black])}
    assert len(said) >= 3


def test_what_it_says_of_itself(llamacpp, nano):
    facts = llamacpp.capabilities()
    assert (facts.name, facts.model, facts.device, facts.precision) == (
        'llamacpp', 'rtrack-nano', 'CPU', 'f16')
    assert facts.constrained and facts.shares_images and facts.concurrency == 1
    assert facts.image_size == (256, 192) and facts.bbox_protocol == 'rel1000'
    assert facts.labels == LABELS and 'verify' in facts.tasks


def test_the_grammar_is_enforced(llamacpp, questions):
    pair, text = questions[0]
    asked = ground_prompt(text)
    one = Grammar('', 'root ::= "[{" "zq" "}]"', '')
    assert llamacpp.infer(pair.images(), asked, one, 40).text == '[{zq}]'
    for pair, text in questions[:8]:
        reply = llamacpp.infer(pair.images(), ground_prompt(text), answer_grammar(2, ['zebra']),
                               200)
        assert reply.finish == 'stop'
        assert reply.text.count('"label"') == reply.text.count('"label": "zebra"') <= 2


def test_an_answer_that_is_cut_says_so(llamacpp, questions):
    pair, text = questions[0]
    reply = llamacpp.infer(pair.images(), ground_prompt(text), LONG, 5)
    assert (reply.finish, reply.tokens) == ('length', 5)


def test_the_text_is_told_while_it_grows(llamacpp, questions):
    pair, text = next((pair, text) for pair, text in questions
                      if boxes_of(llamacpp, pair, text))
    told = []
    reply = llamacpp.infer(pair.images(), ground_prompt(text), BOXES, 480, on_text=told.append)
    assert len(told) >= 5
    assert told[-1] == reply.text
    assert all(later.startswith(earlier) for earlier, later in zip(told, told[1:], strict=False))


def processor_s(engine):
    """Processor time of llama.cpp so far."""
    fields = Path(f'/proc/{engine.pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


@pytest.fixture
def long_cost_s(llamacpp):
    """Processor time of a long answer that nobody stops, and the question."""
    before = processor_s(llamacpp)
    reply = llamacpp.infer([], Prompt(('write',)), LONG, LONG_TOKENS)
    assert (reply.tokens, reply.finish) == (LONG_TOKENS, 'length')
    return processor_s(llamacpp) - before


def test_a_question_taken_back_frees_its_slot(llamacpp, long_cost_s):
    cancellation, before = Cancellation(), processor_s(llamacpp)
    with pytest.raises(CancelledError):
        llamacpp.infer([], Prompt(('write',)), LONG, LONG_TOKENS,
                       on_text=lambda text: cancellation.cancel(), cancellation=cancellation)
    time.sleep(QUIET_S)
    assert processor_s(llamacpp) - before < 0.5 * long_cost_s
    assert llamacpp.infer([], Prompt(('Say yes.',)), Grammar('', 'root ::= "Yes"', ''), 8
                          ).text == 'Yes'


def test_a_deadline_frees_its_slot(llamacpp, long_cost_s):
    before, started = processor_s(llamacpp), time.perf_counter()
    with pytest.raises(DeadlineError, match=r'no answer within 0\.0'):
        llamacpp.infer([], Prompt(('write',)), LONG, LONG_TOKENS, deadline_s=0.05)
    assert time.perf_counter() - started < 0.5
    time.sleep(QUIET_S)
    assert processor_s(llamacpp) - before < 0.5 * long_cost_s
    assert llamacpp.infer([], Prompt(('Say yes.',)), Grammar('', 'root ::= "Yes"', ''), 8
                          ).text == 'Yes'


def test_a_grammar_that_cannot_be_read_is_refused_and_the_engine_goes_on(llamacpp):
    with pytest.raises(EngineError, match='grammar'):
        llamacpp.infer([], Prompt(('Say yes.',)), Grammar('', 'root ::= (', ''), 8)
    assert llamacpp.infer([], Prompt(('Say yes.',)), Grammar('', 'root ::= "Yes"', ''), 8
                          ).text == 'Yes'


def test_the_probability_of_yes_is_that_of_openvino(llamacpp, openvino, questions):
    pair, text = questions[0]
    asked = verify_prompt(text, (100, 100, 300, 300))
    said = [[engine.infer(pair.images(), asked, Grammar(word, f'root ::= "{word}"', ''), 8)
             for engine in (llamacpp, openvino)] for word in ('Yes', 'No')]
    for first, second in said:
        assert first.text == second.text
        assert np.log(first.confidence) == pytest.approx(np.log(second.confidence), rel=0.15,
                                                         abs=0.1)
    assert sum(first.confidence ** first.tokens for first, _ in said) < 1.001


def test_an_object_is_told_from_what_it_is_not(llamacpp, openvino, questions):
    verifiers = Verifier(llamacpp), Verifier(openvino)
    found = []
    for pair, text in questions:
        for box in boxes_of(openvino, pair, text)[:1]:
            for sentence in ('a person', 'a car'):
                found.append([one.verify(pair, box, sentence) for one in verifiers])
        if len(found) >= 24:
            break
    mine, theirs = np.array(found).T
    assert ((mine >= 0) & (mine <= 1)).all()
    assert np.abs(mine - theirs).mean() < 0.05
    # A person is no car: one of the two sentences is believed, and the other is not.
    person, car = mine[0::2], mine[1::2]
    assert (np.abs(person - car) > 0.5).mean() >= 0.8


def test_questions_at_once_get_their_own_answers(start, questions):
    engine = start(slots=2)
    assert engine.capabilities().concurrency == 2
    asked = [(pair.images(), ground_prompt(text)) for pair, text in questions[:4]]
    alone = [engine.infer(*question, BOXES, 480).text for question in asked]
    assert len(set(alone)) >= 2
    together = [None] * len(asked)

    def ask(number):
        together[number] = engine.infer(*asked[number], BOXES, 480).text
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Two prompts in one batch are summed up in another order: a digit may differ, no more.
    assert sum(first == second for first, second in zip(alone, together, strict=True)) >= 3
    assert [text.count('{') for text in together] == [text.count('{') for text in alone]
    engine.close()


def test_four_images_in_a_question_fit(llamacpp, openvino, questions):
    pair, box = next((pair, box) for pair, text in questions
                         for box in boxes_of(openvino, pair, text))
    found = [locator.locate(locator.template(pair, box), pair, box)
             for locator in (Locator(llamacpp), Locator(openvino))]
    assert overlaps([found[0].box], [found[1].box])[0] > 0.9


def test_images_that_do_not_fit_the_prompt_are_refused(llamacpp):
    with pytest.raises(EngineError, match='places for 2 images and got 1'):
        llamacpp.infer([np.zeros((192, 256, 3), np.uint8)], ground_prompt('a person'), BOXES, 8)


def test_the_log_does_not_grow_with_the_questions(llamacpp, questions):
    pair, text = questions[0]
    before = llamacpp.log.stat().st_size
    for _ in range(3):
        llamacpp.infer(pair.images(), ground_prompt(text), BOXES, 480)
    assert llamacpp.log.stat().st_size == before


def test_a_pair_without_facts_is_asked_as_the_family_in_its_name(pairs, questions, tmp_path):
    shutil.copy(pairs['f16'] / 'rtrack-nano-f16.gguf', tmp_path / 'Qwen3-VL-2B-F16.gguf')
    shutil.copy(pairs['f16'] / 'mmproj-rtrack-nano-f16.gguf', tmp_path / 'mmproj-F16.gguf')
    engine = load_engine('llamacpp', tmp_path / 'Qwen3-VL-2B-F16.gguf')
    facts = engine.capabilities()
    assert (facts.model, facts.image_size, facts.prompt) == ('Qwen3-VL-2B-F16', (640, 480), 'full')
    pair, text = questions[0]
    reply = engine.infer(pair.images(), ground_prompt(text, facts.prompt), BOXES, 480)
    assert reply.finish == 'stop' and reply.text.startswith('[')
    engine.close()


@pytest.fixture
def renamed(pairs, tmp_path):
    """The pair under a name that tells nothing."""
    for path in pairs['f16'].glob('*.gguf'):
        shutil.copy(path, tmp_path / path.name.replace('rtrack-nano', 'mine'))
    return tmp_path


def test_a_pair_of_no_known_family_is_refused_with_those_that_are(renamed):
    with pytest.raises(EngineError, match="'mine' is of no family .* set family to one of"):
        load_engine('llamacpp', renamed)


def test_a_file_beside_the_pair_says_its_family_and_what_differs(renamed):
    (renamed / 'rtrack.json').write_text('{"family": "qwen3_vl", "image_size": [320, 256]}')
    engine = load_engine('llamacpp', renamed)
    facts = engine.capabilities()
    assert (facts.model, facts.family, facts.image_size) == ('mine-f16', 'qwen3_vl', (320, 256))
    engine.close()


def test_an_image_size_that_would_be_changed_again_is_refused(renamed):
    with pytest.raises(EngineError, match='set image_size to multiples of 32'):
        load_engine('llamacpp', renamed, family='qwen3_vl', image_size=(330, 256))


def read_anew(engine, seen, prompt):
    """Tokens of a question that llama.cpp computes, and those that it remembers."""
    body = chat_body(DIALECTS['llamacpp'], 'rtrack-nano', prompt, seen.urls, BOXES, 4)
    request = Request(f'{engine.url}/v1/chat/completions', body,
                      {'Content-Type': 'application/json'})
    with urlopen(request, timeout=30) as response:
        events = [line.removeprefix(b'data: ') for line in response if b'"timings"' in line]
    told = json.loads(events[-1])['timings']
    return told['prompt_n'], told['cache_n']


def test_it_looks_once_at_the_images_of_a_general_model_however_many_sentences_ask(
        llamacpp, questions):
    seen = llamacpp.encode(questions[0][0].images())
    sentences = ['the people', 'all cars', 'the person in red']
    found = [read_anew(llamacpp, seen, ground_prompt(text, 'full')) for text in sentences]
    visual = 2 * (256 // 32) * (192 // 32)
    assert found[0][0] > visual, 'these images were never seen before'
    for computed, remembered in found[1:]:
        # What follows the images is the task in words, not the images.
        assert remembered > visual and computed < sum(found[0]) - visual
