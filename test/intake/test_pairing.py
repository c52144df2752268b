"""Properties of stamp pairing over any arrival order."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.intake.pairing import AddOutcome, PairedItem, StampPairer

MS = 1_000_000
SLOP = 20 * MS

stamps = st.lists(st.integers(0, 2000), unique=True, max_size=40)


def push_all(pairer: StampPairer, events: list[tuple[str, int]], step_ns: int = MS,
             ) -> tuple[list[PairedItem], list[AddOutcome]]:
    """Push (stream, stamp in ms) in order, one per clock step, then wait long enough.

    Returns what left the pairer, and what became of every RGB item.
    """
    out: list[PairedItem] = []
    outcomes = []
    now = 0
    for stream, stamp in events:
        outcome = getattr(pairer, f'add_{stream}')(stamp * MS, (stream, stamp))
        outcomes += [outcome] * (stream == 'rgb')
        out += pairer.poll(now)
        now += step_ns
    return out + pairer.poll(now + 10_000 * MS), outcomes


def partners(out: list[PairedItem]) -> int:
    return sum(item.thermal is not None for item in out)


@st.composite
def interleaved(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Both streams in stamp order, interleaved in any way."""
    rgb = [('rgb', stamp) for stamp in sorted(draw(stamps))]
    thermal = [('thermal', stamp) for stamp in sorted(draw(stamps))]
    takes = draw(st.permutations([0] * len(rgb) + [1] * len(thermal)))
    streams = (iter(rgb), iter(thermal))
    return [next(streams[take]) for take in takes]


@given(interleaved())
def test_each_rgb_leaves_once_in_order_and_within_slop(events: list[tuple[str, int]]) -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP)
    out, outcomes = push_all(pairer, events)
    assert [item.rgb[1] for item in out] == sorted(s for stream, s in events if stream == 'rgb')
    for item in out:
        assert item.stamp_ns == item.rgb[1] * MS
        if item.thermal is not None:
            assert abs(item.thermal[1] - item.rgb[1]) * MS <= SLOP
    assert set(outcomes) <= {AddOutcome.ACCEPTED}
    assert pairer.waiting == 0


@given(stamps, stamps, st.randoms(use_true_random=False))
def test_any_order_loses_nothing_without_saying_so(rgb, thermal, random) -> None:
    events = [('rgb', stamp) for stamp in rgb] + [('thermal', stamp) for stamp in thermal]
    random.shuffle(events)
    pairer: StampPairer = StampPairer(slop_ns=SLOP)
    out, outcomes = push_all(pairer, events)
    assert len(outcomes) == len(rgb)
    assert len(out) == sum(outcome.accepted for outcome in outcomes)
    assert len({item.rgb for item in out}) == len(out)
    segments, last = 0, -1
    for item in out:
        if item.stamp_ns <= last:
            assert item.after_reset
            segments += 1
        last = item.stamp_ns
    assert segments <= outcomes.count(AddOutcome.RESET)


@given(stamps, stamps)
def test_partner_is_the_nearest_when_all_are_known(rgb: list[int], thermal: list[int]) -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP, capacity=100)
    events = [('thermal', stamp) for stamp in sorted(thermal)]
    out, _ = push_all(pairer, events + [('rgb', stamp) for stamp in sorted(rgb)])
    for item in out:
        distance = min((abs(stamp - item.rgb[1]) for stamp in thermal), default=10 ** 6)
        if distance * MS <= SLOP:
            assert item.thermal is not None
            assert abs(item.thermal[1] - item.rgb[1]) == distance
        else:
            assert item.thermal is None


def test_pair_leaves_the_moment_its_partner_arrives() -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP)
    pairer.add_thermal(0, 'warm up')
    pairer.poll(0)
    pairer.add_rgb(33 * MS, 'rgb')
    assert pairer.poll(1) == []
    pairer.add_thermal(35 * MS, 'thermal')
    (item,) = pairer.poll(2)
    assert (item.rgb, item.thermal) == ('rgb', 'thermal')


