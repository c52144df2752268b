"""What benchmarks wrote as Markdown tables: one function for each subject of ``rtrack benchmark``.

A result that is only known from a text has its tables ready, under ``tables``; one of a command
that is not known here is shown as a list of its figures.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from rtrack_ros.benchmarks.box.table import box_rows
from rtrack_ros.benchmarks.engine.table import name_of, sent
from rtrack_ros.benchmarks.record import Record, RecordError

Result = Mapping[str, Any]
Row = Sequence[Any]
Writer = Callable[[Result], Iterator[str]]

_COMMAND = re.compile(r'\b(?:rtrack(?:_ros\.cli)?) (?:benchmark )?(\w+)')
_PART = re.compile(r'--parts?[ =](\w+)')
_VIEWS = ('both', 'rgb only', 'thermal only')
_NO_DELAY = '0 s'
_AT_ONCE = ', answers at once'


def tables_of(record: Record) -> list[str]:
    """Return the tables and lines of a record, in Markdown.

    Raises:
        RecordError: the result does not have what this command writes today.
    """
    if 'tables' in record.result:
        return [_table(item['columns'], item['rows'], item.get('title', ''))
                for item in record.result['tables']]
    try:
        return list(_writer(record.command)(record.result))
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(f'the record {record.name} is not what "{record.command}" writes today '
                          f'({error!r}); run it again') from error


def _writer(command: str) -> Writer:
    """Return what shows the result of a command; a part may have a form of its own."""
    subject, part = _COMMAND.search(command), _PART.search(command)
    name = subject[1] if subject else ''
    whole = _WRITERS.get(name, _any)
    return _WRITERS.get(f'{name} {part[1]}', whole) if part else whole


def _table(columns: Row, rows: Sequence[Row], title: str = '') -> str:
    lines = [f'**{title}**\n'] if title else []
    lines += [_line(columns), _line(['---'] * len(columns)), *(_line(row) for row in rows)]
    return '\n'.join(lines)


def _line(cells: Row) -> str:
    return '| ' + ' | '.join(str(cell) for cell in cells) + ' |'


def _number(value: float | None, digits: int) -> str:
    return '-' if value is None else f'{value:.{digits}f}'


def _grounding(result: Result) -> Iterator[str]:
    views = result['views']
    rows = [['**all**', *(_number(views[view]['all']['f1'], 2) for view in _VIEWS)]]
    for group, mark in (('by_condition', ''), ('by_kind', '"')):
        rows += [[f'{mark}{name}{mark}', *(_number(views[view][group][name]['f1'], 2)
                                           for view in _VIEWS)]
                 for name in views['both'][group] if name != 'nobody']
    rows.append(['false answers when nobody is meant',
                 *(_number(views[view]['false_answers_when_nobody'], 2) for view in _VIEWS)])
    yield _table(['F1 at IoU 0.5', 'RGB + thermal', 'RGB only', 'thermal only'], rows)
    yield (f"{result['model']} on {result['engine']}, {result['precision']}; second look: "
           f"{result['refine']}; {result['scenes']} scenes, {result['answers']} answers; an "
           f"answer took {result['latency_ms_p50']:.0f} ms (median), "
           f"{result['latency_ms_p95']:.0f} ms (19 of 20 were faster).")


def _engine(result: Result) -> Iterator[str]:
    numbers = list(next(iter(result['engines'].values()))['sentences_ms'])
    rows = [[name_of(label, one), _number(one['start_s'], 1), one['memory_mib'],
             *(_number(one[name], 0) for name in ('ms_p50', 'ms_p95', 'cpu_ms', 'first_ms_p50')),
             one['tokens_per_s'] or '-', sent(one),
             ' / '.join(_number(one['sentences_ms'][number], 0) for number in numbers),
             _number(one['same_text'], 2), _number(one['mean_iou'], 3)]
            for label, one in result['engines'].items()]
    yield _table(('engine', 'start s', 'MiB', 'ms p50', 'p95', 'CPU ms', 'first text ms',
                  'tokens/s', 'kB sent', f"{' / '.join(numbers)} sentences ms",
                  'same text', 'IoU'), rows)
    yield (f"{result['frames']} unseen frame pairs, {result['threads']} thread an engine. Text "
           f"and boxes are compared with {result['reference']}. Load of the machine: "
           f"{result['load_before']} before, {result['load_after']} after.")


def _tracking(result: Result) -> Iterator[str]:
    plan = result['plan']
    for answers in dict.fromkeys(row['answers'] for row in result['rows']):
        rows = [[_method(row), *(_number(row[name], 1) for name in
                                 ('hota', 'deta', 'assa', 'idf1')),
                 row['idsw'], _number(row['idsw_per_1000'], 1), _number(row['delay_s'], 2),
                 _number(row['pair_ms'], 1)]
                for row in result['rows'] if row['answers'] == answers]
        yield _table(['', 'streaming HOTA', 'DetA', 'AssA', 'IDF1', 'ID switches', 'per 1000',
                      'delay s', 'own ms'], rows,
                     f'Answers: {answers}. Engine: {plan["profile"]}. {result["scenes"]} scenes, '
                     f'{plan["sentences"]} sentences each, faults drawn {plan["draws"]} times')
    yield from _sweep(result.get('sweep', ()), result.get('sweep_scenes', 0))


def _method(row: Result) -> str:
    name, profile = str(row['method']), str(row['profile'])
    if profile == _NO_DELAY:
        return f'{name}, an engine that takes no time'
    return f'{name}, same answers without delay' if profile.endswith(_AT_ONCE) else name


def _sweep(rows: Sequence[Result], scenes: int) -> Iterator[str]:
    delays = list(dict.fromkeys(str(row['profile']).removesuffix(_AT_ONCE) for row in rows))
    scores: dict[str, dict[str, str]] = {}
    for row in rows:
        delay = str(row['profile']).removesuffix(_AT_ONCE)
        name = row['method'] + (', no delay' if delay != row['profile'] else '')
        scores.setdefault(name, {})[delay] = _number(row['hota'], 1)
    if scores:
        yield _table(['', *delays], [[name, *(found.get(delay, '-') for delay in delays)]
                                     for name, found in scores.items()],
                     f'Streaming HOTA by engine delay, {scenes} scenes')


def _clip(result: Result) -> Iterator[str]:
    rows = [[name, _number(row['followed'], 2), _number(row['covered'], 2),
             _number(row['mean_iou'], 2)] for name, row in result['views'].items()]
    first = next(iter(result['views'].values()))
    yield _table(['', 'followed', 'covered', 'mean IoU'], rows,
                 f'{result["clip"]}: {first["answers"]} answers, {first["boxes"]} boxes between')
    asked = [[f'"{text}"', view, _number(row['recall'], 2),
              _number(row['spurious'] / max(row['frames'], 1), 2), row['frames']]
             for text, views in result['answers'].items() for view, row in views.items()]
    if asked:
        yield _table(['asked', 'sensors', 'recall', 'false boxes a frame', 'frames'], asked)


def _box(result: Result) -> Iterator[str]:
    headings, rows = box_rows(result)
    yield _table(headings, rows)


def _cost(result: Result) -> Iterator[str]:
    cells = result['pairs']
    if cells:
        stages = list(cells[0]['rtrack_ros']['stages'])
        yield _table(['image', 'tracks', 'sentences', *stages, 'all', 'an answer', 'common way',
                      'ratio'],
                     [['x'.join(map(str, cell['size'])), cell['tracks'], cell['queries'],
                       *(_number(cell['rtrack_ros']['stages'][name]['p50'], 2)
                         for name in stages),
                       *(_number(cell['rtrack_ros'][name]['p50'], 1)
                         for name in ('total', 'answer')),
                       _number((cell['common'] or {}).get('total', {}).get('p50'), 1),
                       _number(cell.get('ours_over_common'), 1)] for cell in cells],
                     'Processor time of a pair, milliseconds, median')
    plays = dict(result['live']) | ({'soak': result['soak']} if result['soak'] else {})
    if plays:
        yield _table(['engine', 'median ms', 'p99 ms', 'longest ms', 'arrays for images',
                      'answers', 'engine busy', 'node ms an image'],
                     [[name, *(_number(play['stamp_to_publish_ms'][share], 0)
                               for share in ('p50', 'p99', 'p100')),
                       f'{play["published"]} for {play["sent"]}', play['answers'],
                       f'{play["engine_busy"]:.0%}', _number(play['node_cpu_ms_per_image'], 1)]
                      for name, play in plays.items()],
                     'From the stamp of an image to its published array, 640x480 at 30 Hz')
    for name, play in plays.items():
        if play['memory']:
            yield (f'Memory over {play["played_s"] / 60:.0f} minutes ({name}): '
                   f'{play["memory"]["first_mib"]:.0f} MiB after the warm-up, '
                   f'{play["memory"]["last_mib"]:.0f} MiB at the end, '
                   f'{play["memory"]["slope"]:+.1f} MiB an hour.')


def _calibration(result: Result) -> Iterator[str]:
    rows = [[_number(item['score'], 2), _number(item['right'], 2), item['boxes']]
            for item in result['bins']]
    rows.append([f'**{result["mean_score"]:.2f}**', f'**{result["share_right"]:.2f}**',
                 f'**{result["boxes"]}**'])
    yield _table(['mean score', 'share right', 'boxes'], rows)
    yield (f'Expected calibration error {result["error"]:.3f}; Brier score '
           f'{result["brier"]:.3f}, of one score for all boxes '
           f'{result["brier_of_constant"]:.3f}. {result["scenes"]} scenes, engine '
           f'{result["plan"]["profile"]}.')


def _crops(result: Result) -> Iterator[str]:
    views, sharing = result['crops']['views'], result['sharing']
    yield _table(['', 'whole image', 'crop'],
                 [['F1 at IoU 0.5', *(_number(views[view]['all']['f1'], 2) for view in views)],
                  ['mean IoU', *(_number(views[view]['mean_iou'], 2) for view in views)]],
                 f'{result["crops"]["model"]}, {result["crops"]["questions"]} questions')
    yield (f'{sharing["sentences"]} sentences about one pair: '
           f'{sharing["apart_ms_per_answer"]:.0f} ms of processor time an answer, each with its '
           f'own encoding; {sharing["together_ms_per_answer"]:.0f} ms with one encoding. '
           f'{sharing["equal_answers"]} of {sharing["answers"]} answers are equal.')


def _tasks(result: Result) -> Iterator[str]:
    rows = []
    if 'locate' in result:
        found = result['locate']['all']
        rows += [['locate, average overlap', _number(found['ao'], 2),
                  f'{found["static"]["ao"]:.2f} (box stays)'],
                 ['locate, success at 0.5', _number(found['sr50'], 2),
                  _number(found['static']['sr50'], 2)],
                 ['locate in the tracker, average overlap',
                  _number(found['tracked']['ao'], 2), '']]
    if 'verify' in result:
        found = result['verify']['all']
        rows.append(['verify, accuracy', _number(found['accuracy'], 2),
                     f'{found["always_no"]:.2f} (always No)'])
    if 'describe' in result:
        found, usual = result['describe']['all'], result['describe']['usual_words']
        rows += [[f'describe: {word}', _number(found[key], 2),
                  f'{_number(usual[key], 2)} (usual words)'] for word, key in
                 (('class', 'category_right'), ('where it heads', 'motion_right'),
                  ('upper colour', 'upper_right'), ('lower colour', 'lower_right'),
                  ('every word', 'all_right'))]
    yield _table(['', str(result['model']), 'baseline'], rows)


def _demo(result: Result) -> Iterator[str]:
    names = ('hota', 'deta', 'assa', 'idf1', 'pairs_in', 'arrays_out', 'stamp_to_publish_ms_p50',
             'stamp_to_publish_ms_p99', 'answers', 'answer_age_ms_p50')
    yield _table(['figure', 'value'], [[name, result[name]] for name in names])


def _cas(result: Result) -> Iterator[str]:
    yield _table(['learning rate', 'advantages', 'largest gradient', 'final reward',
                  'worst seed', 'near-ties'],
                 [[rate, name, _number(row['gradient_largest'], 2),
                   _number(row['reward_final'], 3), _number(row['reward_final_lowest'], 3),
                   _number(row['near_ties'], 2)]
                  for rate, rows in result['summary'].items() for name, row in rows.items()])


def _thermal(result: Result) -> Iterator[str]:
    yield _table(['', 'HOTA, both', 'HOTA, RGB only', 'gain', 'true boxes'],
                 [[name, _number(row['both']['hota'], 1), _number(row['rgb only']['hota'], 1),
                   '-' if row['gain'] is None else f'{100 * row["gain"]:+.0f} %',
                   row['both']['truth_boxes']] for name, row in result['rows'].items()])


def _reinforcement(result: Result) -> Iterator[str]:
    yield _table(['', 'steps', 'F1 at IoU 0.5', 'precision', 'recall',
                  'answers when nobody is meant', 'HOTA'],
                 [[method, _number(row['steps']['mean'], 0), _spread(row['f1'], 3),
                   *(_number(row[name]['mean'], 3)
                     for name in ('precision', 'recall', 'false_when_nobody')),
                   _spread(row['hota'], 1)] for method, row in result['rows'].items()])


def _spread(score: Result, digits: int) -> str:
    mean, low, high = (_number(score[name], digits) for name in ('mean', 'lowest', 'highest'))
    return mean if low == high else f'{mean} ({low} to {high})'


def _any(result: Result) -> Iterator[str]:
    yield _table(['figure', 'value'], list(_flat(result)))


def _flat(value: Any, name: str = '') -> Iterator[tuple[str, Any]]:
    """Yield all single values under their full names; lists are left out."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f'{name}.{key}' if name else str(key))
    elif not isinstance(value, list):
        yield name, value


