"""Virtual trajectory: the assumed motion of an object while it was not seen.

A box that coasted behind an occluder, or followed something else, arrives with a useless velocity.
When an answer finds the object, the motion since the last answer is replaced by the straight line
between the two boxes. The filter then runs again as if it had seen the object all along
(observation-centric re-update, ORU, of OC-SORT, Cao et al., CVPR 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.tracking.delay.propagation import share_out
from rtrack_ros.tracking.history.frame import Frame, GivenBox, Motion, compose_affine
from rtrack_ros.tracking.motion import kalman

_MIN_S = 0.1


@dataclass(frozen=True)
class VirtualTrajectory:
    """A virtual trajectory between two answers.

    Attributes:
        past: Frames from that of the earlier answer up to the one before the later.
        motions: Motion on every frame after the earlier answer, that of the later included.
        speed: vx, vy along it in pixels per second relative to the background.
    """

    past: list[Frame]
    motions: list[tuple[Frame, Motion | None]]
    speed: NDArray[np.float64]


def virtual_trajectory(past: Sequence[Frame], frame: Frame, track_id: int,
                       given: GivenBox) -> VirtualTrajectory | None:
    """Return the straight line from a track's last answer to the box ``given`` on ``frame``.

    None where the ring holds no earlier answer, or one too near in time to give a speed.

    Args:
        past: Frames before ``frame``, in order.
        frame: The frame of the later answer.
        track_id: The track.
        given: Its box there.
    """
    way = since_answer(past, frame, track_id)
    state = way[0].states.get(track_id)
    if len(way) < 2 or state is None:
        return None
    seconds = sum(step.dt_s for step in way[1:])
    if seconds < _MIN_S:
        return None
    camera = compose_affine(way[1:])
    start = state[0, :2]
    own = (given.box[:2] + given.box[2:]) / 2 - (camera[:, :2] @ start + camera[:, 2])
    noise = float(given.sigma[:2].mean()) * np.sqrt(2)
    whole = Motion((float(own[0]), float(own[1])), 1.0, float(noise))
    parts = share_out(whole, own, start, way, seconds)
    return VirtualTrajectory(way[:-1], list(zip(way[1:], parts, strict=True)), own / seconds)


def explains(state: kalman.States, given: GivenBox, deviations: float) -> bool:
    """Whether the centre of a box lies where the filter may expect it.

    Args:
        state: (5, 4) on the frame of the box.
        given: The box.
        deviations: Standard deviations within which an innovation is expected.
    """
    innovation = (given.box[:2] + given.box[2:]) / 2 - state[0, :2]
    spread = np.sqrt(state[2, :2] + given.sigma[:2] ** 2)
    return bool((np.abs(innovation) <= deviations * spread).all())


def since_answer(past: Sequence[Frame], frame: Frame, track_id: int) -> list[Frame]:
    """Return the frames from a track's last answer to ``frame``; only ``frame`` without one."""
    for index in range(len(past) - 1, -1, -1):
        if track_id in past[index].corrections:
            return [*past[index:], frame]
    return [frame]
