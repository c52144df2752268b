"""One schema: what is declared, what the YAML file says and what the tracker accepts agree."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.nodes.parameter_files import table_text, yaml_text
from rtrack_ros.nodes.parameters import (
    NOT_CALIBRATED,
    SCHEMA,
    TRACKER_SPANS,
    check,
    describe,
    homography,
    schedule,
)
from rtrack_ros.scheduling.scheduler import Schedule
from rtrack_ros.tracking.config import TrackerConfig

YAML = Path(__file__).parents[2] / 'config' / 'tracker.yaml'
DEFAULTS = {spec.name: spec.default for spec in SCHEMA}


def flatten(tree: dict[str, object], prefix: str = '') -> dict[str, object]:
    flat = {}
    for key, value in tree.items():
        name = f'{prefix}{key}'
        flat |= flatten(value, f'{name}.') if isinstance(value, dict) else {name: value}
    return flat


def test_the_yaml_file_is_up_to_date() -> None:
    assert YAML.read_text() == yaml_text(), (
        'run: python -m rtrack_ros.nodes.parameter_files > config/tracker.yaml')


def test_the_yaml_file_holds_the_defaults_with_their_types() -> None:
    loaded = flatten(yaml.safe_load(yaml_text())['/**']['ros__parameters'])
    assert loaded == DEFAULTS
    assert {name: type(value) for name, value in loaded.items()} == {
        name: type(value) for name, value in DEFAULTS.items()}


def test_the_table_has_a_row_for_every_parameter() -> None:
    rows = table_text().splitlines()[2:]
    assert [row.split('`')[1] for row in rows] == [spec.name for spec in SCHEMA]


def test_every_tracker_setting_is_a_parameter_with_a_span() -> None:
    fields = [field.name for field in dataclasses.fields(TrackerConfig)]
    assert [spec.name for spec in SCHEMA if spec.name.startswith('tracker.')] == [
        f'tracker.{name}' for name in fields]
    assert set(TRACKER_SPANS) == set(fields)


@pytest.mark.parametrize('spec', SCHEMA, ids=lambda spec: spec.name)
def test_a_parameter_describes_itself(spec) -> None:
    descriptor = describe(spec)
    assert len(descriptor.description) > 10
    assert spec.span is not None or isinstance(spec.default, bool | str | list)
    if spec.span is not None:
        assert spec.span[0] <= spec.default <= spec.span[1]
        ranges = (descriptor.integer_range if isinstance(spec.default, int)
                  else descriptor.floating_point_range)
        assert (ranges[0].from_value, ranges[0].to_value) == spec.span
    if spec.choices:
        assert spec.default in spec.choices


@pytest.mark.parametrize('end', [0, 1], ids=['least', 'greatest'])
def test_the_ends_of_every_tracker_span_are_accepted(end: int) -> None:
    for name, span in TRACKER_SPANS.items():
        assert check(DEFAULTS | {f'tracker.{name}': span[end]}) == '', name


def test_the_defaults_fit_together() -> None:
    assert check(DEFAULTS) == ''


@pytest.mark.parametrize('changes, complaint', [
    ({'thermal.scaling': 'square'}, 'auto, linear'),
    ({'thermal.linear_low': 9.0, 'thermal.linear_high': 3.0}, 'must be below'),
    ({'thermal.homography': [1.0] * 8}, 'nine finite numbers'),
    ({'thermal.homography': [1.0] * 9}, 'cannot be inverted'),
    ({'thermal.homography': [float('nan')] * 9}, 'nine finite numbers'),
    ({'ask.crops': 'sometimes'}, 'auto, always, never'),
    ({'tracker.existence_decay_s': 0.0}, 'existence_decay_s')])
def test_values_that_do_not_fit_are_explained(changes: dict[str, object],
                                              complaint: str) -> None:
    assert complaint in check(DEFAULTS | changes)


def test_the_homography_is_a_matrix_or_nothing() -> None:
    assert homography(NOT_CALIBRATED) is None
    matrix = homography([2.0, 0.0, 5.0, 0.0, 2.0, 6.0, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(matrix @ [1.0, 1.0, 1.0], [7.0, 8.0, 1.0])


@pytest.mark.parametrize(('changes', 'expected'), [
    ({}, Schedule(queries_per_pair=4)),
    ({'ask.deadline_s': 1.5, 'ask.full_frame_interval_s': 3.0, 'ask.confident_score': 0.9,
      'ask.crops': 'always', 'ask.queries_per_pair': 2},
     Schedule(1.5, 3.0, 0.9, (320, 256), 2))])
def test_what_the_model_is_asked_follows_the_parameters(changes, expected) -> None:
    model = Capabilities('e', 'm', 'CPU', 'int8', 'rel1000', (320, 256), True, shares_images=True)
    assert schedule(DEFAULTS | changes, model) == expected
