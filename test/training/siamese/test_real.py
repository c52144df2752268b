"""Pairs of labelled clips: where the labels say, of the clips of training alone."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from rtrack_ros.data.mot import MotError, MotRow, write_mot
from rtrack_ros.frames import FramePair
from rtrack_ros.training.composites.clips import ClipGeometry, ClipSettings
from rtrack_ros.training.siamese import pairs, real
from rtrack_ros.training.siamese.pairs import Pairs

SIZE, FRAMES = (320, 240), 60
GROUND = ((0.0, 100.0), (320.0, 100.0), (160.0, 240.0))


def box_at(number: int) -> tuple[float, float, float, float]:
    return 20.0 + 2 * number, 80.0, 50.0 + 2 * number, 150.0


def frame(number: int) -> FramePair:
    """A white block on grey, black in thermal, where ``box_at`` says."""
    rgb = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    thermal = np.full((SIZE[1], SIZE[0]), 160, np.uint8)
    x1, y1, x2, y2 = (int(value) for value in box_at(number))
    rgb[y1:y2, x1:x2], thermal[y1:y2, x1:x2] = 255, 0
    return FramePair(number, rgb, thermal)


NUMBERS = range(1, FRAMES, 4)
TRUTH = {number: [MotRow(number, 7, box_at(number))] for number in NUMBERS}
CLIP = {number: frame(number) for number in NUMBERS}


def drawn(seed: int = 0) -> Pairs:
    return Pairs.joined(list(real.draw_clip(CLIP, TRUTH, np.random.default_rng(seed))))


def test_the_draw_follows_from_the_seed() -> None:
    first, again, other = drawn(), drawn(), drawn(1)
    np.testing.assert_array_equal(first.places, again.places)
    assert not np.array_equal(first.places[:20], other.places[:20])


def test_the_place_is_where_the_label_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, 'ELSEWHERE_SHARE', 0.0)
    found = drawn()
    assert (found.visibility == 1).all()
    for patch, place in zip(found.searches, found.places, strict=True):
        rows, columns = np.nonzero(patch[..., 0] > 170)
        centre = (np.array([columns.mean(), rows.mean()]) + 0.5) / len(patch) * 2 - 1
        inside = (np.abs(place[:2]) + np.exp(place[2:]) / 2 < 1).all()
        if inside:
            np.testing.assert_allclose(centre, place[:2], atol=0.06)
            assert (patch[rows, columns, 1] < 80).mean() > 0.9  # but for the rim


def test_moments_are_near_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, 'LONGEST_GAP', 8)
    seen: list[int] = []

    def note(rng: object, first: pairs.Moment, second: pairs.Moment, name: int) -> None:
        middles = [(moment.objects[name].box[0] - 20) / 2 for moment in (first, second)]
        seen.append(round(middles[1] - middles[0]))

    monkeypatch.setattr(real, 'draw_pair', note)
    assert not list(real.draw_clip(CLIP, TRUTH, np.random.default_rng(0)))
    assert set(seen) == {-8, -4, 0, 4, 8}


def test_doubtful_labels_are_left_out() -> None:
    doubtful = {number: [MotRow(number, 7, box_at(number), score=0.2)] for number in NUMBERS}
    assert not list(real.draw_clip(CLIP, doubtful, np.random.default_rng(0)))


def write_clip(root: Path, name: str) -> None:
    for folder in ('visible', 'infrared'):
        (root / folder).mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(root / folder / f'{name}.mp4'),
                                 cv2.VideoWriter.fourcc(*'mp4v'), 30, SIZE)
        for number in range(1, FRAMES + 1):
            images = frame(number).images()
            writer.write(images[folder == 'infrared'])
        writer.release()


def test_clips_that_are_held_out_are_not_opened(tmp_path: Path) -> None:
    write_clip(tmp_path, 'street')
    settings = ClipSettings((ClipGeometry('street', GROUND, ((100, 50), (240, 90))),),
                            frozenset({'park'}))
    with pytest.raises(MotError, match='street.gt.txt'):
        list(real.draw_clips(tmp_path, settings, tmp_path, 0))
    write_mot(tmp_path / 'street.gt.txt', [row for rows in TRUTH.values() for row in rows])
    found = Pairs.joined(list(real.draw_clips(tmp_path, settings, tmp_path, 0)))
    assert len(found) > 50 and (found.visibility > 0).mean() > 0.8
