"""Parameter values as settings: checked as a whole, turned into what the library takes."""

import re
from collections.abc import Mapping
from typing import Any, Final

from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.engines.base import Capabilities
from rtrack_ros.intake.config import (
    IntakeConfig,
    SyncConfig,
    ThermalConfig,
    homography_matrix,
)
from rtrack_ros.limits import Limits
from rtrack_ros.parameters.schema import SCHEMA, ParameterSpec
from rtrack_ros.pipeline import PipelineConfig
from rtrack_ros.scheduling.detection_feed import FeedPixels
from rtrack_ros.scheduling.scheduler import Schedule
from rtrack_ros.tracking.config import TrackerConfig

_SERVER: Final = 'engine.server.'


def defaults() -> dict[str, Any]:
    """Return every parameter at its default, by name."""
    return {spec.name: spec.default for spec in SCHEMA}


def tracker_config(values: Mapping[str, Any]) -> TrackerConfig:
    """Return the tracker's settings, parameters ``tracker.*``.

    Raises:
        ValueError: a value is out of its range.
    """
    return TrackerConfig(**_fields(values, 'tracker.'))


def intake_config(values: Mapping[str, Any]) -> IntakeConfig:
    """Return the settings of the intake, parameters ``sync.*`` and ``thermal.*``.

    Raises:
        ValueError: a value is out of its range.
    """
    return IntakeConfig(SyncConfig(**_fields(values, 'sync.')),
                        ThermalConfig(**_fields(values, 'thermal.')), limits(values))


def limits(values: Mapping[str, Any]) -> Limits:
    """Return how much may be asked for, parameters ``limits.*``.

    Raises:
        ValueError: a value is out of its range.
    """
    return Limits(**_fields(values, 'limits.'))


def schedule(values: Mapping[str, Any]) -> Schedule:
    """Return what a model is asked in which order, parameters ``ask.*``.

    Raises:
        ValueError: a value is out of its range.
    """
    return Schedule(deadline_s=values['ask.deadline_s'] or None, **_fields(values, 'ask.'))


def schedule_for(values: Mapping[str, Any], model: Capabilities) -> Schedule:
    """Return the same with what the model does not offer left out."""
    return schedule(values).for_model(model, values['ask.crops'])


def pipeline_config(values: Mapping[str, Any]) -> PipelineConfig:
    """Return the settings of the pipeline.

    Raises:
        ValueError: a value is out of its range.
    """
    return PipelineConfig(tracker_config(values), schedule(values), values['ask.crops'],
                          values['ask.refine'], values['engine.max_boxes'], limits(values),
                          detector=detector_config(values), feed=feed_pixels(values),
                          split_sentences=values['ask.split_sentences'])


def detector_config(values: Mapping[str, Any]) -> DetectorConfig:
    """Return the settings of a detector of our own choice, parameters ``detector.*``.

    Raises:
        ValueError: a value is out of its range.
    """
    return DetectorConfig(**_fields(values, 'detector.'))


def feed_pixels(values: Mapping[str, Any]) -> FeedPixels:
    """Return which image a detector outside looks at, parameters ``detections.*``.

    Raises:
        ValueError: the size of the images is none.
    """
    size = image_size(values['detections.image_size'], 'detections.image_size')
    return FeedPixels(values['detections.spectrum'], size,
                      homography_matrix(values['thermal.homography']))


def server_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the engine 'server', parameters ``engine.server.*``.

    Raises:
        ValueError: the size of the images is none.
    """
    options = {name.removeprefix(_SERVER): value for name, value in values.items()
               if name.startswith(_SERVER)}
    return options | {'image_size': image_size(options['image_size'], f'{_SERVER}image_size')}


def image_size(text: str, name: str) -> tuple[int, int] | None:
    """Return (width, height) in pixels of a text such as 640x480, None for an empty one.

    Args:
        text: The text.
        name: Of the parameter.

    Raises:
        ValueError: it is no size.
    """
    if not text:
        return None
    size = re.fullmatch('([1-9][0-9]{1,4})x([1-9][0-9]{1,4})', text)
    if size is None:
        raise ValueError(f'{name} must be empty or written like 640x480; got '
                         f'{text!r}')
    return int(size[1]), int(size[2])


def check(values: Mapping[str, Any]) -> str:
    """Return what is wrong with a complete set of values, or '' when they fit together."""
    for spec in SCHEMA:
        problem = spec.setting.problem(values[spec.name])
        if problem:
            return f'{spec.name} {problem}; got {values[spec.name]!r}'
    try:
        intake_config(values)
        server_options(values)
        detector_config(values)
        feed_pixels(values)
    except ValueError as error:
        return str(error)
    return ''


def _fields(values: Mapping[str, Any], group: str) -> dict[str, Any]:
    return {spec.field: _given(spec, values[spec.name]) for spec in SCHEMA
            if spec.field and spec.name.startswith(group)}


def _given(spec: ParameterSpec, value: Any) -> Any:
    """Return a value as the library takes it: a number or a word is a text there."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f'{value:g}' if spec.number_or_word and number else value
