"""What stays followed between the answers of a clip, on a clip where that is known."""

import cv2
import numpy as np
import pytest

from rtrack_ros.benchmarks.clip import NumberedPairs, ask_clip, follow_clip, track_clip
from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.detectors.base import Seen
from rtrack_ros.evaluation.sensors import VIEWS, view
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Grounding, OnAnswer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.pipeline import TrackingPipeline
from rtrack_ros.scheduling.detecting import Sources

FPS, FRAMES, KEY = 20, 61, 10
NOISE = np.random.default_rng(3)
GROUND = cv2.GaussianBlur(NOISE.integers(60, 120, (240, 320)).astype(np.uint8), (0, 0), 2)
PATCH = NOISE.integers(0, 255, (80, 40)).astype(np.uint8)


def box_at(index: int) -> Box:
    return 40.0 + 3 * index, 80.0, 80.0 + 3 * index, 160.0


def make_pairs(speckled_rgb: bool = True, missing: int | None = None) -> NumberedPairs:
    """Yield a textured box that crosses the image by 60 pixels per second."""
    for index in range(FRAMES):
        if index + 1 == missing:
            continue
        grey = GROUND.copy()
        x1, y1, x2, y2 = (int(edge) for edge in box_at(index))
        grey[y1:y2, x1:x2] = PATCH
        rgb = np.repeat((grey if speckled_rgb else GROUND)[:, :, None], 3, axis=2)
        yield index + 1, FramePair(round(index * 1e9 / FPS), rgb, grey)


def make_truth() -> MotFrames:
    return {index + 1: [MotRow(index + 1, 1, box_at(index))] for index in range(0, FRAMES, KEY)}


def test_a_box_with_texture_is_followed_between_answers() -> None:
    counts = follow_clip(make_pairs(), make_truth())
    # Key frames at 0, 0.5, ..., 3 s: every other one is an answer.
    assert (counts.answers, counts.boxes) == (4, 3)
    assert counts.kept == counts.covered == 3
    assert counts.as_dict()['followed'] == 1.0


def test_behind_a_damaged_image_the_rows_of_truth_still_meet_their_images() -> None:
    # Counted by position, every box behind it would be three pixels beside its image.
    class Says:
        def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
                   on_partial: OnAnswer | None = None) -> Answer:
            asked.append(round(pair.stamp_ns * 1e-9 * FPS) + 1)
            return Answer(pair.stamp_ns, query.id, query.epoch, ())

    asked: list[int] = []
    ask_clip(make_pairs(missing=15), make_truth(), Says(), Query('q', 'everyone', 1), True)
    assert asked == [1, 11, 21, 31, 41, 51, 61]


def test_without_a_camera_that_sees_it_the_box_is_lost() -> None:
    blind = ((number, view(pair, 'rgb only'))
             for number, pair in make_pairs(speckled_rgb=False))
    assert follow_clip(blind, make_truth()).kept < 3


def test_somebody_new_is_answered_at_once_and_counts_from_then_on() -> None:
    truth = make_truth()
    for number in (11, 31, 51):
        truth[number].append(MotRow(number, 2, (250.0, 10.0, 300.0, 70.0)))
    counts = follow_clip(make_pairs(), truth)
    # Answers at 0, 0.5 (somebody new), 1.5 and 2.5 s; 1, 2 and 3 s are counted.
    assert (counts.answers, counts.boxes) == (4, 3)


@pytest.mark.parametrize('name', VIEWS)
def test_views_blank_one_camera(name: str) -> None:
    _, pair = next(make_pairs())
    seen = view(pair, name)
    assert seen.rgb.any() == (name != 'thermal only')
    assert (seen.thermal is not None) == (name != 'rgb only')


class Points:
    """Answers every question with the same boxes, or with nonsense."""

    def __init__(self, boxes: list[Box] | None) -> None:
        self._boxes = boxes

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None) -> Answer:
        if self._boxes is None:
            raise AnswerError('nonsense')
        return Answer(pair.stamp_ns, query.id, query.epoch,
                      tuple(Grounding(box, 'person') for box in self._boxes))


@pytest.mark.parametrize(('boxes', 'present', 'expected'), [
    ([box_at(0)], True, (1, 6, 6)), ([box_at(0)], False, (0, 7, 0)), ([], False, (0, 0, 0)),
    (None, True, (0, 0, 7))])
def test_answers_about_key_frames_are_counted(boxes: list[Box] | None, present: bool,
                                              expected: tuple[int, int, int]) -> None:
    score = ask_clip(make_pairs(), make_truth(), Points(boxes), Query('q', 'everyone', 1), present)
    assert (score.matched, score.spurious, score.missed) == expected
    assert score.frames == 7 and score.invalid == (7 if boxes is None else 0)


class SeesThePatch:
    """A detector that finds the textured box by its contrast."""

    def __call__(self, image: np.ndarray) -> Seen:
        grey = image if image.ndim == 2 else image[:, :, 0]
        rough = cv2.absdiff(grey, cv2.blur(grey, (5, 5))) > 40
        rough = cv2.blur(rough.astype(np.float32), (9, 9))
        y, x = np.nonzero(rough > 0.3)
        return Seen(np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], float), ('person',),
                    np.array([0.9]))


# 'the people' alone would be followed by the word of the detector, whatever the model says.
@pytest.mark.parametrize(('sentence', 'present'), [
    ('the people', True), ('the person in red', True), ('the person in red', False)])
def test_what_a_detector_sees_and_the_model_means_is_published_and_scored(
        sentence: str, present: bool) -> None:
    class Lists:
        def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
                   on_partial: OnAnswer | None = None) -> Answer:
            box = box_at(round(pair.stamp_ns * 1e-9 * FPS))
            return Answer(pair.stamp_ns, query.id, query.epoch,
                          (Grounding(box, 'person'),) if present else ())

    pipeline = TrackingPipeline(Lists(), synchronous=True, ask_interval_s=1.0,
                                sources=Sources(SeesThePatch()))
    pipeline.set_query(sentence)
    score = track_clip(make_pairs(), make_truth(), pipeline, present)
    assert pipeline.close()
    assert pipeline.stats().detections > 20
    assert score.frames == 7
    assert score.spurious == 0
    assert (score.recall >= 6 / 7) == present
