"""A model that failed its self-test names objects, and its silence ends none."""

import pytest

from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.pipeline import TrackingPipeline


class Forgetful:
    """Lists the object once, and nothing afterwards."""

    def __init__(self, world) -> None:
        self.world, self.asked = world, 0

    def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
        self.asked += 1
        box = tuple(self.world.boxes(0)[0].tolist())
        groundings = (Grounding(box, 'thing'),) if self.asked == 1 else ()
        return Answer(pair.stamp_ns, query.id, query.epoch, groundings)


@pytest.mark.parametrize('believed', [True, False])
def test_what_a_failed_model_leaves_out_ends_no_track(make_world, make_path, believed) -> None:
    world = make_world([make_path(80, 60, 5, 0)])
    grounder = Forgetful(world)
    pipeline = TrackingPipeline(grounder, synchronous=True, ask_interval_s=0.3, believed=believed)
    pipeline.set_query('the thing')
    for index in range(60):
        tracks = pipeline.push(world.pair(index))
    shown = [track for track in tracks if track.meanings]
    assert grounder.asked > 5 and bool(shown) is not believed
