"""A robot's recording, whatever its topics, its stamps and its transport are."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='bags need the bag extra')

from rosbags.rosbag2 import StoragePlugin, Writer

from rtrack_ros.data.bag import RGB_TOPIC, THERMAL_TOPIC, image_types, read_pairs
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.videos import open_pairs

BEGIN, STEP = 1_700_000_000_000_000_000, 33_333_333
TYPES = image_types()
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'


def header(stamp_ns: int) -> object:
    kinds = TYPES.types
    return kinds['std_msgs/msg/Header'](kinds['builtin_interfaces/msg/Time'](
        sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9), frame_id='optical')


def picture(encoding: str, number: int) -> np.ndarray:
    """Return a picture whose first pixel tells its number; of one grey it would show nothing."""
    pixels = np.full((24, 32, 3) if encoding == 'rgb8' else (24, 32), 4 * number, np.uint8)
    pixels[12:] += 9
    return pixels


def plain(encoding: str, number: int, stamp_ns: int) -> tuple[str, object]:
    channels = 3 if encoding == 'rgb8' else 1
    return IMAGE, TYPES.types[IMAGE](
        header=header(stamp_ns), height=24, width=32, encoding=encoding, is_bigendian=0,
        step=32 * channels, data=picture(encoding, number).reshape(-1))


def compressed(encoding: str, number: int, stamp_ns: int) -> tuple[str, object]:
    return COMPRESSED, TYPES.types[COMPRESSED](
        header=header(stamp_ns), format=f'{encoding}; png compressed',
        data=cv2.imencode('.png', picture(encoding, number))[1].reshape(-1))


def write(path: Path, topics: dict[str, str], stamp: Callable[[int], int] = lambda at: at,
          make: Callable[..., tuple[str, object]] = plain, count: int = 30,
          shift: int = 0) -> Path:
    """Write images of the encodings of topics; ``stamp`` makes a stamp of a time of arrival."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {topic: writer.add_connection(topic, make(encoding, 0, 0)[0],
                                                    typestore=TYPES)
                       for topic, encoding in topics.items()}
        for number in range(count):
            at = BEGIN + number * STEP
            for topic, encoding in topics.items():
                kind, message = make(encoding, number, stamp(at))
                writer.write(connections[topic], at + shift, TYPES.serialize_cdr(message, kind))
    return path


def both(thermal: str = THERMAL_TOPIC, rgb: str = RGB_TOPIC) -> dict[str, str]:
    return {thermal: 'mono8', rgb: 'rgb8'}


@pytest.mark.parametrize('stamp', [
    lambda at: at, lambda at: 0, lambda at: at - BEGIN + 5_000_000_000],
    ids=['its own clock', 'no stamp', 'the clock of the boot'])
def test_every_image_is_a_pair_whatever_the_stamps_are(tmp_path: Path,
                                                       stamp: Callable[[int], int]) -> None:
    pairs = read_pairs(write(tmp_path / 'bag', both(), stamp))
    found = list(pairs)
    expected = [stamp(BEGIN + number * STEP) or BEGIN + number * STEP for number in range(30)]
    assert [pair.stamp_ns for pair in found] == expected
    assert [int(pair.rgb[0, 0, 0]) for pair in found] == [4 * number for number in range(30)]
    assert all(np.array_equal(pair.thermal, pair.rgb[:, :, 0]) for pair in found)
    assert pairs.tally.sentence == 'used 30 of 30 images'
    assert any('no stamps' in note for note in pairs.tally.notes) is (stamp(BEGIN) == 0)


@pytest.mark.parametrize(('topics', 'rgb', 'thermal'), [
    (both('/lepton/image_raw', '/camera/color/image_raw'), '/camera/color/image_raw',
     '/lepton/image_raw'),
    (both('/b/image', '/a/image'), '/a/image', '/b/image'),
    ({'/cam/image': 'rgb8'}, '/cam/image', None), ({'/cam/image': 'mono8'}, '/cam/image', None),
    ({'/ir/image_raw': 'rgb8', '/cam/image': 'rgb8'}, '/cam/image', '/ir/image_raw'),
    (both() | {'/left/image_raw': 'rgb8', '/right/image_raw': 'mono8'}, RGB_TOPIC, THERMAL_TOPIC)])
