"""What a recording says of itself is counted before it is believed."""

import struct
from pathlib import Path

import pytest

pytest.importorskip('rosbags')

import lz4.frame
from backports import zstd
from rosbags.rosbag2.errors import ReaderError

from rtrack_ros.data import expansion
from rtrack_ros.data.bag import IMAGE_TYPE, image_types, open_bag, read_pairs
from rtrack_ros.data.expansion import decompress_lz4, decompress_zstd
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.recording import STATUS_TOPIC, read_statuses

IMAGE = image_types().generate_msgdef(IMAGE_TYPE, ros_version=2)[0]
MAGIC = b'\x89MCAP0\r\n'


def text(content: str) -> bytes:
    return struct.pack('<I', len(content.encode())) + content.encode()


def record(opcode: int, content: bytes) -> bytes:
    return bytes([opcode]) + struct.pack('<Q', len(content)) + content


def bag(path: Path, schema: str = IMAGE, kind: str = 'ros2msg', compression: str = '',
        chunk: bytes = b'', says: int = 0, cut: bool = False,
        type_: str = IMAGE_TYPE, topic: str = '/rgb/image_raw',
        message: bytes = bytes(100)) -> Path:
    """Write an MCAP file by hand: one chunk, or one message of zeros without one."""
    whole = MAGIC + record(1, text('ros2') + text('x'))
    whole += record(3, struct.pack('<H', 1) + text(type_) + text(kind)
                    + text(schema))
    whole += record(4, struct.pack('<HH', 1, 1) + text(topic) + text('cdr') + bytes(4))
    if chunk:
        whole += record(6, struct.pack('<QQQI', 1, 2, says, 0) + text(compression)
                        + struct.pack('<Q', len(chunk)) + chunk)
    else:
        whole += record(5, struct.pack('<HIQQ', 1, 0, 1, 1) + b'\0\1\0\0' + message)
    if not cut:
        whole += record(0x0F, bytes(4)) + record(2, bytes(20)) + MAGIC
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize('unpack, pack', [
    (decompress_zstd, zstd.compress), (decompress_lz4, lz4.frame.compress)])
def test_data_expand_up_to_a_size_and_no_further(unpack: object, pack: object) -> None:
    packed = pack(bytes(1_000_000))  # type: ignore[operator]
    assert len(packed) < 10_000
    assert unpack(packed, 1_000_000) == bytes(1_000_000)  # type: ignore[operator]
    with pytest.raises(ReaderError, match='more than the 999999 bytes'):
        unpack(packed, 999_999)  # type: ignore[operator]


def test_several_zstd_frames_are_one_and_a_cut_one_is_named() -> None:
    two = zstd.compress(b'a' * 1000) + zstd.compress(b'b' * 1000)
    assert decompress_zstd(two, 2000) == b'a' * 1000 + b'b' * 1000
    with pytest.raises(ReaderError):
        decompress_zstd(two, 1999)
    with pytest.raises(ReaderError, match='cut short'):
        decompress_zstd(two[:-9], 2000)


@pytest.mark.parametrize('compression, pack', [('zstd', zstd.compress),
                                               ('lz4', lz4.frame.compress)])
@pytest.mark.parametrize('says', [100, 3 << 20])
@pytest.mark.parametrize('cut', [False, True])
def test_a_bomb_in_a_chunk_is_damage(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: str, pack: object,
        says: int, cut: bool) -> None:
    monkeypatch.setattr(expansion, 'MOST_BYTES', 1 << 20)
    packed = pack(bytes(3 << 20))  # type: ignore[operator]
    path = bag(tmp_path / 'bomb.mcap', compression=compression, chunk=packed, says=says, cut=cut)
    with pytest.raises(DataError):
        list(read_pairs(path))


def test_a_whole_file_expands_no_further_either(tmp_path: Path) -> None:
    path = tmp_path / 'file.zstd'
    path.write_bytes(zstd.compress(bytes(2 << 20)))
    with path.open('rb') as file, expansion._Zstd.open(file, 'rb') as counted:
        counted._left = 1 << 20
        with pytest.raises(ReaderError, match='expand'):
            while counted.read(1 << 18):
                pass


@pytest.mark.parametrize('schema, kind', [
    (IMAGE.replace('uint32 height', 'std_msgs/Header[400000000] h'), 'ros2msg'),
    (IMAGE.replace('uint32 height', 'string[5000] h'), 'ros2msg'),
    (IMAGE + '=' * 80 + '\nMSG: x/A\nuint8[100] a\n' + '=' * 80 + '\nMSG: x/B\nx/A[100] a\n',
     'ros2msg'),
    ('Image again\n', 'ros2msg'),
    ('uint8 x\n' * 10_000, 'ros2msg'),
    ('module sensor_msgs { module msg { const uint64 X = 1 << 99999999999; struct Image { '
     'uint8 a[X]; }; }; };', 'ros2idl')])
def test_no_code_is_made_of_a_type_without_measure(tmp_path: Path, schema: str, kind: str) -> None:
    with pytest.raises(DataError), open_bag(bag(tmp_path / 'type.mcap', schema, kind)):
        pass


@pytest.mark.parametrize(('message', 'reason'), [(bytes(8), 'another version'),
                                                 (bytes(7), 'is damaged')])
def test_a_status_that_is_not_ours_is_a_named_error(tmp_path: Path, message: bytes, reason: str
                                                    ) -> None:
    path = bag(tmp_path / 'old.mcap', 'uint64 answers\n', type_='rtrack_ros/msg/TrackerStatus',
               topic=STATUS_TOPIC, message=message)
    with pytest.raises(DataError, match=reason):
        read_statuses(path)


@pytest.mark.parametrize(('schema', 'reason'), [
    ('uint32 height\nuint8[] data\n', 'otherwise than ROS 2'),
    (IMAGE.replace('string encoding\n', ''), 'look at encoding'),
    (IMAGE.replace('uint32 height', 'string height'), 'look at height'),
    (IMAGE.replace('int32 sec\n', ''), 'cannot open the bag')])
def test_images_of_other_fields_are_a_named_error(tmp_path: Path, schema: str, reason: str
                                                  ) -> None:
    with pytest.raises(DataError, match=reason):
        list(read_pairs(bag(tmp_path / 'type.mcap', schema)))


def test_the_usual_type_is_read(tmp_path: Path) -> None:
    with open_bag(bag(tmp_path / 'usual.mcap')) as reader:
        assert 'sensor_msgs/msg/Image' in reader.typestore.fielddefs
        assert len(list(reader.messages())) == 1