def test_best_pair_is_not_lost_to_an_earlier_one() -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP)
    out, _ = push_all(pairer, [('rgb', 0), ('thermal', 15), ('rgb', 16), ('rgb', 33),
                               ('thermal', 49)])
    assert (('rgb', 16), ('thermal', 15)) in [(item.rgb, item.thermal) for item in out]
    assert [item.stamp_ns // MS for item in out] == [0, 16, 33]


def test_equal_stamps_pair_with_zero_slop() -> None:
    pairer: StampPairer = StampPairer(slop_ns=0)
    out, _ = push_all(pairer, [('thermal', 0), ('rgb', 10), ('thermal', 10)])
    assert out[0].thermal == ('thermal', 10)


def run_live(pairer: StampPairer, drop: range, frames: int = 120, offset_ms: int = 4):
    """Both cameras at 30 Hz in real time, polled every 5 ms; returns (frame, age ms, item)."""
    out = []
    for now in range(0, frames * 33 + 200, 1):
        frame, phase = divmod(now, 33)
        if phase == 0 and frame < frames:
            pairer.add_rgb(now * MS, frame)
        if phase == offset_ms and frame < frames and frame not in drop:
            pairer.add_thermal(now * MS, frame)
        if phase in (0, offset_ms) or now % 5 == 0:
            out += [(item.rgb, now - item.stamp_ns // MS, item)
                    for item in pairer.poll(now * MS)]
    return out


def test_thermal_loss_bounds_waiting_and_recovers() -> None:
    drop = range(40, 80)
    out = run_live(StampPairer(slop_ns=SLOP, thermal_timeout_ns=300 * MS), drop)
    assert [frame for frame, _, _ in out] == list(range(120))
    # One period plus the slop, and at most one tick of the polling timer.
    assert max(age for _, age, _ in out) <= 53 + 5
    for frame, age, item in out:
        # The first image after silence cannot know that a partner is about to come.
        if frame not in drop and frame not in (0, drop.stop):
            assert item.thermal == frame and age <= 4
        else:
            assert item.thermal is None
        if 52 <= frame < 80:
            assert age == 0, 'no waiting for a camera that is known to be silent'


def test_without_any_thermal_nothing_waits() -> None:
    out = run_live(StampPairer(slop_ns=SLOP), range(0, 120))
    assert {age for _, age, _ in out} == {0}


def test_slow_thermal_serves_several_rgb_images() -> None:
    pairer: StampPairer = StampPairer(slop_ns=60 * MS)
    events = [('thermal', 111 * i) for i in range(19)] + [('rgb', 33 * i) for i in range(60)]
    out = []
    for stream, stamp in sorted(events, key=lambda event: (event[1], event[0] == 'rgb')):
        getattr(pairer, f'add_{stream}')(stamp * MS, (stream, stamp))
        out += pairer.poll(stamp * MS)
    out += pairer.poll(10_000 * MS)
    assert partners(out) == len(out) == 60


def late(max_wait_ms: int, delay_ms: int = 100) -> tuple[list[PairedItem], list[int], int | None]:
    """Play a thermal camera of 9 Hz that delivers late; return pairs, waits in ms and delay."""
    pairer: StampPairer = StampPairer(slop_ns=SLOP, max_wait_ns=max_wait_ms * MS)
    events = sorted([(33 * i, 'rgb', 33 * i) for i in range(90)]
                    + [(111 * i + delay_ms, 'thermal', 111 * i) for i in range(27)])
    out, waits = [], []
    for now in range(0, 3200):
        while events and events[0][0] <= now:
            _, stream, stamp = events.pop(0)
            getattr(pairer, f'add_{stream}')(stamp * MS, stamp)
        for item in pairer.poll(now * MS):
            out.append(item)
            waits.append(now - item.rgb)
    return out, waits, pairer.delay_ns


def test_a_camera_that_delivers_late_pairs_if_the_bound_allows() -> None:
    out, waits, delay_ns = late(max_wait_ms=140)
    assert delay_ns == pytest.approx(100 * MS, abs=2 * MS)
    assert partners(out[20:]) >= 0.3 * len(out[20:]), 'a third of 30 Hz has a thermal stamp near'
    assert max(waits) <= 140


def test_nothing_waits_for_what_comes_too_late_anyway() -> None:
    out, waits, delay_ns = late(max_wait_ms=50)
    assert partners(out) == 0 and delay_ns == pytest.approx(100 * MS, abs=2 * MS)
    assert max(waits[20:]) == 0


def test_offset_beyond_slop_is_measured() -> None:
    pairer: StampPairer = StampPairer(slop_ns=5 * MS)
    out = []
    for i in range(30):
        pairer.add_thermal((100 * i - 30) * MS, i)
        pairer.add_rgb(100 * i * MS, i)
        out += pairer.poll(100 * i * MS)
    assert len(out) == 30 and partners(out) == 0
    assert pairer.offset_ns == -30 * MS
    assert pairer.thermal_period_ns == 100 * MS


@pytest.mark.parametrize('rgb_first', [True, False])
def test_bag_loop_resets_and_goes_on_pairing(rgb_first: bool) -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP)
    once = []
    for i in range(60):
        both = [('rgb', 33 * i), ('thermal', 33 * i + 3)]
        once += both if rgb_first else both[::-1]
    out, outcomes = push_all(pairer, once * 3)
    assert Counter(outcomes) == {AddOutcome.ACCEPTED: 178, AddOutcome.RESET: 2}
    assert sum(item.after_reset for item in out) == 2
    assert len(out) == 180
    assert partners(out) >= 176


def test_late_and_repeated_items_are_dropped_and_the_outcome_says_which() -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP)
    out, outcomes = push_all(pairer, [('rgb', 100), ('rgb', 100), ('rgb', 60)])
    assert [item.rgb[1] for item in out] == [100]
    assert outcomes == [AddOutcome.ACCEPTED, AddOutcome.DUPLICATE, AddOutcome.LATE]
    assert [outcome.accepted for outcome in outcomes] == [True, False, False]


