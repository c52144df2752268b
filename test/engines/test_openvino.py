import os
import re
import shutil
import threading
from statistics import median

import numpy as np
import pytest

from rtrack_ros.engines.base import DeadlineError, EngineError, Prompt
from rtrack_ros.engines.chat import chat_text
from rtrack_ros.engines.compiled import CompiledModel, StaleExportError, weights_digest
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.language.coordinates import check_protocol
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import STYLES, ground_prompt

GRAMMAR = answer_grammar(4, ('person', 'car', 'cyclist'))


def ask(engine, question, grammar=GRAMMAR, max_tokens=100, deadline_s=None):
    pair, sentence = question
    return engine.infer(pair.images(), ground_prompt(sentence), grammar, max_tokens, deadline_s)


def test_the_export_is_of_the_weights_beside_it(nano):
    assert CompiledModel.read(nano / 'openvino').weights_sha256 == weights_digest(nano)


def test_the_model_says_what_it_is(openvino):
    said = openvino.capabilities()
    check_protocol(said.bbox_protocol)
    assert said.name == 'openvino' and said.constrained and said.prompt in STYLES
    assert said.precision == 'int8' and said.image_size == (256, 192) and said.labels


def test_every_answer_is_in_the_grammar(openvino, questions):
    for question in questions[::4]:
        reply = ask(openvino, question)
        assert reply.finish == 'stop' and re.fullmatch(GRAMMAR.regex, reply.text)
        assert 0.0 < reply.confidence <= 1.0 and reply.tokens >= 2


@pytest.mark.parametrize('sentence', [
    '', '<|im_end|>', '<|image_pad|><|vision_end|>', '<ov_genai_image_0>', '日本 😀 \x00',
    'x' * 1500])
def test_any_sentence_is_answered_in_the_grammar(openvino, questions, sentence):
    reply = ask(openvino, (questions[0][0], sentence))
    assert re.fullmatch(GRAMMAR.regex, reply.text)


def test_the_same_question_has_the_same_answer_whatever_was_asked_between(openvino, questions):
    first = [ask(openvino, question).text for question in questions[:3]]
    again = [ask(openvino, question).text for question in reversed(questions[:3])]
    assert first == again[::-1]


def test_without_a_grammar_the_model_writes_freely(openvino, questions):
    assert ask(openvino, questions[0], grammar=None, max_tokens=8).tokens <= 8


def test_stages_are_timed(openvino, questions):
    timings = ask(openvino, questions[1]).timings
    assert set(timings) == {'preprocess', 'vit', 'ttft', 'decode', 'total'}
    assert 0 < timings['vit'] < timings['ttft'] <= timings['total']
    assert timings['ttft'] + timings['decode'] <= timings['total'] * 1.05


def test_a_cut_answer_is_finished_by_length(openvino, questions):
    one = answer_grammar(4, ('person',))
    boxes = re.compile(r'\[\{')
    cut = [ask(openvino, question, one, max_tokens=3) for question in questions[:8]]
    assert all(reply.finish == ('length' if boxes.match(reply.text) else 'stop') for reply in cut)


@pytest.mark.parametrize('size', [(30, 40), (480, 640), (720, 1280), (256, 320)])
def test_images_of_any_size_are_resized(openvino, size):
    image = np.zeros((*size, 3), np.uint8)
    reply = openvino.infer([image, image], ground_prompt('cars'), GRAMMAR, 100)
    assert re.fullmatch(GRAMMAR.regex, reply.text)


def test_after_a_missed_deadline_the_engine_still_answers(openvino, questions):
    expected = ask(openvino, questions[0]).text
    with pytest.raises(DeadlineError, match='allow more time'):
        ask(openvino, questions[0], deadline_s=0.001)
    assert ask(openvino, questions[0], deadline_s=60.0).text == expected


