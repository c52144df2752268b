"""Tables, sentences, record and plot of figures that are known."""

import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip('matplotlib', reason='the plot needs the eval extra')

from rich.console import Console

from rtrack_ros.benchmarks.cost.benchmark import (
    Cell,
    benchmark_record,
    growth,
    pairing_quality,
)
from rtrack_ros.benchmarks.cost.live import LiveCost
from rtrack_ros.benchmarks.cost.memory import Usage
from rtrack_ros.benchmarks.cost.pair_cost import STAGES, PathCost, Spread
from rtrack_ros.benchmarks.cost.plots import cost_figure, cost_plot
from rtrack_ros.benchmarks.cost.tables import lines, live_table, pair_table
from rtrack_ros.benchmarks.cost.workload import Workload


def path_cost(total: float, tracks: int) -> PathCost:
    stages = {name: Spread(total / len(STAGES), total / 4) for name in STAGES}
    return PathCost(100, tracks, stages, Spread(total, 2 * total), Spread(total, total),
                    Spread(4.5, 5.0))


@pytest.fixture
def cells() -> list[Cell]:
    costs = {1: 6.0, 10: 8.0, 50: 12.0}
    return [Cell(Workload((640, 480), tracks, 1), path_cost(total, tracks),
                 path_cost(2.0, tracks) if tracks < 50 else None)
            for tracks, total in costs.items()]


@pytest.fixture
def play() -> LiveCost:
    usage = tuple(Usage(float(at), 300.0 + at / 3600, 0.2 * at) for at in range(100))
    return LiveCost('openvino rtrack-nano', 100.0, 1000, 998,
                    tuple(float(value) for value in range(1, 999)), 3.25, 40, 2, 90.0, 0.9,
                    6.7, usage)


def shown(*things: object) -> str:
    stream = io.StringIO()
    Console(width=110, file=stream).print(*things)
    return stream.getvalue()


def test_a_way_that_was_not_measured_names_what_to_install(cells: list[Cell]) -> None:
    assert lines(cells, {}, {}, None)[-1].endswith("pip install '.[bytetrack]'")
    assert not any('pip' in line for line in lines(cells[:2], {}, {}, None))


def test_growth_goes_from_the_middle_to_the_most_tracks(cells: list[Cell]) -> None:
    assert growth(cells) == {'640x480, 1 queries, 10 to 50 tracks': pytest.approx(1.5)}
    assert growth(cells[:1]) == {}


def test_the_table_of_pairs_holds_every_figure_in_a_pipe(cells: list[Cell]) -> None:
    text = shown(pair_table(cells))
    rows = [line.split() for line in text.splitlines() if line.startswith(' 640x480')]
    assert rows[1][:2] == ['640x480', '10/1']
    assert rows[1][-5:] == ['8.00', '16.00', '4.5', '2.00', '4.0']
    assert rows[2][-2:] == ['-', '-']
    assert '…' not in text and all(name in text for name in STAGES)


def test_the_table_of_plays_tells_delay_loss_and_memory(play: LiveCost) -> None:
    row, = [line.split() for line in shown(live_table({'model': play})).splitlines()
            if line.startswith(' model')]
    assert row == ['model', '499.5', '988.0', '998.0', '2/1000', '3.2', '40', '2', '90%', '6.7',
                   '300', '+1.0']


def test_sentences_tell_growth_pairing_and_memory(cells: list[Cell], play: LiveCost) -> None:
    said = lines(cells, growth(cells), pairing_quality(60), play)
    text = '\n'.join(said)
    assert 'growth 640x480, 1 queries, 10 to 50 tracks: 1.50 times' in text
    assert 'intake 1.00 ms, the common way 0.29 ms (3.50 times)' in text
    assert '10 Hz, in step: 100% of RGB images go on (33% with thermal), by ApproximateTime 33%' \
        in text
    assert '+1.00 MiB/h' in text
    assert lines([], {}, {}, None) == []


def test_the_record_is_json_and_keeps_ratios(cells: list[Cell], play: LiveCost) -> None:
    record = json.loads(json.dumps(benchmark_record(cells, {'model': play}, play)))
    assert [pair.get('ours_over_common') for pair in record['pairs']] == [3.0, 4.0, None]
    assert record['pairs'][0]['rtrack_ros']['stages']['flow']['p50'] == pytest.approx(6 / 7)
    assert record['live']['model']['stamp_to_publish_ms']['p50'] == 499.5
    assert record['soak']['memory']['slope'] == pytest.approx(1.0)
    assert benchmark_record([], {}, None)['soak'] is None


def test_the_plot_has_a_panel_for_every_part_measured(cells: list[Cell], play: LiveCost) -> None:
    def panels(*measured: Any) -> list[str]:
        return [axes.get_ylabel() for axes in cost_figure(*measured).axes]

    everything = ['processor time per pair, ms', 'share of arrays',
                  'resident memory of the node, MiB']
    assert panels(cells, {'model': play}, play) == everything
    assert panels([], {'model': play}, None) == everything[1:2]
    assert ElementTree.fromstring(cost_plot(cells, {}, play)).tag.endswith('svg')
    with pytest.raises(ValueError, match='nothing was measured'):
        cost_figure([], {}, None)
