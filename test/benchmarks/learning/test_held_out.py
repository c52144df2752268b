"""Batches of answers: those of the engine, and the scores of a checkpoint from them."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
for package in ('transformers', 'trl', 'peft', 'datasets', 'trackeval'):
    pytest.importorskip(package, reason='learning needs the extras train and eval')

from rtrack_ros.benchmarks.grounding import cases  # noqa: E402
from rtrack_ros.benchmarks.learning.batch_answers import BatchAnswers, BatchGrounder  # noqa: E402
from rtrack_ros.benchmarks.learning.held_out import HeldOut  # noqa: E402
from rtrack_ros.benchmarks.learning.streaming_score import ScenePlan  # noqa: E402
from rtrack_ros.engines.registry import load_engine  # noqa: E402
from rtrack_ros.language.grounder import Grounder  # noqa: E402
from rtrack_ros.language.queries import Query  # noqa: E402

NANO = Path(__file__).parents[3] / 'models' / 'rtrack-nano'
SEED = 9_400_200
PLAN = ScenePlan(rounds=1, first_seed=SEED, seconds=1.0, fps=5, sentences=1, answer_s=0.4)


@pytest.fixture(scope='module')
def grounder() -> BatchGrounder:
    return BatchGrounder(NANO)


def test_a_batch_is_answered_as_the_engine_answers(grounder: BatchGrounder) -> None:
    asked = [(item.pair, item.text) for item in cases(SEED, 2)]
    found = list(grounder.ground(asked))
    engine = load_engine('transformers', NANO)
    try:
        single = Grounder(engine)
        expected = [single.ground(pair, Query('default', text, 1)).groundings
                    for pair, text in asked]
    finally:
        engine.close()
    assert sum(map(len, expected)) > 3
    same = [said is not None and len(said) == len(wanted) and all(
        np.allclose(one.box, other.box, atol=1e-3) for one, other in zip(said, wanted,
                                                                        strict=True))
            for said, wanted in zip(found, expected, strict=True)]
    # The engine is held to the grammar: a text that breaks it differs, and is None here.
    assert all(said is None for said, equal in zip(found, same, strict=True) if not equal)
    assert sum(same) >= len(same) - 1


def test_answers_about_a_recording_are_asked_for_ahead() -> None:
    class Counting:
        batches: list[int] = []

        def ground(self, asked):
            self.batches.append(len(asked))
            return [() for _ in asked]

    pairs = [item.pair for item in list(cases(SEED, 1))]
    answers = BatchAnswers(Counting(), pairs, 2)
    query = Query('default', 'the people', 1)
    heard = [answers.about(index, query).answer.stamp_ns for index in (0, 2, 4, 1)]
    assert heard == [pairs[index].stamp_ns for index in (0, 2, 4, 1)]
    assert Counting.batches == [3, 3]


def test_a_checkpoint_has_scores_of_answers_and_of_tracks(tmp_path: Path) -> None:
    held_out = HeldOut(1, SEED, PLAN, tmp_path)
    first = held_out.measure(NANO)
    assert first['frames'] == 12 and 0 < first['f1'] <= 1
    assert 0 <= first['false_when_nobody'] <= 1 and 0 <= first['hota'] <= 100
    assert HeldOut(1, SEED, PLAN, tmp_path).measure(NANO) == first
