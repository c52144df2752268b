"""What strangers send is what the node refuses, and the verdict sees every promise that fails."""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import pytest

pytest.importorskip('rclpy', reason='strangers are a node')

from rich.console import Console

from rtrack_ros.benchmarks.cost import flood as flood_module
from rtrack_ros.benchmarks.cost.flood import FloodRun
from rtrack_ros.benchmarks.cost.flood_verdict import line, tables, verdict
from rtrack_ros.benchmarks.cost.strangers import BOMB_SIDE, png_bomb
from rtrack_ros.benchmarks.cost.watched_node import processor_time
from rtrack_ros.commands.benchmark import flood as command
from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.messages import decode_image
from rtrack_ros.output_files import OutputError

TALLY = {'sentences': 25_000, 'bombs': 100, 'malformed': 2000, 'describe': 1000,
         'describe answered': 990, 'initialize': 500, 'initialize answered': 499,
         'seconds': 100.0, 'cpu_s': 40.0}
ALONE = FloodRun(100.0, 3000, 3000, 200, 190, 90.0, 10, 5.0, 90.0, 50.0, 400.0, 0.1, {})
FLOODED = FloodRun(100.0, 3000, 2990, 120, 115, 60.0, 50, 30.0, 85.0, 60.0, 440.0, 0.4, TALLY)


def test_the_bomb_is_small_and_is_refused_for_its_size() -> None:
    bomb = png_bomb(BOMB_SIDE)
    assert len(bomb) < 200_000
    with pytest.raises(ConversionError, match='30000x30000 pixels'):
        decode_image(bomb, cv2.IMREAD_UNCHANGED, 'bomb')


def test_all_promises_hold() -> None:
    assert all(finding.holds for finding in verdict(ALONE, FLOODED))


@pytest.mark.parametrize('worse, failing', [
    ({'published': 2500}, {'arrays, of those without strangers'}),
    # A third as often, since strangers on the same machine took the processor from the model.
    ({'own_answers': 66, 'model_cpu_s': 33.0}, {'own answers a second, of those without'}),
    # As often, and only because the model got twice the processor time.
    ({'model_cpu_s': 180.0}, {"own answers a second of the model's processor time, likewise"}),
    ({'guest_s': 70.0}, {"own sentence's share of the model's time"}),
    ({'peak_mib': 600.0}, {'memory, of that without'}), ({'log_mib': 6.0}, {'log, MiB'}),
    ({'tally': TALLY | {'describe answered': 500}}, {'calls that were answered'}),
    ({'tally': TALLY | {'sentences': 9000}}, {'flood that was sent, of what was promised'})])
def test_every_promise_that_fails_is_seen(worse: dict, failing: set[str]) -> None:
    failed = {finding.what for finding in verdict(ALONE, replace(FLOODED, **worse))
              if not finding.holds}
    assert failed == failing


def test_a_play_that_was_interrupted_at_once_divides_by_nothing() -> None:
    nothing = FloodRun(0.0, 0, 0, 0, 0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, {}, whole=False)
    console = Console(width=150, record=True, file=Path('/dev/null').open('w'))
    for table in tables(nothing, nothing):
        console.print(table)
    assert 'interrupted' in console.export_text() and '0 s' in line('alone', nothing)


def test_processor_time_is_told_by_the_niceness_of_threads() -> None:
    spent = processor_time()
    assert spent['node_cpu_s'] > 0.0 and spent['model_cpu_s'] >= 0.0


def test_what_was_played_is_kept_and_not_played_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
        ) -> None:
    played: list[str] = []

    class Play:
        def __init__(self, bag: Path, scene_s: float, folder: Path, parameters: dict[str, str],
                     seconds: float, niceness: int | None) -> None:
            self.name = folder.parent.name
            assert folder.is_absolute(), 'nodes run in folders of their own'
            folder.mkdir()
            (folder / 'node.log').write_text('ours')

        def run(self, tick: object) -> FloodRun:
            played.append(self.name)
            if self.name == 'flooded' and len(played) == 2:
                tick(replace(FLOODED, seconds=50.0, whole=False))  # type: ignore[operator]
                raise KeyboardInterrupt
            return ALONE if self.name == 'alone' else FLOODED

    monkeypatch.setattr(flood_module, 'FloodPlay', Play)
    monkeypatch.setattr(flood_module, 'prepare', lambda folder, seconds: folder)
    args = argparse.Namespace(seconds=60.0, alone_seconds=None, strangers_nice=19, engine=None,
                              out=Path('flood'), json=tmp_path / 'result.json')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        command.run(args)
    assert 'interrupted' in capsys.readouterr().out
    partial = json.loads((tmp_path / 'result.json').read_text())
    assert partial['flooded']['seconds'] == 50.0 and not partial['flooded']['whole']
    assert command.run(args) == 0
    assert played == ['alone', 'flooded', 'flooded']
    assert json.loads((tmp_path / 'result.json').read_text())['alone'] == asdict(ALONE)


def test_a_folder_of_somebody_else_is_refused_whole(tmp_path: Path) -> None:
    (tmp_path / 'scene' / 'drawn').mkdir(parents=True)
    (tmp_path / 'scene' / 'drawn' / 'thesis.txt').write_text('years of work')
    args = argparse.Namespace(seconds=60.0, alone_seconds=None, strangers_nice=19, engine=None,
                              out=tmp_path, json=None)
    with pytest.raises(OutputError, match='was not made by rtrack benchmark flood'):
        command.run(args)
    assert (tmp_path / 'scene' / 'drawn' / 'thesis.txt').read_text() == 'years of work'
