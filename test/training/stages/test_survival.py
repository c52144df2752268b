"""A stage that was killed, or met a full disk, ends with the weights of one that was not."""

import multiprocessing
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
for package in ('transformers', 'trl', 'peft', 'datasets'):
    pytest.importorskip(package, reason='learning needs the extra train (make test TORCH=1)')

from safetensors.torch import load_file  # noqa: E402
from transformers import TrainerCallback  # noqa: E402

from rtrack_ros.cli import main  # noqa: E402
from rtrack_ros.data.refrt_folder import write_refrt  # noqa: E402
from rtrack_ros.files import is_whole  # noqa: E402
from rtrack_ros.provenance import ProvenanceError  # noqa: E402
from rtrack_ros.simulation import make_scene  # noqa: E402
from rtrack_ros.training.configs import shipped_config  # noqa: E402
from rtrack_ros.training.failure import TrainingError  # noqa: E402
from rtrack_ros.training.stages import run as stages_run  # noqa: E402
from rtrack_ros.training.stages.checkpoints import checkpoints, newest_whole  # noqa: E402
from rtrack_ros.training.stages.monitor import EarlyStop, StageMonitor  # noqa: E402
from rtrack_ros.training.stages.run import run_stages  # noqa: E402
from rtrack_ros.training.stages.settings import StageSettings, read_stages  # noqa: E402
from rtrack_ros.training.training_log import read_entries  # noqa: E402
from rtrack_ros.training.yaml_settings import SettingsError  # noqa: E402

NANO = Path(__file__).parents[3] / 'models' / 'rtrack-nano'
FINISHED, FAILED = 0, 3