def test_the_cameras_are_found(tmp_path: Path, topics: dict[str, str], rgb: str,
                               thermal: str | None) -> None:
    pairs = read_pairs(write(tmp_path / 'bag', topics, count=3))
    assert (pairs.topics.rgb, pairs.topics.thermal) == (rgb, thermal)
    assert len(list(pairs)) == 3


def test_what_is_not_clear_is_asked_for_and_what_is_named_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path / 'bag', {'/left': 'rgb8', '/right': 'rgb8', '/ir': 'mono8'}, count=3)
    with pytest.raises(DataError, match='several topics.*/left, /right.*--rgb-topic'):
        read_pairs(path)
    pairs = read_pairs(path, '/right')
    assert (pairs.topics.rgb, pairs.topics.thermal) == ('/right', '/ir')
    assert read_pairs(path, '/right', '/left').topics.thermal == '/left'
    with pytest.raises(DataError, match='no images on /up; it holds /ir, /left, /right'):
        read_pairs(path, '/up')


@pytest.mark.parametrize('asked', [None, RGB_TOPIC, RGB_TOPIC + '/compressed'])
def test_compressed_images_are_read(tmp_path: Path, asked: str | None) -> None:
    path = write(tmp_path / 'bag', both(THERMAL_TOPIC + '/compressed', RGB_TOPIC + '/compressed'),
                 make=compressed, count=5)
    found = list(read_pairs(path, asked))
    assert [int(pair.rgb[0, 0, 1]) for pair in found] == [0, 4, 8, 12, 16]
    assert all(np.array_equal(pair.thermal, pair.rgb[:, :, 0]) for pair in found)


def test_a_message_that_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    def some_bad(encoding: str, number: int, stamp_ns: int) -> tuple[str, object]:
        kind, message = plain(encoding, number, stamp_ns)
        if number == 4 and encoding == 'rgb8':
            message.height = 4000
        return kind, message

    pairs = read_pairs(write(tmp_path / 'bag', both(), make=some_bad, count=8))
    assert [item.number for item in pairs.received()] == [1, 2, 3, 4, 6, 7, 8]
    assert pairs.tally.sentence == 'used 7 of 8 images, 1 damaged'
    assert pairs.tally.lost_share == pytest.approx(1 / 8)


def test_stamps_of_whole_seconds_are_replaced_by_the_time_of_arrival(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / 'bag', both(), lambda at: at // 10**9 * 10**9))
    found = list(pairs)
    assert len(found) == 30 and all(pair.thermal is not None for pair in found)
    assert [pair.stamp_ns - BEGIN for pair in found[:3]] == [0, STEP, 2 * STEP]
    assert any('of a clock without fractions' in note for note in pairs.tally.notes)


def test_one_image_that_came_twice_is_still_one(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / 'bag', both(), lambda at: BEGIN,
                             lambda encoding, number, at: plain(encoding, 3, at)))
    assert len(list(pairs)) == 1
    assert pairs.tally.rgb.repeated == 29 and pairs.tally.lost_share > 0.9


def test_a_recording_without_its_metadata_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / 'bag', both())
    (folder / 'metadata.yaml').unlink()
    assert len(list(open_pairs(folder))) == 30


def test_a_split_recording_without_its_metadata_is_read_whole(tmp_path: Path) -> None:
    folder = tmp_path / 'bag'
    folder.mkdir()
    for place in range(2):
        def later(at: int, place: int = place) -> int:
            return at + place * 30 * STEP
        part = write(tmp_path / f'part{place}', both(), later, shift=place * 30 * STEP)
        (part / f'part{place}.mcap').rename(folder / f'bag_{place}.mcap')
    assert [pair.stamp_ns for pair in open_pairs(folder)] == [
        BEGIN + number * STEP for number in range(60)]


