"""Strangers in the domain who send everything at once; run as a process of its own.

    python -m rtrack_ros.benchmarks.cost.strangers TALLY [NICENESS]

Sentences without number that change all the time, calls of every service, images that lie about
their size, and bombs: small images of gigapixels. What was called and answered is written to the
file TALLY once a second. Strangers are on other machines: with a niceness they take only what the
node leaves of this one.
"""

import json
import os
import random
import struct
import sys
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, Final

import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from rtrack_ros.msg import ReferringQuery
from rtrack_ros.nodes.spinning import spin
from rtrack_ros.output_files import write_text
from rtrack_ros.srv import DescribeTrack, InitializeTrack

SENTENCES: Final = 50
SENTENCES_HZ: Final = 5.0
DESCRIBE_HZ: Final = 10.0
INITIALIZE_HZ: Final = 5.0
BOMB_HZ: Final = 1.0
MALFORMED_HZ: Final = 20.0
BOMB_SIDE: Final = 30_000
PROMISED_HZ: Final = {'sentences': SENTENCES * SENTENCES_HZ, 'describe': DESCRIBE_HZ,
                      'initialize': INITIALIZE_HZ, 'bombs': BOMB_HZ, 'malformed': MALFORMED_HZ}
"""What is sent a second, by the names of the tally."""
_LONG: Final = 'the person in the red jacket ' * 60


def png_bomb(side: int) -> bytes:
    """Return a PNG of one colour, 16 bits in four channels, with a thousandth of its pixels."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return (struct.pack('>I', len(data)) + name + data
                + struct.pack('>I', zlib.crc32(name + data)))
    packer = zlib.compressobj(9)
    rows = bytes(1 + 8 * side)
    # A decoder takes memory for all rows before it reads the first: few are enough.
    packed = b''.join(packer.compress(rows) for _ in range(200)) + packer.flush()
    head = struct.pack('>IIBBBBB', side, side, 16, 6, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', packed)
            + chunk(b'IEND', b''))


class Strangers(Node):  # type: ignore[misc]
    """Publishes and calls; never waits for an answer.

    Args:
        tally: Where the counts go.
        seed: Of what is sent.
    """

    def __init__(self, tally: Path, seed: int = 1) -> None:
        super().__init__('strangers')
        self._tally, self._random = tally, random.Random(seed)
        self._began = time.monotonic()
        self.counts: Counter[str] = Counter()
        self._bomb = png_bomb(BOMB_SIDE)
        self._ids = ['1']
        self._queries = self.create_publisher(ReferringQuery, '/rtrack/query', 100)
        self._images = [self.create_publisher(Image, f'/{camera}/image_raw', 10)
                        for camera in ('rgb', 'thermal')]
        self._compressed = [
            self.create_publisher(CompressedImage, f'/{camera}/image_raw/compressed', 10)
            for camera in ('rgb', 'thermal')]
        self._describe = self.create_client(DescribeTrack, '/rtrack/describe_track')
        self._initialize = self.create_client(InitializeTrack, '/rtrack/initialize_track')
        self.create_subscription(Detection2DArray, '/rtrack/tracks', self._hear, 1)
        for rate_hz, send in ((SENTENCES_HZ, self.change_sentences), (DESCRIBE_HZ, self.describe),
                              (INITIALIZE_HZ, self.initialize), (BOMB_HZ, self.bomb),
                              (MALFORMED_HZ, self.malformed), (1.0, self.write)):
            self.create_timer(1.0 / rate_hz, send)

    def _hear(self, message: Detection2DArray) -> None:
        self._ids = [item.id for item in message.detections] or self._ids

    def change_sentences(self) -> None:
        """Give each of the sentences another text; some are too long, some are emoji."""
        for number in range(SENTENCES):
            text = self._random.choice((f'the person number {self._random.random()}', _LONG,
                                        '\N{GRINNING FACE}' * 500, 'all cars', '\x1b[2J'))
            query_id = f's{number}' if number else 'x' * 100_000
            self._queries.publish(ReferringQuery(operation=ReferringQuery.REPLACE, id=query_id,
                                                 text=text))
            self.counts['sentences'] += 1

    def describe(self) -> None:
        """Ask what a track looks like."""
        self._call('describe', self._describe,
                   DescribeTrack.Request(id=self._random.choice(self._ids)))

    def initialize(self) -> None:
        """Follow one more target from a box anywhere."""
        left, top = self._random.randrange(500), self._random.randrange(300)
        self._call('initialize', self._initialize, InitializeTrack.Request(
            id=f't{self.counts["initialize"]}', x1=float(left), y1=float(top),
            x2=left + 60.0, y2=top + 90.0))

    def bomb(self) -> None:
        """Send a small image of many pixels to both cameras."""
        for publisher in self._compressed:
            publisher.publish(CompressedImage(format='png', data=self._bomb))
        self.counts['bombs'] += 1

    def malformed(self) -> None:
        """Send an image that is not what it says."""
        message = Image(height=self._random.choice((0, 1, 480, 2**31)),
                        width=self._random.choice((0, 640, 2**31)),
                        step=self._random.choice((0, 1, 1920, 2**31)),
                        encoding=self._random.choice(('rgb8', 'mono16', '', '\x1b[2J', 'x' * 999)))
        message.data = bytes(self._random.randrange(2000))
        self._random.choice(self._images).publish(message)
        self.counts['malformed'] += 1

    def _call(self, name: str, client: Any, request: Any) -> None:
        if client.service_is_ready():
            self.counts[name] += 1
            client.call_async(request).add_done_callback(
                lambda done: self.counts.update((f'{name} answered',)))

    def write(self) -> None:
        """Write the counts."""
        write_text(self._tally, json.dumps(
            {**self.counts, 'seconds': time.monotonic() - self._began,
             'cpu_s': time.process_time()}))


def main() -> None:
    """Send until the end."""
    os.nice(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    rclpy.init()
    node = Strangers(Path(sys.argv[1]))
    spin(node, lambda error: None)
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
