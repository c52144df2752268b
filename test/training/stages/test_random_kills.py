"""Killed at moments that nobody chose, or out of disk: the weights are those of a whole run.

Two kills of each kind of training here. RTRACK_KILLS=10 for ten, as before a release:

    RTRACK_KILLS=10 python -m pytest -s test/training/stages/test_random_kills.py
"""

import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
for package in ('transformers', 'trl', 'peft', 'datasets'):
    pytest.importorskip(package, reason='learning needs the extra train (make test TORCH=1)')

from safetensors.torch import load_file  # noqa: E402

from rtrack_ros.cli import main  # noqa: E402
from rtrack_ros.data.refrt_folder import write_refrt  # noqa: E402
from rtrack_ros.simulation import make_scene  # noqa: E402
from rtrack_ros.training.configs import shipped_config  # noqa: E402
from rtrack_ros.training.nano import trainer as nano_trainer  # noqa: E402
from rtrack_ros.training.nano.recipe import scaled  # noqa: E402
from rtrack_ros.training.nano.settings import read_nano  # noqa: E402
from rtrack_ros.training.nano.trainer import train_config  # noqa: E402
from rtrack_ros.training.stages.run import run_stages  # noqa: E402
from rtrack_ros.training.stages.settings import StageSettings, read_stages  # noqa: E402

NANO = Path(__file__).parents[3] / 'models' / 'rtrack-nano'
KILLS = int(os.environ.get('RTRACK_KILLS', '2'))
MIB = 1 << 20
Run = Callable[[Path], object]


def stage() -> StageSettings:
    found = read_stages(shipped_config('nano_sft'))[0]
    data = replace(found.data, layout='refrt', questions=8)
    trainer = {**found.trainer, 'per_device_train_batch_size': 1, 'max_steps': 3, 'save_steps': 1,
               'warmup_steps': 0, 'save_total_limit': 2}
    return replace(found, data=data, trainer=trainer, compute_s=None)


def nano_config() -> dict[str, object]:
    config = scaled(read_nano(shipped_config('nano')), 1e-6)
    config |= {'checkpoint_steps': 1, 'evaluate_steps': 9, 'evaluate_sentences': 2}
    config['data'] |= {'shards': 1, 'frames_per_shard': 6, 'held_out_frames': 2}
    config['data']['closeups'] |= {'shards': 1, 'episodes_per_shard': 3, 'held_out_episodes': 3}
    config['dense'] |= {'steps': 1, 'images': 1}
    config['language'] |= {'steps': 2, 'images': 1, 'sentences': 1, 'dense_images': 1}
    return config


@pytest.fixture(scope='module')
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, str]]:
    """Kinds of training: what trains into a folder, and where its weights lie then."""
    data = tmp_path_factory.mktemp('refrt')
    scene = make_scene(3, seconds=0.3, place='yard', conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, data, split='train')
    return {'stage': (lambda out: run_stages([stage()], NANO, str(data), out), 'sft/model'),
            'nano': (lambda out: train_config(nano_config(), out), 'model')}


def whole_pool() -> None:
    """Make torch's pool of threads anew, which a fork leaves behind.

    It does so when it is next used. Two threads that use it at once find none.
    """
    torch.set_num_threads(torch.get_num_threads())


def begun(run: Run, out: Path) -> multiprocessing.process.BaseProcess:
    """Begin a run in a process of its own, as the command does it."""
    def child() -> None:
        whole_pool()
        nano_trainer.CONSOLE.quiet = True
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr('rtrack_ros.commands.train.run', lambda args: run(out) and 0)
            os._exit(main(['train', 'nano', '--out', str(out)]))

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    return process


def spent_s(process: multiprocessing.process.BaseProcess) -> float:
    """Return the processor seconds of a process that has not been waited for."""
    fields = Path(f'/proc/{process.pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def killed(process: multiprocessing.process.BaseProcess, after_s: float) -> bool:
    """Kill a process when it has spent some processor seconds; False where it has ended before."""
    while process.is_alive():
        if spent_s(process) >= after_s:
            process.kill()
        process.join(0.002)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / 'model.safetensors')


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def whole(run: Run, out: Path) -> float:
    """Run without a kill; return the processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = begun(run, out)
    process.join()
    assert process.exitcode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.timeout(1800)
@pytest.mark.parametrize('kind', ['stage', 'nano'])
def test_killed_at_random_moments(kind: str, runs, tmp_path: Path) -> None:
    run, place = runs[kind]
    all_s = whole(run, tmp_path / 'whole')
    expected = weights(tmp_path / 'whole' / place)
    rng, kills, out = random.Random(), 0, tmp_path / 'killed'
    while kills < KILLS:
        moment = rng.uniform(0.0, all_s)
        if killed(begun(run, out), moment):
            kills += 1
            print(f'{kind}: killed after {moment:.2f} s of {all_s:.2f} s')
            continue
        # It was done before its moment had come.
        assert same(weights(out / place), expected)
        shutil.rmtree(out)
    whole(run, out)
    assert same(weights(out / place), expected)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of its own, of which a function sets the size in bytes."""
    folder = tmp_path / 'disk'
    folder.mkdir()

    def resize(size: int, *more: str) -> None:
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'{more[0] if more else "remount,"}'
                               f'size={size}', 'tmpfs', str(folder)], capture_output=True)
        if done.returncode:
            pytest.skip('nobody but root may mount; a limit of file sizes is tested elsewhere')

    resize(MIB, '')
    yield folder, resize
    subprocess.run(['umount', str(folder)], check=False)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize('kind', ['stage', 'nano'])
def test_out_of_disk_at_random_moments(kind: str, runs, tmp_path: Path, small_disk,
                                       capfd: pytest.CaptureFixture[str]) -> None:
    run, place = runs[kind]
    whole(run, tmp_path / 'whole')
    expected = weights(tmp_path / 'whole' / place)
    disk, resize = small_disk
    rng, size, full = random.Random(), 0, 0
    while True:
        size += int(rng.uniform(0.3, 60 / KILLS) * MIB)
        resize(size)
        process = begun(run, disk / 'out')
        process.join()
        said = capfd.readouterr().err
        if process.exitcode == 0:
            break
        assert process.exitcode == 2 and 'the disk is full; make room' in said, said
        full += 1
    print(f'{kind}: {full} times out of disk, done with {size / MIB:.1f} MiB')
    assert full and same(weights(disk / 'out' / place), expected)
