"""Videos and image folders as frame pairs."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.data.image_names import natural_key
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.reading import RecordedPairs
from rtrack_ros.data.videos import open_pairs

Writer = Callable[..., Path]


def picture(grey: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return a picture of one grey with a bar: without the bar it would show nothing."""
    pixels = np.full(shape, grey, np.uint8)
    pixels[-shape[0] // 4:] = 255 - grey
    return pixels


def write_video(path: Path, greys: list[int], fps: float = 10.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), fps, (64, 48))
    for grey in greys:
        writer.write(picture(grey, (48, 64, 3)))
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
    fresh = {index: int(np.median(pair.thermal))
             for index, pair in enumerate(open_pairs(rgb, thermal)) if pair.thermal_fresh}
    assert fresh == pytest.approx({0: 40, 3: 120}, abs=4)


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


def test_where_no_image_can_be_read_the_first_is_named(tmp_path: Path) -> None:
    (tmp_path / '1.png').write_bytes(b'\x89PNG')
    with pytest.raises(DataError, match=r'gives no frame: .*1\.png'):
        list(open_pairs(tmp_path))


def numbered(folder: Path, numbers: list[int], pattern: str = 'f_{:06d}.png') -> Path:
    """Write images whose grey is 20 times their number."""
    return write_images(folder, [pattern.format(number) for number in numbers],
                        [picture(20 * (number % 12), (24, 32)) for number in numbers])


