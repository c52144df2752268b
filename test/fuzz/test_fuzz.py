"""Whatever comes from outside ends in a result or in a named error, never in anything else.

A few inputs for each way in, with every run of the tests. A million (``many.py``):

    make fuzz

It takes about an hour of one core, and goes on where it stopped.
"""

import json
import os
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrack_ros.data.bag import IMAGE_TYPE, image_types, read_pairs
from rtrack_ros.data.boxes_file import read_boxes
from rtrack_ros.data.image_folder import read_image, stored_size
from rtrack_ros.data.image_names import read_names
from rtrack_ros.data.inert_pickle import InertPickleError, read_numbers_by_name
from rtrack_ros.data.layouts import refer_kitti
from rtrack_ros.data.mot import MotError, read_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.recording import read_stamp_map
from rtrack_ros.data.refrt_folder import decode_text
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.intake.config import IntakeConfig
from rtrack_ros.intake.encodings import LAYOUTS, ConversionError
from rtrack_ros.intake.messages import decode_image, rgb_from_message, thermal_from_message
from rtrack_ros.intake.receiving import Intake
from rtrack_ros.intake.sensor_formats import FORMATS
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.language.queries import QueryBook, QueryError
from rtrack_ros.parameters.yaml_file import ParameterFileError, read_parameters
from rtrack_ros.training.yaml_settings import SettingsError, read_yaml

INPUTS = int(os.environ.get('RTRACK_FUZZ', '40'))
fuzz = settings(max_examples=INPUTS, deadline=None, database=None,
                suppress_health_check=list(HealthCheck))

NOISE = np.random.default_rng(1).integers(0, 255, (13, 17, 3), np.uint8)
IMAGES = [cv2.imencode(kind, NOISE)[1].tobytes() for kind in
          ('.png', '.jpg', '.bmp', '.tiff', '.webp')]
NUMBERS = st.integers(-2**70, 2**70) | st.floats() | st.integers(0, 1000)
VALUES = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
                      lambda inner: st.lists(inner, max_size=5) | st.dictionaries(
                          st.sampled_from(['bbox_2d', 'label', 'x']) | st.text(max_size=5), inner,
                          max_size=4), max_leaves=12)
GOOD = '[{"bbox_2d": [100, 200, 300, 400], "label": "person"}]'


def spliced(whole: Any) -> st.SearchStrategy:
    """Something whole with a piece cut out, put in or written over."""
    empty = whole[:0]
    piece = st.binary(max_size=30) if isinstance(whole, bytes) else st.text(max_size=30)
    places = st.integers(0, len(whole))
    return st.builds(lambda at, end, put: whole[:at] + (put or empty) + whole[end:], places,
                     places, piece)


@fuzz
@given(st.text(max_size=400) | VALUES.map(lambda value: json.dumps(value)) | spliced(GOOD)
       | st.integers(1, 3000).map(lambda depth: '[' * depth)
       | st.integers(1, 5000).map(lambda digits: f'[{{"bbox_2d": [{"9" * digits}'),
       st.sampled_from(['rel1000', 'abs_resized']))
def test_answers(text: str, protocol: str) -> None:
    try:
        boxes = parse_answer(text, protocol, (640, 480), (320, 240))
    except AnswerError as error:
        assert str(error)
        return
    for grounding in boxes:
        x1, y1, x2, y2 = grounding.box
        assert 0 <= x1 < x2 <= 640 and 0 <= y1 < y2 <= 480


@fuzz
@given(st.lists(st.tuples(st.text(max_size=300), st.text(max_size=80), st.booleans()),
                max_size=30))
def test_sentences(commands: list[tuple[str, str, bool]]) -> None:
    book = QueryBook()
    for text, name, target in commands:
        try:
            (book.set_target if target else book.set)(text, name)
        except QueryError as error:
            assert str(error).isprintable() and len(str(error)) < 400
    active = book.active()
    assert len(active) <= book.limits.sentences + 1
    assert sum(query.by_template for query in active) <= book.limits.targets
    assert all(query.text.isprintable() or not query.text.isascii() for query in active)


@fuzz
@given(st.binary(max_size=300) | st.sampled_from(IMAGES).flatmap(spliced),
       st.sampled_from([cv2.IMREAD_COLOR, cv2.IMREAD_UNCHANGED,
                        cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR]))
def test_compressed_images(data: bytes, flags: int) -> None:
    try:
        pixels = decode_image(data, flags, 'image', 1.0)
    except ConversionError as error:
        assert str(error)
    else:
        assert pixels.shape[0] * pixels.shape[1] <= 1_000_000


SIDES = st.integers(0, 40) | st.sampled_from([2**16, 2**31, 2**32 - 1])