def _intake(result: Result) -> Iterator[str]:
    def both(row: Result, name: str) -> str:
        return ' / '.join(_number(row[f'{name}_ms_p{share}'], 0) for share in (50, 95))

    yield _table(['cameras', 'way', 'published', 'with thermal', 'of its instant',
                  'true age of thermal, ms, median / p95', 'wait of RGB, ms, median / p95',
                  'CPU ms a pair'],
                 [[row['situation'], row['way'], *(f'{row[name]:.0%}' for name in (
                     'published', 'with_thermal', 'fresh')), both(row, 'age'), both(row, 'wait'),
                   _number(row['cpu_ms'], 2)] for row in result['rows']])


def _pipeline(result: Result) -> Iterator[str]:
    titles = {'shares': 'With the model, by share of every core',
              'tracks': 'True answers in place of the model, by number of tracks and share',
              'model': 'Without a limit, the model beside one that takes no time'}
    for part, title in titles.items():
        if result[part]:
            yield _table(_PLAY_COLUMNS, [_play_row(name, play)
                                         for name, play in result[part].items()], title)
    if result['soak']:
        yield _table(_PLAY_COLUMNS, [_play_row('soak', result['soak'])],
                     f'{result["soak"]["played_s"] / 60:.0f} minutes')
    memory = result['memory']
    if memory:
        yield (f'Memory: {memory["first_mib"]:.1f} MiB after {memory["warm_up_s"] / 60:.0f} '
               f'minutes, {memory["last_mib"]:.1f} MiB at the end, {memory["slope"]:+.2f} MiB an '
               f'hour (95 %: {memory["low"]:+.2f} to {memory["high"]:+.2f}).')
    yield _table(['figure', 'measured', 'asked for', ''], [
        [check['what'], _number(check['value'], 2),
         f'at {"least" if check["at_least"] else "most"} {check["bound"]:g}',
         'yes' if check['holds'] else '**no**'] for check in result['checks']])


_PLAY_COLUMNS: Final = ('play', 'got', 'age ms, median / p99', 'stamp to publish ms, median / p99',
                        'arrays for images', 'boxes', 'answer ms', 'streaming HOTA')


def _play_row(name: str, play: Result) -> list[object]:
    def both(what: str) -> str:
        return ' / '.join(_number(play[what][share], 0) for share in ('p50', 'p99'))
    return [name, f'{play["share"]["got"]:.0%}', both('age_ms'), both('stamp_to_publish_ms'),
            f'{play["published"]} for {play["sent"]}', _number(play['boxes'], 1),
            _number(play['answer_ms'], 0), _number(play['hota'], 1)]


_WRITERS: Final[Mapping[str, Writer]] = {
    'grounding': _grounding, 'engine': _engine, 'tracking': _tracking, 'clip': _clip,
    'box': _box, 'intake': _intake,
    'cost': _cost, 'pipeline': _pipeline, 'calibration': _calibration, 'crops': _crops,
    'tasks': _tasks, 'demo': _demo,
    'learning cas': _cas, 'learning thermal': _thermal,
    'learning reinforcement': _reinforcement}
