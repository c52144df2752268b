"""``rtrack evaluate --set``: score runs over a whole data set, and compare them on one page."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError

if TYPE_CHECKING:
    from rtrack_ros.data.annotated import AnnotatedSequence
    from rtrack_ros.evaluation.metrics.single_object import SingleObjectScores
    from rtrack_ros.evaluation.sets.scores import SetScores

SINGLE_OBJECT = ('got10k', 'lasher', 'vtuav')
"""Layouts of one target per sequence, scored by overlap; the others by HOTA."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of scoring a set."""
    group = parser.add_argument_group(
        'data sets', 'Score runs over a whole set: referring tracking pooled over all (video, '
                     'expression) pairs, single-object tracking by average overlap.')
    group.add_argument('--set', dest='layout', default=None, metavar='LAYOUT',
                       help='refrt, refer-kitti, rgbt-mot, got10k, lasher or vtuav')
    group.add_argument('--root', type=Path, default=None, metavar='DIR', help='the data set')
    group.add_argument('--run', dest='runs', type=_named, action='append', default=[],
                       metavar='NAME=DIR', help='tracks, one file per sequence; may be repeated')
    group.add_argument('--track', type=_sensors, default=(), metavar='SENSORS',
                       help='track first, with both, rgb, thermal or several of them with commas '
                            'between; files go to --out, those that are there are kept')
    group.add_argument('--out', type=Path, default=None, metavar='DIR')
    group.add_argument('--seqmap', type=Path, default=None, metavar='FILE',
                       help='list of pairs of Refer-KITTI (default: all)')
    group.add_argument('--report', type=Path, default=None, metavar='HTML',
                       help='page that compares the runs')


def _named(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition('=')
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"'{text}': write it like ours=build/tracks")
    return name, Path(folder)


def _sensors(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(',') if name.strip())
    if not names or not set(names) <= {'both', 'rgb', 'thermal'}:
        raise argparse.ArgumentTypeError(f"'{text}': choose from both, rgb, thermal")
    return names


def run(args: argparse.Namespace) -> int:
    """Track if asked to, score, print and compare; returns the exit status."""
    if args.root is None:
        raise CommandError('--set needs --root, the folder of the data set')
    sequences = _sequences(args)
    runs = [*(_track_all(args, sequences) if args.track else ()), *args.runs]
    if not runs:
        raise CommandError('there is nothing to score; give --run NAME=DIR, or --track both')
    if args.layout in SINGLE_OBJECT:
        return _single(args, sequences, runs)
    return _referring(args, sequences, runs)


def _sequences(args: argparse.Namespace) -> 'list[AnnotatedSequence]':
    from rtrack_ros.data.layouts import read_layout, refer_kitti
    from rtrack_ros.data.layouts.rgbt_mot import class_sentences

    if args.seqmap is not None:
        if args.layout != 'refer-kitti':
            raise CommandError('--seqmap is a list of pairs of refer-kitti')
        return refer_kitti.read(args.root, refer_kitti.read_seqmap(args.seqmap))
    sequences = read_layout(args.layout, args.root)
    if args.layout == 'rgbt-mot':  # it has no sentences of its own
        return [part for whole in sequences for part in class_sentences(whole)]
    return sequences


def _track_all(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]'
               ) -> list[tuple[str, Path]]:
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.engines.registry import default_model, load_engine
    from rtrack_ros.evaluation.sets.tracking import track_set
    from rtrack_ros.language.refine import make_grounder

    if args.out is None or args.layout in SINGLE_OBJECT:
        raise CommandError('--track needs --out, and a set with sentences')
    engine = load_engine(args.engine, args.model or default_model())
    try:
        for name in args.track:
            track_set(progress(sequences, name, len(sequences)),
                      make_grounder(engine, refine=args.refine), name,
                      args.out / name)
    finally:
        engine.close()
    return [(name, args.out / name) for name in args.track]


def _score(score: 'Callable[[str, Sequence[AnnotatedSequence], Path], Any]',
           sequences: 'list[AnnotatedSequence]', runs: list[tuple[str, Path]]) -> list[Any]:
    try:
        return [score(name, sequences, folder) for name, folder in runs]
    except ValueError as error:
        raise CommandError(str(error)) from error


def _referring(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]',
               runs: list[tuple[str, Path]]) -> int:
    from rtrack_ros.evaluation.sets.scores import score_set

    scores: list[SetScores] = _score(score_set, sequences, runs)
    notes = _notes(args, sequences, scores)
    if args.report is not None:
        from rtrack_ros.evaluation.report.comparison import write_comparison
        write_comparison(args.report, f'{args.layout}: {len(runs)} runs', scores, notes)
    if args.json:
        print(json.dumps({'notes': notes, 'runs': {item.name: item.as_dict() for item in scores}},
                         indent=2))
        return 0

    from rtrack_ros.commands.terminal import console, score_table
    output = console()
    output.print(score_table(f'{args.layout}, {scores[0].pairs} pairs, pooled, percent', *(
        [(run.name if split is run.overall else f'  {split.name}', split.scores, split.presence)
         for split in (run.overall, *run.by_condition)] for run in scores)))
    _finish(output.print, args, notes)
    return 0


def _notes(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]',
           scores: 'list[SetScores]') -> list[str]:
    """Return what a reader must know to compare these figures with others."""
    first = scores[0]
    notes = [f'{first.pairs} (video, expression) pairs of {args.root}, {first.empty_pairs} of '
             f'them about nobody; {first.overall.frames} frames. One merged class, no '
             'preprocessing, counts pooled over all pairs, mean over 19 thresholds, TrackEval.']
    if first.empty_pairs:
        notes.append('Pairs about nobody that got a box: ' + ', '.join(
            f'{item.name} {item.empty_pairs_alarmed}' for item in scores) + '.')
    wrong = sum(bool(item.notes) for item in sequences)
    return notes + ([f'{wrong} pairs have annotations that contradict each other.'] if wrong
                    else [])


def _single(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]',
            runs: list[tuple[str, Path]]) -> int:
    from rtrack_ros.evaluation.metrics.single_object import score_single_object

    scores: list[SingleObjectScores] = _score(score_single_object, sequences, runs)
    notes = [f'{scores[0].sequences} sequences of {args.root}, {scores[0].frames} frames; '
             'arithmetic of the GOT-10k toolkit, first frames and invisible targets left out.']
    if args.report is not None:
        from rtrack_ros.evaluation.report.comparison import write_single_comparison
        write_single_comparison(args.report, f'{args.layout}: {len(runs)} runs', scores, notes)
    if args.json:
        print(json.dumps({'notes': notes, 'runs': {item.name: item.as_dict() for item in scores}},
                         indent=2))
        return 0

    from rtrack_ros.commands.terminal import console
    output = console()
    for item in scores:
        false_alarms = item.presence.absent_fpr
        said = '-' if false_alarms is None else f'{false_alarms:.1f} %'
        output.print(f'{item.name}: AO {item.ao:.3f}, SR0.5 {item.sr50:.3f}, SR0.75 '
                     f'{item.sr75:.3f}, boxes on absent frames {said}')
    _finish(output.print, args, notes)
    return 0


def _finish(say: Callable[..., None], args: argparse.Namespace, notes: Sequence[str]) -> None:
    for note in notes:
        say(note, soft_wrap=True)
    if args.report is not None:
        say(f'wrote {args.report}', soft_wrap=True)
