"""Colours with names, and the temperatures that bodies show to a thermal camera.

Colours are RGB 0-255 as painted in daylight; temperatures are degrees Celsius.
"""

Colour = tuple[int, int, int]

CLOTHES: dict[str, Colour] = {
    'red': (196, 40, 44), 'blue': (40, 76, 190), 'green': (44, 142, 70),
    'yellow': (226, 196, 48), 'orange': (230, 122, 34), 'white': (228, 228, 224),
    'black': (30, 30, 34), 'grey': (122, 124, 128),
}
"""Colours of clothing and of cars, by the word used in expressions."""

ABSENT_COLOURS = ('pink', 'purple', 'brown')
"""Colour words that nothing in the world wears: for sentences that match nothing."""

SKIN: tuple[Colour, ...] = ((236, 196, 166), (206, 158, 122), (150, 104, 76), (98, 66, 48))
HAIR: tuple[Colour, ...] = ((38, 30, 26), (84, 58, 38), (150, 112, 62), (120, 118, 116))

SKIN_TEMPERATURE = 33.5
CLOTHES_TEMPERATURE = 27.5
"""Outer clothing of a warm body in still air; it varies by person."""

AMBIENT: dict[str, float] = {
    'day': 21.0, 'dusk': 16.0, 'night': 9.0, 'smoke': 19.0, 'glare': 22.0, 'crossover': 29.0,
}
"""Ground temperature by condition; at crossover the ground is as warm as clothing."""


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour brightened or darkened by ``factor`` (1 leaves it), clipped to 0-255."""
    red, green, blue = (max(0, min(255, int(channel * factor))) for channel in colour)
    return red, green, blue
