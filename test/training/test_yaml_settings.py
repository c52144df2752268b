"""Settings are read as people write them; mistakes are named."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rtrack_ros.training.yaml_settings import (
    SettingsError,
    check_span,
    fill_settings,
    read_yaml,
)


@dataclass(frozen=True)
class Known:
    rate: float = 0.1
    steps: int | None = None
    name: str = ''
    on: bool = False
    size: tuple[int, int] | None = None
    names: tuple[str, ...] = ()
    more: Mapping[str, Any] | None = None


@pytest.mark.parametrize('text, value', [
    ('2e-4', 2e-4), ('2E5', 2e5), ('-1e+3', -1e3), ('.5e-1', 0.05), ('2.0e-4', 2e-4),
    ('3', 3), ('0.5', 0.5), ("'2e-4'", '2e-4'), ('e4', 'e4'), ('2e', '2e'), ('1e3a', '1e3a')])
def test_a_number_may_have_an_exponent_without_a_point(tmp_path: Path, text: str, value) -> None:
    path = tmp_path / 'a.yaml'
    path.write_text(f'rate: {text}')
    read = read_yaml(path)['rate']
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize('values, said', [
    ({'rate': '2e-4x'}, "here: rate must be a number; got '2e-4x'"),
    ({'rate': True}, 'rate must be a number'), ({'rate': float('nan')}, 'finite'),
    ({'steps': 1.5}, 'steps must be a whole number'), ({'on': 'yes please'}, 'true or false'),
    ({'size': 448}, 'size must be a list'), ({'size': [448]}, 'size must be a list of 2'),
    ({'size': [448.5, 3]}, 'size must be a whole number'), ({'names': 'one'}, 'must be a list'),
    ({'names': ['one', 2]}, 'names must be text; got 2'), ({'more': [1]}, 'must hold entries'),
    ({'name': 3}, 'name must be text'), ({'raet': 1}, 'unknown entries raet; known are'),
    ([1], 'must hold entries')])
def test_a_value_of_another_kind_is_refused(values, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        fill_settings(Known, values, 'here')


def test_what_fits_is_taken() -> None:
    assert fill_settings(Known, {'rate': 2, 'steps': None, 'size': [3, 4]}, 'here') == Known(
        2, None, size=(3, 4))


@pytest.mark.parametrize('text, said', [('a: [', 'is no YAML'), ('', 'is no configuration'),
                                        ('- a', 'is no configuration'),
                                        ('a: 1\nb: {c: 1, c: 2}', 'is no YAML.*c is there twice'),
                                        ('1: x\n? [1, 2]\n: 3\n1: y', 'is no YAML.*1 is there')])
def test_what_is_no_configuration_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / 'a.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=f'a.yaml {said}'):
        read_yaml(path)


@pytest.mark.parametrize('value, fits', [(0, True), (1, True), (0.5, True), (None, True),
                                         (-0.1, False), (1.5, False)])
def test_a_number_lies_in_its_range(value, fits: bool) -> None:
    if fits:
        check_span(value, (0, 1), 'share')
        return
    with pytest.raises(SettingsError, match='share must lie between 0 and 1; got'):
        check_span(value, (0, 1), 'share')
