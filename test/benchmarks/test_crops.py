"""Crops and shared encodings, judged with engines whose worth is known."""

import json

import numpy as np
import pytest

from rtrack_ros.benchmarks import crops
from rtrack_ros.benchmarks.crops import crops_table, run_crops, run_sharing, sharing_line
from rtrack_ros.benchmarks.grounding import Case
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair

SMALL, LARGE = (160.0, 120.0, 192.0, 168.0), (0.0, 0.0, 600.0, 400.0)


@pytest.fixture(autouse=True)
def one_scene(monkeypatch):
    """Three questions: somebody small is there, somebody large is, and nobody is."""
    pair = FramePair(1, np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint8))

    def cases(seed, sentences):
        for truth in ((SMALL,), (LARGE,), ()):
            yield Case(pair, 'the person', truth, 'day', 'class', ())
    monkeypatch.setattr(crops, 'cases', cases)


def answer_on(width):
    """Answer with the small box where the image has this width, with nobody elsewhere."""
    box = [1000 * edge / side for edge, side in zip(SMALL, (640, 480) * 2, strict=True)]
    text = json.dumps([{'bbox_2d': box, 'label': 'person'}])
    return ScriptedEngine(lambda images, prompt: text if images[0].shape[1] == width else '[]')


def test_a_model_that_fails_on_crops_is_found_out():
    result = run_crops(answer_on(640), scenes=2, seed=1, sentences=3)
    assert result['questions'] == 2
    assert [view['all']['f1'] for view in result['views'].values()] == [1.0, 0.0]
    assert result['views']['whole']['mean_iou'] == pytest.approx(1.0)


def test_boxes_in_a_crop_are_scored_on_the_whole_image():
    def middle(images, prompt):
        wide, high = 32 / images[0].shape[1] * 500, 48 / images[0].shape[0] * 500
        box = [500 - wide, 500 - high, 500 + wide, 500 + high]
        return json.dumps([{'bbox_2d': box, 'label': 'person'}])
    views = run_crops(ScriptedEngine(middle), scenes=1, seed=1, sentences=3)['views']
    assert views['whole']['mean_iou'] == 0.0
    assert views['crop']['mean_iou'] > 0.5


def test_asking_together_changes_no_answer_and_is_counted():
    sharing = run_sharing(answer_on(640), pairs=2, seed=1, sentences=3)
    assert (sharing['answers'], sharing['equal_answers']) == (6, 6)
    assert not sharing['shares_images']
    assert 'does not share encodings); 6 of 6 answers equal' in sharing_line(sharing)


def test_the_table_has_whole_images_beside_crops():
    table = crops_table(run_crops(answer_on(640), 1, 1, 3))
    cells = {column.header: list(column.cells) for column in table.columns}
    assert (cells['whole'][0], cells['crop'][0]) == ('1.000', '0.000')
