"""Recordings of a user and of the simulation become streams, truth on the right pairs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt_folder import write_refrt
from rtrack_ros.data.scene_video import write_video
from rtrack_ros.evaluation.streaming.oracle import Faults
from rtrack_ros.evaluation.streaming.recordings import (
    ForwardPairs,
    open_recording,
    open_recordings,
)
from rtrack_ros.frames import FramePair
from rtrack_ros.simulation import Scene, make_scene


class Counting:
    """Four pairs; knows how often it was gone through."""

    fps = 10.0

    def __init__(self) -> None:
        self.passes = 0

    def __len__(self) -> int:
        return 4

    def __iter__(self) -> Iterator[FramePair]:
        self.passes += 1
        for index in range(4):
            yield FramePair(index * 100, np.full((6, 8, 3), index, np.uint8), None)


@pytest.fixture(scope='module')
def scene() -> Scene:
    return make_scene(9_400_010, 0.5, conditions=('day',), fps=8, size=(160, 120),
                      thermal_size=(80, 60))


def test_pairs_are_read_forward_and_begin_anew_when_asked_to_go_back() -> None:
    source = Counting()
    pairs = ForwardPairs(source)
    assert (len(pairs), pairs.stamps_ns, pairs.size) == (4, [0, 100, 200, 300], (8, 6))
    assert [int(pairs[index].rgb[0, 0, 0]) for index in (0, 1, 1, 3)] == [0, 1, 1, 3]
    assert source.passes == 2
    assert int(pairs[2].rgb[0, 0, 0]) == 2
    assert source.passes == 3
    with pytest.raises(IndexError):
        pairs[4]


@pytest.mark.parametrize('kind', ['video', 'refrt', 'bag'])
def test_simulated_recordings_have_one_stream_for_every_sentence(scene: Scene, tmp_path: Path,
                                                                 kind: str) -> None:
    if kind == 'video':
        write_video(tmp_path / 'video', scene)
    elif kind == 'bag':
        pytest.importorskip('rosbags', reason='bags need the bag extra')
        from rtrack_ros.data.scene_bag import write_bag

        write_bag(tmp_path / 'bag', scene)
    else:
        write_refrt(scene, tmp_path)
    recordings = list(open_recordings(tmp_path, fps=8.0))
    assert {item.stream.query.text for item in recordings} == {
        item.text for item in scene.expressions}
    for recording in recordings:
        expression = next(item for item in scene.expressions
                          if item.text == recording.stream.query.text)
        assert [sorted(row.id for row in recording.stream.truth.get(number, []))
                for number in range(1, 5)] == [sorted(ids) for ids in expression.ids]
        assert recording.stream.stamps_ns == recording.stream.instants_ns
        assert recording.size == (160, 120)


def test_one_sentence_can_be_picked_and_an_unknown_one_is_named(scene: Scene, tmp_path: Path
                                                                ) -> None:
    write_refrt(scene, tmp_path)
    text = scene.expressions[2].text
    assert [item.stream.query.text for item in open_recordings(tmp_path, text)] == [text]
    with pytest.raises(DataError, match='a blue whale'):
        list(open_recordings(tmp_path, 'a blue whale'))


def test_files_of_a_user_and_truth_beyond_their_end(scene: Scene, tmp_path: Path) -> None:
    folder = write_video(tmp_path / 'video', scene)
    known = scene.frame(3).objects[0]
    write_mot(tmp_path / 'gt.txt', [MotRow(4, known.id, known.box)])
    recording = open_recording(folder / 'visible.mp4', folder / 'infrared.mp4',
                               tmp_path / 'gt.txt', 'somebody')
    assert len(recording.stream.pairs) == 4
    oracle = recording.oracle(Faults(0.0, 0.0, 0.0))
    assert not oracle.about(2, recording.stream.query).answer.groundings
    told = oracle.about(3, recording.stream.query).answer.groundings[0]
    assert told.box == pytest.approx(known.box, abs=0.01)
    write_mot(tmp_path / 'gt.txt', [MotRow(9, 1, (1.0, 1.0, 9.0, 9.0))])
    with pytest.raises(DataError, match='frame 9'):
        open_recording(folder / 'visible.mp4', None, tmp_path / 'gt.txt', 'somebody')
