"""``rtrack evaluate``: score tracks against the truth."""

import argparse

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add
from rtrack_ros.commands.evaluate import data_set, recorded, streaming


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'evaluate', help='score tracks against the truth (HOTA, MOTA, IDF1, presence)',
        description='Score the tracks of one sentence against the truth, both as MOTChallenge '
                    'rows with frames from 1, or the tracks as a recording of what the node '
                    'published. TrackEval computes HOTA: one merged class, no '
                    'preprocessing, mean over 19 thresholds. With --streaming, track a recording '
                    'and score what a robot would have had at every instant. With --set, score '
                    'runs over a whole data set.')
    add(parser, '--tracks', help='tracks that rtrack track wrote, where an empty file means that '
                                 'nothing was found; or a bag with the tracks that a node '
                                 'published, BAG or BAG:TOPIC')
    add(parser, '--truth', help='true boxes of the objects that the sentence means, for example '
                                'gt.txt')
    add(parser, '--frames', help='number of frames (default: the last one that has a row)')
    add(parser, '--json')
    recorded.add_arguments(parser)
    streaming.add_arguments(parser)
    data_set.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the scores; returns the exit status."""
    if args.streaming:
        return streaming.run(args)
    if args.set is not None or args.layout is not None:
        return data_set.run(args)
    if args.tracks is None or args.truth is None:
        raise CommandError('give --tracks and --truth, --streaming with a recording, or --set')
    if recorded.is_recording(args.tracks):
        return recorded.run(args)
    return _evaluate_files(args)


def _evaluate_files(args: argparse.Namespace) -> int:
    from rtrack_ros.commands.results import Results
    from rtrack_ros.data.mot import read_mot
    from rtrack_ros.evaluation.metrics.hota import evaluate_sequences
    from rtrack_ros.evaluation.metrics.presence import measure_presence
    from rtrack_ros.evaluation.report.score_table import score_table
    from rtrack_ros.evaluation.sequences import EvaluationSequence, last_frame

    truth, tracks = read_mot(args.truth), read_mot(args.tracks)
    last = last_frame(truth, tracks)
    frames = last if args.frames is None else args.frames
    if frames < max(last, 1):
        raise CommandError(f'the rows reach to frame {last}; give --frames {max(last, 1)} or more')
    sequence = EvaluationSequence(truth, tracks, frames, name=str(args.tracks))
    scores = evaluate_sequences({'sequence': sequence})
    presence = measure_presence([sequence])
    results = Results(args.json)
    results.show(score_table(f'{frames} frames, percent', [(args.tracks.name, scores, presence)]))
    results.json({'frames': frames, **scores.as_dict(), 'presence': presence.as_dict()})
    return 0
