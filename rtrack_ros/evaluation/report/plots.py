"""The plots of a run as SVG texts, drawn by matplotlib without a display."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rtrack_ros import boxes
from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.report.overlay import CONDITION_COLOURS
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    INK,
    SECOND,
    as_svg,
    label_axes,
    new_axes,
)
from rtrack_ros.evaluation.run import Run, RunFrame, RunScores, percentile
from rtrack_ros.palette import colour_of

MISSED = '#d3d9e2'
IOU_MATCH = 0.5
THRESHOLDS = np.arange(0.05, 0.99, 0.05)

Span = tuple[float, float]


def _hex(colour: Sequence[int], darken: float = 1.0) -> str:
    return '#' + ''.join(f'{int(value * darken):02x}' for value in colour)


def condition_colour(name: str) -> str:
    """Return the colour of a weather on a light page."""
    return _hex(CONDITION_COLOURS.get(name, (139, 148, 163)), 0.82)


def hota_over_thresholds(scores: RunScores) -> str:
    """Return HOTA at every localisation threshold, all frames and each weather."""
    figure, axes = new_axes(5.6, 3.3)
    for split in scores.by_condition:
        if split.scores.truth_boxes:
            axes.plot(THRESHOLDS, split.scores.hota_alpha, color=condition_colour(split.name),
                      linewidth=1.6, label=f'{split.name}  {split.scores.hota:.1f}')
    overall = scores.overall.scores
    axes.plot(THRESHOLDS, overall.hota_alpha, color=INK, linewidth=2.6,
              label=f'all  {overall.hota:.1f}')
    axes.set_ylim(0, 100)
    axes.set_xlim(0.05, 0.95)
    label_axes(axes, 'IoU threshold', 'HOTA')
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    return as_svg(figure)


def latency_histogram(run: Run) -> str:
    """Return the distribution of stamp-to-publish times with its percentiles."""
    figure, axes = new_axes(5.6, 3.3)
    values = [frame.stamp_to_publish_ms for frame in run.frames
              if frame.stamp_to_publish_ms is not None]
    if values:
        limit = max(float(np.percentile(values, 99.5)) * 1.25, 5.0)
        axes.hist(np.clip(values, 0, limit), bins=60, range=(0, limit), color=ACCENT, alpha=0.8)
        for share, colour in ((50, INK), (99, SECOND)):
            at = percentile(values, share) or 0.0
            axes.axvline(at, color=colour, linewidth=1.6, label=f'p{share}  {at:.1f} ms')
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)
        axes.set_xlim(0, limit)
    axes.grid(axis='x', visible=False)
    label_axes(axes, 'image stamp to published array, ms', 'frames')
    return as_svg(figure)


def answer_age(run: Run) -> str:
    """Return how old the newest answer of the model was over time."""
    figure, axes = new_axes(11.4, 2.6)
    known = [(sample.time_s, sample.answer_age_ms) for sample in run.statuses
             if sample.answer_age_ms is not None]
    if known:
        times, ages = zip(*known, strict=True)
        axes.fill_between(times, ages, color=ACCENT, alpha=0.15, linewidth=0)
        axes.plot(times, ages, color=ACCENT, linewidth=1.3)
        axes.set_ylim(0, max(ages) * 1.12)
    _mark_queries(axes, run)
    label_axes(axes, 'time, s', 'age of newest answer, ms')
    return as_svg(figure)


def presence(run: Run) -> str:
    """Return how many were meant and how many were followed, over time."""
    figure, axes = new_axes(11.4, 2.6)
    times = [frame.time_s for frame in run.frames]
    if run.has_truth:
        meant = [len(frame.truth or ()) for frame in run.frames]
        axes.fill_between(times, meant, step='post', color=MISSED, linewidth=0,
                          label='meant by the sentence')
    followed = [np.nan if frame.tracks is None else len(frame.tracks) for frame in run.frames]
    axes.step(times, followed, where='post', color=ACCENT, linewidth=1.6, label='followed')
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    _mark_queries(axes, run)
    label_axes(axes, 'time, s', 'objects')
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, ncols=2, loc='lower right',
                bbox_to_anchor=(1, 1), borderaxespad=0)
    return as_svg(figure)


def identities(run: Run) -> str:
    """Return who followed whom over time.

    With truth every true object is a row: grey while it is meant, coloured by the identity that
    lies on it. Rows below hold boxes that lie on nothing that is meant. Without truth every
    identity is a row.
    """
    rows = _identity_rows(run)
    figure, axes = new_axes(11.4, 1.1 + 0.27 * max(len(rows), 2))
    for place, (_, meant, found) in enumerate(rows):
        axes.broken_barh([(begin, end - begin) for begin, end in meant], (place - 0.36, 0.72),
                         color=MISSED, linewidth=0)
        for identity, spans in found.items():
            axes.broken_barh([(begin, end - begin) for begin, end in spans],
                             (place - 0.24, 0.48), color=_hex(colour_of(identity), 0.9),
                             linewidth=0)
            begin, end = max(spans, key=lambda span: span[1] - span[0])
            if end - begin > 0.015 * _end(run) * len(str(identity)):
                axes.text(begin + 0.004 * _end(run), place, str(identity), color='white',
                          fontsize=8, fontweight='bold', va='center_baseline')
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis='y', visible=False)
    _mark_queries(axes, run)
    label_axes(axes, 'time, s', '')
    return as_svg(figure)


def _mark_queries(axes: Axes, run: Run) -> None:
    """Draw where sentences change, and the weather as a strip along the top."""
    end = _end(run)
    axes.set_xlim(0, end)
    for query in run.queries[1:]:
        axes.axvline(query.start_s, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    for name, begin, stop in condition_spans(run):
        axes.axvspan(begin, stop, ymin=0.985, ymax=1.0, color=condition_colour(name), linewidth=0)


def _end(run: Run) -> float:
    return run.frames[-1].time_s + _period(run) if run.frames else 1.0


def _period(run: Run) -> float:
    steps = np.diff([frame.time_s for frame in run.frames])
    return float(np.median(steps)) if steps.size else 1 / 30


def condition_spans(run: Run) -> list[tuple[str, float, float]]:
    """Return name, begin and end in seconds of every stretch of one weather."""
    spans: list[tuple[str, float, float]] = []
    for frame in run.frames:
        if spans and spans[-1][0] == frame.condition:
            spans[-1] = (frame.condition, spans[-1][1], frame.time_s)
        elif frame.condition:
            spans.append((frame.condition, frame.time_s, frame.time_s))
    ends = [begin for _, begin, _ in spans[1:]] + [_end(run)]
    return [(name, begin, end) for (name, begin, _), end in zip(spans, ends, strict=False)]


IdentityRow = tuple[str, list[Span], dict[int, list[Span]]]


def _identity_rows(run: Run) -> list[IdentityRow]:
    """Return (name, spans meant, spans by identity) of every row of the identity plot."""
    meant: dict[int, list[float]] = {}
    found: dict[tuple[str, int], dict[int, list[float]]] = {}
    for frame in run.frames:
        for row in frame.truth or ():
            meant.setdefault(row.id, []).append(frame.time_s)
        for row, owner in _owners(frame):
            key = ('object', owner) if owner is not None else ('track', row.id)
            found.setdefault(key, {}).setdefault(row.id, []).append(frame.time_s)
    keys = [('object', number) for number in sorted(meant)]
    keys += sorted(key for key in found if key[0] == 'track')
    period = _period(run)
    name = {'object': 'object', 'track': 'other, ID' if run.has_truth else 'ID'}
    return [(f'{name[kind]} {number}',
             _spans(meant.get(number, ()) if kind == 'object' else (), period),
             {identity: _spans(times, period)
              for identity, times in found.get((kind, number), {}).items()})
            for kind, number in keys]


def _owners(frame: RunFrame) -> Iterable[tuple[MotRow, int | None]]:
    """Yield every published box with the true object it lies on best, None without one."""
    overlap = boxes.iou([row.box for row in frame.tracks or ()],
                        [row.box for row in frame.truth or ()])
    for number, row in enumerate(frame.tracks or ()):
        best = int(np.argmax(overlap[number])) if frame.truth else -1
        owned = best >= 0 and overlap[number, best] >= IOU_MATCH
        yield row, (frame.truth or ())[best].id if owned else None


def _spans(times: Iterable[float], period: float) -> list[Span]:
    spans: list[Span] = []
    for time in times:
        if spans and time - spans[-1][1] < period * 0.75:
            spans[-1] = (spans[-1][0], time + period)
        else:
            spans.append((time, time + period))
    return spans
