"""``infer`` of every engine that encodes images once: the same in all of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from rtrack_ros.engines import base
from rtrack_ros.engines.base import DeadlineError, EngineError, Prompt, Reply, SharesImages
from rtrack_ros.engines.llamacpp.engine import LlamaCppEngine
from rtrack_ros.engines.openvino import OpenVinoEngine
from rtrack_ros.engines.server.engine import ServerEngine
from rtrack_ros.engines.transformers import TransformersEngine

IMAGES, PROMPT = [np.zeros((4, 4, 3), np.uint8)], Prompt(('find', None))


class Slow(SharesImages):
    """Encodes for a second of a clock that the test moves, and says how long it may answer."""

    def __init__(self, monkeypatch):
        self.now, self.given = 10.0, []
        monkeypatch.setattr(base, 'time', SimpleNamespace(perf_counter=lambda: self.now))

    def capabilities(self):
        raise NotImplementedError

    def encode(self, images):
        self.now += 1.0
        return len(images)

    def answer(self, seen, prompt, grammar, max_tokens, deadline_s=None, on_text=None,
               cancellation=None):
        base.check_time_left(deadline_s)
        self.given.append(deadline_s)
        return Reply(str(seen), 1, 'stop')

    def close(self):
        pass


@pytest.fixture
def slow(monkeypatch):
    return Slow(monkeypatch)


def test_encoding_is_taken_off_the_deadline(slow):
    assert slow.infer(IMAGES, PROMPT, None, 8, deadline_s=3.0).text == '1'
    assert slow.infer(IMAGES, PROMPT, None, 8).text == '1'
    assert slow.given == [2.0, None]


def test_a_question_whose_time_went_into_encoding_is_not_asked(slow):
    with pytest.raises(DeadlineError, match='no time was left'):
        slow.infer(IMAGES, PROMPT, None, 8, deadline_s=1.0)
    assert slow.given == []


def test_images_that_do_not_fit_are_refused_before_they_are_encoded(slow):
    with pytest.raises(EngineError, match='places for 1 images and got 2'):
        slow.infer(IMAGES * 2, PROMPT, None, 8)
    assert slow.now == 10.0


@pytest.mark.parametrize('engine', [OpenVinoEngine, LlamaCppEngine, ServerEngine,
                                    TransformersEngine])
def test_no_engine_has_an_infer_of_its_own(engine):
    assert engine.infer is SharesImages.infer
