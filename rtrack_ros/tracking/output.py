"""Output: tracks as published, with boxes cut to the image and carried ahead, and scores."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from rtrack_ros.boxes import clip
from rtrack_ros.tracking.belief import Certainty, Key
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.existence import weighed
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.width_model import growth_ahead, oscillating
from rtrack_ros.tracking.track import Belief, Track, TrackState, in_order
from rtrack_ros.tracking.tracklet import Tracklet


def as_published(frame: Frame, tracklets: Mapping[int, Tracklet], active: Collection[Key],
                 config: TrackerConfig) -> list[Track]:
    """Return all tracks of a frame by id, those that no sentence means included.

    Args:
        frame: The newest frame.
        tracklets: Its tracks, by id.
        active: The active queries.
        config: Tracker settings; ``prediction_horizon_s`` says how far boxes are carried ahead.
    """
    if not frame.states:
        return []
    ids = sorted(frame.states)
    states = frame.stack(ids)
    centres = states[:, 0, :2]
    carried = centres @ frame.camera[:, :2].T + frame.camera[:, 2] - centres
    velocities = states[:, 1, :2] + carried / max(frame.dt_s, 1e-6)
    ahead = kalman.boxes_of(states) + config.prediction_horizon_s * np.tile(velocities, 2)
    growth = growth_ahead(states, oscillating(frame, ids), config.prediction_horizon_s)
    ahead += growth[:, None] * np.array([-0.5, 0.0, 0.5, 0.0])
    columns = (clip(ahead, *frame.size), velocities, kalman.located(states))
    return [_track(tracklets[track_id], box, velocity, share, frame, active, config)
            for track_id, box, velocity, share
            in zip(ids, *(column.tolist() for column in columns), strict=True)]


def _track(tracklet: Tracklet, box: list[float], velocity: list[float], located: float,
           frame: Frame, active: Collection[Key], config: TrackerConfig) -> Track:
    x1, y1, x2, y2 = box
    believed = tracklet.certainty_at(frame.stamp_ns, config)
    return Track(tracklet.id, (x1, y1, x2, y2), (velocity[0], velocity[1]),
                 believed.existence * located, tracklet.label,
                 in_order(_beliefs(tracklet, believed, located, active, config)),
                 tracklet.detected_ns,
                 tracklet.id in frame.sightings)


def _beliefs(tracklet: Tracklet, believed: Certainty, located: float, active: Collection[Key],
             config: TrackerConfig) -> Iterator[Belief]:
    """Yield what is believed about the active sentences; old ones may still be evidence."""
    for key in believed.meant:
        if key not in active:
            continue
        standing = tracklet.standings.get(key)
        state, confirmed_ns = ((TrackState.UNMEANT, 0) if standing is None
                               else (standing.state, standing.confirmed_ns))
        yield Belief(key[0], believed.share(key), believed.of(key) * located, state, confirmed_ns,
                     tracklet.heard_ns.get(key, 0),
                     weighed(config.belief_prior, believed.leanings.get(key, 1.0)))
