"""A setting refuses what it cannot be, by name, with what it may be."""

from dataclasses import dataclass, replace

import pytest

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.settings import check_settings, setting, settings_of
from rtrack_ros.tracking.config import TrackerConfig


@dataclass(frozen=True)
class Kettle:
    litres: float = setting(1.5, 'How much it holds', 'l', (0.1, 5.0))
    cups: int = setting(4, 'How many cups it fills', span=(1, 20))
    colour: str = setting('red', 'How it looks', choices=('red', 'blue'), advanced=True)
    owner: str = 'nobody'

    def __post_init__(self) -> None:
        check_settings(self)


def test_only_settings_are_settings() -> None:
    known = {item.name: setting for item, setting in settings_of(Kettle)}
    assert list(known) == ['litres', 'cups', 'colour']
    assert (known['litres'].unit, known['colour'].advanced) == ('l', True)


@pytest.mark.parametrize('values', [{'litres': 0.1}, {'litres': 5}, {'cups': 20},
                                    {'colour': 'blue'}, {'owner': ''}])
def test_what_fits_is_taken(values) -> None:
    assert replace(Kettle(), **values)


@pytest.mark.parametrize(('values', 'complaint'), [
    ({'litres': 0.0}, 'litres must lie between 0.1 and 5 l; got 0.0'),
    ({'litres': float('nan')}, 'litres must lie between 0.1 and 5 l; got nan'),
    ({'litres': float('inf')}, 'got inf'), ({'litres': 'much'}, "got 'much'"),
    ({'litres': True}, 'got True'), ({'cups': 0}, 'cups must lie between 1 and 20; got 0'),
    ({'cups': 2.5}, 'cups must be a whole number; got 2.5'),
    ({'colour': 'green'}, "colour must be one of red, blue; got 'green'")])
def test_what_does_not_fit_is_explained(values, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(Kettle(), **values)


@pytest.mark.parametrize('name', ['max_lost_s', 'prediction_horizon_s', 'acceleration'])
@pytest.mark.parametrize('value', [float('nan'), -5.0])
def test_the_tracker_refuses_nan_and_negatives(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f'{name} must lie between'):
        TrackerConfig(**{name: value})


def test_an_answer_of_a_sure_model_says_more() -> None:
    fair, sure = AnswerAccuracy(0.6, 0.3), AnswerAccuracy(0.95, 0.05)
    assert fair.confirming_ratio == pytest.approx(2.0)
    assert fair.omitting_ratio == pytest.approx(4 / 7)
    assert sure.confirming_ratio > fair.confirming_ratio
    assert sure.omitting_ratio < fair.omitting_ratio
    with pytest.raises(ValueError, match='detection_probability'):
        AnswerAccuracy(1.5)
