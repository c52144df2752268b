import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.devices import DEVICES, find_device, targets_of
from rtrack_ros.engines.targets.precisions import BYTES_PER_WEIGHT


def test_there_is_no_fp8_and_no_nvfp4_for_any_ampere() -> None:
    ampere = [device for device in DEVICES.values()
              if device.compute_capability in ('8.0', '8.6', '8.7')]
    assert len(ampere) == 4
    for device in ampere:
        for route in device.routes:
            assert not {'fp8', 'nvfp4', 'mxfp8'} & set(route.precisions), (device.name, route)


@pytest.mark.parametrize('target', ['rtx-40', 'h100'])
def test_ada_and_hopper_never_go_to_edge_llm(target: str) -> None:
    assert {route.engine for route in find_device(target).routes} == {'trtllm', 'vllm'}


def test_every_precision_has_a_size_and_every_route_a_source() -> None:
    for device in DEVICES.values():
        for route in device.routes:
            assert set(route.precisions) <= set(BYTES_PER_WEIGHT) and route.source


def test_an_unknown_target_is_refused_with_the_list() -> None:
    with pytest.raises(EngineError, match=r"'rtx-20' is unknown; choose one of cpu, jetson-orin"):
        find_device('rtx-20')


def test_an_engine_that_does_not_run_there_is_refused_with_those_that_do() -> None:
    with pytest.raises(EngineError, match='edgellm does not run on rtx-40; choose one of vllm, '):
        find_device('rtx-40').route('edgellm')


def test_a_gpu_leads_to_its_targets() -> None:
    assert targets_of('8.7') == ['jetson-orin', 'jetson-orin-nano']
    assert targets_of('') == [] and targets_of('7.5') == []
