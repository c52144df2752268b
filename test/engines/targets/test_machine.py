from pathlib import Path

import pytest

from rtrack_ros.engines.targets.machine import Machine, output_of, probe_machine


def test_a_pc_is_read_from_nvidia_smi(tmp_path: Path) -> None:
    machine = probe_machine(lambda command: 'NVIDIA GeForce RTX 3090, 8.6, 580.95.05, 24576, '
                                            '23000\nNVIDIA T400, 7.5, 580.95.05, 4096, 4000\n',
                            tmp_path)
    assert (machine.gpu, machine.compute_capability, machine.driver) == (
        'NVIDIA GeForce RTX 3090', '8.6', '580.95.05')
    assert machine.memory_gb == pytest.approx(25.77, abs=0.01)
    assert machine.free_gb == pytest.approx(24.12, abs=0.01)


def test_a_jetson_is_read_from_its_board_its_release_and_its_memory(tmp_path: Path) -> None:
    for name, text in {'proc/device-tree/model': 'NVIDIA Jetson Orin Nano Developer Kit\0',
                       'proc/meminfo': 'MemTotal:        7620000 kB\nMemFree: 1 kB\n'
                                       'MemAvailable:    5000000 kB\n',
                       'etc/nv_tegra_release': '# R39 (release), REVISION: 2.0, GCID: 1'}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    machine = probe_machine(lambda command: '', tmp_path)
    assert (machine.compute_capability, machine.l4t) == ('8.7', (39, 2))
    assert machine.memory_gb == pytest.approx(7.80, abs=0.01)
    assert machine.free_gb == pytest.approx(5.12, abs=0.01)


@pytest.mark.parametrize('listed', ['', 'No devices were found', 'a, b, c'])
def test_a_machine_without_a_gpu_has_none(tmp_path: Path, listed: str) -> None:
    machine = probe_machine(lambda command: listed, tmp_path)
    assert machine == Machine(cpu=machine.cpu) and machine.cpu


def test_a_program_that_is_not_there_printed_nothing() -> None:
    assert output_of(['/no/such/program']) == ''
    assert output_of(['sh', '-c', 'echo out; exit 3']) == ''
    assert output_of(['sh', '-c', 'echo out']) == 'out\n'
