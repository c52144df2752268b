"""The table of ``rtrack benchmark tracking``."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.evaluation.latency import AtOnce
from rtrack_ros.evaluation.tracking_benchmark import NO_DELAY, OURS, Plan
from rtrack_ros.evaluation.tracking_results import Row, Summary

COLUMNS = ('HOTA', 'DetA', 'AssA', 'IDF1', 'IDSW', 'presence', 'false alarm', 'engine s',
           'pair ms', 'answer ms')


def tracking_table(plan: Plan, summary: Summary, answers: str, scenes: int) -> Table:
    """Return the table of one kind of answers, with the ratios that matter below it."""
    rows = [row for row in summary.rows if row.answers == answers]
    most = scenes if answers == 'oracle' else min(scenes, plan.model_scenes)
    table = Table(title=f'{answers} answers, engine {plan.profile.name}, {most} scenes, '
                        f'{max(row.trials for row in rows)} sentences: streaming scores, percent',
                  caption=_caption(summary.ratios(answers, plan.profile.name)),
                  title_justify='left', caption_justify='left', header_style='bold',
                  box=SIMPLE_HEAD, pad_edge=False)
    table.add_column('', no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify='right')
    for row in rows:
        bound = {NO_DELAY.name: ', engine takes no time',
                 AtOnce(plan.profile).name: ', same answers at once'}.get(row.profile, '')
        table.add_row(row.method + bound, *_cells(row),
                      style='dim' if bound else 'bold' if row.method == OURS else '')
    return table


def _cells(row: Row) -> list[str]:
    scores, presence = row.scores, row.presence
    shares = (scores.hota, scores.deta, scores.assa, scores.idf1)
    return [*(f'{value:.1f}' for value in shares), str(scores.idsw),
            *('-' if value is None else f'{value:.1f}'
              for value in (presence.f1, presence.absent_fpr)),
            f'{row.delay_s:.2f}', f'{row.pair_ms:.1f}', f'{row.answer_ms:.1f}']


def _caption(ratios: dict[str, float]) -> str:
    words = {'hota_to_blocking': 'HOTA of the blocking model',
             'hota_to_at_once': 'of the same answers at once',
             'hota_to_ceiling': 'of an engine that takes no time',
             'idsw_to_bytetrack': "ByteTrack's identity switches"}
    said = [f'{value:.2f} x {words[name]}' for name, value in ratios.items()]
    return f'ours: {", ".join(said)}' if said else ''
