"""``rtrack evaluate``: score tracks against the truth."""

import argparse
import json
from pathlib import Path

from rtrack_ros.commands import (
    CommandError,
)
from rtrack_ros.commands.evaluate import data_set, streaming


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'evaluate', help='score tracks against the truth (HOTA, MOTA, IDF1, presence)',
        description='Score tracks of one sentence against the truth, both in MOTChallenge rows, '
                    'frames from 1. HOTA is computed by TrackEval: one merged class, no '
                    'preprocessing, mean over 19 thresholds. With --streaming, track a recording '
                    'and score what a robot would have had at every instant. With --set, score '
                    'runs over a whole data set.')
    parser.add_argument('--tracks', type=Path, default=None, metavar='FILE',
                        help='rows that rtrack track wrote; an empty file means nobody')
    parser.add_argument('--truth', type=Path, default=None, metavar='FILE',
                        help='rows of the objects that the sentence means, e.g. gt.txt')
    parser.add_argument('--frames', type=int, default=None, metavar='N',
                        help='number of frames (default: the last one that has a row)')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    streaming.add_arguments(parser)
    data_set.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the scores; returns the exit status."""
    if args.streaming:
        return streaming.run(args)
    if args.layout is not None:
        return data_set.run(args)
    if args.tracks is None or args.truth is None:
        raise CommandError('give --tracks and --truth, --streaming with a recording, or --set')
    return _evaluate_files(args)


def _evaluate_files(args: argparse.Namespace) -> int:
    from rtrack_ros.data.mot import read_mot
    from rtrack_ros.evaluation.metrics.hota import evaluate_sequences
    from rtrack_ros.evaluation.metrics.presence import measure_presence
    from rtrack_ros.evaluation.sequences import EvaluationSequence, last_frame

    truth, tracks = read_mot(args.truth), read_mot(args.tracks)
    last = last_frame(truth, tracks)
    frames = last if args.frames is None else args.frames
    if frames < max(last, 1):
        raise CommandError(f'the rows reach to frame {last}; give --frames {max(last, 1)} or more')
    sequence = EvaluationSequence(truth, tracks, frames, name=str(args.tracks))
    scores = evaluate_sequences({'sequence': sequence})
    presence = measure_presence([sequence])
    if args.json:
        print(json.dumps({'frames': frames, **scores.as_dict(), 'presence': presence.as_dict()},
                         indent=2))
        return 0

    from rtrack_ros.commands.terminal import console, score_table
    row = (args.tracks.name, scores, presence)
    console().print(score_table(f'{frames} frames, percent', [row]))
    return 0
