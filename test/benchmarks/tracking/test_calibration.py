"""The benchmark of scores: what is judged, pooled, shown and drawn."""

from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip('matplotlib', reason='plots need the eval extra')

from rtrack_ros.benchmarks.tracking.calibration import (
    SceneScores,
    ScoredOurs,
    follow_scene,
    judge_scene,
    reliability_figure,
    reliability_plot,
    reliability_table,
    report_scores,
)
from rtrack_ros.benchmarks.tracking.drawn_scenes import DrawnScene, draw
from rtrack_ros.benchmarks.tracking.plan import Plan, choose_expressions
from rtrack_ros.evaluation.streaming.latency import Fixed
from rtrack_ros.evaluation.streaming.oracle import Faults
from rtrack_ros.evaluation.streaming.protocol import FixedTime
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.simulation import make_scene
from rtrack_ros.tracking.track import TrackState
from rtrack_ros.tracking.tracker import Tracker

PLAN = Plan(Fixed(0.1), 1, 9_400_020, seconds=1.0, sentences=2, cost=FixedTime(0.004),
            faults=Faults(0.0, 0.0, 0.0))
CALIBRATED = SceneScores(1, (0.25,) * 4 + (0.75,) * 4, (True, *[False] * 3, *[True] * 3, False))
BOASTING = SceneScores(2, (0.95,) * 4, (False, False, True, True))


@pytest.fixture(scope='module')
def scene() -> DrawnScene:
    small = make_scene(9_400_020, 1.0, conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    return draw(small, small)


def test_every_published_box_is_noted_with_its_score_on_the_frame_of_its_pair() -> None:
    image = np.random.default_rng(3).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    stamps = [0, 100_000_000, 200_000_000]
    query, method, plain = Query('default', 'the car', 1), ScoredOurs(stamps), Tracker()
    published, expected = [], []
    for number, stamp in enumerate(stamps, start=1):
        pair = FramePair(stamp, image, None)
        published += [(number, *item) for item in method.on_frame(pair, query) or ()]
        expected += [(number, track.id, track.box, track.score)
                     for track in plain.step(pair, (query,))
                     if track.state is TrackState.CONFIRMED]
        answer = Answer(stamp, 'default', 1, (Grounding((20.0, 20, 80, 90), 'car'),))
        method.on_answer(answer)
        plain.apply(answer)
    noted = [(row.frame, row.id, row.box, row.score) for row in method.rows]
    assert noted == expected and len(noted) > 0
    assert [item[:3] for item in noted] == published


def test_a_scene_is_followed_sentence_by_sentence_against_its_truth(scene: DrawnScene) -> None:
    sequences = list(follow_scene(PLAN, scene))
    assert [sequence.truth for sequence in sequences] == [
        scene.meant(item) for item in choose_expressions(scene, 2)]
    judged = judge_scene(scene.seed, sequences)
    assert len(judged.scores) == sum(len(rows) for sequence in sequences
                                     for rows in sequence.tracks.values()) > 0
    # Exact answers a tenth of a second old: most boxes lie where their own frame has them.
    assert np.mean(judged.right) > 0.5


def test_scenes_are_pooled_and_keep_their_own_errors() -> None:
    report = report_scores([CALIBRATED, BOASTING], 10)
    assert report.boxes == 12 and report.share_right == pytest.approx(0.5)
    assert report.mean_score == pytest.approx((4 * 0.25 + 4 * 0.75 + 4 * 0.95) / 12)
    assert report.curve.error == pytest.approx(4 * 0.45 / 12)
    assert report.scene_errors == {1: pytest.approx(0.0), 2: pytest.approx(0.45)}
    squares = 8 * (0.75 * 0.25 ** 2 + 0.25 * 0.75 ** 2) + 2 * 0.95 ** 2 + 2 * 0.05 ** 2
    assert report.brier == pytest.approx(squares / 12)
    assert report.brier_of_constant == pytest.approx(0.25)
    assert report.as_dict()['scene_errors'] == {'1': 0.0, '2': 0.45}


def test_the_table_shows_every_bin_and_the_errors() -> None:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(reliability_table(report_scores([CALIBRATED, BOASTING], 10), 'scores'))
    lines = [line.split() for line in captured.get().splitlines()]
    assert ['0.950', '0.500', '-0.450', '4', '33.3', '%'] in lines
    assert ['0.650', '0.500', '-0.150', '12', 'all'] in lines
    assert 'error 0.150, single scenes 0.000 to 0.450' in ' '.join(sum(lines, []))


def test_nothing_published_is_a_report_without_boxes() -> None:
    report = report_scores([SceneScores(1, (), ())], 10)
    assert (report.boxes, report.curve.bins, report.share_right, report.brier) == (0, (), 0, 0)
    assert ElementTree.fromstring(reliability_plot(report)).tag.endswith('svg')


def test_the_curve_goes_through_its_bins() -> None:
    axes, = reliability_figure(report_scores([CALIBRATED, BOASTING], 10)).axes
    curve, = (line for line in axes.get_lines() if line.get_label().startswith('rtrack_ros'))
    assert curve.get_xydata() == pytest.approx(
        np.array([[0.25, 0.25], [0.75, 0.75], [0.95, 0.5]]))
