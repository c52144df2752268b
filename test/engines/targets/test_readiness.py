from dataclasses import replace
from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.checkpoints import open_checkpoint
from rtrack_ros.engines.targets.devices import find_device
from rtrack_ros.engines.targets.machine import Machine
from rtrack_ros.engines.targets.plan import Plan, choose_precision, make_plan
from rtrack_ros.engines.targets.readiness import check_readiness
from rtrack_ros.engines.targets.toolkits import assumed_toolkit


def plan(target: str, model: str | Path) -> Plan:
    device = find_device(target)
    route, checkpoint = device.route(None), open_checkpoint(str(model))
    return make_plan(device, route, checkpoint, choose_precision(device, route, checkpoint, None),
                     assumed_toolkit(route.engine), Path('out'))


def test_a_machine_that_fits_is_let_through(checkpoint: Path, rtx: Machine) -> None:
    check_readiness(plan('rtx-30', checkpoint), rtx)


@pytest.mark.parametrize('change, said', [
    ({'gpu': ''}, 'no NVIDIA GPU that answers .* --dry-run'),
    ({'compute_capability': '8.9'}, 'capability 8.9, rtx-30 has 8.6; use --target rtx-40'),
    ({'compute_capability': '7.5'}, 'it is no target that is known here'),
    ({'cpu': 'aarch64'}, 'build on the device itself'),
    ({'driver': '570.10'}, 'driver 570.10 is too old for TensorRT Edge-LLM; install 580 or newer'),
    ({'memory_gb': 1.0}, r'will not fit: .*, this machine has 1\.0 GB'),
    ({'free_gb': 1.5}, r'1\.5 GB are free; end what uses the GPU')])
def test_what_is_missing_is_said_with_the_remedy(checkpoint: Path, rtx: Machine, change: dict,
                                                 said: str) -> None:
    with pytest.raises(EngineError, match=said):
        check_readiness(plan('rtx-30', checkpoint), replace(rtx, **change))


def test_a_jetson_with_an_old_system_is_told_of_the_other_way(checkpoint: Path, orin: Machine
                                                              ) -> None:
    with pytest.raises(EngineError, match=r'Jetson Linux is 36\.4; .* 39\.2 or newer .*--engine '
                                          'vllm'):
        check_readiness(plan('jetson-orin', checkpoint), replace(orin, l4t=(36, 4)))


def test_a_name_of_the_hub_is_to_be_fetched_first(rtx: Machine) -> None:
    with pytest.raises(EngineError, match='hf download Qwen/Qwen3-VL-2B-Instruct --local-dir '
                                          'Qwen3-VL-2B-Instruct'):
        check_readiness(plan('rtx-30', 'Qwen/Qwen3-VL-2B-Instruct'), rtx)


def test_what_must_be_quantised_elsewhere_is_said(checkpoint: Path, orin: Machine) -> None:
    with pytest.raises(EngineError, match='not quantised to int4_awq yet; .* x86-64 computer'):
        check_readiness(plan('jetson-orin', checkpoint), orin)


def test_a_quantised_checkpoint_is_let_through_on_a_jetson(tmp_path: Path, write_checkpoint,
                                                           orin: Machine) -> None:
    folder = write_checkpoint(tmp_path / 'm', {'quant_method': 'awq'})
    check_readiness(plan('jetson-orin', folder), orin)
