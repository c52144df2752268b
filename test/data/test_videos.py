"""Videos and image folders as frame pairs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.videos import natural_key, open_pairs


def write_video(path: Path, greys: list[int], fps: float = 10.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), fps, (64, 48))
    for grey in greys:
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.release()
    return path


def write_images(folder: Path, names: list[str], images: list[np.ndarray]) -> Path:
    folder.mkdir()
    for name, image in zip(names, images, strict=True):
        cv2.imwrite(str(folder / name), image)
    return folder


def test_video_frames_are_stamped_by_rate_and_rgb(tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / 'a.mp4'), cv2.VideoWriter.fourcc(*'mp4v'), 10,
                             (64, 48))
    for _ in range(3):
        writer.write(np.full((48, 64, 3), (200, 0, 0), np.uint8))  # blue, in BGR
    writer.release()
    pairs = open_pairs(tmp_path / 'a.mp4')
    found = list(pairs)
    assert len(pairs) == len(found) == 3
    assert pairs.fps == pytest.approx(10)
    assert [pair.stamp_ns for pair in found] == [0, 100_000_000, 200_000_000]
    assert all(pair.rgb[24, 32, 2] > 150 > 50 > pair.rgb[24, 32, 0] for pair in found)
    assert all(pair.thermal is None for pair in found)


def test_thermal_of_another_rate_is_paired_by_time(tmp_path: Path) -> None:
    rgb = write_video(tmp_path / 'rgb.mp4', [100] * 6, fps=30)
    thermal = write_video(tmp_path / 'thermal.mp4', [40, 120], fps=10)
    levels = [int(np.median(pair.thermal)) for pair in open_pairs(rgb, thermal)
              if pair.thermal is not None]
    assert levels == pytest.approx([40, 40, 40, 120, 120, 120], abs=4)


def test_a_thermal_recording_that_ends_early_leaves_rgb_alone(tmp_path: Path) -> None:
    rgb = write_video(tmp_path / 'rgb.mp4', [100] * 5)
    thermal = write_video(tmp_path / 'thermal.mp4', [40] * 3)
    assert [pair.thermal is not None for pair in open_pairs(rgb, thermal)] == [
        True, True, True, False, False]


def test_image_folders_are_read_in_natural_order(tmp_path: Path) -> None:
    images = [np.full((48, 64, 3), value, np.uint8) for value in (90, 100, 20)]
    folder = write_images(tmp_path / 'rgb', ['f9.png', 'f10.png', 'f2.png'], images)
    assert [int(pair.rgb[0, 0, 0]) for pair in open_pairs(folder)] == [20, 90, 100]


def test_raw_thermal_is_normalised_and_registered(tmp_path: Path) -> None:
    rgb = write_images(tmp_path / 'rgb', ['1.png'], [np.zeros((48, 64, 3), np.uint8)])
    raw = np.full((24, 32), 29_000, np.uint16)
    raw[:, 16:] = 31_000
    thermal = write_images(tmp_path / 'ir', ['1.png'], [raw])
    [pair] = open_pairs(rgb, thermal)
    assert pair.thermal is not None and pair.thermal.shape == (48, 64)
    assert pair.thermal[:, :24].max() < 20 and pair.thermal[:, 40:].min() > 235


@pytest.mark.parametrize('name, content, reason', [
    ('none.mp4', None, 'there is nothing'), ('bad.mp4', b'not a video', 'cannot be decoded')])
def test_unreadable_inputs_name_the_remedy(tmp_path: Path, name: str, content: bytes | None,
                                           reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason):
        open_pairs(tmp_path / name)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'readme.txt').touch()
    with pytest.raises(DataError, match='holds no images'):
        open_pairs(tmp_path)


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    (tmp_path / '1.png').write_bytes(b'\x89PNG')
    with pytest.raises(DataError, match=r'1\.png'):
        list(open_pairs(tmp_path))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10**7), min_size=1))
def test_natural_order_is_the_order_of_numbers(numbers: list[int]) -> None:
    names = [f'frame_{number}.jpg' for number in numbers]
    assert sorted(names, key=natural_key) == [f'frame_{number}.jpg' for number in sorted(numbers)]
