"""Scores as tables for a terminal: HOTA and presence by row, overlap of single objects."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.evaluation.metrics.hota import Scores
from rtrack_ros.evaluation.metrics.presence import Presence
from rtrack_ros.evaluation.metrics.single_object import SingleObjectScores
from rtrack_ros.evaluation.run import RunScores, Split
from rtrack_ros.evaluation.sets.scores import SetScores

ScoreRow = tuple[str, Scores, Presence]
COLUMNS = ('HOTA', 'DetA', 'AssA', 'IDF1', 'MOTA', 'IDSW', 'presence', 'false alarm', 'meant',
           'found')


def score_table(title: str, *groups: Sequence[ScoreRow]) -> Table:
    """Return a table of scores: groups of rows with a line between, the first group in bold."""
    table = Table(title=title, title_justify='left', header_style='bold', box=SIMPLE_HEAD,
                  pad_edge=False)
    table.add_column('', overflow='ellipsis', no_wrap=True, ratio=1)
    for name in COLUMNS:
        table.add_column(name, justify='right', no_wrap=True, min_width=min(len(name), 8))
    for number, group in enumerate(groups):
        for name, scores, presence in group:
            table.add_row(name, *_cells(scores), _percent(presence.f1),
                          _percent(presence.absent_fpr), str(scores.truth_boxes),
                          str(scores.track_boxes), style='' if number else 'bold')
        table.add_section()
    return table


def run_score_table(title: str, scores: RunScores) -> Table:
    """Return the scores of a run: over all, then by sentence, then by condition."""
    return score_table(title, *(_rows(splits) for splits in
                                ([scores.overall], scores.by_query, scores.by_condition)))


def set_score_table(title: str, runs: Iterable[SetScores]) -> Table:
    """Return the scores of runs over a set: a group for each run, its conditions below it."""
    return score_table(title, *(
        [(run.name, run.overall.scores, run.overall.presence),
         *((f'  {name}', scores, presence) for name, scores, presence in _rows(run.by_condition))]
        for run in runs))


def single_object_line(scores: SingleObjectScores) -> str:
    """Return the scores of one run over a set of single objects in words."""
    return (f'{scores.name}: AO {scores.ao:.3f}, SR0.5 {scores.sr50:.3f}, SR0.75 '
            f'{scores.sr75:.3f}, boxes on absent frames '
            f'{_percent(scores.presence.absent_fpr, " %")}')


def _rows(splits: Iterable[Split]) -> list[ScoreRow]:
    return [(split.name, split.scores, split.presence) for split in splits]


def _cells(scores: Scores) -> list[str]:
    if not scores.truth_boxes:
        return ['-'] * 6  # no object is meant: presence tells
    figures = (scores.hota, scores.deta, scores.assa, scores.idf1, scores.mota)
    return [f'{value:.1f}' for value in figures] + [str(scores.idsw)]


def _percent(value: float | None, unit: str = '') -> str:
    return '-' if value is None else f'{value:.1f}{unit}'
