"""What a recorder that was killed had written is read; what is no recording is a named error."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('rosbags', reason='bags need the bag extra')

from rtrack_ros.data.bag import open_bag, read_pairs
from rtrack_ros.data.bag_writing import ImageBagWriter
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.videos import is_bag, open_pairs

START_NS = 1_700_000_000_000_000_000
FRAMES, SIZE = 40, (120, 160, 3)


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('recorded') / 'bag'
    noise = np.random.default_rng(2).integers(0, 255, SIZE, np.uint8)
    with ImageBagWriter(path) as writer:
        for number in range(FRAMES):
            stamp_ns = START_NS + number * 33_000_000
            # The stamps of a message and the order of arrival differ, as with real cameras.
            writer.write_thermal(stamp_ns + 5_000_000, np.roll(noise[..., 0], number))
            writer.write_rgb(stamp_ns, np.full_like(noise, number))
    return path


def cut(whole: Path, folder: Path, share: float, metadata: bool = False) -> Path:
    folder.mkdir()
    (folder / 'bag.mcap').write_bytes((data := (whole / 'bag.mcap').read_bytes())[
        :int(share * len(data))])
    if metadata:
        (folder / 'metadata.yaml').write_text((whole / 'metadata.yaml').read_text())
    return folder


@pytest.mark.parametrize('metadata', [False, True])
@pytest.mark.parametrize('share', [0.4, 0.75, 0.97])
def test_a_cut_recording_is_read_up_to_its_last_whole_chunk(
        whole: Path, tmp_path: Path, share: float, metadata: bool) -> None:
    folder = cut(whole, tmp_path / 'cut', share, metadata)
    assert is_bag(folder)
    for source in (folder, folder / 'bag.mcap'):
        pairs = read_pairs(source)
        shades = [int(pair.rgb[0, 0, 0]) for pair in pairs]
        assert shades == list(range(len(shades)))
        assert share * FRAMES - 20 < len(shades) <= FRAMES
        assert len(pairs) == len(shades)
        assert all(pair.thermal is not None for pair in list(pairs)[1:-1])
        assert any('never closed' in note for note in pairs.tally.notes)


def test_a_whole_recording_without_its_metadata_is_read(whole: Path, tmp_path: Path) -> None:
    folder = cut(whole, tmp_path / 'bag', 1.0)
    with open_bag(folder) as reader:
        assert not reader.cut
    assert len(list(open_pairs(folder))) == FRAMES


@pytest.mark.parametrize('content', [b'', b'\x89MCAP0\r\n', b'no recording', bytes(5000)])
def test_what_holds_nothing_is_a_named_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'bag.mcap'
    path.write_bytes(content)
    with pytest.raises(DataError, match=r'cannot open the bag .*bag\.mcap'), open_bag(path):
        pass


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=40), st.floats(0, 1), st.floats(0.05, 1))
def test_damage_anywhere_is_read_around_or_a_named_error(
        whole: Path, tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: float,
        end: float) -> None:
    data = bytearray((whole / 'bag.mcap').read_bytes())
    data = data[:int(end * len(data))]
    place = int(at * (len(data) - len(junk)))
    data[place:place + len(junk)] = junk
    path = tmp_path_factory.mktemp('damaged') / 'bag.mcap'
    path.write_bytes(data)
    try:
        for pair in read_pairs(path):
            assert pair.rgb.shape == SIZE
    except DataError as error:
        assert str(error)