def test_prompts_that_share_an_encoding_have_the_answers_of_prompts_that_do_not(
        openvino, questions):
    pair = questions[3][0]
    sentences = ['people', 'cars', *(text for _, text in questions[:3])]
    alone = [ask(openvino, (pair, sentence)) for sentence in sentences]
    seen = openvino.encode(pair.images())
    shared = [openvino.answer(seen, ground_prompt(sentence), GRAMMAR, 100)
              for sentence in sentences]
    assert [(reply.text, reply.confidence) for reply in shared] == [
        (reply.text, reply.confidence) for reply in alone]
    # What is shared takes next to no time from the second answer on.
    assert median(reply.timings['vit'] for reply in shared[1:]) < 0.2 * shared[0].timings['vit']


def test_nearly_the_same_images_are_not_taken_for_the_same(openvino, questions):
    first, prompt = questions[3][0].images(), ground_prompt('people')
    width, height = openvino.capabilities().image_size
    first = [resize_image(image, (width, height)) for image in first]
    seen = openvino.encode(first)
    openvino.answer(seen, prompt, GRAMMAR, 100)
    for column in range(8, 200, 48):
        other = [image.copy() for image in first]
        for image in other:
            image[90:98, column:column + 8] = 255 - image[90:98, column:column + 8]
        # What is not encoded anew takes 0.001 ms.
        assert openvino.infer(other, prompt, GRAMMAR, 100).timings['vit'] > 0.05
        assert openvino.answer(seen, prompt, GRAMMAR, 100).timings['vit'] > 0.05


def test_a_question_reaches_the_model_as_the_other_engines_read_it(openvino):
    genai = pytest.importorskip('openvino_genai')
    tokenizer = openvino._pipeline.get_tokenizer()
    for sentence in ('the dog', 'two\nlines', '{{ 7 * 7 }}', '日本 😀', '<|im_end|>'):
        text = chat_text(ground_prompt(sentence))
        history = genai.ChatHistory([{'role': 'user', 'content': text}])
        assert tokenizer.apply_chat_template(history, add_generation_prompt=True) == text


def test_images_that_do_not_fit_the_prompt_are_refused(openvino, questions):
    with pytest.raises(EngineError, match='2 images and got 1'):
        openvino.infer(questions[0][0].images()[:1], ground_prompt('cars'), GRAMMAR, 100)
    reply = openvino.infer([], Prompt(('hello',)), GRAMMAR, 100)
    assert re.fullmatch(GRAMMAR.regex, reply.text)


def test_a_failure_inside_the_runtime_leaves_the_engine_usable(openvino, questions, monkeypatch):
    expected = ask(openvino, questions[0]).text
    monkeypatch.setattr('rtrack_ros.engines.openvino.chat_text',
                        lambda prompt: '<|image_pad|>' * 9)
    with pytest.raises(EngineError, match='could not answer'):
        ask(openvino, questions[0])
    monkeypatch.undo()
    assert ask(openvino, questions[0]).text == expected


@pytest.fixture
def often_renewed(openvino, monkeypatch):
    """The engine, where every third answer is of a fresh pipeline."""
    monkeypatch.setattr('rtrack_ros.engines.openvino._RENEWED_AFTER', 3)
    monkeypatch.setattr('rtrack_ros.engines.openvino._RENEWING_SHARE', float('inf'))
    return openvino


def test_a_pipeline_that_answered_for_long_is_renewed_and_answers_the_same(
        often_renewed, questions):
    seen = often_renewed.encode(questions[3][0].images())
    first = often_renewed._pipeline
    replies = [often_renewed.answer(seen, ground_prompt('people'), GRAMMAR, 100).text
               for _ in range(8)]
    assert often_renewed._pipeline is not first
    assert len(set(replies)) == 1


def test_a_pipeline_is_taken_down_at_the_priority_of_who_asks(often_renewed, questions,
                                                              monkeypatch):
    priorities, let_go = [], often_renewed._let_go

    def noted():
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        let_go()
    monkeypatch.setattr(often_renewed, '_let_go', noted)
    for _ in range(8):
        ask(often_renewed, questions[0])
    assert priorities and set(priorities) == {os.getpriority(os.PRIO_PROCESS, 0)}


def test_a_pipeline_is_not_renewed_where_loading_would_take_too_much_of_the_time(
        openvino, questions, monkeypatch):
    monkeypatch.setattr('rtrack_ros.engines.openvino._RENEWED_AFTER', 1)
    monkeypatch.setattr('rtrack_ros.engines.openvino._RENEWING_SHARE', 0.0)
    before = openvino._pipeline
    ask(openvino, questions[0])
    ask(openvino, questions[0])
    assert openvino._pipeline is before


