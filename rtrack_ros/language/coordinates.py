"""Coordinate protocols: how a model writes a place, and how that becomes pixels and back.

Reading one protocol as another gives boxes that look plausible and overlap nothing, so a model
names its protocol and an unknown name is refused.
"""

from collections.abc import Callable
from typing import Final

from rtrack_ros.language.answers import Box

Size = tuple[int, int]

# Units of a model's coordinates along (x, y), from the size of the resized image in pixels.
_UNITS: Final[dict[str, Callable[[Size], Size]]] = {
    'rel1000': lambda model_size: (1000, 1000),
    'abs_resized': lambda model_size: model_size,
}
BBOX_PROTOCOLS: Final = tuple(_UNITS)


class ProtocolError(ValueError):
    """A model names an unknown coordinate protocol."""


def check_protocol(protocol: str) -> None:
    """Refuse a protocol that is not one of ``BBOX_PROTOCOLS``.

    Raises:
        ProtocolError: with the known names.
    """
    if protocol not in _UNITS:
        raise ProtocolError(f'bbox_protocol {protocol!r} is unknown; in rtrack.json of '
                            f'the model set one of {", ".join(BBOX_PROTOCOLS)}')


def coordinate_units(protocol: str, model_size: Size) -> Size:
    """Return the (width, height) of an image in a model's coordinates.

    Raises:
        ProtocolError: the protocol is unknown.
    """
    check_protocol(protocol)
    return _UNITS[protocol](model_size)


def largest_coordinate(protocol: str, model_size: Size) -> int:
    """Return the largest number that a model writes as a coordinate.

    Raises:
        ProtocolError: the protocol is unknown.
    """
    return max(coordinate_units(protocol, model_size))


def pixels_from_model(box: Box, protocol: str, image_size: Size, model_size: Size) -> Box:
    """Return a box of the model as pixels of the original image; the axes scale separately.

    Args:
        box: x1, y1, x2, y2 as the model wrote them.
        protocol: 'rel1000' (0-1000 of the image, Qwen3-VL) or 'abs_resized' (pixels of the
            resized image, Qwen2.5-VL).
        image_size: (width, height) of the original image in pixels.
        model_size: (width, height) of the image the model saw, in pixels.

    Raises:
        ProtocolError: the protocol is unknown.
    """
    check_protocol(protocol)
    unit_x, unit_y = _UNITS[protocol](model_size)
    scale_x, scale_y = image_size[0] / unit_x, image_size[1] / unit_y
    return (box[0] * scale_x, box[1] * scale_y, box[2] * scale_x, box[3] * scale_y)


def model_from_pixels(box: Box, protocol: str, image_size: Size, model_size: Size) -> Box:
    """Return a pixel box in the model's coordinates, not rounded; the inverse of the above.

    Raises:
        ProtocolError: the protocol is unknown.
    """
    check_protocol(protocol)
    unit_x, unit_y = _UNITS[protocol](model_size)
    scale_x, scale_y = unit_x / image_size[0], unit_y / image_size[1]
    return (box[0] * scale_x, box[1] * scale_y, box[2] * scale_x, box[3] * scale_y)
