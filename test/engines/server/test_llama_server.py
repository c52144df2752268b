"""A real ``llama-server``, started as ``rtrack serve`` does, says what our own engine says.

Run where that program is installed: on the search path, or in the folder RTRACK_LLAMA_SERVER.
"""

import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import CancelledError, Grammar
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.engines.targets.servers import Served, server_command
from rtrack_ros.engines.targets.toolkits import KINDS, Toolkit
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.prompts import verify_prompt
from rtrack_ros.language.queries import Query
from rtrack_ros.language.self_test import self_test
from rtrack_ros.language.verifier import Verifier
from rtrack_ros.playback.serving import free_port, served

PROGRAM = shutil.which('llama-server', path=os.environ.get('RTRACK_LLAMA_SERVER'))
pytestmark = pytest.mark.skipif(PROGRAM is None, reason='llama-server is not installed')

READY_S = 120.0
LONG = Grammar('', 'root ::= [a-z] root', '')
LONG_TOKENS = 1500


@pytest.fixture(scope='module')
def llama_server(nano, tmp_path_factory):
    pytest.importorskip('gguf', reason='the llamacpp extra is not installed')
    from rtrack_ros.engines.llamacpp.export import export_llamacpp
    folder = tmp_path_factory.mktemp('llama-server')
    pair = export_llamacpp(nano, 'f16', folder / 'gguf')
    what = Served(str(pair), 'rtrack-nano-f16', port=free_port('127.0.0.1', 0))
    command = server_command(Toolkit(KINDS['llamacpp'], '', Path(PROGRAM).parent), what)
    with served(command, what, folder / 'logs', READY_S):
        engine = load_engine('server', what.url, manifest=Path(nano))
        engine.log = folder / 'logs' / 'server.log'
        yield engine
        engine.close()


def boxes_of(engine, pair, sentence):
    try:
        answer = Grounder(engine).ground(pair, Query('default', sentence, 1))
    except AnswerError:
        return []
    return [one.box for one in answer.groundings]


def test_it_is_recognised_holds_to_grammars_and_passes_the_self_test(llama_server):
    facts = llama_server.capabilities()
    assert facts.device.startswith('llamacpp at ') and facts.constrained
    assert facts.concurrency == 1 and facts.family == 'rtrack-nano'
    assert self_test(llama_server).ok


def test_its_boxes_are_those_of_openvino(llama_server, openvino, questions):
    overlap, boxes = [], 0
    for pair, sentence in questions:
        mine, theirs = (boxes_of(engine, pair, sentence) for engine in (llama_server, openvino))
        boxes += max(len(mine), len(theirs))
        if mine and theirs:
            table = iou(mine, theirs)
            overlap += table[linear_sum_assignment(-table)].tolist()
    print(f'\n{sum(value >= 0.8 for value in overlap)} of {boxes} boxes are the same')
    assert boxes >= 10 and sum(value >= 0.8 for value in overlap) >= 0.9 * boxes
    assert np.median(overlap) >= 0.95


def test_it_tells_the_probability_of_a_yes_as_openvino_does(llama_server, openvino, questions):
    for pair, sentence in questions[:6]:
        asked = (pair, (100, 100, 300, 300), sentence)
        mine, theirs = (Verifier(engine).verify(*asked) for engine in (llama_server, openvino))
        assert mine == pytest.approx(theirs, abs=0.1)


def test_a_question_that_is_taken_back_ends_and_the_next_is_answered(llama_server, questions):
    pair, sentence = questions[0]
    before, cancellation, told = boxes_of(llama_server, pair, sentence), Cancellation(), []

    def on_text(text):
        told.append(text)
        if len(told) == 3:
            threading.Thread(target=cancellation.cancel).start()
    with pytest.raises(CancelledError):
        llama_server.infer(pair.images(), verify_prompt(sentence, (1, 1, 9, 9)), LONG,
                           LONG_TOKENS, on_text=on_text, cancellation=cancellation)
    assert 3 <= len(told) < LONG_TOKENS
    assert boxes_of(llama_server, pair, sentence) == before


def test_its_log_does_not_grow_with_the_questions(llama_server, questions):
    def size():
        time.sleep(0.2)
        return llama_server.log.stat().st_size
    pair, sentence = questions[0]
    boxes_of(llama_server, pair, sentence)
    before = size()
    for _ in range(3):
        boxes_of(llama_server, pair, sentence)
    assert size() == before
