"""The node's parameters: one schema for declaration, ``config/tracker.yaml`` and the README.

``rtrack_ros.nodes.parameter_files`` writes both files.
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from rtrack_ros.engines.base import USES, Capabilities
from rtrack_ros.scheduling.scheduler import Schedule
from rtrack_ros.tracking.config import TrackerConfig

NOT_CALIBRATED = [0.0] * 9


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter.

    Attributes:
        name: Dotted name.
        default: Its type is the parameter's type.
        description: What it does, and what raising it does.
        unit: SI or pixel unit, '' where there is none.
        span: Least and greatest value of a number.
        choices: Allowed texts; empty where any text is allowed.
        read_only: Fixed for the life of the process.
        when: When a change takes effect: 'now', or at the next 'configure' or 'activate'.
    """

    name: str
    default: Any
    description: str
    unit: str = ''
    span: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False
    when: str = 'now'


NODE_PARAMETERS = (
    ParameterSpec('autostart', False, 'Configure and activate without a lifecycle manager',
                  read_only=True),
    ParameterSpec('engine.name', 'auto', 'Engine that runs the model; auto takes the first that '
                  'works', choices=('auto', 'openvino', 'transformers', 'scripted'),
                  when='configure'),
    ParameterSpec('engine.model', '', 'Folder of the model; empty takes the rtrack-nano that '
                  'comes with the package; for scripted, a JSON list of answers',
                  when='configure'),
    ParameterSpec('engine.max_boxes', 12, 'Most boxes in one answer; raising it lets crowds be '
                  'answered and makes the longest answer slower', span=(1, 100),
                  when='configure'),
    ParameterSpec('engine.threads', 1, 'Threads of the model; more shorten an answer and take '
                  'cores from tracking', span=(1, 256), when='configure'),
    ParameterSpec('engine.niceness', 5, 'Scheduling niceness of the model; raising it favours '
                  'tracking over answers where cores are scarce', span=(0, 19),
                  when='configure'),
    ParameterSpec('query.initial', '', 'Sentence to follow from the start', when='configure'),
    ParameterSpec('ask.deadline_s', 0.0, 'Time after which a question to the model is given up '
                  'and a newer pair asked about; 0 gives up once the frame is forgotten '
                  '(tracker.history_most_s)', unit='s', span=(0.0, 600.0), when='configure'),
    ParameterSpec('ask.crops', 'auto', 'Whether sure tracks are looked at enlarged: auto where '
                  'rtrack.json of the model says that it gains',
                  choices=USES, when='configure'),
    ParameterSpec('ask.refine', 'never', 'Whether every box of an answer is looked at again '
                  'from near, which makes answers more exact, fewer and later: auto where '
                  'rtrack.json of the model says that it gains', choices=USES,
                  when='configure'),
    ParameterSpec('ask.full_frame_interval_s', 2.0, 'Longest time between two questions of one '
                  'sentence about the whole image where crops are in use; raising it enlarges '
                  'more often and finds newcomers later', unit='s', span=(0.0, 600.0),
                  when='configure'),
    ParameterSpec('ask.confident_score', 0.8, 'Score from which a track is sure; raising it asks '
                  'about the whole image and about doubtful sentences more often',
                  span=(0.0, 1.0), when='configure'),
    ParameterSpec('ask.queries_per_pair', 4, 'Most sentences asked about one pair, where the '
                  'engine encodes its images once for all of them; raising it saves encodings '
                  'and makes later answers older', span=(1, 100), when='configure'),
    ParameterSpec('rgb.transport', 'raw', 'Whether rgb/image_raw or rgb/image_raw/compressed is '
                  'subscribed', choices=('raw', 'compressed'), when='activate'),
    ParameterSpec('thermal.transport', 'raw', 'The same for the thermal camera',
                  choices=('raw', 'compressed'), when='activate'),
    ParameterSpec('thermal.scaling', 'auto', 'How raw counts become 8 bits: auto follows the '
                  'scene by percentiles, linear keeps the limits below',
                  choices=('auto', 'linear')),
    ParameterSpec('thermal.linear_low', 0.0, 'Raw count shown black by linear scaling',
                  unit='counts', span=(-1e6, 1e6)),
    ParameterSpec('thermal.linear_high', 65535.0, 'Raw count shown white by linear scaling',
                  unit='counts', span=(-1e6, 1e6)),
    ParameterSpec('thermal.homography', NOT_CALIBRATED, 'Row-major 3x3 homography from thermal '
                  'to RGB pixels; nine zeros assume equal fields of view'),
    ParameterSpec('sync.slop_ms', 20.0, 'Largest stamp difference within a pair; raising it '
                  'accepts worse partners', unit='ms', span=(0.0, 1000.0)),
    ParameterSpec('sync.max_wait_ms', 30.0, 'Longest time an RGB image waits for its thermal '
                  'partner; raising it pairs more and adds latency', unit='ms',
                  span=(0.0, 1000.0)),
    ParameterSpec('sync.thermal_timeout_ms', 500.0, 'Thermal silence after which RGB goes on '
                  'alone at once; raising it waits longer for an unplugged camera', unit='ms',
                  span=(10.0, 60000.0)),
    ParameterSpec('status.rate_hz', 2.0, 'Rate of ~/status', unit='Hz', span=(0.1, 50.0),
                  when='activate'),
    ParameterSpec('diagnostics.rate_hz', 1.0, 'Rate of /diagnostics', unit='Hz',
                  span=(0.1, 10.0), when='activate'),
    ParameterSpec('diagnostics.answer_age_warn_s', 5.0, 'Age of the newest answer from which '
                  'diagnostics warn', unit='s', span=(0.1, 600.0)),
    ParameterSpec('diagnostics.latency_warn_ms', 100.0, 'Time from receiving an image to '
                  'publishing its array from which diagnostics warn', unit='ms',
                  span=(1.0, 10000.0)),
    ParameterSpec('debug.image_rate_hz', 5.0, 'Highest rate of ~/debug/image, which is drawn only '
                  'for subscribers; raising it costs processor time', unit='Hz',
                  span=(0.1, 60.0)),
)

