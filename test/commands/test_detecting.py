"""The detector of a recording, by the option or by the parameter file."""

from pathlib import Path

import pytest

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.detecting import detector_config, detector_parameters
from rtrack_ros.parameters.values import defaults


def test_the_path_of_the_option_switches_a_detector_on() -> None:
    config = detector_config(Path('net.onnx'), None)

    assert (config.name, config.model) == ('auto', 'net.onnx')
    assert detector_config(None, None).name == 'none'


def test_the_rest_is_that_of_the_parameter_file() -> None:
    values = defaults() | {'detector.name': 'picodet', 'detector.model': 'elsewhere',
                           'detector.rate_hz': 5.0}

    assert detector_config(None, values).model == 'elsewhere'
    config = detector_config(Path('here'), values)
    assert (config.name, config.model, config.rate_hz) == ('picodet', 'here', 5.0)


def test_the_node_of_a_demonstration_gets_the_same_detector(tmp_path: Path) -> None:
    assert detector_parameters(None) == {}
    assert detector_parameters(tmp_path) == {'detector.name': 'auto',
                                             'detector.model': str(tmp_path)}
    with pytest.raises(CommandError, match='make picodet'):
        detector_parameters(tmp_path / 'nowhere')
