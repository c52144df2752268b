"""The ways in which image_transport sends the images of a camera, and names of their topics."""

from typing import Final

RAW: Final = 'raw'
COMPRESSED: Final = 'compressed'
COMPRESSED_DEPTH: Final = 'compressedDepth'
RGB_TRANSPORTS: Final = (RAW, COMPRESSED)
THERMAL_TRANSPORTS: Final = (RAW, COMPRESSED, COMPRESSED_DEPTH)


def topic_of(camera: str, transport: str) -> str:
    """Return the topic on which the images of a camera come by a transport."""
    return camera if transport == RAW or camera.endswith(f'/{transport}') \
        else f'{camera}/{transport}'


def camera_of(topic: str) -> str:
    """Return the topic without the transport, the same for all ways of one camera."""
    for transport in (COMPRESSED, COMPRESSED_DEPTH):
        topic = topic.removesuffix(f'/{transport}')
    return topic
