"""A set spread over workers: the same tracks whoever made them, nothing lost with a worker."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rtrack_ros.cli import main
from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.layouts import read_layout
from rtrack_ros.data.mot import MotRow
from rtrack_ros.data.refrt_folder import write_refrt
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.registry import default_model
from rtrack_ros.evaluation.sets.spread import ATTEMPTS, open_pool, spread
from rtrack_ros.evaluation.sets.workers import LocalWorkers, TrackingJob, WorkerLost
from rtrack_ros.provenance import ProvenanceError
from rtrack_ros.simulation import make_scene

JOB = TrackingJob(default_model(), refine='never')


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of some pairs of 8 frames."""
    folder = tmp_path_factory.mktemp('set')
    scene = make_scene(3, seconds=0.8, place='yard', conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, folder, split='test')
    return folder


@pytest.fixture(scope='module')
def pairs(root: Path) -> list[AnnotatedSequence]:
    return read_layout('refrt', root)[:4]


class Scripted:
    """A pool of workers that do as they are told: by name of the pair, what fails how often."""

    def __init__(self, failures: dict[str, int] | None = None, number: int = 2) -> None:
        self.failures, self.number = dict(failures or {}), number
        self.given: list[AnnotatedSequence] = []
        self.order: list[str] = []
        self.closed = False

    @property
    def free(self) -> int:
        return self.number - self.busy

    @property
    def busy(self) -> int:
        return len(self.given)

    def start(self, sequence: AnnotatedSequence) -> None:
        assert self.free > 0
        self.given.append(sequence)

    def next(self):
        sequence = self.given.pop()
        self.order.append(sequence.name)
        if self.failures.get(sequence.name, 0) > 0:
            self.failures[sequence.name] -= 1
            return sequence, WorkerLost('gone')
        return sequence, [MotRow(1, 1, (0, 0, 5, 5))]

    def close(self) -> None:
        self.closed = True


def run(pairs, root: Path, out: Path, pool: Scripted, job: TrackingJob = JOB) -> dict[str, str]:
    return spread(pairs, job, root, out, lambda _: pool)


def test_what_fails_is_tried_again_and_then_listed(root: Path, pairs, tmp_path: Path) -> None:
    one, two, three, four = (item.name for item in pairs)
    pool = Scripted({two: ATTEMPTS - 1, four: 99})
    assert run(pairs, root, tmp_path, pool) == {four: 'gone'}
    assert pool.closed and pool.order.count(two) == pool.order.count(four) == ATTEMPTS
    assert {path.stem for path in tmp_path.glob('*.txt')} == {one, two, three}
    again = Scripted()
    assert run(pairs, root, tmp_path, again) == {} and again.order == [four]
    assert run(pairs, root, tmp_path, none_is_wanted := Scripted()) == {}
    assert not none_is_wanted.closed


def test_tracks_of_other_inputs_are_refused(root: Path, pairs, tmp_path: Path) -> None:
    run(pairs, root, tmp_path, Scripted())
    with pytest.raises(ProvenanceError, match='sensors was "both", is now "rgb"'):
        run(pairs, root, tmp_path, Scripted(), TrackingJob(JOB.model, refine='never',
                                                           sensors='rgb'))
    with pytest.raises(ProvenanceError, match='model was'):
        run(pairs, root, tmp_path, Scripted(), TrackingJob('http://host:1', refine='never'))


def test_a_folder_of_unknown_tracks_is_refused(root: Path, pairs, tmp_path: Path) -> None:
    (tmp_path / f'{pairs[0].name}.txt').write_text('')
    with pytest.raises(ProvenanceError, match='made_from.json'):
        run(pairs, root, tmp_path, Scripted())


def tracks(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob('*.txt')}


def test_two_workers_write_what_one_does_and_a_killed_one_loses_nothing(
        root: Path, pairs, tmp_path: Path) -> None:
    pytest.importorskip('openvino_genai', reason='the engine of the model')
    assert spread(pairs, JOB, root, tmp_path / 'one', open_pool) == {}

    class Killing(LocalWorkers):
        """One worker is killed in the middle of its first pair, as for want of memory."""

        killed = 0

        def next(self):
            if not self.killed and self.busy == 2:
                victim = self._workers[0].process
                assert victim.pid is not None
                os.kill(victim.pid, signal.SIGKILL)
                self.killed = victim.pid
            return super().next()

    pools: list[Killing] = []

    def opened(job: TrackingJob) -> Killing:
        pools.append(Killing(job, 2))
        return pools[0]

    assert spread(pairs, JOB, root, tmp_path / 'two', opened) == {}
    assert pools[0].killed
    one, two = tracks(tmp_path / 'one'), tracks(tmp_path / 'two')
    assert one == two and len(one) == len(pairs) and any(one.values())


@pytest.mark.parametrize('opened', [open_pool, lambda job: open_pool(job, 2)])
def test_a_model_that_cannot_be_loaded_ends_the_run_at_once(
        root: Path, pairs, tmp_path: Path, opened: Callable) -> None:
    with pytest.raises(EngineError, match='no_such_model'):
        spread(pairs, TrackingJob(tmp_path / 'no_such_model', 'openvino'), root, tmp_path / 'out',
               opened)


def test_a_cluster_writes_what_one_worker_does(root: Path, pairs, tmp_path: Path) -> None:
    pytest.importorskip('ray', reason='machines need the extra cluster')
    assert spread(pairs, JOB, root, tmp_path / 'one', open_pool) == {}
    assert spread(pairs, JOB, root, tmp_path / 'two',
                  lambda job: open_pool(job, 2, 'local')) == {}
    assert tracks(tmp_path / 'one') == tracks(tmp_path / 'two')
    with pytest.raises(EngineError, match='no_such_model'):
        spread(pairs, TrackingJob(tmp_path / 'no_such_model', 'openvino'), root, tmp_path / 'out',
               lambda job: open_pool(job, 1, 'local'))


def test_the_commands_agree_on_what_was_tracked(root: Path, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'tracks' / 'both'
    for _ in range(2):  # the second time all is there
        assert main(['track', '--set', str(root), '--layout', 'refrt', '--out', str(out),
                     '--refine', 'never']) == 0
        assert f'pairs have tracks in {out}' in capsys.readouterr().out
    assert main(['track', '--set', str(root), '--layout', 'refrt', '--out', str(out),
                 '--query', 'x']) == 2
    pytest.importorskip('trackeval')
    assert main(['evaluate', '--set', str(root), '--layout', 'refrt', '--track-with', 'both',
                 '--out', str(tmp_path / 'tracks')]) == 0


@pytest.mark.parametrize('arguments', [['--set', 'x'], ['--layout', 'refrt'],
                                       ['--set', 'x', '--layout', 'got10k']])
def test_a_set_and_its_layout_go_together(arguments: list[str]) -> None:
    assert main(['track', '--out', 'y', *arguments]) == 2
