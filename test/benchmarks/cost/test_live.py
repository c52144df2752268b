"""What a recording of a play is worth: settling left out, losses counted, the engine's share."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip('rosbags', reason='recordings need the bag extra')

from rtrack_ros.benchmarks.cost import live
from rtrack_ros.benchmarks.cost.live import scripted_answers
from rtrack_ros.benchmarks.cost.memory import Usage
from rtrack_ros.data.mot import MotRow
from rtrack_ros.data.recording import RecordedArray, RecordedStatus
from rtrack_ros.language.parser import parse_answer

MS = 1_000_000
PERIOD_NS = 33_333_333
ROW = MotRow(1, 1, (0.0, 0.0, 10.0, 10.0))


def recorded(stamps: list[int], delay_ms: float) -> list[RecordedArray]:
    return [RecordedArray(stamp, stamp + int(delay_ms * MS), (ROW, ROW), ('a', 'a'))
            for stamp in stamps]


def status(answers: int, latency_ms: float | None) -> RecordedStatus:
    return RecordedStatus(0, answers, 10.0, latency_ms, 'openvino', 'rtrack-nano', failures=3)


def test_the_first_second_is_left_out_and_what_never_came_is_counted() -> None:
    sent = [index * PERIOD_NS for index in range(301)]
    slow, quick = recorded(sent[:20], 500.0), recorded(sent[40:], 12.0)
    usage = [Usage(float(second), 100.0, 0.3 * second) for second in range(11)]
    cost = live._cost(slow + quick, [status(0, None), status(25, 200.0)], sent, usage, False)
    assert cost.played_s == pytest.approx(10.0)
    # 31 frames begin within the first second; of the rest nine were lost.
    assert (cost.sent, cost.published) == (270, 261)
    assert cost.delay_ms(50) == cost.delay_ms(99) == pytest.approx(12.0)
    assert cost.tracks == 2 and (cost.answers, cost.failures) == (25, 3)
    assert cost.busy == pytest.approx(25 * 0.2 / 10)
    assert cost.node_ms == pytest.approx(0.3 * 1e3 / 30.1, rel=1e-3)


def test_a_silent_node_has_no_delay() -> None:
    cost = live._cost([], [], [0, 2 * 1000 * MS], [], False)
    assert (cost.sent, cost.published, cost.delay_ms(99)) == (1, 0, None)
    assert cost.answer_ms is None and cost.busy == 0 and cost.node_ms == 0


def test_a_play_that_is_interrupted_keeps_what_was_recorded(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = [index * PERIOD_NS for index in range(90)]

    class Group:
        def pid(self, name: str) -> int:
            return os.getpid()

    def play(playback: object, watch: Callable[[Group], None]) -> None:
        watch(Group())
        raise KeyboardInterrupt

    monkeypatch.setattr(live, 'play', play)
    monkeypatch.setattr(live, 'read_arrays', lambda path: recorded(stamps, 20.0))
    monkeypatch.setattr(live, 'read_statuses', lambda path: [status(4, 100.0)])
    scene = live.Scene(tmp_path / 'bag', 3.0, ())
    cost = live.measure_live(scene, tmp_path / 'run', {}, 60.0)
    assert cost.interrupted and cost.published == cost.sent > 50
    assert cost.delay_ms(50) == pytest.approx(20.0) and len(cost.usage) == 1
    monkeypatch.setattr(live, 'read_arrays', lambda path: [])
    with pytest.raises(KeyboardInterrupt):
        live.measure_live(scene, tmp_path / 'again', {}, 60.0)


def test_the_scripted_engine_names_ten_boxes_in_the_image(tmp_path: Path) -> None:
    parameters = scripted_answers(tmp_path / 'answers.json')
    assert parameters['engine.name'] == 'scripted'
    text, = json.loads(Path(parameters['engine.model']).read_text())
    found = parse_answer(text, 'rel1000', (640, 480), (320, 256))
    assert len({item.box for item in found}) == live.SCRIPTED_TRACKS
    assert all(0 <= x1 < x2 <= 640 and 0 <= y1 < y2 <= 480
               for x1, y1, x2, y2 in (item.box for item in found))
