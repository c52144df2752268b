"""No command, and nothing a command loads, asks for a name or leaves an id in the home folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtrack_ros import telemetry

SMALL = ['--seconds', '0.5', '--fps', '10', '--size', '160x120', '--thermal-size', '80x60']


def run(lookups: Path, home: Path, commands: list[list[str]], before: str = '') -> None:
    """Run commands one after the other in a process that nobody told what to leave out."""
    code = (f'{before}\nimport json, sys\nfrom rtrack_ros.cli import main\n'
            'for command in json.loads(sys.argv[1]):\n'
            '    assert main(command) == 0, command\n')
    kept = {name: value for name, value in os.environ.items()
            if name not in telemetry.SWITCHES and not name.startswith(('CI', 'GITHUB_', 'HF_'))}
    ran = subprocess.run([sys.executable, '-P', '-c', code, json.dumps(commands)], cwd=home,
                         env={**kept, 'HOME': str(home)}, text=True, capture_output=True,
                         check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert lookups.read_text() == ''


def test_what_leaves_the_machine_is_seen_by_these_tests(lookups: Path) -> None:
    code = 'import socket\nsocket.getaddrinfo("a.invalid", 1)'
    ran = subprocess.run([sys.executable, '-c', code], text=True, capture_output=True,
                         check=False)
    assert 'may not look beyond' in ran.stderr
    assert lookups.read_text().endswith('socket.getaddrinfo a.invalid\n')


def test_no_command_asks_for_a_name_or_leaves_an_id(lookups: Path, tmp_path: Path) -> None:
    pytest.importorskip('openvino_genai', reason='the shipped model runs on OpenVINO')
    pytest.importorskip('rosbags', reason='bags need the bag extra')
    pytest.importorskip('trackeval', reason='scores need the eval extra')
    home = tmp_path / 'home'
    home.mkdir()
    run(lookups, home, [
        ['simulate', '--seed', '4', '--out', 'scene', '--format', 'refrt,bag,video', *SMALL],
        ['track', '--rgb', 'scene/bag', '--query', 'all people', '--out', 'tracks.txt'],
        ['evaluate', '--tracks', 'tracks.txt', '--truth', 'tracks.txt'],
        ['convert', '--layout', 'refrt', '--set', 'scene/train', '--out', 'set',
         '--samples', '2'],
        ['compile', '--dry-run', '--target', 'jetson-orin', 'Qwen/Qwen3-VL-2B-Instruct'],
        ['serve', 'Qwen/Qwen3-VL-2B-Instruct', '--dry-run'],
        ['train', 'config', 'gspo']])
    assert {path.name for path in home.iterdir()} <= {
        'scene', 'tracks.txt', 'set', '.cache'}


@pytest.mark.system
def test_neither_do_the_nodes_of_a_demonstration(lookups: Path, tmp_path: Path) -> None:
    pytest.importorskip('rclpy', reason='the demonstration needs ROS 2')
    pytest.importorskip('openvino_genai', reason='the shipped model runs on OpenVINO')
    run(lookups, tmp_path, [['demo', '--out', 'demo', '--seconds', '1']])
    assert 'intel' not in {path.name for path in tmp_path.iterdir()}


def test_a_library_that_was_loaded_before_is_told_as_well(lookups: Path, tmp_path: Path) -> None:
    pytest.importorskip('transformers', reason='needs the extra transformers')
    run(lookups, tmp_path, [['train', 'config', 'gspo']],
        'from huggingface_hub import constants\nassert not constants.HF_HUB_DISABLE_TELEMETRY\n'
        'import rtrack_ros\nassert constants.HF_HUB_DISABLE_TELEMETRY')


def test_trl_sends_nothing_for_a_trainer(lookups: Path, tmp_path: Path) -> None:
    pytest.importorskip('trl', reason='needs the extra train')
    # It sends in a thread that nobody waits for: what is looked at is whether there is one.
    run(lookups, tmp_path, [['train', 'config', 'gspo']], """
import rtrack_ros, threading
from trl.trainer.base_trainer import send_telemetry
before = threading.active_count()
send_telemetry(topic='trl/x', library_name='trl', library_version='1')
assert threading.active_count() == before""")
