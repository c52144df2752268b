"""``rtrack benchmark cost``: what tracking costs, beside the common ROS way in the same run.

Three parts, each by itself or all in one run: *pairs* (processor time per pair by stage, see
:mod:`rtrack_ros.benchmarks.cost.pair_cost`), *live* (stamp to publication through the real node
over DDS, see :mod:`rtrack_ros.benchmarks.cost.live`) and *soak* (the same for half an hour, with
memory). A busy machine lengthens every millisecond here; the ratio to the common way, measured on
the same frames moments later, is what travels between machines.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import cv2

from rtrack_ros.benchmarks.cost.live import LiveCost
from rtrack_ros.benchmarks.cost.memory import memory_trend
from rtrack_ros.benchmarks.cost.pair_cost import PathCost, RecordedPair, measure_path
from rtrack_ros.benchmarks.cost.ros_baseline import paired_by_approximate_time
from rtrack_ros.benchmarks.cost.workload import AnswerScript, Workload, crowd_scene
from rtrack_ros.data.rendering import render_frames
from rtrack_ros.intake.pairing import StampPairer
from rtrack_ros.simulation import SimFrame

CROWD_SEED = 9_600_000
SOAK_PLOT_POINTS = 400
_STAMP_PERIOD_NS = 33_333_333
_FEW_FRAMES = 60
_BYTETRACK_PACKAGES = ('trackers', 'supervision')


@dataclass(frozen=True)
class Cell:
    """Our way and the common way under one workload.

    Attributes:
        workload: What was tracked.
        ours: Our way.
        common: The common way; None where ``trackers`` is not installed.
    """

    workload: Workload
    ours: PathCost
    common: PathCost | None


class Clip:
    """The frames of one size, drawn once, and the same as serialised messages.

    Args:
        size: (width, height) of the RGB images in pixels.
        frames: Number of frames at 30 Hz.
        people: Objects in view throughout.
    """

    def __init__(self, size: tuple[int, int], frames: int, people: int) -> None:
        from rtrack_ros.benchmarks.cost.pair_paths import recorded_pair

        # Only the truth stays in memory beside the serialised images.
        self.frames: list[SimFrame] = []
        self.pairs: list[RecordedPair] = []
        scene = crowd_scene(CROWD_SEED, size, frames, people)
        # Starting processes takes longer than drawing a few frames.
        for frame in render_frames(scene, workers=1 if frames < _FEW_FRAMES else None):
            self.pairs.append(recorded_pair(frame))
            self.frames.append(SimFrame(frame.index, frame.stamp_ns, frame.rgb[:0],
                                        frame.thermal[:0], frame.objects, frame.condition))


def measure_cells(sizes: Sequence[tuple[int, int]], tracks: Sequence[int],
                  queries: Sequence[int], frames: int) -> Iterator[Cell]:
    """Yield the cost of every combination, one size after another.

    Args:
        sizes: (width, height) of RGB images in pixels.
        tracks: Numbers of tracks.
        queries: Numbers of active queries.
        frames: Pairs of each clip, the warm-up included.

    Raises:
        DataError: the largest number of tracks finds no room in the image.
    """
    for size in sizes:
        clip = Clip(size, frames, max(tracks))
        for number in tracks:
            for asked in queries:
                yield _measure_cell(clip, Workload(size, number, asked))


def _measure_cell(clip: Clip, workload: Workload) -> Cell:
    from rtrack_ros.benchmarks.cost.pair_paths import CommonPath, NodePath

    script = AnswerScript(clip.frames, workload)
    with _on_one_core():
        ours = measure_path(partial(NodePath, script.queries), clip.pairs, script)
        try:
            common = measure_path(CommonPath, clip.pairs, script)
        except ModuleNotFoundError as error:
            if error.name not in _BYTETRACK_PACKAGES:
                raise
            common = None
    return Cell(workload, ours, common)


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Hold this process to one core and OpenCV to one thread, as in the node."""
    threads = cv2.getNumThreads()
    cores = os.sched_getaffinity(0) if hasattr(os, 'sched_getaffinity') else set()
    cv2.setNumThreads(1)
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        if cores:
            os.sched_setaffinity(0, cores)