# Spans of the tracker's settings; what they mean stands in TrackerConfig.
TRACKER_SPANS: dict[str, tuple[float, float]] = {
    'history_s': (0.1, 60.0), 'history_most_s': (0.1, 60.0), 'flow_width': (64, 4096),
    'points_per_box': (1, 1000), 'siamese_per_frame': (0, 100), 'siamese_width': (64, 4096),
    'siamese_correlation_s': (0.0, 60.0), 'siamese_min_presence': (0.01, 0.99),
    'min_points': (1, 100), 'forward_backward_px': (0.01, 100.0), 'max_flow_gap_s': (0.0, 60.0),
    'acceleration': (0.001, 1000.0), 'flow_noise_px': (0.001, 100.0),
    'answer_noise': (0.001, 10.0), 'size_noise': (0.001, 10.0), 'coast_s': (0.01, 60.0),
    'lost_after_s': (0.0, 600.0),
    'max_lost_s': (0.0, 3600.0), 'hits_to_confirm': (1, 100),
    'max_initial_existence': (0.01, 0.99), 'birth_interval_s': (0.01, 3600.0),
    'detection_probability': (0.01, 0.99), 'false_alarm_probability': (0.01, 0.99),
    'existence_decay_s': (0.01, 3600.0),
    'min_score': (0.01, 0.99), 'min_existence': (0.001, 0.99), 'iou_gate': (0.01, 0.99),
    'distance_gate': (0.0, 100.0), 'appearance_weight': (0.0, 1.0),
    'appearance_gate': (0.0, 1.0), 'prediction_horizon_s': (0.0, 1.0), 'duplicate_iou': (0.0, 1.0),
}
_UNITS = {'_s': 's', '_px': 'px', 'width': 'px'}


