"""``rtrack evaluate --tracks BAG``: score what a node published, from a recording of it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add_topics

if TYPE_CHECKING:
    from rtrack_ros.data.recording import RecordedArray
    from rtrack_ros.evaluation.recorded import Instant, JoinedTracks
    from rtrack_ros.evaluation.run import StatusSample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of recorded tracks."""
    group = parser.add_argument_group(
        'recorded tracks', 'With --tracks BAG or BAG:TOPIC, score the arrays that a node '
                           'published: joined with the truth by stamp, and streaming, against '
                           'the newest array that was there when an image was taken. --truth is '
                           'then a file of rows, or the folder truth of a simulated scene. '
                           '--report writes a page of the run.')
    add_topics(group)
    group.add_argument('--stamp-map', type=Path, default=None, metavar='JSON',
                       help='what bag_player --stamp-map wrote, where the recording was played '
                            'with new stamps')


def is_recording(text: object) -> bool:
    """Whether ``--tracks`` names a recording, perhaps with a topic."""
    from rtrack_ros.data.recording import split_topic
    from rtrack_ros.data.videos import is_bag

    return is_bag(split_topic(str(text))[0])


def run(args: argparse.Namespace) -> int:
    """Join, score, print; returns the exit status."""
    from rtrack_ros.commands.results import Results
    from rtrack_ros.evaluation.metrics.hota import evaluate_sequences, require_trackeval
    from rtrack_ros.evaluation.metrics.presence import measure_presence
    from rtrack_ros.evaluation.report.score_table import score_table
    from rtrack_ros.output_files import check_outputs

    require_trackeval()
    check_outputs({'--json': None if str(args.json) == '-' else args.json,
                   '--report': args.report}, [args.truth, args.rgb])
    joined = _joined(args)
    results, rows, figures = Results(args.json), [], {}
    for name, sequence in (('by stamp', joined.by_stamp()), ('streaming', joined.as_received())):
        if sequence is not None:
            scores, presence = evaluate_sequences({name: sequence}), measure_presence([sequence])
            rows.append((name, scores, presence))
            figures[name] = {**scores.as_dict(), 'presence': presence.as_dict()}
    results.show(score_table(f"'{joined.sentence}', {len(joined.instants)} images, percent", rows))
    results.show(joined.account, *_remarks(joined))
    if args.report is not None:
        _report(args, joined)
        results.wrote(args.report)
    results.json({'sentence': joined.sentence, 'images': len(joined.instants),
                  'answered': joined.answered, 'foreign_arrays': joined.foreign, **figures,
                  **_latency(joined)})
    return 0


def _remarks(joined: 'JoinedTracks') -> list[str]:
    late = _latency(joined)
    if late:
        return [f'from image to array: {late["latency_ms_p50"]:.1f} ms in the median, '
                f'{late["latency_ms_p99"]:.1f} ms in one of a hundred cases']
    if joined.streaming is None:
        return ['no streaming score: the arrays were received on another clock than that of the '
                'stamps, and no image was recorded with them; play with bag_player --restamp']
    return []


def _latency(joined: 'JoinedTracks') -> dict[str, float]:
    from rtrack_ros.evaluation.run import percentile

    found = {f'latency_ms_p{share}': percentile(joined.latencies_ms, share) for share in (50, 99)}
    return {name: round(value, 2) for name, value in found.items() if value is not None}


def _joined(args: argparse.Namespace) -> 'JoinedTracks':
    """Read tracks and truth, and join them."""
    from rtrack_ros.data.recording import TRACKS_TYPE, find_topic, read_arrays, split_topic
    from rtrack_ros.evaluation.recorded import join, of_sentence

    path, asked = split_topic(str(args.tracks))
    topic = find_topic(path, TRACKS_TYPE, asked)
    if topic is None:
        raise CommandError(f'{path} has no {TRACKS_TYPE}; record the topic of the tracks, /tracks')
    arrays, sentence = of_sentence(read_arrays(path, topic), args.query)
    if not arrays:
        raise CommandError(f'{path} has no array on {topic}: was the node active?')
    return join(arrays, _instants(args, path, arrays, sentence), sentence)


