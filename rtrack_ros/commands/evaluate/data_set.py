"""``rtrack evaluate --set``: score runs over a whole data set, and compare them on one page."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, names
from rtrack_ros.commands.spreading import add_spreading, failures_as_text, track_all
from rtrack_ros.data.layouts import layout_facts

if TYPE_CHECKING:
    from rtrack_ros.data.annotated import AnnotatedSequence
    from rtrack_ros.evaluation.metrics.single_object import SingleObjectScores
    from rtrack_ros.evaluation.sets.scores import SetScores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of scoring a set."""
    group = parser.add_argument_group(
        'data sets', 'Score runs over a whole set: referring tracking pooled over all (video, '
                     'sentence) pairs, single-object tracking by average overlap.')
    add(group, '--set', '--layout')
    group.add_argument('--run', dest='runs', type=_named, action='append', default=[],
                       metavar='NAME=DIR', help='tracks, one file for each sequence; may be '
                                                'repeated')
    group.add_argument('--track-with', type=_sensors, default=(), metavar='NAME,...',
                       help='track the set first, with these sensors: both, rgb, thermal; tracks '
                            'go to --out, and those that are there already are kept')
    add(group, '--out', help='folder for the tracks of --track-with')
    add_spreading(group)
    group.add_argument('--seqmap', type=Path, default=None, metavar='FILE',
                       help='list of (video, sentence) pairs of Refer-KITTI (default: all '
                            'pairs)')
    add(group, '--report')


def _named(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition('=')
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"'{text}': write it like ours=build/tracks")
    return name, Path(folder)


def _sensors(text: str) -> tuple[str, ...]:
    sensors = names(text)
    if not sensors or not set(sensors) <= {'both', 'rgb', 'thermal'}:
        raise argparse.ArgumentTypeError(f"'{text}': choose from both, rgb, thermal")
    return sensors


def run(args: argparse.Namespace) -> int:
    """Track if asked to, score, print and compare; returns the exit status."""
    if args.set is None or args.layout is None:
        raise CommandError('--set DIR, the folder of the data set, and --layout NAME, how it is '
                           'stored, go together; give both')
    sequences = _sequences(args)
    runs = [*(_track_all(args, sequences) if args.track_with else ()), *args.runs]
    if not runs:
        raise CommandError('there is nothing to score; give --run NAME=DIR, or --track-with both')
    if layout_facts(args.layout).single_object:
        return _single(args, sequences, runs)
    return _referring(args, sequences, runs)


def _sequences(args: argparse.Namespace) -> 'list[AnnotatedSequence]':
    from rtrack_ros.data.layouts import read_layout, refer_kitti

    if args.seqmap is not None:
        if args.layout != 'refer-kitti':
            raise CommandError('--seqmap is a list of pairs of refer-kitti')
        return refer_kitti.read(args.set, refer_kitti.read_seqmap(args.seqmap))
    return read_layout(args.layout, args.set)


def _track_all(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]'
               ) -> list[tuple[str, Path]]:
    if args.out is None or layout_facts(args.layout).single_object:
        raise CommandError('--track-with needs --out, and a set with sentences')
    for name in args.track_with:
        failed = track_all(args, sequences, name, args.out / name)
        if failed:
            raise CommandError('\n'.join(failures_as_text(failed, len(sequences))))
    return [(name, args.out / name) for name in args.track_with]


def _score(score: 'Callable[[str, Sequence[AnnotatedSequence], Path], Any]',
           sequences: 'list[AnnotatedSequence]', runs: list[tuple[str, Path]]) -> list[Any]:
    try:
        return [score(name, sequences, folder) for name, folder in runs]
    except ValueError as error:
        raise CommandError(str(error)) from error


def _referring(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]',
               runs: list[tuple[str, Path]]) -> int:
    from rtrack_ros.evaluation.report.score_table import set_score_table
    from rtrack_ros.evaluation.sets.scores import score_set

    scores: list[SetScores] = _score(score_set, sequences, runs)
    notes = _notes(args, sequences, scores)
    if args.report is not None:
        from rtrack_ros.evaluation.report.comparison import write_comparison
        write_comparison(args.report, _title(args, scores), scores, notes)
    table = set_score_table(f'{args.layout}, {scores[0].pairs} pairs, pooled, percent', scores)
    return _finish(args, scores, notes, table)


def _notes(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]',
           scores: 'list[SetScores]') -> list[str]:
    """Return what a reader must know to compare these figures with others."""
    first = scores[0]
    notes = [f'{first.pairs} (video, sentence) pairs of {args.set}, {first.empty_pairs} of '
             f'them without an object; {first.overall.frames} frames. One merged class, no '
             'preprocessing, counts pooled over all pairs, mean over 19 thresholds, TrackEval.']
    if first.empty_pairs:
        notes.append('Pairs without an object that got a box: ' + ', '.join(
            f'{item.name} {item.empty_pairs_alarmed}' for item in scores) + '.')
    wrong = sum(bool(item.notes) for item in sequences)
    return notes + ([f'{wrong} pairs have annotations that contradict each other.'] if wrong
                    else [])


def _single(args: argparse.Namespace, sequences: 'list[AnnotatedSequence]',
            runs: list[tuple[str, Path]]) -> int:
    from rtrack_ros.evaluation.metrics.single_object import score_single_object
    from rtrack_ros.evaluation.report.score_table import single_object_line

    scores: list[SingleObjectScores] = _score(score_single_object, sequences, runs)
    notes = [f'{scores[0].sequences} sequences of {args.set}, {scores[0].frames} frames; '
             'arithmetic of the GOT-10k toolkit, first frames and invisible targets left out.']
    if args.report is not None:
        from rtrack_ros.evaluation.report.comparison import write_single_comparison
        write_single_comparison(args.report, _title(args, scores), scores, notes)
    return _finish(args, scores, notes, *map(single_object_line, scores))


def _title(args: argparse.Namespace, scores: Sequence[object]) -> str:
    return f'{args.layout}: {len(scores)} runs'


def _finish(args: argparse.Namespace, scores: 'Sequence[SetScores | SingleObjectScores]',
            notes: Sequence[str], *shown: object) -> int:
    """Print what is shown and the notes, write JSON if asked; returns the exit status."""
    from rtrack_ros.commands.results import Results

    results = Results(args.json)
    results.show(*shown, *notes)
    if args.report is not None:
        results.wrote(args.report)
    results.json({'notes': notes, 'runs': {item.name: item.as_dict() for item in scores}})
    return 0
