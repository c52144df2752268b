"""Cropped pairs: boxes lie on the same pixels as before, sentences stay true."""


import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.training.nano.augmentation import crop
from rtrack_ros.training.shards.frames import FrameRow, ObjectRow, SentenceRow

BOX = (400.0, 300.0, 600.0, 700.0)
FRAME = FrameRow('day', (ObjectRow(0, 1, 2, 0, True, BOX), ObjectRow(1, 1, -1, 1, False,
                                                                      (0.0, 0.0, 100.0, 100.0))),
                 ((900.0, 900.0, 1000.0, 1000.0),),
                 (SentenceRow('the people', 'class', (0,)), SentenceRow('the cars', 'class', (1,)),
                  SentenceRow('the leftmost car', 'place', (1,))))


def _picture() -> tuple[np.ndarray, np.ndarray]:
    rgb = np.zeros((192, 256, 3), np.uint8)
    thermal = np.zeros((192, 256), np.uint8)
    x1, y1, x2, y2 = (round(v * s / 1000) for v, s in zip(BOX, (256, 192) * 2, strict=True))
    rgb[y1:y2, x1:x2], thermal[y1:y2, x1:x2] = 255, 255
    return rgb, thermal


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_a_box_stays_on_its_object(seed: int) -> None:
    frame, rgb, thermal = crop(np.random.default_rng(seed), FRAME, *_picture())
    people = [item.box for item in frame.objects if item.category == 0]
    assert rgb.shape == (192, 256, 3) and thermal.shape == (192, 256)
    for box in people:
        rows, columns = np.nonzero(thermal > 127)
        seen = (columns.min() / 256, rows.min() / 192, (columns.max() + 1) / 256,
                (rows.max() + 1) / 192)
        assert np.array(box) / 1000 == pytest.approx(np.array(seen), abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_sentences_mean_what_is_left_and_never_places(seed: int) -> None:
    frame, _, _ = crop(np.random.default_rng(seed), FRAME, *_picture())
    assert {item.kind for item in frame.sentences} == {'class'}
    for sentence, category in zip(frame.sentences, (0, 1), strict=True):
        meant = {frame.objects[row].category for row in sentence.objects}
        left = any(item.category == category for item in frame.objects)
        assert meant == ({category} if left else set())


def test_objects_mostly_outside_are_hidden() -> None:
    drawn = [crop(np.random.default_rng(seed), FRAME, *_picture())[0] for seed in range(200)]
    assert any(len(frame.objects) == 1 for frame in drawn)
    for frame in drawn:
        for box in frame.hidden:
            assert 0 <= box[0] <= box[2] <= 1000 and 0 <= box[1] <= box[3] <= 1000
