"""Whose threads compute at a lower priority: read from the threads that the system really has."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason="niceness of threads is Linux's")

# In a process of its own: threads of other engines would be among those of this one.
PROGRAM = """
import json, os, sys
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query
import numpy as np

def threads():
    return {task: os.getpriority(os.PRIO_PROCESS, int(task))
            for task in os.listdir('/proc/self/task')}

def seconds(task):
    fields = open(f'/proc/self/task/{task}/stat').read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

name, model, count, nice = sys.argv[1:]
__import__({'openvino': 'openvino_genai', 'transformers': 'torch'}.get(name, 'json'))
before = threads()
engine = load_engine(name, model, threads=int(count), niceness=int(nice))
engine.count_tokens('the people')
spent = {task: seconds(task) for task in threads()}
pair = FramePair(1, np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint8))
for stamp in range(12):
    pair = FramePair(stamp, np.full((480, 640, 3), stamp, np.uint8), None)
    Grounder(engine).ground(pair, Query('q', 'the people', 1))
after = threads()
computing = {task: seconds(task) - spent.get(task, 0.0) for task in after}
print(json.dumps({'mine': os.getpriority(os.PRIO_PROCESS, 0),
                  'said': engine.capabilities().niceness,
                  'process': before[str(os.getpid())], 'main': after[str(os.getpid())],
                  'new': [(after[task], computing[task]) for task in after if task not in before],
                  'busiest': after[max(computing, key=computing.get)]}))
engine.close()
"""


def measured(name, model, threads, niceness):
    done = subprocess.run([sys.executable, '-c', PROGRAM, name, str(model), str(threads),
                           str(niceness)], capture_output=True, text=True, check=True, timeout=240)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(('name', 'package'), [('openvino', 'openvino_genai'),
                                               ('transformers', 'transformers')])
@pytest.mark.parametrize(('threads', 'niceness'), [(1, 10), (2, 3)])
def test_what_computes_is_nicer_and_the_rest_of_the_process_is_not(nano, name, package, threads,
                                                                   niceness):
    pytest.importorskip(package, reason=f'the extra of {name} is not installed')
    found = measured(name, nano, threads, niceness)
    expected = min(found['mine'] + niceness, 19)
    assert found['busiest'] == found['said'] == expected
    assert found['main'] == found['process'] == found['mine']
    # Whatever library started it; some start a thread at import that never does anything.
    assert {nice for nice, seconds in found['new'] if seconds > 0.0} == {expected}
