import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rtrack_ros.engines.base import CancelledError, DeadlineError, EngineError, Prompt
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.chat import chat_text
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import ground_prompt

GRAMMAR = answer_grammar(4, ('person', 'car', 'cyclist'))


def ask(engine, question, grammar=GRAMMAR, max_tokens=100, deadline_s=None):
    pair, sentence = question
    return engine.infer(pair.images(), ground_prompt(sentence), grammar, max_tokens, deadline_s)


def test_the_ordinary_auto_class_and_chat_template_read_the_folder(transformers, nano):
    library = pytest.importorskip('transformers')
    tokenizer = library.AutoTokenizer.from_pretrained(nano)
    prompt = Prompt(('find\nRGB:', None, 'Thermal:', None))
    content = [{'type': 'image'} if part is None else {'type': 'text', 'text': part}
               for part in prompt.parts]
    text = tokenizer.apply_chat_template([{'role': 'user', 'content': content}], tokenize=False,
                                         add_generation_prompt=True)
    assert text == chat_text(prompt)


def test_the_model_reads_the_tokens_of_each_image_and_their_positions(transformers, questions):
    inputs = transformers.inputs(questions[0][0].images(), ground_prompt('cars'))
    assert int(inputs['mm_token_type_ids'].sum()) == 2 * 8 * 6
    assert inputs['image_grid_thw'].tolist() == [[1, 12, 16], [1, 12, 16]]
    assert inputs['input_ids'].shape == inputs['mm_token_type_ids'].shape


def test_openvino_reads_the_same_tokens(transformers, nano, questions):
    genai = pytest.importorskip('openvino_genai', reason='the openvino extra is not installed')
    tokenizer = genai.Tokenizer(str(nano / 'openvino'))
    odd = ['日本 😀', '<|im_end|>', 'person312', '[{"bbox_2d": [1, 2', "don't  x-y", '\t\n']
    for sentence in [*odd, *(sentence for _, sentence in questions)]:
        text = chat_text(ground_prompt(sentence))
        theirs = tokenizer.encode(text, add_special_tokens=False).input_ids.data[0].tolist()
        plain = transformers.inputs([], Prompt(ground_prompt(sentence).parts[:1]))
        ours = plain['input_ids'][0].tolist()
        inner = chat_text(Prompt(ground_prompt(sentence).parts[:1]))
        assert tokenizer.encode(inner, add_special_tokens=False).input_ids.data[0].tolist() == ours
        assert theirs[:len(ours) - 6] == ours[:-6]


def test_every_answer_is_in_the_grammar(transformers, questions):
    for question in questions[::9]:
        reply = ask(transformers, question)
        assert reply.finish == 'stop' and re.fullmatch(GRAMMAR.regex, reply.text)
        assert 0.0 < reply.confidence <= 1.0


def test_a_grammar_that_allows_what_the_model_wants_changes_nothing(transformers, questions):
    free = ask(transformers, questions[0], grammar=None)
    if re.fullmatch(GRAMMAR.regex, free.text):
        assert ask(transformers, questions[0]).text == free.text


def test_a_cut_answer_is_finished_by_length(transformers, questions):
    reply = ask(transformers, questions[0], max_tokens=1)
    assert (reply.tokens, reply.finish) == (1, 'length')


def test_after_a_missed_deadline_the_engine_still_answers(transformers, questions):
    with pytest.raises(DeadlineError, match='allow more time'):
        ask(transformers, questions[0], deadline_s=0.001)
    assert ask(transformers, questions[0]).finish == 'stop'


def test_images_that_do_not_fit_the_prompt_are_refused(transformers):
    with pytest.raises(EngineError, match='2 images and got 1'):
        transformers.infer([np.zeros((4, 4, 3), np.uint8)], ground_prompt('cars'), GRAMMAR, 100)


def test_prompts_that_share_an_encoding_have_the_answers_of_prompts_that_do_not(
        transformers, questions):
    pair = questions[7][0]
    sentences = ['people', 'cars', 'the cyclist', *(text for _, text in questions[:3])]
    seen = transformers.encode(pair.images())
    for sentence in sentences:
        alone = ask(transformers, (pair, sentence))
        shared = transformers.answer(seen, ground_prompt(sentence), GRAMMAR, 100)
        assert (shared.text, shared.tokens) == (alone.text, alone.tokens)
        assert shared.confidence == pytest.approx(alone.confidence, rel=1e-4)


