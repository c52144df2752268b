"""Workers end with the process they work for, also where it is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

POOL = """
import os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from rtrack_ros.child_processes import end_with_parent

if __name__ == '__main__':
    pool = ProcessPoolExecutor(2, get_context(sys.argv[1]), initializer=end_with_parent)
    print(*{job.result() for job in [pool.submit(os.getpid) for _ in range(40)]}, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_the_workers_of_a_killed_process_end(method: str, tmp_path) -> None:
    script = tmp_path / 'pool.py'
    script.write_text(POOL)
    killed = subprocess.Popen([sys.executable, str(script), method], stdout=subprocess.PIPE,
                              text=True)
    assert killed.stdout is not None
    workers = [int(word) for word in killed.stdout.readline().split()]
    # Workers hold the other end of the pipe too: it closes when the last of them is gone.
    assert killed.stdout.read() == '' and killed.wait() == -signal.SIGKILL
    assert workers
    while any(map(is_there, workers)):  # the test's time limit ends what never ends
        time.sleep(0.01)


def is_there(process: int) -> bool:
    """Return whether a process still runs; one that waits to be collected does not."""
    try:
        with open(f'/proc/{process}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_a_process_with_no_parent_of_that_kind_goes_on() -> None:
    done = subprocess.run([sys.executable, '-c', 'from rtrack_ros.child_processes import '
                           'end_with_parent; end_with_parent(); print(1)'], env=os.environ,
                          capture_output=True, text=True)
    assert done.stdout == '1\n'
