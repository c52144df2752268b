"""A target that is shown in a box is looked for around its track."""

from dataclasses import dataclass

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Grounding
from rtrack_ros.language.closeup import SEARCH_FACTOR, window_around
from rtrack_ros.language.locator import Template
from rtrack_ros.language.queries import QueryError
from rtrack_ros.pipeline import RequestError, TrackingPipeline
from rtrack_ros.tracking.track import Track, TrackState


@dataclass
class Finder:
    """A locator that knows the world; it finds what its window shows, unless it is blind."""

    world: object
    number: int = 0
    blind: bool = False
    asked: int = 0
    ignorant: bool = False

    def template(self, pair: FramePair, box: Box) -> Template:
        return Template(pair, box)

    def window(self, pair, believed_box):
        return window_around(believed_box, SEARCH_FACTOR, (pair.width, pair.height), (320, 240))

    def locate(self, template, pair, believed_box, deadline_s=None) -> Grounding | None:
        self.asked += 1
        index = round((pair.stamp_ns - self.world.stamp(0)) * 30e-9)
        box = tuple(self.world.boxes(index)[self.number].tolist())
        left, top, right, bottom = self.window(pair, believed_box)
        inside = left <= box[0] and top <= box[1] and box[2] <= right and box[3] <= bottom
        if self.ignorant:
            return Grounding((5.0, 5.0, 45.0, 45.0), 'thing')
        return None if self.blind or not inside else Grounding(box, 'thing')


class Speechless:
    """A grounder that must not be asked."""

    def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
        raise AssertionError(f'asked about {query.text!r}')


class Poet:
    """Describes what it is shown, or fails."""

    error: Exception | None = None

    def describe(self, pair, box, deadline_s=None) -> str:
        if self.error is not None:
            raise self.error
        return f'thing at {box[0]:.0f}'


@pytest.fixture
def world(make_world, make_path):
    return make_world([make_path(80, 60, 90, 20), make_path(420, 120, -70, 10)])


@pytest.fixture
def finder(world) -> Finder:
    return Finder(world)


def follow(finder: Finder, **settings) -> TrackingPipeline:
    return TrackingPipeline(Speechless(), synchronous=True, ask_interval_s=0.3, locator=finder,
                            **settings)


def shown(tracks: list[Track]) -> list[Track]:
    return [track for track in tracks if track.state is TrackState.CONFIRMED]


def test_a_target_is_followed_from_its_box(world, finder) -> None:
    pipeline = follow(finder)
    assert pipeline.push(world.pair(0)) == []
    begun = pipeline.initialize(tuple(world.boxes(0)[0]), 'the ball')
    for index in range(1, 50):
        (track,) = shown(pipeline.push(world.pair(index)))
        assert (track.id, track.beliefs[0].query_id) == (begun.id, 'default')
    assert finder.asked == 2 + 6  # two questions of its examination
    assert track.box == pytest.approx(world.boxes(49)[0], abs=10)
    assert [query.text for query in pipeline.active_queries()] == ['the ball']


def test_a_target_is_in_one_place(world, finder) -> None:
    pipeline = follow(finder)
    pipeline.push(world.pair(0))
    pipeline.initialize(tuple(world.boxes(0)[0]))
    finder.number = 1  # from now on the model takes the other object for it
    for index in range(1, 40):
        assert len(shown(pipeline.push(world.pair(index)))) <= 1


def test_a_box_of_an_earlier_frame_is_carried_to_now(world, finder) -> None:
    pipeline = follow(finder)
    for index in range(20):
        pipeline.push(world.pair(index))
    track = pipeline.initialize(tuple(world.boxes(8)[0]), stamp_ns=world.stamp(8))
    assert track.box == pytest.approx(world.boxes(19)[0], abs=8)


def test_a_word_does_not_end_what_the_eye_follows(world, finder) -> None:
    pipeline = follow(finder)
    pipeline.push(world.pair(0))
    begun = pipeline.initialize(tuple(world.boxes(0)[0]))
    scores = []
    for index in range(1, 90):
        finder.blind = index > 30
        (track,) = shown(pipeline.push(world.pair(index)))
        assert track.id == begun.id
        scores.append(track.score)
    assert track.box == pytest.approx(world.boxes(89)[0], abs=10)
    assert min(scores[40:]) < 0.6 < scores[29], 'the score says doubt'


@pytest.mark.parametrize('failing', ['blind', 'ignorant'])
def test_a_model_that_fails_in_the_picture_that_shows_the_target_is_not_believed(
        world, finder, failing) -> None:
    setattr(finder, failing, True)
    pipeline = follow(finder)
    pipeline.push(world.pair(0))
    begun = pipeline.initialize(tuple(world.boxes(0)[0]))
    for index in range(1, 120):
        (track,) = shown(pipeline.push(world.pair(index)))
        assert track.id == begun.id
    assert track.box == pytest.approx(world.boxes(119)[0], abs=12)
    assert pipeline.stats().distrusted == ('default',)


