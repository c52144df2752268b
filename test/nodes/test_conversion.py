"""Images survive the trip through a message, and broken ones become an error, never a crash."""

import array

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from rtrack_ros.intake.encodings import LAYOUTS, ConversionError, array_from_image
from rtrack_ros.intake.messages import rgb_from_message, thermal_from_message
from rtrack_ros.intake.sensor_formats import FORMATS
from rtrack_ros.nodes.conversion import (
    detections_message,
    image_message,
    objects_message,
)
from rtrack_ros.tracking.track import Belief, Track, TrackState

SIDES = st.integers(1, 17)


def make_header() -> Header:
    header = Header(frame_id='camera_optical_frame')
    header.stamp.sec, header.stamp.nanosec = 12, 345
    return header


def make_pixels(encoding: str, height: int, width: int, seed: int = 0) -> np.ndarray:
    layout = LAYOUTS[encoding]
    shape = (height, width) if layout.channels == 1 else (height, width, layout.channels)
    rng = np.random.default_rng(seed)
    if layout.kind in ('f4', 'f8'):
        return rng.normal(300.0, 10.0, shape).astype(layout.kind)
    return rng.integers(0, np.iinfo(layout.kind).max, shape, dtype=layout.kind, endpoint=True)


@settings(deadline=None)
@given(encoding=st.sampled_from(sorted(LAYOUTS)), height=SIDES, width=SIDES,
       seed=st.integers(0, 9))
def test_round_trip(encoding: str, height: int, width: int, seed: int) -> None:
    pixels = make_pixels(encoding, height, width, seed)
    message = image_message(pixels, encoding, make_header())
    assert message.header == make_header()
    restored = array_from_image(message)
    assert restored.dtype == pixels.dtype
    np.testing.assert_array_equal(restored, pixels)


@settings(deadline=None)
@given(encoding=st.sampled_from(sorted(LAYOUTS)), height=SIDES, width=SIDES,
       padding=st.integers(0, 9), big=st.booleans(), spare=st.integers(0, 5))
def test_padding_and_byte_order(encoding: str, height: int, width: int, padding: int, big: bool,
                                spare: int) -> None:
    pixels = make_pixels(encoding, height, width)
    stored = pixels.astype(pixels.dtype.newbyteorder('>' if big else '<'))
    rows = stored.reshape(height, -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xA5)
    message = Image(height=height, width=width, encoding=encoding, is_bigendian=int(big),
                    step=padded.shape[1])
    message.data = array.array('B', padded.tobytes() + b'\0' * spare)
    np.testing.assert_array_equal(array_from_image(message), pixels)


@settings(deadline=None, max_examples=200)
@given(encoding=st.sampled_from([*LAYOUTS, *FORMATS, 'NV12', '', 'garbage' * 30]),
       height=st.integers(0, 2**32 - 1), width=st.integers(0, 2**32 - 1),
       step=st.integers(0, 2**32 - 1), data=st.binary(max_size=64), big=st.integers(0, 255))
def test_garbage_is_an_error_with_a_remedy(encoding: str, height: int, width: int, step: int,
                                           data: bytes, big: int) -> None:
    message = Image(height=height, width=width, encoding=encoding, is_bigendian=big, step=step)
    message.data = array.array('B', data)
    for convert in (rgb_from_message, thermal_from_message):
        try:
            pixels = convert(message)
        except ConversionError as error:
            assert f'{width}x{height}' in str(error) and repr(encoding[:40]) in str(error)
        else:
            assert len(pixels) > 0


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_compressed_garbage_is_an_error(data: bytes) -> None:
    message = CompressedImage(format='jpeg')
    message.data = array.array('B', data)
    for convert in (rgb_from_message, thermal_from_message):
        with pytest.raises(ConversionError, match=f'{len(data)} bytes'):
            convert(message)


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'bgra8', '8UC3'])
def test_every_colour_order_becomes_rgb(encoding: str) -> None:
    red = {'r': 200, 'g': 100, 'b': 50, 'a': 255}
    order = 'bgr' if encoding == '8UC3' else encoding[:-1]
    pixels = np.full((4, 6, len(order)), [red[name] for name in order], np.uint8)
    rgb = rgb_from_message(image_message(pixels, encoding, make_header()))
    assert rgb.shape == (4, 6, 3) and rgb.dtype == np.uint8
    assert rgb[2, 3].tolist() == [200, 100, 50]


def test_mono_becomes_grey_rgb() -> None:
    pixels = make_pixels('mono8', 5, 7)
    rgb = rgb_from_message(image_message(pixels, 'mono8', make_header()))
    np.testing.assert_array_equal(rgb, np.repeat(pixels[:, :, None], 3, axis=2))


def test_a_thermal_camera_on_the_rgb_topic_is_named() -> None:
    message = image_message(make_pixels('mono16', 4, 4), 'mono16', make_header())
    with pytest.raises(ConversionError, match='remapped to rgb/image_raw'):
        rgb_from_message(message)


def test_thermal_palette_becomes_luminance() -> None:
    pixels = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    image = thermal_from_message(image_message(pixels, 'rgb8', make_header()))
    assert image.palette and image.counts.shape == (4, 4) and image.counts[0, 0] == 76
    assert thermal_from_message(image_message(pixels, 'bgr8', make_header())).counts[0, 0] == 29


