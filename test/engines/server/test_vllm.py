"""A real vLLM on this processor says what our own engine says. Run by ``make test-vllm``."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest

from rtrack_ros.engines.registry import load_engine
from rtrack_ros.engines.targets.servers import Limits, Served, server_command
from rtrack_ros.engines.targets.toolkits import KINDS, Toolkit
from rtrack_ros.language.grammar import answer_grammar, verdict_grammar
from rtrack_ros.language.prompts import ground_prompt, verify_prompt
from rtrack_ros.playback.serving import free_port, served

VLLM = os.environ.get('RTRACK_VLLM', '')
pytestmark = [pytest.mark.timeout(1200),
              pytest.mark.skipif(not VLLM, reason='make test-vllm runs it')]

FRAMES, SAME = 20, 19
READY_S = 600.0
GRAMMAR = answer_grammar(12, ('person', 'car', 'cyclist'))
# It has no package metadata, so that its program `vllm` does not start; the module is the same.
PROGRAM = [f'{VLLM}/bin/python', '-m', 'vllm.entrypoints.openai.api_server', '--model']
ON_A_PROCESSOR = ['--dtype', 'float32', '--enforce-eager', '--kv-cache-memory-bytes', '100000000']
ENVIRONMENT = {'HF_HUB_OFFLINE': '1', 'VLLM_NO_USAGE_STATS': '1', 'OMP_NUM_THREADS': '1',
               'VLLM_CPU_OMP_THREADS_BIND': 'nobind', 'VLLM_HOST_IP': '127.0.0.1'}


@pytest.fixture(scope='module')
def vllm(nano):
    """The engine of a vLLM that ``rtrack serve``'s own options have started."""
    what = Served(str(nano), 'rtrack-nano', limits=Limits(total_tokens=2048, questions=4),
                  port=free_port('127.0.0.1', 0))
    command = server_command(Toolkit(KINDS['vllm'], ''), what)
    assert command[:2] == ['vllm', 'serve']
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.delenv('PYTHONPATH', raising=False)
        started = time.monotonic()
        with served([*PROGRAM, *command[2:], *ON_A_PROCESSOR], what, Path(VLLM, 'logs'), READY_S):
            print(f'\nvLLM was ready after {time.monotonic() - started:.0f} s')
            # The first question of all waits for what is compiled for it.
            engine = load_engine('server', what.url, manifest=Path(nano), silence_s=READY_S)
            yield engine
            engine.close()


def test_it_is_recognised_and_holds_to_grammars(vllm):
    facts = vllm.capabilities()
    assert facts.device.startswith('vllm at ') and facts.constrained and facts.concurrency == 4


def test_it_says_the_same_about_boxes_on_nineteen_of_twenty_frames(
        vllm, transformers, questions):
    asked = [(pair, ground_prompt(sentence)) for pair, sentence in questions[:FRAMES]]
    said = [[engine.infer(pair.images(), prompt, GRAMMAR, 420).text for pair, prompt in asked]
            for engine in (vllm, transformers)]
    same = sum(mine == theirs for mine, theirs in zip(*said, strict=True))
    print(f'\nthe same boxes, letter for letter: {same} of {FRAMES}')
    assert len(asked) == FRAMES and same >= SAME


def test_it_says_the_same_about_yes_and_no_on_nineteen_of_twenty_frames(
        vllm, transformers, questions):
    asked = [(pair, verify_prompt(sentence, (100, 100, 300, 300)))
             for pair, sentence in questions[:FRAMES]]
    said = [[engine.infer(pair.images(), prompt, verdict_grammar(), 8).text
             for pair, prompt in asked] for engine in (vllm, transformers)]
    same = sum(mine == theirs for mine, theirs in zip(*said, strict=True))
    print(f'\nthe same verdicts: {same} of {FRAMES}')
    assert same >= SAME


def test_four_questions_at_once_are_answered_as_one_by_one(vllm, questions):
    pairs = [pair for pair, _ in questions[20:26]]
    prompts = [ground_prompt(text) for _, text in questions[:4]]

    def asked(threads):
        texts, took = [], []
        with ThreadPoolExecutor(threads) as pool:
            for pair in pairs:
                seen, started = vllm.encode(pair.images()), time.perf_counter()
                texts.append(list(pool.map(
                    lambda prompt, seen=seen: vllm.answer(seen, prompt, GRAMMAR, 420).text,
                    prompts[:threads])))
                took.append(time.perf_counter() - started)
        return texts, median(took) * 1e3

    one_by_one, one_ms = asked(1)
    at_once, four_ms = asked(4)
    print(f'\none question {one_ms:.0f} ms, four at once {four_ms:.0f} ms: '
          f'{four_ms / one_ms:.1f} times')
    assert [texts[0] for texts in at_once] == [texts[0] for texts in one_by_one]
