"""``rtrack benchmark pipeline``: the whole node where processor time is scarce."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rtrack_ros.benchmarks.cost.memory import MemoryTrend, memory_trend
from rtrack_ros.benchmarks.pipeline.plays import OURS, PlayResult, play_scene
from rtrack_ros.benchmarks.pipeline.scenes import PlayedScene, crowd_scenes, model_scene
from rtrack_ros.benchmarks.pipeline.tables import Check, model_checks, share_checks, soak_checks

SHARES, TRACKS, MODEL, SOAK = 'shares', 'tracks', 'model', 'soak'
PARTS: Final = (SHARES, TRACKS, MODEL, SOAK)
WARM_UP_S: Final = 600.0
"""Memory has to be flat from here on; of a shorter soak the last two thirds count."""
_WARM_UP_SHARE: Final = 1 / 3
_PLOT_POINTS: Final = 400


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        parts: Of ``PARTS``.
        shares: Of every core, 0 to 1.
        tracks: Numbers of tracks.
        ways: 'ours', 'common'.
        seconds: Length of a play.
        soak_s: Length of the soak.
        soak_share: Its share of every core.
        parameters: Of the node.
    """

    parts: Sequence[str]
    shares: Sequence[float]
    tracks: Sequence[int]
    ways: Sequence[str]
    seconds: float
    soak_s: float
    soak_share: float
    parameters: dict[str, str]


@dataclass
class Found:
    """What was measured so far; an interruption leaves it as it is.

    Attributes:
        shares: Plays of the scene with the model, by name.
        tracks: Plays of the crowd with true answers, by name.
        model: The plays 'busy' and 'idle'.
        soak: The long play.
    """

    shares: dict[str, PlayResult] = field(default_factory=dict)
    tracks: dict[str, PlayResult] = field(default_factory=dict)
    model: dict[str, PlayResult] = field(default_factory=dict)
    soak: PlayResult | None = None

    @property
    def plays(self) -> dict[str, PlayResult]:
        """All plays by name."""
        soak = {} if self.soak is None else {SOAK: self.soak}
        return self.shares | self.tracks | self.model | soak

    @property
    def interrupted(self) -> bool:
        """Whether a play was stopped early."""
        return any(play.interrupted for play in self.plays.values())

    @property
    def trend(self) -> MemoryTrend | None:
        """How memory went in the soak."""
        return None if self.soak is None else memory_trend(self.soak.usage, _WARM_UP_SHARE,
                                                           WARM_UP_S)

    def checks(self) -> Iterator[Check]:
        """Yield every figure that was to reach something."""
        yield from share_checks(list(self.shares.values()))
        if len(self.model) == 2:
            yield from model_checks(self.model['busy'], self.model['idle'])
        if self.soak is not None:
            yield from soak_checks(self.soak, self.trend)


Tick = Callable[[str, float, float], None]
"""Is told the name of a play, the seconds played, and its length."""


def measure(plan: Plan, folder: Path, found: Found, tick: Tick) -> None:
    """Measure into ``found``; a play that was stopped early is the last one.

    Args:
        plan: What.
        folder: Exists; recordings and logs go into it.
        found: Takes the results.
        tick: See ``Tick``.

    Raises:
        ProcessFailure: a process failed; the message names its log.
        DataError: a scene cannot be made, or a recording not be read.
    """
    for into, name, play in _plays(plan, folder, tick):
        result = play()
        if name == SOAK:
            found.soak = result
        else:
            getattr(found, into)[name] = result
        if result.interrupted:
            return


def _plays(plan: Plan, folder: Path, tick: Tick
           ) -> Iterator[tuple[str, str, Callable[[], PlayResult]]]:
    """Yield (part, name, what plays it); scenes are drawn when they are needed."""
    if {SHARES, MODEL, SOAK} & set(plan.parts):
        scene = model_scene(folder, plan.seconds, plan.parameters)
    if SHARES in plan.parts:
        for share in plan.shares:
            for way in plan.ways:
                yield SHARES, *_play(plan, folder, tick, scene, way, share)
    if TRACKS in plan.parts:
        crowds = crowd_scenes(folder, plan.seconds, plan.tracks)
        for number, crowd in crowds.items():
            for share in plan.shares:
                for way in plan.ways:
                    yield TRACKS, *_play(plan, folder, tick, crowd, way, share, f'{number} ')
    if MODEL in plan.parts:
        for name, played in (('busy', scene), ('idle', scene.with_idle_model(folder))):
            yield MODEL, *_play(plan, folder, tick, played, OURS, 1.0, given=name)
    if SOAK in plan.parts and plan.soak_s > 0:
        yield SOAK, *_play(plan, folder, tick, scene, OURS, plan.soak_share, given=SOAK,
                           seconds=plan.soak_s)


def _play(plan: Plan, folder: Path, tick: Tick, scene: PlayedScene, way: str, share: float,
          before: str = '', given: str = '', seconds: float | None = None
          ) -> tuple[str, Callable[[], PlayResult]]:
    name = given or f'{before}{way} {share:.0%}'
    length_s = seconds or plan.seconds

    def play() -> PlayResult:
        return play_scene(scene, folder / name.replace(' ', '_').replace('%', ''), way, share,
                          seconds, lambda elapsed: tick(name, elapsed, length_s))
    return name, play


def play_record(play: PlayResult) -> dict[str, Any]:
    """Return a play for JSON."""
    step = max(1, len(play.usage) // _PLOT_POINTS)
    return {'way': play.way, 'share': asdict(play.share), 'played_s': play.played_s,
            'interrupted': play.interrupted, 'sent': play.sent, 'published': play.published,
            'age_ms': {f'p{percent}': play.age_ms(percent) for percent in (50, 99, 100)},
            'stamp_to_publish_ms': {f'p{percent}': play.delay_ms(percent)
                                    for percent in (50, 99, 100)},
            'superseded': play.superseded, 'behind_ms': play.behind_ms, 'boxes': play.boxes,
            'answers': play.answers, 'answer_ms': play.answer_ms, 'hota': play.hota,
            'used': play.used, 'usage': [asdict(sample) for sample in play.usage[::step]]}


def benchmark_record(found: Found) -> dict[str, Any]:
    """Return everything for JSON; parts that were not run are empty or null."""
    def records(plays: Mapping[str, PlayResult]) -> dict[str, Any]:
        return {name: play_record(play) for name, play in plays.items()}
    return {'shares': records(found.shares), 'tracks': records(found.tracks),
            'model': records(found.model),
            'soak': None if found.soak is None else play_record(found.soak),
            'memory': None if found.trend is None else asdict(found.trend),
            'checks': [{**asdict(check), 'holds': check.holds} for check in found.checks()]}
