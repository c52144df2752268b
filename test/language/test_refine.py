"""A world of plain rectangles, and a model that sees it as coarsely as its images are small."""

import json
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import DeadlineError, EngineError
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query
from rtrack_ros.language.refine import Refiner, make_grounder

RED, BLUE = (200, 0, 0), (0, 0, 200)
LEFT, RIGHT = (100, 200, 130, 280), (400, 210, 436, 306)
ANYONE = re.compile('every person|people')
GRID = 40
"""Number of different coordinates along an image that a model of this world can write."""


def world(**people):
    """A pair in which every name's (box, colour) is a rectangle."""
    rgb = np.full((480, 640, 3), 90, np.uint8)
    for (x1, y1, x2, y2), colour in people.values():
        rgb[y1:y2, x1:x2] = colour
    return FramePair(5, rgb, np.zeros((480, 640), np.uint8))


def seen(image, colour):
    """The rectangles of a colour, on the grid of 0 to 1000."""
    mask = (image == np.array(colour, np.uint8)).all(axis=2).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    height, width = mask.shape
    for x, y, w, h, _ in stats[1:].tolist():
        exact = np.array([x / width, y / height, (x + w) / width, (y + h) / height])
        yield (np.round(exact * GRID) * 1000 / GRID).clip(0, 1000).astype(int).tolist()


def written(boxes):
    good = [box for box in boxes if box[0] < box[2] and box[1] < box[3]]
    return json.dumps([{'bbox_2d': box, 'label': 'person'} for box in sorted(good)])


