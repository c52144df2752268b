"""Training of the Siamese network: it learns, and a stopped run goes on as if nothing had been."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
pytest.importorskip('transformers', reason='learning needs the extra train (make test TORCH=1)')

from rtrack_ros import cli  # noqa: E402
from rtrack_ros.tracking.appearance.siamese import SEARCH_NET, TEMPLATE_NET  # noqa: E402
from rtrack_ros.training.configs import shipped_config  # noqa: E402
from rtrack_ros.training.siamese import trainer  # noqa: E402
from rtrack_ros.training.siamese.batches import Data, draw_batch  # noqa: E402
from rtrack_ros.training.siamese.scenes import draw_scene  # noqa: E402
from rtrack_ros.training.siamese.settings import SiameseSettings, read_settings  # noqa: E402

CONFIG = shipped_config('siamese')


@pytest.fixture(scope='module')
def data() -> Data:
    pairs = next(iter(draw_scene(3_800_000)))
    return Data([pairs], pairs.take(np.arange(8)))


@pytest.fixture
def settings() -> SiameseSettings:
    return replace(read_settings(CONFIG), steps=40, batch=16, warmup_steps=2, evaluate_steps=20,
                   held_out_pairs=8)


def read_log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / 'log.jsonl').read_text().splitlines()]


def test_a_few_steps_lower_the_loss(tmp_path: Path, data: Data,
                                    settings: SiameseSettings) -> None:
    run = trainer.begin(tmp_path, settings)
    losses = []
    for run.step in range(settings.steps):
        losses.append(trainer.take_step(run, draw_batch(data, settings, run.step)))
    first, last = (np.mean([report['loss'] for report in part])
                   for part in (losses[:5], losses[-5:]))
    assert last < first - 2


def test_a_stopped_run_ends_where_an_unbroken_one_does(tmp_path: Path, data: Data,
                                                       settings: SiameseSettings) -> None:
    unbroken = trainer.begin(tmp_path / 'unbroken', settings)
    unbroken.out.mkdir()
    trainer.learn(unbroken, data)
    stopped = trainer.begin(tmp_path / 'stopped', settings)
    stopped.out.mkdir()
    for stopped.step in range(20):
        trainer.take_step(stopped, draw_batch(data, settings, stopped.step))
    stopped.step = 20
    trainer._save(stopped)
    resumed = trainer.begin(tmp_path / 'stopped', settings)
    assert resumed.step == 20
    trainer.learn(resumed, data)
    for one, other in zip(unbroken.net.parameters(), resumed.net.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert [entry['step'] for entry in read_log(resumed.out) if 'iou' in entry] == [40]


def test_the_rate_rises_stays_and_falls(settings: SiameseSettings) -> None:
    long = replace(settings, steps=1000, warmup_steps=100, decay_share=0.4)
    rates = [trainer.learning_rate(long, step) / long.learning_rate for step in range(1000)]
    assert rates[0] == pytest.approx(0.01) and rates[99] == rates[600] == 1.0
    assert rates[800] == pytest.approx(0.5) and rates[999] == pytest.approx(0.01)
    assert (np.diff(rates[600:]) <= 0).all()


def test_the_command_draws_learns_and_writes_the_network(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('onnx', reason='exporting needs the extra train')
    lines = CONFIG.read_text().splitlines()
    short = {'scenes': 1, 'things_scenes': 1, 'held_out_scenes': 1, 'held_out_pairs': 20,
             'steps': 2, 'batch': 4}
    config = tmp_path / 'siamese.yaml'
    config.write_text('\n'.join(
        f'{name}: {short[name]}' if (name := line.split(':')[0]) in short else line
        for line in lines))
    arguments = ['train', 'siamese', '--config', str(config), '--out', str(tmp_path / 'run')]
    assert cli.main(arguments) == 0
    assert (tmp_path / 'run' / SEARCH_NET).stat().st_size > 600_000
    assert f'wrote {tmp_path / "run" / TEMPLATE_NET}' in capsys.readouterr().out
    assert read_log(tmp_path / 'run')[-1]['step'] == 2


def test_the_command_names_a_misspelt_entry(tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('onnx', reason='exporting needs the extra train')
    config = tmp_path / 'siamese.yaml'
    config.write_text(CONFIG.read_text().replace('clip_norm', 'clip_norms'))
    assert cli.main(['train', 'siamese', '--config', str(config), '--out', str(tmp_path)]) == 2
    assert 'clip_norm, clip_norms are unknown or missing' in capsys.readouterr().err
