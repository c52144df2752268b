"""``rtrack benchmark clip``: how long real objects stay followed between answers."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError, add_refine, positive

if TYPE_CHECKING:
    from rtrack_ros.data.mot import MotFrames
    from rtrack_ros.data.pairs import PairSource


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'clip', help='what stays followed between answers on a real clip with key-frame boxes',
        description='Give the true boxes of a key frame as the answer whenever somebody new is '
                    'seen and once a second besides, track every frame, and count the boxes of '
                    'the key frames between that are still followed at IoU 0.5, with RGB alone, '
                    'thermal alone and both.')
    parser.add_argument('--rgb', type=Path, required=True, metavar='PATH',
                        help='video or folder of images')
    parser.add_argument('--thermal', type=Path, required=True, metavar='PATH',
                        help='registered to RGB, frame by frame')
    parser.add_argument('--truth', type=Path, required=True, metavar='FILE',
                        help='MOTChallenge rows of the key frames, frames from 1')
    parser.add_argument('--interval', type=positive, default=1.0, metavar='SECONDS',
                        help='between answers (default: 1)')
    parser.add_argument('--ask', default=None, metavar='SENTENCE',
                        help='ask the model about every key frame too; means everyone with a box')
    parser.add_argument('--ask-absent', default=None, metavar='SENTENCE',
                        help='the same with a sentence that means nobody in the clip')
    parser.add_argument('--engine', default='auto', help='engine of the model for --ask')
    parser.add_argument('--model', type=Path, default=None, metavar='DIR')
    add_refine(parser)
    parser.add_argument('--fps', type=positive, default=30.0, help='rate of image folders')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Track the clip in every view, print and write; returns the exit status."""
    from rtrack_ros.benchmarks.clip import follow_clip
    from rtrack_ros.commands.terminal import console, progress
    from rtrack_ros.data.mot import read_mot
    from rtrack_ros.data.videos import open_pairs
    from rtrack_ros.evaluation.sensors import VIEWS, view

    truth, pairs = read_mot(args.truth), open_pairs(args.rgb, args.thermal, args.fps)
    if not truth:
        raise CommandError(f'{args.truth} holds no box; give the key frames of this clip')
    results = {}
    for name in VIEWS:
        seen = (view(pair, name) for pair in progress(pairs, name, len(pairs) or None))
        results[name] = follow_clip(seen, truth, args.interval).as_dict()
    console().print(_table(results, args))
    answers = _ask(args, pairs, truth) if args.ask or args.ask_absent else {}
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({'clip': args.rgb.name, 'interval_s': args.interval,
                                         'views': results, 'answers': answers}, indent=2) + '\n')
        console().print(f'wrote {args.json}', soft_wrap=True)
    return 0


def _ask(args: argparse.Namespace, pairs: 'PairSource', truth: 'MotFrames'
         ) -> dict[str, dict[str, Any]]:
    """Ask the model about the key frames in every view; print and return the scores."""
    from rtrack_ros.benchmarks.clip import ask_clip
    from rtrack_ros.commands.terminal import console, progress
    from rtrack_ros.engines.registry import default_model, load_engine
    from rtrack_ros.evaluation.sensors import VIEWS, view
    from rtrack_ros.language.queries import QueryBook
    from rtrack_ros.language.refine import make_grounder

    results: dict[str, dict[str, Any]] = {}
    engine = load_engine(args.engine, args.model or default_model())
    try:
        grounder = make_grounder(engine, refine=args.refine)
        for text, present in ((args.ask, True), (args.ask_absent, False)):
            query = QueryBook().set(text or '')
            if query is None:
                continue
            for name in VIEWS:
                seen = (view(pair, name) for pair in progress(pairs, name, len(pairs) or None))
                score = ask_clip(seen, truth, grounder, query, present)
                results.setdefault(text, {})[name] = score.as_dict()
                found = f'recall {score.recall:.3f}, ' if present else ''
                console().print(f'"{text}", {name}: {found}{score.spurious / score.frames:.2f} '
                                f'false boxes a frame, {score.frames} frames', soft_wrap=True)
    finally:
        engine.close()
    return results


def _table(results: dict[str, dict[str, float | int]], args: argparse.Namespace) -> object:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    first = next(iter(results.values()))
    table = Table(title=f'{args.rgb.name}: {first["answers"]} answers, {first["boxes"]} boxes on '
                        'key frames between', title_justify='left', header_style='bold',
                  box=SIMPLE_HEAD, pad_edge=False)
    for name in ('', 'followed at IoU 0.5', 'covered by any track', 'mean IoU'):
        table.add_column(name, justify='right' if name else 'left')
    for name, values in results.items():
        table.add_row(name, f"{values['followed']:.3f}", f"{values['covered']:.3f}",
                      f"{values['mean_iou']:.3f}")
    return table