def depth(encoding: str, number: int, stamp_ns: int) -> tuple[str, object]:
    if encoding == 'rgb8':
        return plain(encoding, number, stamp_ns)
    counts = 7000 + picture(encoding, number).astype(np.uint16)
    data = bytes(12) + cv2.imencode('.png', counts)[1].tobytes()
    return COMPRESSED, TYPES.types[COMPRESSED](
        header=header(stamp_ns), format='16UC1; compressedDepth png',
        data=np.frombuffer(data, np.uint8))


@pytest.mark.parametrize('camera', ['/thermal/image_raw', '/lepton/image_raw'])
def test_a_thermal_camera_that_was_recorded_by_compressed_depth_is_read(tmp_path: Path,
                                                                        camera: str) -> None:
    topics = both(f'{camera}/compressedDepth')
    pairs = read_pairs(write(tmp_path / 'bag', topics, make=depth, count=8))
    assert pairs.topics.thermal == f'{camera}/compressedDepth'
    assert all(pair.thermal is not None for pair in pairs)


def test_a_thermal_topic_without_images_is_named(tmp_path: Path) -> None:
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        rgb, _ = (writer.add_connection(topic, IMAGE, typestore=TYPES)
                  for topic in (RGB_TOPIC, THERMAL_TOPIC))
        for number in range(30):
            kind, message = plain('rgb8', number, BEGIN + number * STEP)
            writer.write(rgb, BEGIN + number * STEP, TYPES.serialize_cdr(message, kind))
    pairs = read_pairs(tmp_path / 'bag')
    assert len(list(pairs)) == 30
    (note,) = pairs.tally.notes
    assert f'{THERMAL_TOPIC}, which holds no image' in note and '--thermal-topic' in note


def test_a_recording_of_one_camera_says_nothing_about_another(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / 'bag', {RGB_TOPIC: 'rgb8'}))
    assert len(list(pairs)) == 30 and pairs.tally.notes == [] and not pairs.tally.thermal_unused


def test_thermal_images_of_which_none_is_used_are_told(tmp_path: Path) -> None:
    def apart(encoding: str, number: int, stamp_ns: int) -> tuple[str, object]:
        return plain(encoding, number, stamp_ns - 3600 * 10**9 * (encoding != 'rgb8'))

    pairs = read_pairs(write(tmp_path / 'bag', both(), make=apart))
    assert len(list(pairs)) == 30 and pairs.tally.thermal_unused


def test_one_stamp_that_lies_off_costs_no_image_and_no_fresh_start(tmp_path: Path) -> None:
    def odd(at: int) -> int:
        return at + 3600 * 10**9 * (at == BEGIN + 12 * STEP)

    pairs = read_pairs(write(tmp_path / 'bag', both(), odd))
    received = list(pairs.received())
    assert [item.pair.stamp_ns for item in received] == [
        BEGIN + number * STEP for number in range(30)]
    assert not any(item.after_reset for item in received)


def test_a_recording_that_was_not_closed_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = (write(tmp_path / 'bag', both()) / 'bag.mcap').read_bytes()
    for share, least in ((0.4, 8), (0.7, 15), (0.9, 20)):
        cut = tmp_path / f'{share}.mcap'
        cut.write_bytes(whole[:int(len(whole) * share)])
        pairs = open_pairs(cut)
        found = list(pairs)
        assert least <= len(found) <= 30 and found[0].stamp_ns == BEGIN
        assert all(np.array_equal(pair.thermal, pair.rgb[:, :, 0]) for pair in found[:-1])
        assert any('never closed' in note for note in pairs.tally.notes)
        assert cut.read_bytes() == whole[:int(len(whole) * share)], 'the file is not touched'


def test_every_cut_of_a_recording_is_pairs_or_an_error_in_words(tmp_path: Path) -> None:
    whole = (write(tmp_path / 'bag', both(), count=3) / 'bag.mcap').read_bytes()
    rng = np.random.default_rng(0)
    for end in rng.integers(0, len(whole), 40):
        cut = tmp_path / 'cut.mcap'
        cut.write_bytes(whole[:end])
        try:
            assert 1 <= len(list(open_pairs(cut))) <= 3
        except DataError as error:
            assert 'cut.mcap' in str(error) or 'gives no frame' in str(error)
