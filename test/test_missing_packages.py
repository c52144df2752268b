"""A package that is missing is one line with its remedy, whatever executable needs it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rtrack_ros.missing_packages import EXTRAS, LIBRARIES, remedy

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize('script, missing, line', [
    ('rtrack', 'rich', 'rtrack: this needs the package rich; install it: pip '
     'install rich'),
    ('rtrack', 'yaml', 'rtrack: this needs the package yaml; install it: pip install pyyaml'),
    ('bag_player', 'rosbags', "bag_player: this needs the package rosbags; install it in the "
                              "folder of rtrack_ros: pip install '.[bag]'"),
    ('bag_recorder', 'rclpy', 'bag_recorder: this needs the ROS package rclpy; install it: apt '
                              'install ros-$ROS_DISTRO-rclpy, and source the set-up of ROS'),
    ('tracker_node', 'cv2', 'tracker_node: this needs the package cv2; install it: pip install '
                            'opencv-python-headless')])
def test_executables_name_what_is_missing(tmp_path: Path, script: str, missing: str,
                                          line: str) -> None:
    # A sitecustomize that hides one package stands for a machine that lacks it.
    (tmp_path / 'sitecustomize.py').write_text(
        f'import sys\nsys.modules[{missing!r}] = None\n')
    arguments = ['--help']
    if script == 'rtrack':
        arguments = ['simulate', '--seed', '1', '--seconds', '0.1', '--out', 'scene']
    done = subprocess.run(
        [sys.executable, str(ROOT / 'scripts' / script), *arguments], capture_output=True,
        text=True, check=False, timeout=120, cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': f'{tmp_path}{os.pathsep}{ROOT}'})
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1] == line
    assert 'Traceback' not in done.stderr


def test_every_package_of_ours_is_known_by_its_remedy() -> None:
    project = (ROOT / 'pyproject.toml').read_text()
    assert all(re.search(rf'^{extra} = ', project, re.MULTILINE) for extra in EXTRAS.values())
    needed = project.partition('dependencies = [')[2].partition('\n]')[0]
    assert set(re.findall("^  '([a-z-]+)", needed, re.MULTILINE)) == set(LIBRARIES.values())


def test_a_module_of_ours_is_a_fault_and_keeps_its_traceback() -> None:
    assert remedy(ModuleNotFoundError(name='rtrack_ros.nowhere')) is None
    assert 'source the workspace' in str(remedy(ModuleNotFoundError(name='rtrack_ros.msg')))


def test_the_package_names_what_its_executables_need() -> None:
    names = {item.text for item in ElementTree.parse(ROOT / 'package.xml').iter('exec_depend')}
    assert {'python3-pil', 'python3-yaml', 'python3-scipy', 'python3-opencv', 'python3-numpy',
            'rosgraph_msgs', 'ros2launch', 'ros2bag'} <= names