def test_a_stamp_that_still_waits_is_a_duplicate_too() -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP)
    pairer.add_thermal(0, 'delivers, so RGB waits')
    assert pairer.add_rgb(100 * MS, 'first') is AddOutcome.ACCEPTED
    assert pairer.add_rgb(100 * MS, 'again') is AddOutcome.DUPLICATE
    assert pairer.waiting == 1


def test_a_jump_back_is_taken_and_called_a_reset() -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP, reset_jump_ns=500 * MS)
    _, outcomes = push_all(pairer, [('rgb', 1000), ('rgb', 501), ('rgb', 500), ('rgb', 533)])
    assert outcomes == [AddOutcome.ACCEPTED, AddOutcome.LATE, AddOutcome.RESET,
                        AddOutcome.ACCEPTED]
    assert AddOutcome.RESET.accepted


def test_thermal_outcomes_are_told_as_well() -> None:
    pairer: StampPairer = StampPairer(reset_jump_ns=500 * MS)
    assert [pairer.add_thermal(stamp * MS, 't') for stamp in (1000, 1000, 990, 400)] == [
        AddOutcome.ACCEPTED, AddOutcome.DUPLICATE, AddOutcome.ACCEPTED, AddOutcome.RESET]


def test_what_waits_is_what_poll_has_not_returned() -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP, capacity=2)
    pairer.add_thermal(0, 't')
    for i in range(3):
        pairer.add_rgb((1000 + i) * MS, i)
        assert pairer.waiting == i + 1, 'the one that overflowed waits for poll as well'
    first = pairer.poll(0)
    assert pairer.waiting == 3 - len(first) == 2
    assert len(pairer.poll(10_000 * MS)) == 2 and pairer.waiting == 0


def test_overflow_releases_instead_of_dropping() -> None:
    pairer: StampPairer = StampPairer(slop_ns=SLOP, capacity=4)
    pairer.add_thermal(0, 't')
    for i in range(10):
        pairer.add_rgb((1000 + i) * MS, i)
    assert [item.rgb for item in pairer.poll(0)][:6] == list(range(6))


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match='capacity'):
        StampPairer(capacity=0)
