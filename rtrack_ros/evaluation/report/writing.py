"""The report of a run: one HTML file that needs nothing else."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
from jinja2 import Environment
from markupsafe import Markup

from rtrack_ros.evaluation.report import plots
from rtrack_ros.evaluation.report.page import PAGE
from rtrack_ros.evaluation.run import Run, RunFrame, RunScores, run_metrics
from rtrack_ros.frames import Image8
from rtrack_ros.output_files import write_text

JPEG_QUALITY = 84
WIDEST_PICTURE = 1100


@dataclass(frozen=True, eq=False)
class KeyPicture:
    """One composed overlay picture of the report.

    Attributes:
        picture: uint8 (h, w, 3), RGB.
        caption: What it shows.
    """

    picture: Image8
    caption: str


def key_frames(run: Run) -> list[int]:
    """Return the indices of the frames to show: the middle of every (sentence, weather).

    The choice looks at nothing but time, so that it flatters nobody.
    """
    groups: dict[tuple[int, str], list[int]] = {}
    for index, frame in enumerate(run.frames):
        groups.setdefault((frame.query, frame.condition), []).append(index)
    return [indices[len(indices) // 2] for indices in groups.values()]


def caption(run: Run, frame: RunFrame) -> str:
    """Return a line that says what a frame shows."""
    asked = run.sentence(frame)
    parts = [f'{frame.time_s:.1f} s', frame.condition,
             f'\N{LEFT DOUBLE QUOTATION MARK}{asked}\N{RIGHT DOUBLE QUOTATION MARK}' if asked
             else 'nothing asked', f'{len(frame.tracks or ())} followed']
    if frame.truth is not None:
        parts.append(f'{len(frame.truth)} meant')
    return ', '.join(part for part in parts if part)


def write_report(path: Path | str, run: Run, scores: RunScores | None,
                 pictures: Sequence[KeyPicture] = ()) -> None:
    """Write the report.

    Args:
        path: HTML file to write.
        run: What was recorded.
        scores: Its scores; None without truth.
        pictures: Overlay pictures to show, see :func:`key_frames`.
    """
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(PAGE)
    page = template.render(
        run=run, scores=scores, metrics=run_metrics(run, scores),
        splits=_splits(scores), figures=_figures(run, scores),
        spans=plots.condition_spans(run), colour=plots.condition_colour,
        pictures=[(_data_url(item.picture), item.caption) for item in pictures])
    write_text(path, page)


def _splits(scores: RunScores | None) -> list[tuple[str, Sequence[object]]]:
    if scores is None:
        return []
    return [('', [scores.overall]), ('by sentence', scores.by_query),
            ('by condition', scores.by_condition)]


def _figures(run: Run, scores: RunScores | None) -> dict[str, Markup]:
    drawn = {'identities': plots.identities(run), 'presence': plots.presence(run),
             'latency': plots.latency_histogram(run), 'age': plots.answer_age(run)}
    if scores is not None:
        drawn['hota'] = plots.hota_over_thresholds(scores)
    # As an image each SVG has its own name space; inline ones would share their ids.
    return {name: Markup('<img alt="" src="data:image/svg+xml;base64,'
                         f'{base64.b64encode(svg.encode()).decode()}">')
            for name, svg in drawn.items()}


def _data_url(picture: Image8) -> str:
    height, width = picture.shape[:2]
    if width > WIDEST_PICTURE:
        size = (WIDEST_PICTURE, round(height * WIDEST_PICTURE / width))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
                              [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return 'data:image/jpeg;base64,' + base64.b64encode(encoded.tobytes()).decode()
