"""The table of ``rtrack benchmark tracking``."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.benchmarks.tracking.plan import Plan
from rtrack_ros.benchmarks.tracking.results import Summary
from rtrack_ros.evaluation.streaming.pooling import Row
from rtrack_ros.evaluation.streaming.trials import BLOCKING, NO_DELAY, OURS, PERFECT

COLUMNS = ('HOTA', '/block', '/ceil', 'DetA', 'AssA', 'IDF1', 'IDSW', 'presence', 'delay s',
           'own ms')


def tracking_table(plan: Plan, summary: Summary, answers: str, scenes: int) -> Table:
    """Return the table of one kind of answers, with the ratios that matter below it.

    'rtrack_ros' carries its boxes ahead by the time between pairs (``prediction_horizon_s``), as
    suits a robot that acts on the newest array. 'rtrack_ros at the stamp' is the tracker by
    default. 'rtrack_ros by whole answers' does not use boxes before the answer is complete.
    'perfect motion' moves every object that an answer has named by then as the truth does: no
    tracker can do better with these answers. 'no delay' has the answers about the same frames at
    once. '+ detector' has detections of all objects ten times a second, 30 ms late, with the same
    faults as the answers and without a sentence. '+ detector + judge' may ask the engine for a yes
    or no about single objects besides; the trackers of the package ``trackers`` do nothing else,
    with the same verdicts. An 'instant engine' takes no time and answers about every pair.
    '/block' and '/ceil' are HOTA over that of the blocking model and of rtrack_ros with the
    instant engine; 'delay s' is the mean delay of an answer, 'own ms' the median own work for a
    pair.
    """
    rows = [row for row in summary.rows if row.answers == answers]
    most = scenes if answers == 'oracle' else min(scenes, plan.model_scenes)
    draws = plan.draws if answers == 'oracle' else 1
    asked = f'{max(row.trials for row in rows) // draws} sentences'
    asked += f', {draws} draws of faults' if draws > 1 else ''
    table = Table(title=f'{answers} answers, engine {plan.profile.name}, {most} scenes, '
                        f'{asked}: streaming scores, percent',
                  caption=_caption(summary.ratios(answers, plan.profile.name)),
                  title_justify='left', caption_justify='left', header_style='bold',
                  box=SIMPLE_HEAD, pad_edge=False)
    table.add_column('', no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify='right', no_wrap=True)
    for row in rows:
        name = f'{row.label}, instant engine' if row.profile == NO_DELAY.name else row.label
        table.add_row(name, *_cells(row, summary, plan.profile.name),
                      style='dim' if name != row.method or row.method == PERFECT
                      else 'bold' if row.method == OURS else '')
    return table


def sweep_table(summary: Summary) -> Table:
    """Return HOTA over engine delay, a line a method.

    'rtrack_ros, no delay' has answers as rare as those of the slow engine, but at once: between it
    and ours lies what the delay costs, above it what it costs that answers are few.
    """
    delays = list(dict.fromkeys(row.engine for row in summary.sweep))
    scores = {(row.label, row.engine): f'{row.scores.hota:.1f}' for row in summary.sweep}
    table = Table(title=f'streaming HOTA by engine delay, {summary.sweep[0].trials} sentences',
                  title_justify='left', header_style='bold', box=SIMPLE_HEAD, pad_edge=False)
    table.add_column('', no_wrap=True)
    for delay in delays:
        table.add_column(delay, justify='right', no_wrap=True)
    for label in dict.fromkeys(row.label for row in summary.sweep):
        table.add_row(label, *(scores.get((label, delay), '-') for delay in delays))
    return table


def _cells(row: Row, summary: Summary, profile: str) -> list[str]:
    scores, presence = row.scores, row.presence
    ratios = [_ratio(row, summary.find(row.answers, *other))
              for other in ((BLOCKING, profile), (OURS, NO_DELAY.name))]
    return [f'{scores.hota:.1f}', *ratios,
            *(f'{value:.1f}' for value in (scores.deta, scores.assa, scores.idf1)),
            str(scores.idsw), '-' if presence.f1 is None else f'{presence.f1:.1f}',
            f'{row.delay_s:.2f}', f'{row.pair_ms:.1f}']


def _ratio(row: Row, other: Row | None) -> str:
    return f'{row.scores.hota / other.scores.hota:.2f}' if other and other.scores.hota else '-'


def _caption(ratios: dict[str, float]) -> str:
    words = {'hota_to_blocking': 'HOTA of the blocking model',
             'hota_to_at_once': 'of the same answers without delay',
             'hota_to_perfect': 'of perfect motion on the same late answers',
             'hota_to_ceiling': 'of an engine that takes no time (ceiling)',
             'idsw_to_bytetrack': "ByteTrack's identity switches",
             'idsw_rate_to_bytetrack': 'its switches per matched box'}
    said = [f'{ratios[name]:.2f} x {what}' for name, what in words.items() if name in ratios]
    return '\n'.join(['rtrack_ros:', *said]) if said else ''