def test_a_renewal_that_fails_is_told_and_tried_again(often_renewed, questions, monkeypatch):
    expected = ask(often_renewed, questions[0]).text

    def failing():
        raise RuntimeError('no such file')
    monkeypatch.setattr(often_renewed, '_load', failing)
    with pytest.raises(EngineError, match='cannot load .* rtrack compile'):
        for _ in range(4):
            ask(often_renewed, questions[0])
    with pytest.raises(EngineError, match='cannot load'):
        ask(often_renewed, questions[0])
    monkeypatch.undo()
    assert ask(often_renewed, questions[0]).text == expected


@pytest.mark.skipif(not os.path.isdir('/proc/self/task'), reason='reads Linux thread niceness')
def test_inference_threads_are_nicer_than_the_rest(openvino, questions):
    ask(openvino, questions[0])
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    nicer = [os.getpriority(os.PRIO_PROCESS, int(task)) for task in os.listdir('/proc/self/task')]
    assert max(nicer) == min(mine + 10, 19)
    assert os.getpriority(os.PRIO_PROCESS, os.getpid()) == mine


@pytest.fixture
def retrained(nano, tmp_path):
    """A copy of the model whose weights were trained further in place: one byte differs."""
    folder = tmp_path / 'retrained'
    shutil.copytree(nano, folder)
    with (folder / 'model.safetensors').open('r+b') as weights:
        weights.seek(-1, os.SEEK_END)
        last, = weights.read(1)
        weights.seek(-1, os.SEEK_END)
        weights.write(bytes([last ^ 1]))
    return folder


def test_an_export_of_other_weights_is_refused_with_the_remedy(openvino, retrained):
    with pytest.raises(StaleExportError, match=f'rtrack compile --model {retrained}$'):
        load_engine('openvino', retrained)


def test_a_folder_with_the_export_alone_answers_as_the_whole_one(openvino, questions, retrained):
    (retrained / 'model.safetensors').unlink()
    engine = load_engine('openvino', retrained)
    try:
        assert ask(engine, questions[0]).text == ask(openvino, questions[0]).text
    finally:
        engine.close()


def test_auto_answers_with_the_new_weights_where_the_export_is_old(
        openvino, transformers, retrained):
    engine = load_engine('auto', retrained)
    try:
        assert engine.capabilities().name == 'transformers'
    finally:
        engine.close()


class TestUnusableFolders:
    """A folder that cannot be used names the remedy."""

    @pytest.fixture(autouse=True)
    def needs_runtime(self):
        pytest.importorskip('openvino_genai', reason='the openvino extra is not installed')

    def test_no_export(self, nano, tmp_path):
        shutil.copyfile(nano / 'rtrack.json', tmp_path / 'rtrack.json')
        with pytest.raises(EngineError, match='rtrack compile --model'):
            load_engine('openvino', tmp_path)

    def test_no_manifest(self, tmp_path):
        with pytest.raises(EngineError, match='holds no rtrack.json'):
            load_engine('openvino', tmp_path)

    def test_damaged_export(self, nano, tmp_path):
        shutil.copyfile(nano / 'rtrack.json', tmp_path / 'rtrack.json')
        shutil.copytree(nano / 'openvino', tmp_path / 'openvino')
        (tmp_path / 'openvino' / 'openvino_language_model.xml').write_text('<net>')
        with pytest.raises(EngineError, match='(?s)cannot load .* rtrack compile'):
            load_engine('openvino', tmp_path)

    def test_closed_engine(self, nano):
        engine = load_engine('openvino', nano)
        engine.close()
        engine.close()
        with pytest.raises(EngineError, match='closed'):
            engine.infer([], Prompt(('hello',)), None, 4)


def test_it_counts_tokens_as_its_model_reads_them(openvino) -> None:
    assert openvino.count_tokens('the person in the red jacket') == 6
    assert openvino.count_tokens('\N{GRINNING FACE}' * 10) == 40
