"""Tracks a sentence through two videos and prints every box.

    python examples/track_video.py visible.mp4 infrared.mp4 "the person in red"

Frame i of one video belongs to frame i of the other. ``rtrack simulate --format video`` makes two.
"""

import sys

from rtrack_ros.data.videos import open_pairs
from rtrack_ros.engines.registry import default_model, load_engine
from rtrack_ros.pipeline import build_pipeline
from rtrack_ros.tracking.track import TrackState


def main(rgb: str, thermal: str, sentence: str) -> None:
    """Track and print: time in seconds, ID, box in pixels of the RGB image, score."""
    engine = load_engine('auto', default_model())
    # For a file: the model is asked inside push, every 0.3 s of the recording.
    pipeline = build_pipeline(engine, live=False, ask_interval_s=0.3)
    pipeline.set_query(sentence)
    for pair in open_pairs(rgb, thermal):
        for track in pipeline.push(pair):
            if track.state is TrackState.CONFIRMED:
                x1, y1, x2, y2 = track.box
                print(f'{pair.stamp_ns * 1e-9:7.3f} s  id {track.id}  '
                      f'{x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}  {track.score:.2f}')
    pipeline.close()
    engine.close()


if __name__ == '__main__':
    main(*sys.argv[1:4])
