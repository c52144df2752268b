"""What the names of images say about number and time."""

import numpy as np
import pytest

from rtrack_ros.data.image_names import NameKind, natural_key, read_names

SECOND = 10**9


@pytest.mark.parametrize(('names', 'values'), [
    (['frame_000004', 'frame_000005', 'frame_000010'], [4, 5, 10]),
    (['9', '10', '11'], [9, 10, 11]),
    (['cam1_0001', 'cam1_0002', 'cam1_0004'], [1, 2, 4]),
    (['0000', '0010', '0020'], [0, 10, 20]),
    (['only7'], [7])])
def test_numbers_of_images(names: list[str], values: list[int]) -> None:
    found = read_names(names)
    assert found.kind is NameKind.NUMBER
    assert found.values.tolist() == values


@pytest.mark.parametrize(('names', 'seconds'), [
    (['1700000000', '1700000001', '1700000003'], [0, 1, 3]),
    (['1700000000033', '1700000000067', '1700000000101'], [0, 0.034, 0.068]),
    (['rgb_1700000000033333', 'rgb_1700000000066667'], [0, 0.033334]),
    (['1700000000033333333', '1700000000066666667'], [0, 0.033333334]),
    (['1700000000_933333333', '1700000001_000000000'], [0, 0.066666667]),
    (['1700000000.9', '1700000001.05'], [0, 0.15]),
    (['12.1', '12.03', '12.2'], [0, 0.07, 0.17]),
    (['000001_1700000000033', '000002_1700000000067'], [0, 0.034]),
    (['20230501_123059_900', '20230501_123100_000'], [0, 0.1]),
    (['2023-05-01_12-30-59.900', '2023-05-01_12-31-00.000'], [0, 0.1]),
    (['0', '33', '67', '100', '133'], [0, 0.033, 0.067, 0.1, 0.133]),
    (['0', '33333', '66667', '100000'], [0, 0.033333, 0.066667, 0.1]),
    (['5000000000', '5033333333', '5066666667'], [0, 0.033333333, 0.066666667])])
def test_times(names: list[str], seconds: list[float]) -> None:
    found = read_names(names)
    assert found.kind is NameKind.TIME
    assert (found.stamps_ns - found.stamps_ns[0]) / SECOND == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize('names', [
    ['b', 'a', 'c'], ['scene2_000002', 'scene1_000001', 'scene2_000001'],
    ['1', 'a', '2'], ['1', '17', '40', '300']])
def test_everything_else_is_an_order(names: list[str]) -> None:
    found = read_names(names)
    assert found.kind is NameKind.ORDER
    assert [names[place] for place in found.order] == sorted(names, key=natural_key)


def test_what_is_missing_shows_as_a_gap() -> None:
    assert read_names(['1', '2', '3']).gapless and read_names(['0', '5', '10']).gapless
    assert not read_names(['1', '2', '4']).gapless
    assert np.array_equal(read_names(['10', '9']).order, [1, 0])


@pytest.mark.parametrize('names', [
    ['20231301_123059', '20231302_123059'], ['20230230_123059', '20230231_123059'],
    ['20230501_123059_900', '20230001_123100_000'], ['2023050125595900', '2023050125595901']])
def test_digits_that_are_no_date_are_read_as_something_else(names: list[str]) -> None:
    assert sorted(read_names(names).order) == [0, 1]