def _instants(args: argparse.Namespace, tracks: Path, arrays: 'list[RecordedArray]', sentence: str
              ) -> 'list[Instant]':
    """Return the images of the truth with the stamps under which the node had them."""
    from rtrack_ros.data.recording import image_stamps, read_stamp_map
    from rtrack_ros.evaluation.recorded import file_instants, scene_instants

    played = None
    if args.stamp_map is not None:
        played = read_stamp_map(args.stamp_map, _images(args, args.rgb))
    recorded = _recorded_images(args, tracks)
    received = dict(recorded)
    if args.truth.is_dir() or args.truth.name == 'truth.json':
        return scene_instants(args.truth, sentence, None if played is None else dict(played),
                              received)
    if played is not None:
        stamps = [after for _, after in played]
    elif args.rgb is not None:
        stamps = [stamp for stamp, _ in image_stamps(args.rgb, _images(args, args.rgb))]
    else:
        stamps = [stamp for stamp, _ in recorded] or [array.stamp_ns for array in arrays]
    return file_instants(args.truth, stamps, received)


def _images(args: argparse.Namespace, bag: Path | None) -> str:
    """Return the RGB topic of a recording of images; the usual name where there is none."""
    from rtrack_ros.data.bag import RGB_TOPIC, read_pairs

    if bag is None:
        return args.rgb_topic or RGB_TOPIC
    return read_pairs(bag, args.rgb_topic, args.thermal_topic).topics.rgb


def _recorded_images(args: argparse.Namespace, tracks: Path) -> list[tuple[int, int]]:
    """Return (stamp, arrival) of the RGB images that were recorded with the tracks, if any."""
    from rtrack_ros.data.pairs import DataError
    from rtrack_ros.data.recording import image_stamps

    try:
        return image_stamps(tracks, _images(args, tracks))
    except DataError:
        return []


def _report(args: argparse.Namespace, joined: 'JoinedTracks') -> None:
    """Write the page of the run, with pictures where the images are at hand."""
    from rtrack_ros.data.recording import split_topic
    from rtrack_ros.evaluation.report.writing import write_report
    from rtrack_ros.evaluation.run import score_run

    path, _ = split_topic(str(args.tracks))
    recorded = joined.run(f'rtrack evaluate: {path.name}', _statuses(path, joined))
    pictures = [] if args.rgb is None else _pictures(args, recorded)
    write_report(args.report, recorded, score_run(recorded), pictures)


def _pictures(args: argparse.Namespace, recorded: Any) -> list[Any]:
    from rtrack_ros.data.bag import read_pairs
    from rtrack_ros.evaluation.report.overlay import compose_picture
    from rtrack_ros.evaluation.report.writing import KeyPicture, caption, key_frames

    wanted = set(key_frames(recorded))
    pictures = []
    for received in read_pairs(args.rgb, args.rgb_topic, args.thermal_topic).received():
        index = received.number - 1
        if index in wanted and index < len(recorded.frames):
            frame = recorded.frames[index]
            picture = compose_picture(received.pair, frame.tracks or (), recorded.sentence(frame),
                                      frame.condition, frame.time_s, frame.truth)
            pictures.append(KeyPicture(picture, caption(recorded, frame)))
    return pictures


def _statuses(path: Path, joined: 'JoinedTracks') -> 'list[StatusSample]':
    """Return what the node said of itself, where its clock is that of the stamps."""
    from rtrack_ros.data.recording import STATUS_TYPE, find_topic, read_statuses
    from rtrack_ros.evaluation.run import StatusSample

    topic = find_topic(path, STATUS_TYPE)
    if topic is None or not joined.latencies_ms:
        return []
    begin_ns = joined.instants[0].stamp_ns
    return [StatusSample((item.logged_ns - begin_ns) * 1e-9, item.answers, item.answer_age_ms,
                         item.answer_latency_ms)
            for item in read_statuses(path, topic) if item.logged_ns >= begin_ns]
