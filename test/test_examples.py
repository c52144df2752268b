"""The examples and the README's Python run as they stand there."""

import ast
import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from rtrack_ros.cli import main
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.base import Engine
from rtrack_ros.simulation import CONDITIONS

ROOT = Path(__file__).parents[1]
EXAMPLES, README = ROOT / 'examples', ROOT / 'README.md'


def run(arguments: list[str], folder: Path) -> str:
    """Run Python on something and return what it printed."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, check=False, timeout=240,
                          capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(name: str) -> ModuleType:
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the scene of the README lies, two seconds of it."""
    pytest.importorskip('openvino_genai', reason='the shipped model runs on OpenVINO')
    folder = tmp_path_factory.mktemp('readme')
    command = re.search(r'`rtrack (simulate[^`]*) --out scene`', README.read_text())
    assert command, 'the README says how to make the two videos'
    assert main([*command[1].split(), '--seconds', '2', '--out', str(folder / 'scene')]) == 0
    return folder


def test_python_of_the_readme_prints_tracks_with_boxes_and_scores(scene):
    blocks = re.findall(r'```python\n(.*?)```', README.read_text(), re.DOTALL)
    assert len(blocks) == 1
    assert len(blocks[0].split('pipeline = ', 1)[1].strip().splitlines()) <= 8
    printed = run(['-c', blocks[0]], scene).splitlines()
    assert printed
    for line in printed:
        assert re.fullmatch(r'\d+ \((-?\d+\.\d+, ){3}-?\d+\.\d+\) [01]\.\d+', line), line


def test_track_video_follows_a_sentence_through_two_videos(scene):
    printed = run([str(EXAMPLES / 'track_video.py'), 'scene/video/visible.mp4',
                   'scene/video/infrared.mp4', 'the people'], scene).splitlines()
    assert len(printed) >= 30  # of 60 frames with somebody in view
    assert all(re.fullmatch(r' +\d+\.\d{3} s  id \d+  (\d+ ){4} [01]\.\d\d', line)
               for line in printed)


def test_own_engine_is_asked_and_its_box_is_followed(tmp_path):
    printed = run([str(EXAMPLES / 'own_engine.py')], tmp_path).splitlines()
    assert [line.split()[:2] for line in printed] == [[str(n), '1'] for n in range(10)]
    assert printed[0].startswith('0 1 [256, 144, 384, 336]')


def test_own_engine_takes_what_every_engine_is_given():
    infer = load('own_engine').MiddleEngine.infer
    assert list(inspect.signature(infer).parameters.items()) == list(
        inspect.signature(Engine.infer).parameters.items())


def test_own_layout_reads_the_set_that_it_describes(tmp_path):
    for spectrum in ('rgb', 'ir'):
        (tmp_path / 'street' / spectrum).mkdir(parents=True)
        for number in (1, 2, 3):
            Image.new('RGB', (40, 30)).save(tmp_path / 'street' / spectrum / f'{number:06d}.png')
    (tmp_path / 'street' / 'sentence.txt').write_text('the people\n')
    boxes = tmp_path / 'street' / 'boxes.csv'
    boxes.write_text('0,1,2,3,12,23\n0,2,20,3,30,23\n2,1,4,3,14,23\n')
    own_layout = load('own_layout')
    sequence, = own_layout.read(tmp_path)
    assert (sequence.name, sequence.sentences) == ('street', ('the people',))
    assert [dict(frame.objects) for frame in sequence.frames] == [
        {1: (2, 3, 12, 23), 2: (20, 3, 30, 23)}, {}, {1: (4, 3, 14, 23)}]
    assert [frame.absent for frame in sequence.frames] == [False, True, False]
    assert sequence.frames[2].stamp_ns == 200_000_000
    boxes.write_text('3,1,2,3,12,23\n')
    with pytest.raises(DataError, match='names frame 3'):
        own_layout.read(tmp_path)


def test_own_task_asks_a_question_and_scores_an_engine(tmp_path):
    printed = run([str(EXAMPLES / 'own_task.py')], tmp_path).splitlines()
    assert re.fullmatch(r'count [a-z ]+', printed[0]) and re.fullmatch(r'RGB: \d+', printed[1])
    figures = ast.literal_eval(printed[2])  # of an engine that always says 1
    assert 0 < figures['all']['right'] == figures['all']['always_one'] < 1
    assert set(figures['by_condition']) == set(CONDITIONS)


def test_multi_robot_launch_parses_and_puts_no_topic_of_a_robot_into_the_root():
    tree = ast.parse((EXAMPLES / 'multi_robot.launch.py').read_text())
    assert any(isinstance(node, ast.FunctionDef) and node.name == 'generate_launch_description'
               for node in tree.body)
    remaps = [pair for node in ast.walk(tree) if isinstance(node, ast.keyword)
              and node.arg == 'remappings' for pair in ast.literal_eval(node.value)]
    assert remaps and not any(new.startswith('/') for _, new in remaps)