def _field_texts(documentation: str) -> dict[str, str]:
    """Return what the 'Attributes' section of a docstring says about each field."""
    section = documentation.partition('Attributes:')[2]
    entries = re.split(r'\n {8}(?=\w+: )', section)
    pairs = (entry.partition(': ') for entry in entries if entry.strip())
    return {name.strip(): ' '.join(text.split()).rstrip('.') for name, _, text in pairs}


def _tracker_parameters() -> tuple[ParameterSpec, ...]:
    texts = _field_texts(TrackerConfig.__doc__ or '')
    return tuple(
        ParameterSpec(f'tracker.{field.name}', field.default, texts[field.name],
                      next((unit for end, unit in _UNITS.items() if field.name.endswith(end)), ''),
                      TRACKER_SPANS.get(field.name), when='configure')
        for field in dataclasses.fields(TrackerConfig))


SCHEMA = NODE_PARAMETERS + _tracker_parameters()
_BY_NAME = {spec.name: spec for spec in SCHEMA}


def describe(spec: ParameterSpec) -> ParameterDescriptor:
    """Return the descriptor that ``ros2 param describe`` shows."""
    text = spec.description + (f' [{spec.unit}]' if spec.unit else '')
    descriptor = ParameterDescriptor(name=spec.name, description=text, read_only=spec.read_only)
    if spec.choices:
        descriptor.additional_constraints = 'one of ' + ', '.join(spec.choices)
    elif spec.when != 'now':
        descriptor.additional_constraints = f'a change takes effect at the next {spec.when}'
    if spec.span and isinstance(spec.default, int):
        descriptor.integer_range = [IntegerRange(from_value=int(spec.span[0]),
                                                 to_value=int(spec.span[1]))]
    elif spec.span:
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(spec.span[0]),
                                                              to_value=float(spec.span[1]))]
    return descriptor


class NodeParameters:
    """The parameters of one node: declared, checked as a whole, and read by name.

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

    def tracker_config(self) -> TrackerConfig:
        """Return the tracker's settings."""
        return _tracker_config(self._values)

    def schedule(self, model: Capabilities) -> Schedule:
        """Return what a model is asked in which order."""
        return schedule(self._values, model)

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


def _tracker_config(values: dict[str, Any]) -> TrackerConfig:
    return TrackerConfig(**{name.partition('.')[2]: value for name, value in values.items()
                            if name.startswith('tracker.')})


def schedule(values: dict[str, Any], model: Capabilities) -> Schedule:
    """Return what a model is asked in which order by parameters ``ask.*``."""
    wanted = Schedule(values['ask.deadline_s'] or None, values['ask.full_frame_interval_s'],
                      values['ask.confident_score'],
                      queries_per_pair=values['ask.queries_per_pair'])
    return wanted.for_model(model, values['ask.crops'])


def homography(values: list[float]) -> NDArray[np.float64] | None:
    """Return the 3x3 matrix of parameter ``thermal.homography``, None where not calibrated.

    Raises:
        ValueError: not nine numbers of an invertible matrix.
    """
    matrix = np.asarray(values, np.float64)
    if matrix.shape != (9,) or not np.isfinite(matrix).all():
        raise ValueError('thermal.homography needs nine finite numbers, row by row')
    if not matrix.any():
        return None
    if abs(np.linalg.det(matrix.reshape(3, 3))) < 1e-12:
        raise ValueError('thermal.homography cannot be inverted; give nine zeros where the '
                         'cameras are not calibrated')
    return matrix.reshape(3, 3)


def check(values: dict[str, Any]) -> str:
    """Return what is wrong with a complete set of values, or '' when they fit together."""
    for spec in SCHEMA:
        if spec.choices and values[spec.name] not in spec.choices:
            return f'{spec.name} must be one of {", ".join(spec.choices)}'
    if not values['thermal.linear_low'] < values['thermal.linear_high']:
        return 'thermal.linear_low must be below thermal.linear_high'
    try:
        homography(values['thermal.homography'])
        _tracker_config(values)
    except ValueError as error:
        return str(error)
    return ''
