"""A writer of Matroska files: frames at whatever times, with or without what players rely on."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

EBML, SEGMENT, INFO, TRACKS, TRACK, VIDEO, CLUSTER = (
    0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675)


def element(identity: int, content: bytes) -> bytes:
    """Return an EBML element: identity, length in eight bytes, content."""
    name = identity.to_bytes((identity.bit_length() + 7) // 8, 'big')
    return name + (0x01 << 56 | len(content)).to_bytes(8, 'big') + content


def number(identity: int, value: int) -> bytes:
    return element(identity, value.to_bytes(max((value.bit_length() + 7) // 8, 1), 'big'))


@pytest.fixture
def write_mkv() -> Callable[..., Path]:
    """Writes JPEG frames at times in milliseconds; the header may lack rate and duration."""
    def write(path: Path, images: Sequence[np.ndarray], times_ms: Sequence[int],
              duration_ms: float | None = None) -> Path:
        height, width = images[0].shape[:2]
        info = number(0x2AD7B1, 1_000_000) + (
            b'' if duration_ms is None else element(0x4489, struct.pack('>d', duration_ms)))
        track = (number(0xD7, 1) + number(0x73C5, 1) + number(0x83, 1)
                 + element(0x86, b'V_MJPEG')
                 + element(VIDEO, number(0xB0, width) + number(0xBA, height)))
        clusters = b''.join(element(CLUSTER, number(0xE7, time) + element(
            0xA3, b'\x81\0\0\x80' + cv2.imencode('.jpg', image)[1].tobytes()))
            for image, time in zip(images, times_ms, strict=True))
        head = element(EBML, element(0x4282, b'matroska') + number(0x4287, 4)
                       + number(0x4285, 2))
        path.write_bytes(head + element(SEGMENT, element(INFO, info) + element(
            TRACKS, element(TRACK, track)) + clusters))
        return path
    return write
