"""What cannot be used of a data set is said."""

from pathlib import Path

import pytest

from rtrack_ros.data.left_out import say_left_out
from rtrack_ros.data.refrt_folder import read_refrt


def sequence(folder: Path, *missing: str) -> None:
    (folder / 'visible').mkdir(parents=True)
    for name, text in (('gt.txt', '1,1,0,0,9,9'), ('description.txt', 'the car')):
        if name not in missing:
            (folder / name).write_text(text)


def test_a_sequence_without_truth_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture
                                           ) -> None:
    sequence(tmp_path / 'train' / 'whole')
    sequence(tmp_path / 'train' / 'bare', 'gt.txt')
    assert [item.name for item in read_refrt(tmp_path)] == ['whole']
    assert '1 sequences of' in caplog.text and 'no gt.txt: train/bare' in caplog.text


def test_a_whole_set_is_not_talked_about(tmp_path: Path, caplog: pytest.LogCaptureFixture
                                         ) -> None:
    sequence(tmp_path / 'train' / 'whole')
    read_refrt(tmp_path)
    assert not caplog.text


def test_few_names_are_shown_and_files_mark_a_sequence_too(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(9):
        (tmp_path / f's{number}').mkdir()
        (tmp_path / f's{number}' / '1.jpg').touch()
    assert len(say_left_out(tmp_path, [tmp_path / 's0'], ['1.jpg'], 'truth.txt')) == 8
    assert 's5 and 3 more' in caplog.text