@pytest.mark.parametrize('encoding', ['bgr8', 'rgba8', 'rgb16'])
def test_grey_in_several_channels_is_no_palette(encoding: str) -> None:
    channels, kind = LAYOUTS[encoding].channels, LAYOUTS[encoding].kind
    grey = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (16, 16), dtype=kind)
    image = thermal_from_message(image_message(
        np.repeat(grey[:, :, None], channels, axis=2), encoding, make_header()))
    np.testing.assert_array_equal(image.counts, grey)
    assert not image.palette


def test_grey_that_went_through_a_coloured_jpeg_is_no_palette() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8)
    grey = cv2.GaussianBlur(noise, (0, 0), 2)
    message = CompressedImage(format='bgr8; jpeg compressed bgr8')
    message.data = array.array('B', cv2.imencode(
        '.jpg', cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))[1].tobytes())
    assert not thermal_from_message(message).palette


@pytest.mark.parametrize('encoding', ['16SC1', '32SC1', '64FC1'])
def test_signed_and_double_counts_of_thermal_cameras_are_read(encoding: str) -> None:
    counts = np.array([[-2000, 15], [3500, 0]]).astype(LAYOUTS[encoding].kind)
    message = image_message(counts, encoding, make_header())
    np.testing.assert_array_equal(thermal_from_message(message).counts, counts)
    with pytest.raises(ConversionError, match='remapped to rgb/image_raw'):
        rgb_from_message(message)


def test_sixteen_bit_png_keeps_its_counts() -> None:
    counts = make_pixels('mono16', 8, 9)
    message = CompressedImage(format='mono16; png compressed')
    message.data = array.array('B', cv2.imencode('.png', counts)[1].tobytes())
    image = thermal_from_message(message)
    np.testing.assert_array_equal(image.counts, counts)
    assert not image.palette


def test_jpeg_becomes_rgb() -> None:
    bgr = np.full((16, 16, 3), (10, 20, 230), np.uint8)
    message = CompressedImage(format='bgr8; jpeg compressed bgr8')
    message.data = array.array('B', cv2.imencode('.jpg', bgr)[1].tobytes())
    assert np.abs(rgb_from_message(message)[8, 8].astype(int) - [230, 20, 10]).max() < 12


@pytest.mark.parametrize('pixels, encoding', [
    (np.zeros((2, 2), np.uint8), 'mono16'), (np.zeros((2, 2), np.uint8), 'rgb8'),
    (np.zeros((2, 2, 3), np.uint8), 'mono8'), (np.zeros(4, np.uint8), 'mono8'),
    (np.zeros((2, 2), np.uint8), 'nv12')])
def test_a_wrong_array_is_refused(pixels: np.ndarray, encoding: str) -> None:
    with pytest.raises(ConversionError):
        image_message(pixels, encoding, make_header())


def belief(query_id: str, score: float,
           state: TrackState = TrackState.CONFIRMED) -> Belief:
    return Belief(query_id, score, score, state, 0)


def make_track(**changes: object) -> Track:
    fields = {'id': 7, 'box': (10.0, 20.0, 40.0, 80.0), 'velocity': (0.0, 0.0), 'existence': 0.9,
              'label': 'person', 'beliefs': (belief('default', 1.2),)}
    return Track(**(fields | changes))


def test_detections_carry_the_rgb_header_and_the_phrase() -> None:
    header = make_header()
    message = detections_message([make_track()], header, {'default': 'the people'})
    detection = message.detections[0]
    assert message.header == header and detection.header == header
    assert detection.id == '7'
    assert (detection.bbox.center.position.x, detection.bbox.center.position.y) == (25.0, 50.0)
    assert (detection.bbox.size_x, detection.bbox.size_y) == (30.0, 60.0)
    result = detection.results[0]
    assert result.hypothesis.class_id == 'the people'
    assert result.hypothesis.score == 1.0
    orientation = result.pose.pose.orientation
    assert (orientation.x, orientation.y, orientation.z, orientation.w) == (0.0, 0.0, 0.0, 1.0)


def test_an_object_has_one_hypothesis_for_each_sentence_it_fulfils() -> None:
    beliefs = (belief('red', 0.8), belief('default', 0.6),
               belief('far', 0.9, TrackState.LOST))
    track, sentences = make_track(beliefs=beliefs), {'default': 'the people', 'red': 'in red',
                                                     'far': 'the farthest'}
    found = detections_message([track], make_header(), sentences).detections[0].results
    assert [item.hypothesis.class_id for item in found] == ['in red', 'the people']
    every = objects_message([track], make_header(), sentences).detections[0].results
    assert [item.hypothesis.class_id for item in every] == ['person', 'in red', 'the people',
                                                            'the farthest']
    assert every[0].hypothesis.score == pytest.approx(0.9)


def test_nobody_is_an_empty_array_with_a_header() -> None:
    message = detections_message([], make_header(), {})
    assert message.header == make_header() and len(message.detections) == 0


def test_a_box_that_is_not_finite_is_left_out() -> None:
    tracks = [make_track(box=(0.0, 0.0, float('nan'), 1.0)), make_track(id=8)]
    message = detections_message(tracks, make_header(), {})
    assert [detection.id for detection in message.detections] == ['8']