@pytest.fixture(scope='module')
def refrt(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp('refrt')
    scene = make_scene(3, seconds=0.3, place='yard', conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, folder, split='train')
    return str(folder)


def stage(**changes) -> StageSettings:
    found = read_stages(shipped_config('nano_sft'))[0]
    data = replace(found.data, layout='refrt', questions=8)
    trainer = {**found.trainer, 'per_device_train_batch_size': 1, 'max_steps': 3,
               'save_steps': 1, 'warmup_steps': 0, 'save_total_limit': 2}
    return replace(found, data=data, trainer=trainer, compute_s=None, **changes)


@pytest.fixture(scope='module')
def uninterrupted(refrt: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run: OUT."""
    out = tmp_path_factory.mktemp('uninterrupted')
    run_stages([stage()], NANO, refrt, out)
    return out


def same_weights(one: Path, other: Path) -> bool:
    first, second = (load_file(out / 'sft' / 'model' / 'model.safetensors')
                     for out in (one, other))
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first)


def in_a_child(prepare: Callable[[], object], refrt: str, out: Path) -> int:
    """Run the stage in a process of its own; return how it ended, below 0 for a signal."""
    def child() -> None:
        # A fork leaves torch's pool of threads behind; two threads cannot make it anew at once.
        torch.set_num_threads(torch.get_num_threads())
        prepare()
        try:
            run_stages([stage()], NANO, refrt, out)
        except TrainingError:
            os._exit(FAILED)
        os._exit(FINISHED)

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    process.join()
    return int(process.exitcode or 0)


def killed_at(number: int, out: Path) -> Callable[[], None]:
    """Return what lets a process kill itself when it opens its nth file below ``out`` to write."""
    def prepare() -> None:
        opened = 0

        def watch(event: str, args: tuple) -> None:
            nonlocal opened
            if event == 'open' and str(args[0]).startswith(str(out)) and (args[2] or 0) & 3:
                opened += 1
                if opened == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)

    return prepare


def test_a_run_that_is_killed_ends_with_the_same_weights(refrt: str, uninterrupted: Path,
                                                         tmp_path: Path) -> None:
    kills = 0
    # Early and late moments in turn: within checkpoints, between them, while the model is written.
    for number in (1, 9, 14, 4, 19, 25, 12, 30):
        ended = in_a_child(killed_at(number, tmp_path), refrt, tmp_path)
        assert ended in (FINISHED, -signal.SIGKILL)
        kills += ended < 0
        if ended == FINISHED:
            break
    else:
        run_stages([stage()], NANO, refrt, tmp_path)
    assert kills >= 3 and same_weights(uninterrupted, tmp_path)
    steps = [entry['step'] for entry in read_entries(tmp_path / 'sft' / 'log.jsonl')
             if 'grad_norm' in entry]
    assert steps == [1, 2, 3]


@pytest.mark.parametrize('most', [10, 9_000_000, 17_000_000])
def test_a_full_disk_is_said_and_the_run_goes_on_later(refrt: str, uninterrupted: Path,
                                                       tmp_path: Path, most: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    ended = in_a_child(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard)), refrt,
                       tmp_path)
    assert ended == FAILED
    assert all(is_whole(path) for path in checkpoints(tmp_path / 'sft'))
    run_stages([stage()], NANO, refrt, tmp_path)
    assert same_weights(uninterrupted, tmp_path)


def test_what_is_there_is_said_and_nothing_is_done(refrt: str, uninterrupted: Path) -> None:
    weights = uninterrupted / 'sft' / 'model' / 'model.safetensors'
    before, said = weights.stat().st_mtime_ns, []
    run_stages([stage()], NANO, refrt, uninterrupted, said.append)
    assert weights.stat().st_mtime_ns == before
    assert len(said) == 1 and 'nothing was done' in said[0]


def test_other_inputs_are_refused(refrt: str, uninterrupted: Path, tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match=r'trainer\.learning_rate was 0.0001, is now 0.1'):
        item = stage()
        run_stages([replace(item, trainer={**item.trainer, 'learning_rate': 0.1})], NANO, refrt,
                   uninterrupted)
    model = shutil.copytree(NANO, tmp_path / 'model')
    (model / 'rtrack.json').write_text((model / 'rtrack.json').read_text().replace('12', '11'))
    with pytest.raises(ProvenanceError, match='model was'):
        run_stages([stage()], model, refrt, uninterrupted)
    data = shutil.copytree(refrt, tmp_path / 'data')
    next(data.rglob('description.txt')).write_text('the red car')
    with pytest.raises(ProvenanceError, match='data was'):
        run_stages([stage()], NANO, str(data), uninterrupted)


@pytest.mark.parametrize('option, place', [('--model', '/no/such/model'),
                                           ('--data', '/no/such/data')])
def test_what_is_not_there_is_an_error_though_a_result_is(
        refrt: str, uninterrupted: Path, option: str, place: str,
        capsys: pytest.CaptureFixture[str]) -> None:
    given = {'--model': str(NANO), '--data': refrt, '--out': str(uninterrupted)} | {option: place}
    status = main(['train', 'sft', '--config', 'nano_sft',
                   *(word for pair in given.items() for word in pair)])
    assert status == 2 and place in capsys.readouterr().err


@pytest.mark.parametrize('lost', ['trainer_state.json', 'optimizer.pt', 'model.safetensors'])
def test_an_unfinished_checkpoint_is_passed_over(refrt: str, uninterrupted: Path, tmp_path: Path,
                                                 lost: str) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / 'out')
    for name in ('model', 'weights'):
        shutil.rmtree(out / 'sft' / name)
    newest, older = checkpoints(out / 'sft')
    (newest / lost).unlink()
    assert newest_whole(out / 'sft') == older and not newest.exists()
    run_stages([stage()], NANO, refrt, out)
    assert same_weights(uninterrupted, out)


def test_a_model_with_no_weights_is_not_there(refrt: str, uninterrupted: Path, tmp_path: Path
                                              ) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / 'out')
    (out / 'sft' / 'model' / 'model.safetensors').unlink()
    run_stages([stage()], NANO, refrt, out)
    assert same_weights(uninterrupted, out)


class Poison(TrainerCallback):
    """One weight becomes NaN, as an overflow makes it."""

    def on_step_begin(self, args, state, control, model=None, **_) -> None:
        if state.global_step == 1:
            with torch.no_grad():
                next(model.parameters()).view(-1)[0] = float('nan')


def test_weights_that_are_no_numbers_are_an_error_and_never_saved(
        refrt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = stages_run.build_trainer

    def poisoned(*args):
        trainer = build(*args)
        trainer.add_callback(Poison())
        return trainer

    monkeypatch.setattr(stages_run, 'build_trainer', poisoned)
    for _ in range(2):
        with pytest.raises(TrainingError, match=r'step 2.*learning_rate'):
            run_stages([stage()], NANO, refrt, tmp_path)
        assert not (tmp_path / 'sft' / 'model').exists()
        assert [path.name for path in checkpoints(tmp_path / 'sft') if is_whole(path)] == [
            'checkpoint-1']
        read_entries(tmp_path / 'sft' / 'log.jsonl')


@pytest.mark.parametrize('stopped_after', range(1, 9))
def test_patience_is_kept_over_interruptions(refrt: str, tmp_path: Path, stopped_after: int
                                             ) -> None:
    values = [0.1, 0.2, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]

    class State:
        is_world_process_zero, global_step = True, 0

    class Control:
        should_training_stop = False

    class Args:
        output_dir = str(tmp_path)

    def stops_at(every: int | None) -> int:
        stop, control, state = EarlyStop('reward', 5, 2), Control(), State()
        for number, value in enumerate(values, start=1):
            state.global_step = number
            stop.on_log(Args, state, control, {'reward': value})
            if control.should_training_stop:
                return number
            if every and number % every == 0:
                (tmp_path / f'checkpoint-{number}').mkdir()
                stop.on_save(Args, state, control)
                stop = EarlyStop('reward', 5, 2)
                stop.on_train_begin(Args, state, control)
        return 0

    assert stops_at(stopped_after) == stops_at(None) == 8


def test_an_early_stop_by_a_figure_that_nobody_reports_is_refused(refrt: str, tmp_path: Path
                                                                  ) -> None:
    item = stage(early_stop={'metric': 'rewrad', 'patience': 1})
    with pytest.raises(SettingsError, match='early_stop: metric has unknown entries rewrad'):
        run_stages([item], NANO, refrt, tmp_path)


def test_what_trl_refuses_only_when_it_computes_is_an_error_of_the_settings(
        refrt: str, tmp_path: Path) -> None:
    found = read_stages(shipped_config('nano_gspo'))[0]
    trainer = {**found.trainer, 'per_device_train_batch_size': 4, 'num_generations': 4,
               'steps_per_generation': 1, 'max_completion_length': 8, 'loss_type': 'sideways'}
    item = replace(found, trainer=trainer, data=replace(found.data, layout='refrt', questions=4),
                   compute_s=None)
    with pytest.raises(SettingsError, match='stage gspo: TRL refuses.*sideways'):
        run_stages([item], NANO, refrt, tmp_path)


def test_an_early_stop_takes_no_step_more_when_its_model_was_lost(refrt: str, tmp_path: Path
                                                                  ) -> None:
    item = stage(early_stop={'metric': 'mean_token_accuracy', 'patience': 1})
    item = replace(item, trainer={**item.trainer, 'max_steps': 8, 'save_steps': 100,
                                  'learning_rate': 0.0})
    run_stages([item], NANO, refrt, tmp_path)
    state = checkpoints(tmp_path / 'sft')
    shutil.copytree(tmp_path / 'sft' / 'model', tmp_path / 'kept')
    shutil.rmtree(tmp_path / 'sft' / 'model')
    run_stages([item], NANO, refrt, tmp_path)
    assert checkpoints(tmp_path / 'sft') == state


def test_a_report_without_a_number_is_left_out_of_the_log(tmp_path: Path) -> None:
    class State:
        is_world_process_zero, global_step = True, 5

    monitor = StageMonitor('gspo', tmp_path / 'log.jsonl')
    monitor.on_log(None, State, None, {'loss': 0.5, 'rewards/exact_words/mean': float('nan')})
    assert read_entries(tmp_path / 'log.jsonl') == [{'stage': 'gspo', 'step': 5, 'loss': 0.5}]
    with pytest.raises(TrainingError, match='gspo, step 5: grad_norm is nan'):
        monitor.on_log(None, State, None, {'grad_norm': float('nan')})
