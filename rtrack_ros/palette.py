"""One colour for one ID, in every picture: the node's debug image, the overlay, the plots."""

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

PALETTE: tuple[Colour, ...] = (
    (76, 201, 240), (255, 183, 3), (128, 237, 153), (255, 107, 157), (181, 148, 255),
    (255, 126, 71), (64, 224, 208), (230, 230, 90), (120, 160, 255), (255, 120, 120))
"""Bright on both spectra; neighbours are far apart in hue. White is left to the truth."""


def colour_of(identity: int) -> Colour:
    """Return the RGB colour of an ID, the same in every frame and every picture."""
    return PALETTE[identity % len(PALETTE)]
