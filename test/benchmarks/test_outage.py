"""A played scene whose detector dies, returns, and looks at a resized image."""

import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')
pytest.importorskip('rosbags', reason='bags need the bag extra')

from rich.console import Console

from rtrack_ros.benchmarks.outage import (
    WITH,
    WITHOUT,
    PhaseResult,
    SimulatedDay,
    as_dict,
    outage_table,
    phase_at,
    sentences_by_phase,
)
from rtrack_ros.data.recording import RecordedStatus
from rtrack_ros.evaluation.streaming.oracle import Faults
from rtrack_ros.simulation import make_scene

SCENE = make_scene(9, seconds=2.0, conditions=('day',), fps=20, size=(320, 240),
                   thermal_size=(160, 120))
SECOND = 1_000_000_000


def near(box) -> tuple[int, ...]:
    return tuple(round(edge / 3) for edge in box)


def said(detections) -> set[tuple[str, tuple[int, ...]]]:
    return {(item.label, near(item.box)) for item in detections}


def test_a_day_of_the_detector() -> None:
    day = SimulatedDay(SCENE, Faults(miss_rate=0.0, false_rate=0.0, jitter=0.0))
    frames = list(SCENE)
    sent = {frame.index: day(frame) for frame in frames}
    assert [index for index, message in sent.items() if message is not None] \
        == [index for index in range(0, 40, 3) if not 12 <= index < 22]
    true, scaled = sent[0].detections, sent[36].detections
    assert said(true) == {(item.category, near(item.box)) for item in frames[0].objects}
    assert said(scaled) == {(item.category, near([2 * edge for edge in item.box]))
                            for item in frames[36].objects}
    assert all(message.logged_ns > message.stamp_ns for message in sent.values() if message)


@pytest.mark.parametrize(('share', 'name'), [
    (0.0, 'well'), (0.299, 'well'), (0.3, 'dead'), (0.6, 'back'),
    (0.99, 'looks at a larger image')])
def test_phases(share, name) -> None:
    assert phase_at(share).name == name


def test_what_the_node_says_is_told_once_by_phase() -> None:
    def status(at_s: float, message: str) -> RecordedStatus:
        return RecordedStatus(round(at_s * SECOND), 0, None, None, '', '', message=message)

    said = sentences_by_phase([status(-1, 'early'), status(1, ''), status(4, 'none for 3 s'),
                               status(5, 'none for 4 s'), status(9, 'larger'), status(99, 'late')],
                              0, 10.0)
    assert said == {'dead': ('none for N s',), 'looks at a larger image': ('larger',)}


def test_the_table_has_the_score_without_the_detector_beside_each_phase() -> None:
    results = {WITH: {'dead': PhaseResult(61.25, 70.0, 80.0, ('detections stopped',))},
               WITHOUT: {'dead': PhaseResult(58.75, 60.0, 70.0, ())}}
    console = Console(width=120)
    with console.capture() as shown:
        console.print(outage_table(results))
    assert all(text in shown.get() for text in ('dead', '61.2', '58.8', 'detections stopped'))
    assert as_dict(results)[WITHOUT]['dead']['hota'] == 58.75
