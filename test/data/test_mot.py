"""MOTChallenge rows: what is written can be read, and bad rows name their line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.data.mot import MotError, MotRow, read_mot, write_mot

coordinates = st.floats(-50, 2000).map(lambda value: round(value, 2))
sizes = st.floats(0.01, 900).map(lambda value: max(round(value, 2), 0.01))
rows = st.builds(
    lambda frame, number, x, y, w, h, score: MotRow(frame, number, (x, y, x + w, y + h), score),
    st.integers(1, 400), st.integers(0, 10**6), coordinates, coordinates, sizes, sizes,
    st.integers(0, 100).map(lambda value: value / 100))


@settings(deadline=None, max_examples=50)
@given(st.lists(rows, max_size=20, unique_by=lambda row: (row.frame, row.id)))
def test_rows_survive_writing_and_reading(tmp_path_factory: pytest.TempPathFactory,
                                          written: list[MotRow]) -> None:
    path = tmp_path_factory.mktemp('mot') / 'tracks.txt'
    write_mot(path, written)
    read = {(row.frame, row.id): row for frame in read_mot(path).values() for row in frame}
    assert read.keys() == {(row.frame, row.id) for row in written}
    for row in written:
        assert read[row.frame, row.id].box == pytest.approx(row.box, abs=0.011)
        assert read[row.frame, row.id].score == pytest.approx(row.score)


def test_rows_are_sorted_by_frame(tmp_path: Path) -> None:
    path = tmp_path / 'a' / 'tracks.txt'
    write_mot(path, [MotRow(2, 1, (0, 0, 1, 1)), MotRow(1, 3, (0, 0, 2, 2))])
    assert path.read_text() == '1,3,0.00,0.00,2.00,2.00,1,1,1\n2,1,0.00,0.00,1.00,1.00,1,1,1\n'


@pytest.mark.parametrize('line, box', [
    ('3,7,10,20,30,40', (10, 20, 40, 60)),
    ('3 7 10 20 30 40 0.5', (10, 20, 40, 60)),
    ('3,7.0,10,20,30,40,1,-1,-1,-1', (10, 20, 40, 60)),
])
def test_common_variants_are_read(tmp_path: Path, line: str,
                                  box: tuple[float, ...]) -> None:
    (tmp_path / 't.txt').write_text(line + '\n\n')
    [row] = read_mot(tmp_path / 't.txt')[3]
    assert (row.id, row.box) == (7, box)


@pytest.mark.parametrize('line, reason', [
    ('0,1,1,1,1,1', 'start at 1'), ('1,-1,1,1,1,1', 'not negative'), ('1,1,1,1,1', 'columns'),
    ('1,1,1,1,0,1', 'positive'), ('1,1,a,1,1,1', 'could not convert'),
    ('1,1,1,1,nan,1', 'finite'), ('1,1,nan,1,1,1', 'finite'), ('1,1,1,inf,1,1', 'finite'),
    ('1,1,1,1,1,1,nan', 'finite'), ('1,1,1,1,1e999,1', 'finite'), ('inf,1,1,1,1,1', 'finite'),
])
def test_bad_rows_name_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / 't.txt').write_text('1,1,1,1,1,1\n' + line + '\n')
    with pytest.raises(MotError, match=f't.txt:2: .*{reason}'):
        read_mot(tmp_path / 't.txt')


def test_an_id_twice_in_a_frame_is_refused(tmp_path: Path) -> None:
    (tmp_path / 't.txt').write_text('1,5,1,1,1,1\n1,5,9,9,1,1\n')
    with pytest.raises(MotError, match='id 5 appears twice'):
        read_mot(tmp_path / 't.txt')


def test_an_empty_file_means_nothing_found_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'empty.txt').touch()
    assert read_mot(tmp_path / 'empty.txt') == {}
    with pytest.raises(MotError, match=r'missing\.txt'):
        read_mot(tmp_path / 'missing.txt')
