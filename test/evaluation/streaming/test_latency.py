"""Delays of engines: they grow with the boxes of the answer and add up what was published."""

import pytest

from rtrack_ros.evaluation.streaming.latency import (
    PUBLISHED,
    AtOnce,
    Fixed,
    Measured,
    parse_profile,
)
from rtrack_ros.language.answers import Answer, Grounding


def answer(boxes: int, latency_ms: float = 0.0) -> Answer:
    return Answer(0, 'default', 1, (Grounding((0.0, 0.0, 9.0, 9.0), 'car'),) * boxes, latency_ms)


def test_a_published_profile_adds_vision_prefill_and_decoding() -> None:
    orin = PUBLISHED['orin-qwen3vl-2b-int4']
    reading_ms = 2 * 36.2 + 45.7 * (2 * 265 + 27) / 292
    assert orin.delay_s(answer(0)) == pytest.approx(reading_ms * 1e-3 + 2 / 98.9)
    assert orin.delay_s(answer(3)) == pytest.approx(reading_ms * 1e-3 + (2 + 3 * 33) / 98.9)


@pytest.mark.parametrize('name', PUBLISHED)
def test_every_box_costs_the_same_time_again(name: str) -> None:
    delays = [PUBLISHED[name].delay_s(answer(boxes)) for boxes in range(4)]
    steps = [later - earlier for earlier, later in zip(delays, delays[1:], strict=False)]
    assert steps == pytest.approx([33 / PUBLISHED[name].tokens_per_s] * 3)


def test_devices_are_ordered_as_one_would_buy_them() -> None:
    named = [PUBLISHED[f'{name}'].delay_s(answer(1)) for name in (
        'thor-qwen3vl-2b-nvfp4', 'orin-qwen3vl-2b-int4', 'orin-qwen3vl-4b-int4',
        'orin-nano-qwen3vl-2b-int4')]
    assert named == sorted(named)


def test_names_and_seconds_are_parsed() -> None:
    assert parse_profile('0.5') == Fixed(0.5)
    assert parse_profile('0.5').delay_s(answer(7)) == 0.5
    assert parse_profile('thor-qwen3vl-2b-nvfp4') is PUBLISHED['thor-qwen3vl-2b-nvfp4']
    assert parse_profile('measured') == Measured()
    assert Measured().delay_s(answer(1, latency_ms=80.0)) == pytest.approx(0.08)


@pytest.mark.parametrize('text', ['orin', '-1', 'nan', ''])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='delay|profile'):
        parse_profile(text)


def test_a_box_is_written_before_those_after_it() -> None:
    orin = PUBLISHED['orin-qwen3vl-2b-int4']
    written = orin.written_s(answer(3))
    assert written == pytest.approx([orin.delay_s(answer(boxes)) - 2 / 98.9
                                     for boxes in (1, 2, 3)])
    assert not orin.written_s(answer(0)) and not AtOnce(orin).written_s(answer(3))
    assert not Fixed(1.0).written_s(answer(3)) and not Measured().written_s(answer(3))