def growth(cells: Sequence[Cell]) -> dict[str, float]:
    """Return processor time at the most tracks over that at the middle number, by workload.

    The numbers of tracks are those measured: with 1, 10 and 50 it is the growth from 10 to 50.
    """
    numbers = sorted({cell.workload.tracks for cell in cells})
    if len(numbers) < 2:
        return {}
    totals = {(cell.workload.size, cell.workload.queries, cell.workload.tracks):
              cell.ours.total.p50 for cell in cells}
    few, many = numbers[-2:]
    return {f'{size[0]}x{size[1]}, {queries} queries, {few} to {many} tracks':
            totals[size, queries, many] / totals[size, queries, few]
            for size, queries, number in totals
            if number == many and (size, queries, few) in totals}


def pairing_quality(frames: int = 300) -> dict[str, dict[str, float]]:
    """Return the share of RGB images that leave with a thermal partner, and that leave at all.

    Stamps only: equal rates with jitter and offset, and a thermal camera of a third of the rate.
    """
    cameras = {'30 Hz and 30 Hz, thermal 4 ms late': (1, 4_000_000),
               '30 Hz and 10 Hz, in step': (3, 0)}
    quality = {}
    for name, (every, offset_ns) in cameras.items():
        rgb = [1 + index * _STAMP_PERIOD_NS for index in range(frames)]
        thermal = [stamp + offset_ns for stamp in rgb[::every]]
        pairer: StampPairer[int, int] = StampPairer()
        left = []
        for stamp, is_rgb in sorted([(s, True) for s in rgb] + [(s, False) for s in thermal]):
            (pairer.add_rgb if is_rgb else pairer.add_thermal)(stamp, stamp)
            left += pairer.poll(stamp)
        left += pairer.poll(rgb[-1] + 10**9)
        paired = sum(item.thermal is not None for item in left)
        common = paired_by_approximate_time(rgb, thermal) / frames
        quality[name] = {'ours_published': len(left) / frames,
                         'ours_with_thermal': paired / frames,
                         'common_published': common, 'common_with_thermal': common}
    return quality


def cell_record(cell: Cell) -> dict[str, Any]:
    """Return one cell for JSON, milliseconds."""
    record: dict[str, Any] = {**asdict(cell.workload), 'rtrack_ros': asdict(cell.ours),
                              'common': None if cell.common is None else asdict(cell.common)}
    if cell.common is not None:
        record['ours_over_common'] = cell.ours.total.p50 / cell.common.total.p50
    return record


def live_record(cost: LiveCost) -> dict[str, Any]:
    """Return a play for JSON: percentiles of the delays, and memory where it lasted."""
    trend = memory_trend(list(cost.usage))
    step = max(1, len(cost.usage) // SOAK_PLOT_POINTS)
    return {'engine': cost.engine, 'played_s': cost.played_s, 'interrupted': cost.interrupted,
            'sent': cost.sent, 'published': cost.published,
            'stamp_to_publish_ms': {f'p{share}': cost.delay_ms(share)
                                    for share in (50, 95, 99, 100)},
            'tracks': cost.tracks, 'answers': cost.answers,
            'failures': cost.failures, 'answer_ms_p50': cost.answer_ms,
            'engine_busy': cost.busy, 'node_cpu_ms_per_image': cost.node_ms,
            'memory': None if trend is None else asdict(trend),
            'usage': [asdict(sample) for sample in cost.usage[::step]]}


def benchmark_record(cells: Sequence[Cell], plays: Mapping[str, LiveCost],
                     soak: LiveCost | None) -> dict[str, Any]:
    """Return everything for JSON; parts that were not run are empty or null."""
    return {'unit': 'ms of processor time per pair where nothing else is said',
            'cores': os.cpu_count(), 'load_average': os.getloadavg()[0],
            'pairs': [cell_record(cell) for cell in cells], 'growth': growth(cells),
            'pairing': pairing_quality(),
            'live': {name: live_record(cost) for name, cost in plays.items()},
            'soak': None if soak is None else live_record(soak)}
