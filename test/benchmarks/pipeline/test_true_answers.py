"""The crowd's true answers: an image is known again, and its boxes come back."""

import numpy as np
import pytest

from rtrack_ros.benchmarks.pipeline import true_answers
from rtrack_ros.boxes import iou
from rtrack_ros.data.bag import read_pairs
from rtrack_ros.frames import FramePair
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query

pytest.importorskip('rosbags', reason='recordings need the bag extra')
from rtrack_ros.benchmarks.pipeline.scenes import crowd_scenes


def test_every_recorded_image_is_answered_with_the_boxes_of_its_crowd(tmp_path, monkeypatch):
    monkeypatch.setattr(true_answers, 'DELAY_S', 0.0)
    scenes = crowd_scenes(tmp_path, 0.3, [1, 20])
    for number, scene in scenes.items():
        grounder = Grounder(true_answers.true_engine(scene.answers), max_boxes=20)
        expression = scene.truth.expression(scene.queries[0].text)
        for index, pair in enumerate(read_pairs(scene.bag)):
            answer = grounder.ground(pair, Query('q', 'anything', 1))
            meant = [item.box for item in scene.truth.frames[index].objects
                     if item.id in expression.ids[index]]
            assert len(meant) == len(answer.groundings) == number
            assert min(iou([box], [one.box])[0, 0] for box, one in
                       zip(meant, answer.groundings, strict=True)) > 0.8
        other = FramePair(1, np.zeros((480, 640, 3), np.uint8), None)
        assert not grounder.ground(other, Query('q', 'anything', 1)).groundings
