"""Which sentences can only be judged on the whole image."""

import re
from typing import Final

from rtrack_ros.language.english import COUNT, DEGREE, ORDER

_PLACE = ('left|right|leftmost|rightmost|top|bottom|upper|lower|middle|cent(er|re)|near|'
          'far|front|behind|beside|between|next|nearby|around|towards?|away')
# Which way somebody heads shows in his pose, wherever he is.
_HEADING: Final = re.compile(
    r'\b(walk|rid|driv|mov|head|go|runn|cycl|travel|fac|look|turn)ing (to|towards?) the '
    r'(left|right)\b', re.IGNORECASE)
_WHOLE_IMAGE: Final = re.compile(
    rf'\b({_PLACE}|{COUNT}|together|{ORDER}|farther|further|{DEGREE})\b', re.IGNORECASE)


def needs_whole_image(sentence: str) -> bool:
    """Return whether a sentence can only be judged on the whole image.

    Place, relation, count, order and degree do not show in a crop of one object; where it heads
    does. The words are English, as are the sentences that the model was trained on.
    """
    return bool(_WHOLE_IMAGE.search(_HEADING.sub('', sentence)))
