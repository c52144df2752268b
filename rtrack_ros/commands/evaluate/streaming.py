"""``rtrack evaluate --streaming``: replay a recording and score what a robot would have had."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError, add_refine
from rtrack_ros.commands.virtual_time import add_own_cost, own_cost, read_profile

if TYPE_CHECKING:
    from rtrack_ros.evaluation.streaming.latency import LatencyProfile
    from rtrack_ros.evaluation.streaming.recordings import Recording
    from rtrack_ros.scheduling.worker import GroundsQueries

ORACLE = 'oracle'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of streaming evaluation."""
    group = parser.add_argument_group(
        'streaming', 'Replay a recording in virtual time: the engine takes as long as the latency '
                     'profile says, and every instant is scored against the newest boxes '
                     'published by then.')
    group.add_argument('--streaming', action='store_true', help='evaluate a run, not a file')
    group.add_argument('--sequence', type=Path, default=None, metavar='DIR',
                       help='what rtrack simulate wrote (bag, video or RefRT), or RefRT '
                            'sequences; all sentences are pooled unless --query picks one')
    group.add_argument('--rgb', type=Path, default=None, metavar='PATH',
                       help='instead of --sequence: a video, images or a bag, with --query and '
                            '--truth')
    group.add_argument('--thermal', type=Path, default=None, metavar='PATH')
    group.add_argument('--query', default=None, metavar='SENTENCE')
    group.add_argument('--engine', default='auto',
                       help='auto, openvino, transformers, or oracle: the truth with seeded '
                            'misses, false boxes and jitter')
    group.add_argument('--model', type=Path, default=None, metavar='DIR',
                       help='model folder (default: the model of the package)')
    add_refine(group, 'never')
    group.add_argument('--profile', default=None,
                       help='how long the engine takes: measured (default, the time it took '
                            'here), seconds, or a device such as orin-qwen3vl-2b-int4')
    group.add_argument('--methods', default='rtrack_ros', metavar='NAME,...',
                       help='rtrack_ros, blocking model, Kalman only, ByteTrack, '
                            'static first box, '
                            'perfect motion, or all (default: ours)')
    add_own_cost(group)
    group.add_argument('--fps', type=float, default=30.0, help='rate of image folders')


def run(args: argparse.Namespace) -> int:
    """Replay, score and print; returns the exit status."""
    from rtrack_ros.evaluation.metrics.hota import require_trackeval

    require_trackeval()
    methods, profile = _methods(args.methods), _profile(args)
    if args.sequence is None and (args.rgb is None or args.truth is None or not args.query):
        raise CommandError('--streaming needs a recording with truth: give --sequence, or --rgb '
                           'with --query and --truth')
    with _grounder(args) as grounder:
        results = _replay_all(args, methods, profile, grounder)
    if args.json:
        print(json.dumps({'profile': profile.name, 'answers': args.engine, **results['facts'],
                          'methods': {name: {**scores.as_dict(), 'presence': presence.as_dict(),
                                             **results['costs'][name]}
                                      for name, scores, presence in results['rows']}}, indent=2))
        return 0
    from rtrack_ros.commands.terminal import console, score_table

    facts = results['facts']
    title = (f"streaming, {facts['sequences']} sequences, {facts['instants']} instants, engine "
             f"{profile.name}, {facts['delay_s']:.2f} s per answer, percent")
    console().print(score_table(title, results['rows']))
    return 0


def _methods(text: str) -> list[str]:
    from rtrack_ros.evaluation.streaming.trials import METHODS

    names = [name.strip() for name in text.split(',') if name.strip()]
    names = list(METHODS) if names == ['all'] else names
    unknown = sorted(set(names) - set(METHODS))
    if unknown or not names:
        raise CommandError(f"--methods: choose from {', '.join(METHODS)}, or all")
    return names


def _profile(args: argparse.Namespace) -> 'LatencyProfile':
    from rtrack_ros.evaluation.streaming.latency import Measured

    if args.profile in (None, 'measured') and args.engine == ORACLE:
        raise CommandError('an oracle takes no time of its own; give --profile, for example '
                           '--profile orin-qwen3vl-2b-int4')
    return Measured() if args.profile is None else read_profile(args.profile)


@contextmanager
def _grounder(args: argparse.Namespace) -> 'Iterator[GroundsQueries | None]':
    """Yield the model, None for the oracle."""
    from rtrack_ros.engines.registry import default_model, load_engine
    from rtrack_ros.language.refine import make_grounder

    if args.engine == ORACLE:
        yield None
        return
    engine = load_engine(args.engine, args.model or default_model())
    try:
        yield make_grounder(engine, refine=args.refine)
    finally:
        engine.close()


def _recordings(args: argparse.Namespace) -> 'Iterator[Recording]':
    from rtrack_ros.evaluation.streaming.recordings import open_recording, open_recordings

    if args.sequence is not None:
        return open_recordings(args.sequence, args.query, args.fps)
    return iter([open_recording(args.rgb, args.thermal, args.truth, args.query, args.fps)])


def _replay_all(args: argparse.Namespace, methods: list[str], profile: 'LatencyProfile',
                grounder: 'GroundsQueries | None') -> dict[str, Any]:
    """Return score rows, costs by method, and facts of the run."""
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.evaluation.streaming.model_answers import ModelAnswers
    from rtrack_ros.evaluation.streaming.oracle import Faults
    from rtrack_ros.evaluation.streaming.pooling import pool
    from rtrack_ros.evaluation.streaming.trials import run_trial

    cost = own_cost(args)
    trials, instants, sequences = [], 0, 0
    for recording in progress(_recordings(args), 'replaying', None):
        stream = recording.stream
        answers = (recording.oracle(Faults()) if grounder is None
                   else ModelAnswers(grounder, stream.pairs))
        trials += [run_trial(stream, args.engine, answers, method, profile, cost)
                   for method in methods]
        instants, sequences = instants + len(stream.instants_ns), sequences + 1
    rows = pool(trials)
    return {'rows': [(row.method, row.scores, row.presence) for row in rows],
            'costs': {row.method: {'pair_ms': row.pair_ms, 'answer_ms': row.answer_ms}
                      for row in rows},
            'facts': {'sequences': sequences, 'instants': instants,
                      'delay_s': round(rows[0].delay_s, 4)}}
