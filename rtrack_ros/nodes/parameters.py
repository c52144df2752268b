"""The parameters of one node: declared from the schema, checked as a whole, read by name."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from rtrack_ros.parameters.schema import SCHEMA, ParameterSpec
from rtrack_ros.parameters.values import check

_BY_NAME = {spec.name: spec for spec in SCHEMA}


def describe(spec: ParameterSpec) -> ParameterDescriptor:
    """Return the descriptor that ``ros2 param describe`` shows."""
    known = spec.setting
    text = known.meaning + (f' [{known.unit}]' if known.unit else '')
    descriptor = ParameterDescriptor(name=spec.name, description=text,
                                     read_only=spec.when == 'never',
                                     dynamic_typing=spec.number_or_word)
    limits = ['one of ' + ', '.join(known.choices)] if known.choices else []
    if spec.when in ('configure', 'activate'):
        limits.append(f'a change takes effect at the next {spec.when}')
    descriptor.additional_constraints = '; '.join(limits)
    if known.span and isinstance(spec.default, int):
        descriptor.integer_range = [IntegerRange(from_value=int(known.span[0]),
                                                 to_value=int(known.span[1]))]
    elif known.span:
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(known.span[0]),
                                                              to_value=float(known.span[1]))]
    return descriptor


class NodeParameters(Mapping[str, Any]):
    """The parameters of one node, a mapping from their names to their values.

    Args:
        node: Node that declares them.
        on_change: Called with the names of changed parameters after a valid change.
    """

    def __init__(self, node: Node, on_change: Callable[[set[str]], None]) -> None:
        self._node = node
        self._on_change = on_change
        self._values = {spec.name: node.declare_parameter(spec.name, spec.default,
                                                          describe(spec)).value
                        for spec in SCHEMA}
        node.add_on_set_parameters_callback(self._accept)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def problem(self) -> str:
        """Return what is wrong with the values given at the start, or ''."""
        return check(self._values)

    def _accept(self, changes: list[Parameter]) -> SetParametersResult:
        changed = {item.name: item.value for item in changes if item.name in _BY_NAME}
        values = self._values | changed
        reason = check(values)
        if reason:
            return SetParametersResult(successful=False, reason=reason)
        self._values = values
        later = [name for name in changed if _BY_NAME[name].when != 'now']
        if later:
            self._node.get_logger().info(f'{", ".join(later)}: takes effect at the next '
                                         f'{_BY_NAME[later[0]].when}')
        self._on_change(set(changed))
        return SetParametersResult(successful=True)
