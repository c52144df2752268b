"""How long an engine takes to answer: measured, fixed, or from published figures of a device.

A language model writes its boxes one token after another, so that the delay grows with the number
of boxes in the answer. The published profiles add up what the vendor measured: the vision tower
once an image, the prefill of the prompt, and the decoding of the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rtrack_ros.language.answers import Answer

IMAGES = 2
"""Images in a prompt: RGB and thermal."""

VISION_TOKENS, TEXT_TOKENS = 265, 27
"""Tokens of one image and of the text in the prompt that the vendor measured (292 in all)."""

EMPTY_ANSWER_TOKENS, BOX_TOKENS = 2, 33
"""Tokens of ``[]`` with the end token, and of one ``{"bbox_2d": [312, 148, 467, 633], "label":
"person"}`` with its separator; Qwen's tokenizer spells every digit and needs 35 for both."""


CROP_TOKENS = 64
"""Tokens of one object, shown at 256x256 pixels with patches of 32."""

AT_ONCE = ', answers at once'
"""How the name of an engine is marked whose answers need not be waited for."""


class LatencyProfile(Protocol):
    """Says how long the engine was busy with an answer."""

    @property
    def name(self) -> str:
        """Name as the command line knows it."""

    def delay_s(self, answer: Answer) -> float:
        """Return the seconds from the question to the parsed answer."""

    def written_s(self, answer: Answer) -> list[float]:
        """Return the seconds from the question until each box is written, none where unknown."""


@dataclass(frozen=True)
class AtOnce:
    """An engine as busy as another, whose answers arrive at once all the same.

    The tracker then gets the answers of the slow engine, about the same frames, without their
    delay: what perfect compensation of the delay could reach.

    Attributes:
        engine: How long the engine is busy with an answer.
    """

    engine: LatencyProfile

    @property
    def name(self) -> str:
        """Name of the engine, marked."""
        return f'{self.engine.name}{AT_ONCE}'

    def delay_s(self, answer: Answer) -> float:
        """Return 0: the answer is there when it is asked for."""
        return 0.0

    def written_s(self, answer: Answer) -> list[float]:
        """Return nothing: all of it is there at once."""
        return []


def busy_s(profile: LatencyProfile, answer: Answer) -> float:
    """Return the seconds for which the engine takes no other question."""
    return (profile.engine if isinstance(profile, AtOnce) else profile).delay_s(answer)


def verify_s(profile: LatencyProfile, objects: int) -> float:
    """Return the seconds for a yes or no about each of several objects, in one question.

    A published profile reads two crops of ``CROP_TOKENS`` for each object and writes one token
    each. Of other engines it is not known: they take as long as for an empty answer each.
    """
    if isinstance(profile, AtOnce):
        return 0.0
    if isinstance(profile, Published):
        return profile.verify_s(objects)
    return objects * profile.delay_s(Answer(0, '', 0, ()))


@dataclass(frozen=True)
class Measured:
    """The time that the engine at hand took for this very answer."""

    name: str = 'measured'

    def delay_s(self, answer: Answer) -> float:
        """Return the measured seconds."""
        return answer.latency_ms * 1e-3

    def written_s(self, answer: Answer) -> list[float]:
        """Return nothing: the time of single boxes was not kept."""
        return []


@dataclass(frozen=True)
class Fixed:
    """The same delay for every answer.

    Attributes:
        seconds: From the question to the answer; 0 is an engine that answers at once.
    """

    seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < float('inf'):
            raise ValueError(f'a delay is a number of seconds from 0 on; got {self.seconds}')

    @property
    def name(self) -> str:
        """The seconds as text."""
        return f'{self.seconds:g} s'

    def delay_s(self, answer: Answer) -> float:
        """Return the seconds, whatever the answer says."""
        return self.seconds

    def written_s(self, answer: Answer) -> list[float]:
        """Return nothing: no box is there before the others."""
        return []


@dataclass(frozen=True)
class Published:
    """A device and a model, from the vendor's figures at batch 1.

    Attributes:
        name: Device, model and precision.
        vit_ms: Milliseconds of the vision tower for one image of ``VISION_TOKENS`` tokens.
        prefill_ms: Milliseconds of prefill for one image and ``TEXT_TOKENS`` tokens of text.
        tokens_per_s: Decoding rate.
        source: Where the three figures were published.
    """

    name: str
    vit_ms: float
    prefill_ms: float
    tokens_per_s: float
    source: str

    def delay_s(self, answer: Answer) -> float:
        """Return the seconds of two images and of as many tokens as the answer has."""
        tokens = EMPTY_ANSWER_TOKENS + BOX_TOKENS * len(answer.groundings)
        return self._reading_s + tokens / self.tokens_per_s

    def written_s(self, answer: Answer) -> list[float]:
        """Return the seconds of two images and of the tokens up to the end of each box."""
        return [self._reading_s + BOX_TOKENS * boxes / self.tokens_per_s
                for boxes in range(1, len(answer.groundings) + 1)]

    def verify_s(self, objects: int) -> float:
        """Return the seconds of two crops for each object and of one word about each."""
        tokens = IMAGES * CROP_TOKENS * objects
        vit_ms = self.vit_ms * tokens / VISION_TOKENS
        prefill_ms = self.prefill_ms * (tokens + TEXT_TOKENS) / (VISION_TOKENS + TEXT_TOKENS)
        return (vit_ms + prefill_ms) * 1e-3 + objects / self.tokens_per_s

    @property
    def _reading_s(self) -> float:
        prompt = (IMAGES * VISION_TOKENS + TEXT_TOKENS) / (VISION_TOKENS + TEXT_TOKENS)
        return (IMAGES * self.vit_ms + prompt * self.prefill_ms) * 1e-3


_EDGE_LLM = 'TensorRT Edge-LLM 0.10.0 documentation, performance on JetPack 7.2, batch 1'

PUBLISHED = {profile.name: profile for profile in (
    # AGX Thor, Qwen3-VL-2B NVFP4: ViT 11.4 ms, prefill 12.7 ms, 151.9 tokens/s.
    Published('thor-qwen3vl-2b-nvfp4', 11.4, 12.7, 151.9, _EDGE_LLM),
    # AGX Orin 64 GB, Qwen3-VL-2B INT4: ViT 36.2 ms, prefill 45.7 ms, 98.9 tokens/s.
    Published('orin-qwen3vl-2b-int4', 36.2, 45.7, 98.9, _EDGE_LLM),
    # AGX Orin 64 GB, Qwen3-VL-4B INT4: ViT 36.5 ms, prefill 105.7 ms, 54.7 tokens/s.
    Published('orin-qwen3vl-4b-int4', 36.5, 105.7, 54.7, _EDGE_LLM),
    # Orin Nano 8 GB, Qwen3-VL-2B INT4: ViT 141 ms, prefill 167 ms, 36.1 tokens/s.
    Published('orin-nano-qwen3vl-2b-int4', 141.0, 167.0, 36.1, _EDGE_LLM),
)}
"""Profiles by name."""


def parse_profile(text: str) -> LatencyProfile:
    """Return the profile of a name, or the fixed delay of a number of seconds.

    Raises:
        ValueError: it is neither; the message lists the names.
    """
    makers: dict[str, Callable[[], LatencyProfile]] = {'measured': Measured}
    if text in makers:
        return makers[text]()
    if text in PUBLISHED:
        return PUBLISHED[text]
    try:
        return Fixed(float(text))
    except ValueError:
        raise ValueError(f"'{text}' is no latency profile; give seconds such as 0.5, 'measured', "
                         f'or one of {", ".join(PUBLISHED)}') from None
