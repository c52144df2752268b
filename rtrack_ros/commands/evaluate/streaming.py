"""``rtrack evaluate --streaming``: replay a recording and score what a robot would have had."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import (
    DEFAULT_PROFILE,
    add,
    add_losses,
    add_server,
    own_cost,
    read_methods,
    read_profile,
)

if TYPE_CHECKING:
    from rtrack_ros.evaluation.streaming.latency import LatencyProfile
    from rtrack_ros.evaluation.streaming.recordings import Recording
    from rtrack_ros.scheduling.putting import GroundsQueries

ORACLE = 'oracle'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of streaming evaluation."""
    group = parser.add_argument_group(
        'streaming', 'Replay a recording in virtual time: the engine takes as long as the latency '
                     'profile says, and every instant is scored against the newest boxes '
                     'published by then.')
    group.add_argument('--streaming', action='store_true',
                       help='track a recording and score it, instead of a file of tracks')
    group.add_argument('--sequence', type=Path, default=None, metavar='DIR',
                       help='what rtrack simulate wrote (bag, video or RefRT), or RefRT '
                            'sequences; all sentences are pooled, or --query picks one')
    add(group, '--rgb', help='instead of --sequence: a video, a folder of images or a bag, with '
                             '--query and --truth')
    add(group, '--thermal', '--query')
    add(group, '--answers', default='model')
    add(group, '--engine', '--model')
    add(group, '--refine', default='never')
    add(group, '--profile', default=None,
        help='how long the engine takes to answer: the name of a device with a model, such as '
             f'{DEFAULT_PROFILE}, seconds, or measured, the time it takes here (default: '
             'measured)')
    add(group, '--methods', default='rtrack_ros')
    add(group, '--own-cost-ms', '--fps')
    add_losses(group)
    add_server(parser)


def run(args: argparse.Namespace) -> int:
    """Replay, score and print; returns the exit status."""
    from rtrack_ros.commands.recording import say_losses
    from rtrack_ros.commands.results import Results
    from rtrack_ros.evaluation.metrics.hota import require_trackeval
    from rtrack_ros.evaluation.report.score_table import score_table

    require_trackeval()
    methods, profile = read_methods(args.methods), _profile(args)
    if args.sequence is None and (args.rgb is None or args.truth is None or not args.query):
        raise CommandError('--streaming needs a recording with truth: give --sequence, or --rgb '
                           'with --query and --truth')
    with _grounder(args) as grounder:
        replayed = _replay_all(args, methods, profile, grounder)
    facts, results = replayed['facts'], Results(args.json)
    title = (f"streaming, {facts['sequences']} sequences, {facts['instants']} instants, engine "
             f"{profile.name}, {facts['delay_s']:.2f} s per answer, percent")
    results.show(score_table(title, replayed['rows']))
    results.json({'profile': profile.name, 'answers': _answers(args), **facts,
                  'methods': {name: {**scores.as_dict(), 'presence': presence.as_dict(),
                                     **replayed['costs'][name]}
                              for name, scores, presence in replayed['rows']}})
    return say_losses(replayed['tally'], results, args.allow_missing)


def _answers(args: argparse.Namespace) -> str:
    """Return the name of what answers: the oracle, or the engine of the model."""
    return ORACLE if args.answers == ORACLE else str(args.engine)


def _profile(args: argparse.Namespace) -> 'LatencyProfile':
    from rtrack_ros.evaluation.streaming.latency import Measured

    if args.profile in (None, 'measured') and args.answers == ORACLE:
        raise CommandError('an oracle takes no time of its own; give --profile, for example '
                           f'--profile {DEFAULT_PROFILE}')
    return Measured() if args.profile is None else read_profile(args.profile)


@contextmanager
def _grounder(args: argparse.Namespace) -> 'Iterator[GroundsQueries | None]':
    """Yield the model, None for the oracle."""
    from rtrack_ros.commands.model import opened_grounder

    if args.answers == ORACLE:
        yield None
        return
    with opened_grounder(args) as grounder:
        yield grounder


def _recordings(args: argparse.Namespace) -> 'Iterator[Recording]':
    from rtrack_ros.evaluation.streaming.recordings import open_recording, open_recordings

    if args.sequence is not None:
        return open_recordings(args.sequence, args.query, args.fps)
    return iter([open_recording(args.rgb, args.thermal, args.truth, args.query, args.fps)])


def _replay_all(args: argparse.Namespace, methods: tuple[str, ...], profile: 'LatencyProfile',
                grounder: 'GroundsQueries | None') -> dict[str, Any]:
    """Return score rows, costs by method, and facts of the run."""
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.data.pairs import Tally
    from rtrack_ros.evaluation.streaming.model_answers import ModelAnswers
    from rtrack_ros.evaluation.streaming.oracle import Faults
    from rtrack_ros.evaluation.streaming.pooling import pool
    from rtrack_ros.evaluation.streaming.trials import run_trial

    cost = own_cost(args)
    trials, instants, sequences, tally = [], 0, 0, Tally()
    read: list[Tally] = []
    for recording in progress(_recordings(args), 'replaying', None):
        stream = recording.stream
        # The sentences of a scene share a recording.
        if all(recording.tally is not other for other in read):
            read.append(recording.tally)
            tally.add(recording.tally)
        answers = (recording.oracle(Faults()) if grounder is None
                   else ModelAnswers(grounder, stream.pairs))
        trials += [run_trial(stream, _answers(args), answers, method, profile, cost)
                   for method in methods]
        instants, sequences = instants + len(stream.instants_ns), sequences + 1
    rows = pool(trials)
    return {'rows': [(row.method, row.scores, row.presence) for row in rows],
            'tally': tally,
            'costs': {row.method: {'pair_ms': row.pair_ms, 'answer_ms': row.answer_ms}
                      for row in rows},
            'facts': {'sequences': sequences, 'instants': instants,
                      'delay_s': round(rows[0].delay_s, 4)}}