def image_message(width: int, height: int, step: int, encoding: str, big: int, data: bytes,
                  stamp_ns: int = 1) -> SimpleNamespace:
    stamp = SimpleNamespace(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return SimpleNamespace(width=width, height=height, step=step, encoding=encoding,
                           is_bigendian=big, data=data,
                           header=SimpleNamespace(stamp=stamp, frame_id='x'))


MESSAGES = st.builds(image_message, SIDES, SIDES, SIDES,
                     st.sampled_from([*LAYOUTS, *FORMATS]) | st.text(max_size=20),
                     st.integers(0, 255), st.binary(max_size=2000),
                     st.integers(0, 2**62))


@fuzz
@given(MESSAGES)
def test_plain_images(message: SimpleNamespace) -> None:
    for read in (rgb_from_message, thermal_from_message):
        try:
            read(message)
        except ConversionError as error:
            assert len(str(error)) < 1000


class Log:
    def warning(self, kind: str, text: str) -> None:
        assert kind and text


@fuzz
@given(st.lists(st.tuples(st.booleans(), MESSAGES), max_size=25))
def test_the_intake(arrivals: list[tuple[bool, SimpleNamespace]]) -> None:
    intake = Intake(IntakeConfig(), Log())
    for is_rgb, message in arrivals:
        (intake.add_rgb if is_rgb else intake.add_thermal)(message)
        for received in intake.poll():
            assert received.pair.rgb.dtype == np.uint8


@fuzz
@given(st.binary(max_size=300) | spliced(b'1,1,10,20,30,40,1,-1,-1,-1\n2,1,1.5,2,3,4\n')
       | spliced(b'4 5 10 12\nNaN 0 0 0\n'))
def test_files_of_rows(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = _file(tmp_path_factory, data)
    for read, expected in ((read_mot, MotError), (read_boxes, DataError),
                           (refer_kitti.read_seqmap, DataError)):
        try:
            read(path)
        except expected as error:
            assert str(error)


@fuzz
@given(st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode())
       | spliced(b'{"/rgb/image_raw": [[1, 2], [3, 4]]}')
       | st.integers(1, 200_000).map(lambda depth: b'[' * depth))
def test_maps_of_stamps(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    try:
        read_stamp_map(_file(tmp_path_factory, data), '/rgb/image_raw')
    except DataError as error:
        assert str(error)


@fuzz
@given(st.binary(max_size=300) | st.sampled_from(IMAGES).flatmap(spliced))
def test_files_of_images(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = _file(tmp_path_factory, data)
    for read in (read_image, stored_size):
        try:
            read(path)
        except DataError as error:
            assert str(path) in str(error)


@fuzz
@given(st.lists(st.text(min_size=1, max_size=30) | st.integers(0, 2**70).map(str), min_size=1,
                max_size=12, unique=True))
def test_names_of_images(stems: list[str]) -> None:
    names = read_names(stems)
    assert sorted(names.order) == list(range(len(stems)))


@fuzz
@given(st.binary(max_size=400))
def test_texts_of_any_encoding(data: bytes) -> None:
    try:
        assert isinstance(decode_text(data), str)
    except DataError as error:
        assert str(error)


@fuzz
@given(st.binary(max_size=300))
def test_pickled_files(data: bytes) -> None:
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    for content in (data, header.ljust(128) + data):
        try:
            read_numbers_by_name(content)
        except InertPickleError as error:
            assert str(error)


def recording() -> bytes:
    """A small MCAP file: a type, a topic, a message, an end."""
    def text(content: str) -> bytes:
        return struct.pack('<I', len(content)) + content.encode()

    def record(opcode: int, content: bytes) -> bytes:
        return bytes([opcode]) + struct.pack('<Q', len(content)) + content
    magic, inner = b'\x89MCAP0\r\n', record(5, struct.pack('<HIQQ', 1, 0, 1, 1) + bytes(60))
    return (magic + record(1, text('ros2') + text('x'))
            + record(3, struct.pack('<H', 1) + text(IMAGE_TYPE) + text('ros2msg')
                     + text(image_types().generate_msgdef(IMAGE_TYPE, ros_version=2)[0]))
            + record(4, struct.pack('<HH', 1, 1) + text('/rgb/image_raw') + text('cdr') + bytes(4))
            + record(6, struct.pack('<QQQI', 1, 1, len(inner), 0) + text('')
                     + struct.pack('<Q', len(inner)) + inner)
            + record(15, bytes(4)) + record(2, bytes(20)) + magic)


@fuzz
@given(st.binary(max_size=300) | spliced(recording()))
def test_recordings(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = _file(tmp_path_factory, data).with_suffix('.mcap')
    path.write_bytes(data)
    try:
        list(read_pairs(path))
    except DataError as error:
        assert str(error)


@fuzz
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode)
       | spliced(b'{"name": "x", "bbox_protocol": "rel1000", "image_size": [8, 8]}')
       | VALUES.map(lambda value: json.dumps(value).encode())
       | spliced(b'a: &a {b: [1, 2]}\nc: {<<: *a}\n'))
def test_settings_and_manifests(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = _file(tmp_path_factory, data)
    folder = path.parent / f'model-{os.getpid()}'
    folder.mkdir(exist_ok=True)
    (folder / 'rtrack.json').write_bytes(data)
    for read, given_path, expected in ((read_parameters, path, ParameterFileError),
                                       (read_yaml, path, SettingsError),
                                       (ModelManifest.read, folder, EngineError)):
        try:
            read(given_path)
        except expected as error:
            assert str(error)


def _file(factory: pytest.TempPathFactory, data: bytes) -> Path:
    path = factory.getbasetemp() / f'fuzzed-{os.getpid()}'
    path.write_bytes(data)
    return path