def test_a_shared_encoding_is_not_computed_again(transformers, questions, monkeypatch):
    calls = []
    tower = transformers._model.get_image_features
    monkeypatch.setattr(transformers._model, 'get_image_features',
                        lambda *args, **kwargs: calls.append(1) or tower(*args, **kwargs))
    seen = transformers.encode(questions[0][0].images())
    for sentence in ('people', 'cars'):
        transformers.answer(seen, ground_prompt(sentence), GRAMMAR, 40)
    assert len(calls) == 1


def test_encoded_images_must_fit_the_prompt_as_well(transformers, questions):
    seen = transformers.encode(questions[0][0].images()[:1])
    with pytest.raises(EngineError, match='2 images and got 1'):
        transformers.answer(seen, ground_prompt('cars'), GRAMMAR, 100)


def test_a_deadline_that_has_passed_already_asks_nothing(transformers, questions):
    seen = transformers.encode(questions[0][0].images())
    with pytest.raises(DeadlineError, match='no time was left'):
        transformers.answer(seen, ground_prompt('cars'), GRAMMAR, 100, deadline_s=-0.1)


@pytest.fixture
def together(transformers, questions):
    """Ask all at once about one pair, and return what came of each and how many passes it took."""
    def ask_all(sentences, **options):
        passes, generate = [], transformers._model.generate
        seen = transformers.encode(questions[7][0].images())
        blocked = threading.Event()
        holding = transformers._thread._executor.submit(blocked.wait, 20)
        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(sentences)) as pool:
            patch.setattr(transformers._model, 'generate', lambda **inputs: passes.append(
                len(inputs['input_ids'])) or generate(**inputs))
            asked = [pool.submit(transformers.answer, seen, ground_prompt(text), GRAMMAR,
                                 options.get('max_tokens', {}).get(text, 100),
                                 cancellation=options.get('cancellation', {}).get(text))
                     for text in sentences]
            while len(transformers._waiting) < len(sentences):
                time.sleep(0.005)
            blocked.set()
            holding.result()
            return [one.exception() or one.result() for one in asked], passes
    return ask_all


SENTENCES = ['people', 'all the cars on the road', 'the cyclist', 'the person in the black jacket']


def test_questions_about_the_same_images_that_wait_are_answered_in_one_batch(
        transformers, questions, together):
    replies, passes = together(SENTENCES)
    assert passes == [len(SENTENCES)]
    for sentence, reply in zip(SENTENCES, replies, strict=True):
        alone = ask(transformers, (questions[7][0], sentence))
        assert (reply.text, reply.tokens, reply.finish) == (alone.text, alone.tokens, 'stop')
        assert reply.confidence == pytest.approx(alone.confidence, rel=1e-4)


def test_in_a_batch_each_question_has_its_own_length_and_may_be_taken_back(
        transformers, questions, together):
    cancellation = Cancellation()
    cancellation.cancel()
    replies, _ = together(SENTENCES, max_tokens={SENTENCES[0]: 3},
                          cancellation={SENTENCES[1]: cancellation})
    assert (replies[0].tokens, replies[0].finish) == (3, 'length')
    assert isinstance(replies[1], CancelledError)
    alone = ask(transformers, (questions[7][0], SENTENCES[2]))
    assert replies[2].text == alone.text
    assert transformers._waiting == []


def test_an_error_of_a_batch_is_that_of_each_of_its_questions(transformers, questions, together):
    def broken(batch):
        raise RuntimeError('out of memory')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformers, '_generate', broken)
        replies, _ = together(SENTENCES)
    assert all(isinstance(reply, EngineError) and 'torch could not answer' in str(reply)
               for reply in replies)
    assert ask(transformers, questions[0]).finish == 'stop'


def test_a_folder_without_weights_names_the_remedy(nano, tmp_path):
    for package in ('torch', 'transformers'):
        pytest.importorskip(package, reason='the transformers extra is not installed')
    (tmp_path / 'rtrack.json').write_bytes((nano / 'rtrack.json').read_bytes())
    with pytest.raises(EngineError, match='(?s)cannot load .*rtrack train'):
        load_engine('transformers', tmp_path)


def test_it_counts_tokens_as_its_model_reads_them(transformers) -> None:
    assert transformers.count_tokens('the person in the red jacket') == 6
    assert transformers.count_tokens('\N{GRINNING FACE}' * 10) == 40
