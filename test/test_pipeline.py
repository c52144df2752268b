"""Queries, tracker and model together."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.boxes import iou
from rtrack_ros.detections import Detection, Detections
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import Region
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.pipeline import (
    PipelineConfig,
    RequestError,
    TrackingPipeline,
    build_pipeline,
)
from rtrack_ros.scheduling.expected_gain import Worth
from rtrack_ros.scheduling.scheduler import Schedule
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import published


class Oracle:
    """Answers from the world's truth, once it may."""

    def __init__(self, world) -> None:
        self.world = world
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.stamps: list[int] = []
        self.regions: list[Region | None] = []
        self.deadlines: list[float | None] = []
        self.error: Exception | None = None

    def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
        self.stamps.append(pair.stamp_ns)
        self.regions.append(pair.region)
        self.deadlines.append(deadline_s)
        assert self.may_answer.wait(20)
        if self.error is not None:
            raise self.error
        index = round((pair.stamp_ns - self.world.stamp(0)) / (self.world.stamp(1)
                                                               - self.world.stamp(0)))
        truth = self.world.answer(index, epoch=query.epoch)
        return Answer(truth.stamp_ns, query.id, query.epoch, truth.groundings, 12.5, pair.region)


def wait_for(happened: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end, 'did not happen in time'
        time.sleep(0.002)


@pytest.fixture
def world(make_world, make_path):
    return make_world([make_path(80, 60, 90, 20), make_path(420, 120, -70, 10)])


def test_synchronous_asks_by_stamp_and_repeats_exactly(world) -> None:
    def once():
        oracle = Oracle(world)
        pipeline = TrackingPipeline(oracle, synchronous=True, ask_interval_s=0.3)
        pipeline.set_query('all')
        tracks = [pipeline.push(world.pair(index)) for index in range(20)]
        return tracks, oracle.stamps, pipeline.stats()
    tracks, stamps, stats = once()
    assert once()[0] == tracks
    assert stamps == [world.stamp(0), world.stamp(9), world.stamp(18)]
    assert all(len(frame) == 2 for frame in tracks)
    assert (stats.pairs, stats.answers, stats.tracks_alive) == (20, 3, 2)
    assert stats.answer_age_ms == pytest.approx(1000 / 30, abs=0.1)
    assert stats.answer_latency_ms == 12.5
    assert stats.answer_age_ms == pytest.approx(1e3 / 30)


def test_without_a_query_nothing_is_asked_or_tracked(world) -> None:
    oracle = Oracle(world)
    pipeline = TrackingPipeline(oracle, synchronous=True)
    assert pipeline.push(world.pair(0)) == []
    assert oracle.stamps == []
    pipeline.set_query('all')
    assert len(pipeline.push(world.pair(1))) == 2
    pipeline.set_query('')
    assert published(pipeline.push(world.pair(2))) == []


def test_a_live_pipeline_never_waits_for_the_model(world) -> None:
    oracle = Oracle(world)
    oracle.may_answer.clear()
    pipeline = TrackingPipeline(oracle)
    pipeline.set_query('all')
    assert [pipeline.push(world.pair(index)) for index in range(20)] == [[]] * 20
    wait_for(lambda: oracle.stamps)
    assert (pipeline.stats().pairs, pipeline.stats().answers) == (20, 0)
    oracle.may_answer.set()
    wait_for(lambda: pipeline.stats().answers)
    assert len(pipeline.push(world.pair(20))) == 2
    assert pipeline.close()


def test_a_query_change_in_flight_drops_the_answer(world) -> None:
    oracle = Oracle(world)
    oracle.may_answer.clear()
    pipeline = TrackingPipeline(oracle)
    pipeline.set_query('all')
    pipeline.push(world.pair(0))
    wait_for(lambda: oracle.stamps)
    pipeline.set_query('somebody else')
    pipeline.push(world.pair(1))
    oracle.may_answer.set()
    wait_for(lambda: pipeline.stats().answers_stale_epoch == 1)
    assert pipeline.close()


@pytest.mark.parametrize(('error', 'field'), [(EngineError('gone'), 'engine_errors'),
                                              (AnswerError('cut'), 'answers_invalid')])
def test_failures_show_in_stats_and_tracks_go_on(world, error, field) -> None:
    oracle = Oracle(world)
    pipeline = TrackingPipeline(oracle, synchronous=True, ask_interval_s=0.1)
    pipeline.set_query('all')
    pipeline.push(world.pair(0))
    oracle.error = error
    tracks = [pipeline.push(world.pair(index)) for index in range(1, 8)][-1]
    assert len(tracks) == 2
    assert getattr(pipeline.stats(), field) == 2
    assert str(error) in pipeline.stats().last_error


def test_reset_forgets_tracks_and_keeps_queries(world) -> None:
    pipeline = TrackingPipeline(Oracle(world), synchronous=True, ask_interval_s=10.0)
    pipeline.set_query('all')
    first = {track.id for track in pipeline.push(world.pair(5))}
    pipeline.reset()
    assert pipeline.stats().answer_age_ms is None
    second = {track.id for track in pipeline.push(world.pair(6))}
    assert len(first) == len(second) == 2 and not first & second


def closer(make_world, make_path, synchronous: bool) -> tuple[Oracle, TrackingPipeline]:
    """A pipeline that may crop, about one small object, with its oracle."""
    oracle = Oracle(make_world([make_path(200, 200, 30, 0, 30, 50)]))
    pipeline = TrackingPipeline(oracle, synchronous=synchronous, schedule=Schedule(
        full_frame_interval_s=0.5, crop_size=(256, 192)))
    pipeline.set_query('all')
    return oracle, pipeline


def test_a_sure_track_is_looked_at_closely_and_newcomers_are_looked_for(make_world,
                                                                        make_path) -> None:
    oracle, pipeline = closer(make_world, make_path, synchronous=True)
    tracks = [pipeline.push(oracle.world.pair(index)) for index in range(20)]
    whole = [index for index, region in enumerate(oracle.regions) if region is None]
    # Two answers make a track sure; 15 pairs later newcomers are looked for.
    assert whole == [0, 1, 16]
    assert {(x2 - x1, y2 - y1) for x1, y1, x2, y2 in filter(None, oracle.regions)} == {(256, 192)}
    assert len({track.id for frame in tracks for track in frame}) == 1
    assert (pipeline.stats().questions, pipeline.stats().questions_about_crops) == (20, 17)


def test_a_live_camera_and_its_recording_are_asked_about_the_same(make_world, make_path) -> None:
    asked = []
    for synchronous in (True, False):
        oracle, pipeline = closer(make_world, make_path, synchronous)
        for index in range(20):
            pipeline.push(oracle.world.pair(index))
            wait_for(lambda pipeline=pipeline, index=index: pipeline.stats().answers > index)
        asked.append((oracle.stamps, oracle.regions))
        assert pipeline.close()
    assert asked[0] == asked[1]


def test_several_queries_of_a_file_are_asked_about_one_pair_and_counted(world) -> None:
    oracle = Oracle(world)
    pipeline = TrackingPipeline(oracle, synchronous=True, ask_interval_s=0.3)
    for name in ('first', 'second', 'third'):
        pipeline.set_query('all', name)
    tracks = pipeline.push(world.pair(0))
    assert oracle.stamps == [world.stamp(0)] * 3
    assert len(tracks) == 2, 'one for each object, not for each sentence'
    assert all({belief.query_id for belief in track.meanings} == {'first', 'second', 'third'}
               for track in tracks)
    stats = pipeline.stats()
    assert (stats.questions, stats.questions_sharing_a_pair) == (3, 2)


@pytest.mark.parametrize(('synchronous', 'deadline_s', 'expected'), [
    (False, None, 9.0), (False, 0.7, 0.7), (True, 0.7, None)])
def test_live_questions_have_a_deadline_and_those_of_a_file_none(world, synchronous, deadline_s,
                                                                 expected) -> None:
    oracle = Oracle(world)
    pipeline = TrackingPipeline(oracle, TrackerConfig(history_length_s=9.0), synchronous,
                                schedule=Schedule(deadline_s=deadline_s))
    pipeline.set_query('all')
    pipeline.push(world.pair(0))
    wait_for(lambda: oracle.deadlines)
    assert oracle.deadlines == [expected]
    assert pipeline.close()


def test_the_front_door_offers_what_the_model_can_do(world) -> None:
    able = build_pipeline(ScriptedEngine(), live=False)
    unable = build_pipeline(ScriptedEngine(tasks=('ground',)), live=False)
    for pipeline in (able, unable):
        pipeline.push(world.pair(0))
    assert able.initialize((80.0, 60.0, 140.0, 140.0)).id == 1
    with pytest.raises(RequestError, match='not trained to locate'):
        unable.initialize((80.0, 60.0, 140.0, 140.0))


def test_the_front_door_asks_files_at_intervals_and_cameras_in_a_thread(world) -> None:
    for live, questions in ((False, 1), (True, 1)):
        engine = ScriptedEngine()
        pipeline = build_pipeline(engine, live=live, ask_interval_s=10.0)
        pipeline.set_query('all')
        pipeline.push(world.pair(0))
        if live:
            wait_for(lambda pipeline=pipeline: pipeline.stats().answers)
        assert engine.calls == questions
        assert pipeline.close()


def test_the_accuracy_of_the_model_goes_before_that_of_the_settings() -> None:
    engine, measured = ScriptedEngine(), AnswerAccuracy(0.7, 0.1)
    assert build_pipeline(engine).tracker.config.accuracy == AnswerAccuracy()
    known = replace(engine.capabilities(), accuracy=measured)
    engine.capabilities = lambda: known
    pipeline = build_pipeline(engine, PipelineConfig(TrackerConfig(min_score=0.3)))
    assert pipeline.tracker.config == TrackerConfig(min_score=0.3, accuracy=measured)


def test_settings_change_while_tracks_stay(world) -> None:
    oracle = Oracle(world)
    pipeline = TrackingPipeline(oracle, TrackerConfig(accuracy=AnswerAccuracy(0.9, 0.1)),
                                synchronous=True, ask_interval_s=10.0)
    pipeline.set_query('all')
    before = pipeline.push(world.pair(0))
    pipeline.reconfigure(TrackerConfig(prediction_horizon_s=0.5, flow_width=200,
                                       siamese_width=400), Schedule())
    after = [pipeline.push(world.pair(index)) for index in range(1, 9)][-1]
    assert [track.id for track in after] == [track.id for track in before] == [1, 2]
    ahead = world.boxes(8 + 15)
    for track, box in zip(after, ahead, strict=True):
        assert abs(track.box[0] - box[0]) < 8.0, 'boxes lead by half a second now'
    assert pipeline.tracker.config.accuracy == AnswerAccuracy(0.9, 0.1)


def test_after_a_reset_everything_is_asked_about_again(world) -> None:
    oracle = Oracle(world)
    pipeline = TrackingPipeline(oracle, synchronous=True, ask_interval_s=10.0)
    pipeline.set_query('all')
    for index in range(3):
        pipeline.push(world.pair(index))
    pipeline.reset()
    pipeline.push(world.pair(3))
    assert oracle.stamps == [world.stamp(0), world.stamp(3)]


class TestJudge:
    """With a detector the model is asked whether the sentence means this object."""

    @pytest.mark.parametrize('live', [True, False])
    def test_what_is_detected_and_affirmed_is_published(self, world, live: bool) -> None:
        judge = Judge(world, meant=1)
        pipeline = TrackingPipeline(
            Speechless(), synchronous=not live, ask_interval_s=0.1, verifier=judge,
            schedule=Schedule(worth=Worth(ground_s=9.0, verify_s=1e-6)))
        pipeline.set_query('the thing in red')
        for index in range(60):
            tracks = pipeline.push(world.pair(index))
            if index % 3 == 0:
                pipeline.detect(Detections(world.stamp(index), tuple(
                    Detection(tuple(map(float, box)), 'thing', 0.9)
                    for box in world.boxes(index))))
            if live:
                assert index < 10 or judge.asked.wait(5)
        assert pipeline.close()
        (track,) = published(tracks)
        assert track.box == pytest.approx(world.boxes(59)[1], abs=10)
        assert len(tracks) == 2 and pipeline.stats().verdicts > 1
        assert pipeline.stats().questions_about_objects > 0


class Speechless:
    """Grounds nothing."""

    def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
        raise AnswerError('no answer')


class Judge:
    """Knows which object is meant."""

    def __init__(self, world, meant: int) -> None:
        self._world, self._meant = world, meant
        self.asked = threading.Event()

    def verify(self, pair, box, sentence, deadline_s=None) -> float:
        self.asked.set()
        index = round((pair.stamp_ns - self._world.stamp(0)) / (self._world.stamp(1)
                                                                - self._world.stamp(0)))
        overlap = iou([box], self._world.boxes(index))[0]
        return 0.95 if overlap.argmax() == self._meant else 0.05