class Eyes:
    """Sees rectangles: from afar only those of given colours, from near all as they are."""

    def __init__(self, from_afar=(RED,), fails_after=None):
        self.from_afar, self.fails_after, self.asked = from_afar, fails_after, []

    def __call__(self, images, prompt):
        text, image = prompt.parts[0], images[0]
        self.asked.append(text.partition('\n')[0])
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            raise DeadlineError('no time')
        if text.startswith('verify'):
            x1, y1, x2, y2 = map(int, re.findall(r'\d+', text)[:4])
            height, width = image.shape[:2]
            middle = image[(y1 + y2) * height // 2000, (x1 + x2) * width // 2000]
            return 'Yes' if tuple(middle) == RED else 'No'
        colours = (RED, BLUE) if ANYONE.search(text) else self.from_afar
        return written(box for colour in colours for box in seen(image, colour))


def engine(eyes, **options):
    return ScriptedEngine(eyes, image_size=(320, 240), **options)


def refined(eyes, pair, sentence='the person in red', **options):
    return make_grounder(engine(eyes, confidence=0.99), refine='always').ground(
        pair, Query('q', sentence, 3), **options)


def boxes(answer):
    return sorted(grounding.box for grounding in answer.groundings)


def overlaps(answer, *truth):
    assert len(answer.groundings) == len(truth)
    return [float(iou([box], [true])[0, 0]) for box, true in zip(boxes(answer), truth,
                                                               strict=True)]


def test_a_box_is_where_it_is_seen_from_near():
    pair = world(one=(LEFT, RED), two=(RIGHT, RED))
    query = Query('q', 'the person in red', 3)
    once = Grounder(engine(Eyes())).ground(pair, query)
    twice = refined(Eyes(), pair)
    assert max(overlaps(once, LEFT, RIGHT)) < 0.8 < 0.9 < min(overlaps(twice, LEFT, RIGHT))
    assert (twice.stamp_ns, twice.query_id, twice.epoch, twice.partial) == (5, 'q', 3, False)


class SeesTwice(Eyes):
    """Lists everyone whom it sees from afar twice, the second time a bit wider."""

    def __call__(self, images, prompt):
        text = super().__call__(images, prompt)
        if len(self.asked) > 1 or not text.startswith('['):
            return text
        boxes = [item['bbox_2d'] for item in json.loads(text)]
        return written(boxes + [[x1, y1, x2 + 10, y2] for x1, y1, x2, y2 in boxes])


def test_who_is_listed_twice_is_one() -> None:
    once = refined(Eyes(), world(left=(LEFT, RED), right=(RIGHT, RED)))
    twice = refined(SeesTwice(), world(left=(LEFT, RED), right=(RIGHT, RED)))
    assert len(once.groundings) == 2
    assert boxes(twice) == [pytest.approx(box, abs=1) for box in boxes(once)]


def test_an_object_that_does_not_match_the_sentence_is_left_out():
    pair = world(one=(LEFT, BLUE), two=(RIGHT, RED))
    eyes = Eyes(from_afar=(RED, BLUE))
    assert overlaps(refined(eyes, pair), RIGHT)[0] > 0.9


def test_another_object_that_surely_matches_joins_the_answer():
    other = (520, 200, 560, 300)
    pair = world(one=(LEFT, RED), two=(RIGHT, BLUE), three=(other, RED))

    class Halfway(Eyes):
        def __call__(self, images, prompt):
            text = super().__call__(images, prompt)
            missed = prompt.parts[0].startswith('the person')
            return json.dumps(json.loads(text)[:1]) if missed else text
    assert min(overlaps(refined(Halfway(), pair), LEFT, other)) > 0.9


@pytest.mark.parametrize('sentence', [
    'the person on the left', 'the nearest person', 'people between the cars',
    'the RIGHTMOST one'])
def test_a_sentence_about_places_is_not_judged_from_near(sentence):
    eyes = Eyes(from_afar=(BLUE,))
    pair = world(one=(LEFT, BLUE), two=(RIGHT, RED))
    assert overlaps(refined(eyes, pair, sentence), *([LEFT] if 'people' not in sentence
                                                     else [LEFT, RIGHT]))[0] > 0.9
    assert not any(text.startswith('verify') for text in eyes.asked)


def test_a_model_that_cannot_verify_refines_places_alone():
    eyes = Eyes(from_afar=(BLUE,))
    grounder = make_grounder(engine(eyes, tasks=('ground',)), refine='always')
    answer = grounder.ground(world(one=(LEFT, BLUE)), Query('q', 'the person in red', 3))
    assert overlaps(answer, LEFT)[0] > 0.9


def test_a_box_that_shows_nothing_from_near_is_left_out():
    class Ghosts(Eyes):
        def __call__(self, images, prompt):
            self.asked.append(prompt.parts[0])
            return written([[300, 300, 340, 400]] if len(self.asked) == 1 else [])
    assert not refined(Ghosts(), world(), 'the person on the left').present


def test_an_empty_answer_costs_one_question_and_a_crop_too():
    eyes = Eyes()
    assert not refined(eyes, world()).present
    assert len(eyes.asked) == 1
    pair = world(one=(LEFT, RED)).crop((0, 100, 320, 340))
    answer = refined(eyes, pair)
    assert len(eyes.asked) == 2 and answer.region == (0, 100, 320, 340)


@pytest.mark.parametrize('questions', range(1, 9))
def test_no_box_of_the_first_answer_is_lost_where_time_runs_out(questions):
    pair = world(one=(LEFT, RED), two=(RIGHT, RED))
    answer = refined(Eyes(fails_after=questions), pair)
    assert min(overlaps(answer, LEFT, RIGHT)) > 0.4


@pytest.mark.parametrize('sentence', ['the person in red', 'the person on the left'])
def test_a_box_stays_where_the_model_says_nothing_readable_about_it(sentence):
    class Mumbles(Eyes):
        def __call__(self, images, prompt):
            text = super().__call__(images, prompt)
            return text if len(self.asked) == 1 else 'Well'
    pair = world(one=(LEFT, RED), two=(RIGHT, RED))
    once = Grounder(engine(Eyes())).ground(pair, Query('q', sentence, 3))
    assert boxes(refined(Mumbles(), pair, sentence)) == boxes(once)


def test_a_failure_of_the_first_question_is_an_error():
    with pytest.raises(EngineError, match='no time'):
        refined(Eyes(fails_after=0), world())


def test_the_deadline_is_that_of_all_questions_together(monkeypatch):
    now = [100.0]

    class Slow(Eyes):
        def __call__(self, images, prompt):
            now[0] += 0.05
            return super().__call__(images, prompt)
    monkeypatch.setattr('rtrack_ros.language.refine.time',
                        SimpleNamespace(perf_counter=lambda: now[0]))
    eyes = Slow()
    answer = refined(eyes, world(one=(LEFT, RED)), deadline_s=0.12)
    assert len(eyes.asked) == 3, 'the fourth would begin after the deadline'
    assert answer.latency_ms == pytest.approx(150) and len(answer.groundings) == 1


def test_boxes_are_passed_on_as_soon_as_they_are_final():
    partial = []
    pair = world(one=(LEFT, RED), two=(RIGHT, RED))
    answer = refined(Eyes(), pair, on_partial=partial.append)
    assert [one.groundings for one in partial] == [answer.groundings[:1], answer.groundings[:2]]
    assert all(one.partial and one.stamp_ns == 5 for one in partial)


def test_a_large_object_is_seen_from_near_already():
    eyes = Eyes()
    pair = world(one=((10, 10, 630, 470), RED))
    refined(eyes, pair, 'the person on the left')
    assert len(eyes.asked) == 1


def test_the_model_says_whether_it_gains():
    plain = engine(Eyes())
    assert isinstance(make_grounder(plain), Grounder)
    assert isinstance(make_grounder(plain, refine='always'), Refiner)
    plain.capabilities().__dict__['refine'] = True
    assert isinstance(make_grounder(plain), Refiner)
    assert isinstance(make_grounder(plain, refine='never'), Grounder)
    with pytest.raises(ValueError, match='auto, always, never'):
        make_grounder(plain, refine='sometimes')
