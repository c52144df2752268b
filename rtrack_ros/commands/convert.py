"""``rtrack convert``: public data sets as conversation JSON for finetuning Qwen-VL models."""

import argparse
from pathlib import Path


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'convert', help='write a data set as conversations to finetune a model on',
        description='Read a data set, choose frames so that conditions come equally often and '
                    'empty answers at a set rate, and write conversations.jsonl with images: '
                    'messages whose answer is a JSON list of boxes.')
    parser.add_argument('--layout', required=True, metavar='NAME',
                        help='refrt, lasher, vtuav, refer-kitti, got10k or rgbt-mot')
    parser.add_argument('--root', type=Path, required=True, metavar='DIR')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR')
    parser.add_argument('--samples', type=int, default=10_000, help='default: 10000')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--empty-share', type=float, default=0.25, metavar='SHARE',
                        help='share of samples in which nobody is meant (default: 0.25)')
    parser.add_argument('--protocol', default='rel1000',
                        help='rel1000 for Qwen3-VL, abs_resized for Qwen2.5-VL '
                             '(default: rel1000)')
    parser.add_argument('--size', type=int, nargs=2, default=(640, 480),
                        metavar=('WIDTH', 'HEIGHT'), help='of the images (default: 640 480)')


def run(args: argparse.Namespace) -> int:
    """Read and write; returns the exit status."""
    from rtrack_ros.commands import CommandError
    from rtrack_ros.data.balance import balanced_frames
    from rtrack_ros.data.conversations import SAMPLES, ConversationStyle, write_conversations
    from rtrack_ros.data.layouts import read_layout
    from rtrack_ros.data.layouts.rgbt_mot import class_sentences
    from rtrack_ros.language.coordinates import ProtocolError

    sequences = read_layout(args.layout, args.root)
    if args.layout == 'rgbt-mot':  # it has no sentences of its own
        sequences = [part for whole in sequences for part in class_sentences(whole)]
    try:
        style = ConversationStyle(args.protocol, tuple(args.size))
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
