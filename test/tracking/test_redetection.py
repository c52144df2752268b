"""A frame has room for a few re-detections; the track that waited longest comes first."""

import numpy as np
import pytest

from rtrack_ros.tracking.appearance.siamese import cut
from rtrack_ros.tracking.belief import Certainty
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame, SiameseMeasurement
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.filter_step import answer_sigma, update_from_siamese
from rtrack_ros.tracking.redetection import Redetector
from rtrack_ros.tracking.tracklet import Tracklet

CONFIG = TrackerConfig(siamese_per_frame=2)


@pytest.fixture
def world(make_world, make_path):
    return make_world([make_path(80, 60, 0, 0), make_path(420, 120, 0, 0),
                       make_path(250, 300, 0, 0, 80, 60)])


def frame(world, index: int) -> Frame:
    pair = world.pair(index)
    return Frame(pair.stamp_ns, 1 / 30, Views.of(pair, 320, 640), (pair.width, pair.height))


def tracked(world) -> tuple[list[Tracklet], np.ndarray]:
    boxes, first = world.boxes(0), frame(world, 0)
    tracklets = [Tracklet(number, 'thing', Certainty(0.9), 0, template=cut(first.views, box))
                 for number, box in enumerate(boxes)]
    return tracklets, kalman.new_states(boxes, answer_sigma(boxes, first.size, CONFIG.accuracy))


def ready(config: TrackerConfig = CONFIG) -> Redetector:
    redetector = Redetector()
    redetector.prepare(config)
    return redetector


def test_all_tracks_are_looked_for_in_turn(world) -> None:
    (tracklets, states), redetector = tracked(world), ready()
    seen = []
    for index in range(1, 4):
        now = frame(world, index)
        redetector.redetect(now, tracklets, states, CONFIG)
        seen.append(set(now.measurements))
    assert [len(names) for names in seen] == [2, 2, 2]
    assert seen[0] | seen[1] == {0, 1, 2}
    assert set.union(*seen[1:]) == {0, 1, 2}
    assert now.measurements[min(seen[2])].interval_s == pytest.approx(2 / 30, rel=0.6)


def test_beside_a_slow_thermal_camera_a_track_waits_for_its_next_image(world) -> None:
    (tracklets, states), redetector = tracked(world), ready()
    looked = []
    for index in range(1, 16):
        # Images of thermal at 10 Hz; then the camera is silent.
        world.thermal = index in (1, 4, 7)
        now = frame(world, index)
        redetector.redetect(now, tracklets, states, CONFIG)
        looked.append(len(now.measurements))
    # The third track, for which the frame with thermal had no room, does not wait.
    assert looked[:9] == [2, 1, 0] * 3
    assert looked[9:12] == [0, 0, 0] and looked[13:] == [2, 2], 'a silent camera is not waited for'


def test_a_track_without_a_template_or_that_has_ended_is_not_looked_for(world) -> None:
    tracklets, states = tracked(world)
    tracklets[1].template = None
    now = frame(world, 1)
    ready().redetect(now, [None, *tracklets[1:]], states, CONFIG)
    assert set(now.measurements) == {2}


def test_a_measurement_draws_a_box_back_onto_its_object(world) -> None:
    tracklets, states = tracked(world)
    states[:, 0, :2] += 12.0
    states[:, 2] = 400.0
    now = frame(world, 1)
    ready().redetect(now, tracklets, states, TrackerConfig())
    moved = update_from_siamese(states, frame(world, 0), now, [0, 1, 2], TrackerConfig())
    before = np.abs(kalman.boxes_of(states) - world.boxes(1)).mean()
    after = np.abs(kalman.boxes_of(moved) - world.boxes(1)).mean()
    assert after < 0.6 * before


def seen_wider(states: np.ndarray, others: list[np.ndarray], sigma: float = 3.0) -> float:
    """Return by how much a box is wider after the network saw it wider by 8 pixels."""
    box = kalman.boxes_of(states[:1])[0] + np.array([-4.0, 0.0, 4.0, 0.0])
    seen = SiameseMeasurement(box, np.full(4, sigma), 0.9, 0.1)
    now = Frame(1, 1 / 30, None, (640, 480), measurements={0: seen})
    now.states = {number: state for number, state in enumerate(others, start=7)}
    before = Frame(0, 0.0, None, (640, 480))
    after = update_from_siamese(states, before, now, list(range(len(states))), CONFIG)
    return float(after[0, 0, 2] - states[0, 0, 2])


def test_width_follows_a_sure_network_at_once_unless_another_box_is_near() -> None:
    boxes = np.array([(100.0, 100, 180, 300), (150, 100, 230, 300), (300, 100, 380, 300)])
    one, near, far = kalman.new_states(boxes, np.full((3, 4), 2.0))
    assert seen_wider(one[None], [far]) > 7
    assert seen_wider(one[None], [far], sigma=12.0) < 4
    assert seen_wider(np.stack([one, near]), []) < 4
    assert seen_wider(one[None], [near]) < 4


@pytest.mark.parametrize(('rival', 'drawn'), [
    ((130, 100, 210, 300), False),   # it stands where the network saw the object
    ((100, 100, 180, 300), True),    # it lies on the same object: a track of another sentence
    ((300, 100, 380, 300), True)])
def test_a_measurement_of_another_tracks_object_does_not_count(rival, drawn) -> None:
    boxes = np.array([(100.0, 100, 180, 300), rival])
    mine, other = kalman.new_states(boxes, np.full((2, 4), 9.0))
    seen = SiameseMeasurement(np.array([125.0, 100, 205, 300]), np.full(4, 2.0), 0.95, 0.1)
    before = Frame(0, 0.0, None, (640, 480))
    for ids, others in (([0, 7], {}), ([0], {7: other})):
        now = Frame(1, 1 / 30, None, (640, 480), states=dict(others), measurements={0: seen})
        states = np.stack([mine, other])[:len(ids)]
        moved = update_from_siamese(states, before, now, ids, CONFIG)[0, 0, 0] - mine[0, 0]
        assert moved > 10 if drawn else moved == 0


def test_without_redetection_nothing_is_loaded_or_measured(world) -> None:
    tracklets, states = tracked(world)
    now = frame(world, 1)
    without = TrackerConfig(siamese_per_frame=0)
    ready(without).redetect(now, tracklets, states, without)
    assert now.measurements == {}
