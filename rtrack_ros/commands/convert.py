"""``rtrack convert``: public data sets as conversation JSON for fine-tuning Qwen-VL models."""

import argparse

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, count


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'convert', help='write a data set as conversations to fine-tune a model on',
        description='Read a data set and write conversations.jsonl with images: messages whose '
                    'answer is a JSON list of boxes. Frames are chosen so that conditions come '
                    'equally often, and empty answers at a set rate.')
    add(parser, '--layout', '--set', required=True)
    add(parser, '--out', required=True)
    parser.add_argument('--samples', type=count, default=10_000, metavar='N',
                        help='number of conversations (default: %(default)s)')
    add(parser, '--seed', default=0, help='seed of the choice of frames (default: %(default)s)')
    parser.add_argument('--empty-share', type=float, default=0.25, metavar='SHARE',
                        help='share of conversations in which the sentence means no object '
                             '(default: %(default)s)')
    parser.add_argument('--protocol', default='rel1000', metavar='NAME',
                        help='how boxes are written: rel1000 for Qwen3-VL, abs_resized for '
                             'Qwen2.5-VL (default: %(default)s)')
    add(parser, '--size')


def run(args: argparse.Namespace) -> int:
    """Read and write; returns the exit status."""
    from rtrack_ros.data.balance import balanced_frames
    from rtrack_ros.data.conversations import SAMPLES, ConversationStyle, write_conversations
    from rtrack_ros.data.layouts import read_layout
    from rtrack_ros.language.coordinates import ProtocolError

    sequences = read_layout(args.layout, args.set)
    try:
        style = ConversationStyle(args.protocol, args.size)
        choices = balanced_frames(sequences, args.samples, args.seed, args.empty_share)
        count = write_conversations(args.out, sequences, choices, style)
    except ProtocolError as error:
        raise CommandError(f'--protocol: {error}') from error
    except ValueError as error:
        raise CommandError(str(error)) from error
    for note in sorted({f'{item.name}: {note}' for item in sequences for note in item.notes}):
        print(f'note: {note}')
    print(f'wrote {count} samples of {len(sequences)} sequences to {args.out / SAMPLES}')
    return 0
