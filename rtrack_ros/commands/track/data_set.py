"""``rtrack track --set``: the tracks of a whole data set, one file a (video, sentence) pair."""

import argparse

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add
from rtrack_ros.commands.spreading import add_spreading, failures_as_text, track_all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of tracking a set."""
    group = parser.add_argument_group(
        'data sets', 'Track every (video, sentence) pair of a set; --out is then a folder. Tracks '
                     'that are there already are kept.')
    add(group, '--set', '--layout')
    add_spreading(group)


def run(args: argparse.Namespace) -> int:
    """Track the set; returns the exit status, 1 where pairs failed."""
    from rtrack_ros.commands.results import Results
    from rtrack_ros.data.layouts import layout_facts, read_layout

    if args.set is None or args.layout is None:
        raise CommandError('--set DIR, the folder of the data set, and --layout NAME, how it is '
                           'stored, go together; give both')
    if args.rgb or args.recording or args.query or args.box or args.realtime or args.overlay \
            or args.params or args.detector:
        raise CommandError('--set brings its own videos and sentences; leave out the recording, '
                           '--query, --box, --realtime, --overlay, --params and --detector')
    if layout_facts(args.layout).single_object:
        raise CommandError(f'{args.layout} has no sentences to follow; take a set that has')
    sequences = read_layout(args.layout, args.set)
    failed = track_all(args, sequences, 'both', args.out)
    results = Results()
    results.show(f'{len(sequences) - len(failed)} of {len(sequences)} pairs have tracks in '
                 f'{args.out}', *failures_as_text(failed, len(sequences)))
    return 1 if failed else 0