def shown(pairs: RecordedPairs) -> list[tuple[int, int | None]]:
    """Return (number of the RGB image, that of the thermal image) of every pair."""
    return [(int(pair.rgb[0, 0, 0]) // 20,
             int(pair.thermal[0, 0]) // 20 if pair.thermal_fresh else None) for pair in pairs]


def test_a_missing_thermal_image_leaves_one_gap(tmp_path: Path) -> None:
    pairs = open_pairs(numbered(tmp_path / 'rgb', list(range(10))),
                       numbered(tmp_path / 'ir', [0, 1, 2, 3, 5, 6, 7, 8, 9]))
    assert shown(pairs) == [(index, None if index == 4 else index) for index in range(10)]
    assert pairs.tally.sentence == 'used 10 of 10 images, 1 without thermal, thermal: 1 missing'


def test_a_missing_rgb_image_is_a_gap_in_time_and_in_the_numbers(tmp_path: Path) -> None:
    pairs = open_pairs(numbered(tmp_path / 'rgb', [1, 2, 3, 6, 7]),
                       numbered(tmp_path / 'ir', [1, 2, 3, 4, 5, 6, 7]), fps=10)
    found = list(pairs.received())
    assert [item.number for item in found] == [1, 2, 3, 6, 7]
    assert [item.pair.stamp_ns // 10**6 for item in found] == [0, 100, 200, 500, 600]
    assert shown(pairs) == [(index, index) for index in (1, 2, 3, 6, 7)]
    assert pairs.tally.sentence == 'used 5 of 7 images, 2 missing'
    assert pairs.tally.lost_share == pytest.approx(2 / 7)


def test_series_that_count_from_0_and_from_1_belong_together(tmp_path: Path) -> None:
    pairs = open_pairs(numbered(tmp_path / 'rgb', [0, 1, 2, 3]),
                       numbered(tmp_path / 'ir', [1, 2, 3, 4]))
    assert shown(pairs) == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_names_that_are_times_pair_by_time(tmp_path: Path) -> None:
    begin = 1_700_000_000_000
    for name, hz in (('rgb', 30), ('ir', 9)):
        write_images(tmp_path / name, [f'{begin + round(i * 1000 / hz)}.png' for i in range(hz)],
                     [picture(200 * i // hz, (24, 32)) for i in range(hz)])
    pairs = open_pairs(tmp_path / 'rgb', tmp_path / 'ir')
    found = list(pairs)
    assert pairs.fps == pytest.approx(30, abs=0.5)
    assert found[10].stamp_ns == (begin + 333) * 10**6
    fresh = [(int(pair.rgb[0, 0, 0]), int(pair.thermal[0, 0])) for pair in found
             if pair.thermal_fresh]
    assert len(fresh) >= 9
    assert all(abs(grey - warm) <= 5 for grey, warm in fresh), 'within 20 ms of each other'


def test_a_damaged_image_keeps_the_numbers_of_the_others(tmp_path: Path) -> None:
    folder = numbered(tmp_path / 'rgb', list(range(12)))
    damaged = folder / 'f_000008.png'
    damaged.write_bytes(damaged.read_bytes()[:40])
    pairs = open_pairs(folder)
    assert [item.number for item in pairs.received()] == [*range(1, 9), 10, 11, 12]
    assert pairs.tally.sentence == 'used 11 of 12 images, 1 damaged'
    assert any('f_000008.png' in note for note in pairs.tally.notes)


def test_hidden_files_are_no_images(tmp_path: Path) -> None:
    rgb, thermal = numbered(tmp_path / 'rgb', [0, 1, 2]), numbered(tmp_path / 'ir', [0, 1, 2])
    for folder in (rgb, thermal):
        (folder / '._f_000001.png').write_bytes(b'\0\5\x16\7')  # macOS leaves them
    pairs = open_pairs(rgb, thermal)
    assert len(list(pairs)) == 3 and pairs.tally.sentence == 'used 3 of 3 images'


@pytest.mark.parametrize('names', [
    ['000000_rgb.png', '000000_ir.png', '000001_rgb.png', '000001_ir.png'],
    ['000000.png', '000000.bmp', '000001.png', '000001.bmp']])
def test_a_folder_with_the_images_of_two_cameras_is_refused(tmp_path: Path,
                                                           names: list[str]) -> None:
    folder = write_images(tmp_path / 'both', names, [picture(9, (24, 32, 3))] * 4)
    with pytest.raises(DataError, match='several images of one number.*a folder of its own'):
        open_pairs(folder)


def test_thermal_of_16_bits_in_three_channels_is_read(tmp_path: Path) -> None:
    rgb = numbered(tmp_path / 'rgb', [0, 1, 2])
    rows = 7000 + 30 * np.arange(768).reshape(24, 32, 1)
    counts = [np.repeat(np.roll(rows, 5 * n, 0).astype(np.uint16), 3, 2) for n in range(3)]
    thermal = write_images(tmp_path / 'ir', [f'f_{n:06d}.png' for n in range(3)], counts)
    pairs = open_pairs(rgb, thermal)
    assert all(pair.thermal is not None and pair.thermal.std() > 40 for pair in pairs)
    assert pairs.tally.notes == [], 'grey in three channels is no palette'


def test_an_rgb_camera_of_one_image_a_second_is_not_silent_between_them(tmp_path: Path) -> None:
    names = [f'2024-05-01_12-00-{second:02d}.png' for second in range(12)]
    images = [picture(20 * number, (24, 32, 3)) for number in range(12)]
    rgb = write_images(tmp_path / 'rgb', names, images)
    thermal = write_images(tmp_path / 'ir', names, [image[:, :, 0] for image in images])
    pairs = open_pairs(rgb, thermal)
    assert len(list(pairs)) == 12
    assert pairs.tally.sentence == 'used 12 of 12 images'


def frames(count: int) -> list[np.ndarray]:
    return [picture(5 * index, (48, 64, 3)) for index in range(count)]


def test_a_changing_rate_is_that_of_the_container(tmp_path: Path, write_mkv: Writer) -> None:
    times = [33 * index if index < 30 else 1000 + 100 * (index - 30) for index in range(45)]
    pairs = open_pairs(write_mkv(tmp_path / 'phone.mkv', frames(45), times, 2500.0))
    assert [pair.stamp_ns // 10**6 for pair in pairs] == times
    assert pairs.tally.sentence == 'used 45 of 45 images'


def test_a_video_without_rate_and_duration_has_its_own_times(tmp_path: Path, write_mkv: Writer
                                                             ) -> None:
    late = np.random.default_rng(0).integers(0, 13, 45)
    times = [round(1000 * index / 30) + int(late[index]) for index in range(45)]
    rgb = write_mkv(tmp_path / 'browser.mkv', frames(45), times)
    thermal = write_mkv(tmp_path / 'thermal.mkv', frames(45),
                        [round(1000 * index / 30) for index in range(45)])
    pairs = open_pairs(rgb, thermal)
    assert [pair.stamp_ns // 10**6 for pair in pairs] == [time - times[0] for time in times]
    assert pairs.fps == pytest.approx(30, rel=0.25)
    assert all(abs(int(pair.rgb[0, 0, 0]) - int(pair.thermal[0, 0])) <= 3 for pair in pairs)


def test_a_video_that_was_cut_says_how_much_is_missing(tmp_path: Path, write_mkv: Writer) -> None:
    whole = write_mkv(tmp_path / 'whole.mkv', frames(40), [50 * index for index in range(40)],
                      2000.0)
    cut = tmp_path / 'cut.mkv'
    cut.write_bytes(whole.read_bytes()[:whole.stat().st_size // 2])
    pairs = open_pairs(cut)
    used = len(list(pairs))
    assert 15 <= used < 25
    assert pairs.tally.rgb.missing == pytest.approx(40 - used, abs=1)
    assert pairs.tally.lost_share > 0.3


def test_an_avi_that_was_cut_is_counted_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / 'cut.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 20, (64, 48))
    for image in frames(40):
        writer.write(image)
    writer.release()
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    pairs = open_pairs(path)
    used = len(list(pairs))
    assert 0 < used < 30 and pairs.tally.rgb.missing == 40 - used


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10**7), min_size=1))
def test_natural_order_is_the_order_of_numbers(numbers: list[int]) -> None:
    names = [f'frame_{number}.jpg' for number in numbers]
    assert sorted(names, key=natural_key) == [f'frame_{number}.jpg' for number in sorted(numbers)]