def test_a_model_that_passes_is_not_among_those_distrusted(world, finder) -> None:
    pipeline = follow(finder)
    pipeline.push(world.pair(0))
    pipeline.initialize(tuple(world.boxes(0)[0]))
    for index in range(1, 40):
        pipeline.push(world.pair(index))
    assert pipeline.stats().distrusted == ()


def test_an_engine_that_fails_in_the_examination_is_examined_again(world, finder) -> None:
    pipeline, locate = follow(finder), finder.locate

    def failing(*args, **options):
        raise EngineError('busy')

    finder.locate = failing
    pipeline.push(world.pair(0))
    pipeline.initialize(tuple(world.boxes(0)[0]))
    for index in range(1, 20):
        pipeline.push(world.pair(index))
    finder.locate = locate
    for index in range(20, 40):
        pipeline.push(world.pair(index))
    assert finder.asked >= 2 + 1 and pipeline.stats().distrusted == ()


def hidden(world, index: int) -> FramePair:
    """Show the world without its objects."""
    paths, world.paths = world.paths, [lambda seconds: (-200.0, -200.0, -160.0, -160.0)] * 2
    pair, world.paths = world.pair(index), paths
    return pair


def test_a_target_that_is_gone_is_lost_and_later_found_under_its_id(make_world, make_path
                                                                    ) -> None:
    world = make_world([make_path(80, 60, 0, 0), make_path(420, 120, -70, 10)])
    finder = Finder(world)
    pipeline = follow(finder)
    pipeline.push(world.pair(0))
    begun = pipeline.initialize(tuple(world.boxes(0)[0]))
    for index in range(1, 30):
        pipeline.push(world.pair(index))
    finder.blind = True
    for index in range(30, 80):
        tracks = pipeline.push(hidden(world, index))
    assert shown(tracks) == []
    finder.blind = False
    for index in range(80, 95):
        tracks = pipeline.push(world.pair(index))
    assert [track.id for track in shown(tracks)] == [begun.id]


def test_a_sentence_takes_the_place_of_a_target_and_back(world, finder) -> None:
    pipeline = follow(finder)
    pipeline.push(world.pair(0))
    first = pipeline.initialize(tuple(world.boxes(0)[0]), 'thing')
    with pytest.raises(QueryError):
        pipeline.initialize(tuple(world.boxes(0)[0]), '  ')
    pipeline.set_query('thing')
    (query,) = pipeline.active_queries()
    assert not query.by_template
    second = pipeline.initialize(tuple(world.boxes(0)[1]), 'thing')
    assert second.id != first.id
    pipeline.set_query('')
    assert shown(pipeline.push(world.pair(1))) == []


@pytest.mark.parametrize(('box', 'stamp', 'remedy'), [
    ((50.0, 50.0, 40.0, 90.0), None, 'x1 < x2'), ((-90.0, 0.0, -10.0, 40.0), None, 'covers less'),
    ((float('nan'), 0.0, 50.0, 40.0), None, 'covers less'),
    ((50.0, 50.0, 90.0, 90.0), 12345, 'a recent RGB image')])
def test_a_box_that_cannot_be_followed_is_refused_and_changes_nothing(
        world, finder, box: Box, stamp: int | None, remedy: str) -> None:
    pipeline = follow(finder)
    with pytest.raises(RequestError, match='no image came yet'):
        pipeline.initialize((50.0, 50.0, 90.0, 90.0))
    pipeline.push(world.pair(0))
    with pytest.raises(RequestError, match=remedy):
        pipeline.initialize(box, stamp_ns=stamp)
    assert pipeline.active_queries() == ()


def test_a_model_that_cannot_do_a_task_is_refused_with_its_name(world) -> None:
    pipeline = TrackingPipeline(Speechless(), synchronous=True)
    pipeline.push(world.pair(0))
    with pytest.raises(RequestError, match='locate'):
        pipeline.initialize((50.0, 50.0, 90.0, 90.0))
    with pytest.raises(RequestError, match='describe'):
        pipeline.describe(1)


@pytest.mark.parametrize('live', [True, False])
def test_a_track_is_described_where_it_is_now(world, finder, live: bool) -> None:
    poet = Poet()
    pipeline = TrackingPipeline(Speechless(), synchronous=not live, locator=finder,
                                describer=poet)
    pipeline.push(world.pair(0))
    track = pipeline.initialize(tuple(world.boxes(0)[0]))
    with pytest.raises(RequestError, match=f'there are {track.id}'):
        pipeline.describe(77)
    assert pipeline.describe(track.id).result(20) == f'thing at {track.box[0]:.0f}'
    poet.error = OSError('the engine failed')
    with pytest.raises(OSError, match='the engine failed'):
        pipeline.describe(track.id).result(20)
    assert pipeline.close()
