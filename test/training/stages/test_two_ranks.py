"""A stage on two processes: equal weights, a common end, and a kill that changes nothing."""

import multiprocessing
import re
import signal
import socket
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
for package in ('transformers', 'trl', 'peft', 'datasets'):
    pytest.importorskip(package, reason='learning needs the extra train (make test TORCH=1)')

from safetensors.torch import load_file  # noqa: E402

from rtrack_ros.data.refrt_folder import write_refrt  # noqa: E402
from rtrack_ros.simulation import make_scene  # noqa: E402

SCRIPT = Path(__file__).with_name('two_ranks.py')


@pytest.fixture(scope='module')
def refrt(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp('refrt')
    scene = make_scene(3, seconds=0.3, place='yard', conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, folder, split='train')
    return str(folder)


# A launcher such as torchrun does the same, and each process then imports torch for 20 s.
ENTRY = """
import os, runpy, sys
os.environ.update({environment})
sys.argv = {arguments}
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def on_two(kind: str, data: str, out: Path, ranks: str = '01') -> tuple[list[int], str]:
    """Run the stage, on two processes where no others are given.

    Returns the exit status of each process and what they printed.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['rtrack_ros.training.stages.run'])
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    printed = out.with_suffix('.printed')
    printed.write_text('')
    processes = [context.Process(target=exec, args=(ENTRY.format(environment={
        'RANK': rank, 'LOCAL_RANK': rank, 'WORLD_SIZE': str(len(ranks)),
        'LOCAL_WORLD_SIZE': str(len(ranks)),
        'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': port, 'HF_HUB_OFFLINE': '1',
        'OMP_NUM_THREADS': '1', 'PRINTED': str(printed)},
        arguments=[str(SCRIPT), kind, data, str(out)]), {'__name__': 'entry'})) for rank in ranks]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode or 0 for process in processes], printed.read_text()


def steps(printed: str) -> list[tuple[str, str, str, str]]:
    return re.findall(r'\[(\d)\] step (\d+) weights (\w+) stop (\w+)', printed)


def test_a_kill_and_a_resume_end_with_the_weights_of_an_uninterrupted_run(
        refrt: str, tmp_path: Path) -> None:
    status, printed = on_two('plain', refrt, tmp_path / 'plain')
    assert status == [0, 0], printed
    assert printed.count('wrote ') == 1
    status, printed = on_two('killed', refrt, tmp_path / 'killed')
    assert status[1] == -signal.SIGKILL and status[0] != 0, printed
    assert not (tmp_path / 'killed' / 'gspo' / 'model').exists()
    status, printed = on_two('plain', refrt, tmp_path / 'killed', '0')
    assert status == [2] and 'refused: this stage was begun by 2 processes' in printed
    status, printed = on_two('plain', refrt, tmp_path / 'killed')
    assert status == [0, 0], printed
    assert {(rank, step) for rank, step, _, _ in steps(printed)} == {
        (rank, step) for rank in '01' for step in '34'}
    assert {equal for _, _, equal, _ in steps(printed)} == {'equal'}
    one, other = (load_file(tmp_path / name / 'gspo' / 'model' / 'model.safetensors')
                  for name in ('plain', 'killed'))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_budget_is_that_of_the_first_process(refrt: str, tmp_path: Path) -> None:
    status, printed = on_two('budget', refrt, tmp_path / 'budget')
    assert status == [0, 0], printed
    found = steps(printed)
    assert {equal for _, _, equal, _ in found} == {'equal'}
    ends = {rank: [step for other, step, _, stop in found if other == rank and stop == 'True']
            for rank in '01'}
    assert ends['0'] == ends['1'] and len(ends['0']) == 1 and int(ends['0'][0]) < 4
