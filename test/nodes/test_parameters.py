"""A parameter tells ROS what it means and what it may be."""

import pytest

from rtrack_ros.nodes.parameters import describe
from rtrack_ros.parameters.schema import SCHEMA


@pytest.mark.parametrize('spec', SCHEMA, ids=lambda spec: spec.name)
def test_a_parameter_describes_itself(spec) -> None:
    descriptor, known = describe(spec), spec.setting
    assert len(descriptor.description) > 10
    assert known.span is not None or isinstance(spec.default, bool | str | list)
    if known.span is not None:
        assert known.span[0] <= spec.default <= known.span[1]
        ranges = (descriptor.integer_range if isinstance(spec.default, int)
                  else descriptor.floating_point_range)
        assert (ranges[0].from_value, ranges[0].to_value) == known.span
    if known.choices:
        assert spec.default in known.choices
    assert descriptor.read_only == (spec.when == 'never')


@pytest.mark.parametrize(('name', 'limits'), [
    ('tracker.min_score', ''),
    ('thermal.scaling', 'one of auto, linear'),
    ('engine.threads', 'a change takes effect at the next configure'),
    ('rgb.transport', 'one of raw, compressed; a change takes effect at the next activate')])
def test_a_parameter_says_its_choices_and_when_a_change_takes_effect(name, limits) -> None:
    spec, = (spec for spec in SCHEMA if spec.name == name)
    assert describe(spec).additional_constraints == limits
