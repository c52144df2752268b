"""How the node is doing: rates, latencies and counts, as ``~/status`` and ``/diagnostics``."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.language.queries import Query
from rtrack_ros.msg import TrackerStatus
from rtrack_ros.pipeline import PipelineStats

NAN = float('nan')


class RateMeter:
    """Events per second over the last few seconds.

    Args:
        window_s: Seconds looked back; raising it steadies the rate and shows changes later.
    """

    def __init__(self, window_s: float = 3.0) -> None:
        self._window_ns = int(window_s * 1e9)
        self._times: deque[int] = deque()
        self._first_ns: int | None = None

    def tick(self, now_ns: int) -> None:
        """Note one event."""
        if self._first_ns is None:
            self._first_ns = now_ns
        self._times.append(now_ns)
        self._forget(now_ns)

    def rate_hz(self, now_ns: int) -> float:
        """Return the rate; NaN before the second event ever, 0 after a silence."""
        self._forget(now_ns)
        if self._first_ns is None or now_ns <= self._first_ns:
            return NAN
        if len(self._times) < 2:
            return 0.0 if now_ns - self._first_ns > self._window_ns else NAN
        return (len(self._times) - 1) / ((self._times[-1] - self._times[0]) * 1e-9 or NAN)

    def _forget(self, now_ns: int) -> None:
        while self._times and now_ns - self._times[0] > self._window_ns:
            self._times.popleft()


class LatencyWindow:
    """The last few hundred latencies in milliseconds."""

    def __init__(self, size: int = 300) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, milliseconds: float) -> None:
        """Note one latency."""
        self._values.append(milliseconds)

    @property
    def newest(self) -> float:
        """The newest latency, NaN before the first."""
        return self._values[-1] if self._values else NAN

    def percentile(self, percent: float) -> float:
        """Return a percentile, NaN before the first value."""
        return float(np.percentile(self._values, percent)) if self._values else NAN


@dataclass
class Activity:
    """What the node counted since it was configured.

    Attributes:
        pairs_in: Frame pairs handed to the tracker.
        pairs_without_thermal: Those of them without a thermal image.
        arrays_out: Detection arrays published.
        confirmed: Tracks in the newest array.
        callback_errors: Exceptions caught in callbacks.
        messages_lost: Images that the middleware reported as lost.
        pair_rate: Rate of pairs handed to the tracker.
        receive_to_publish: From the arrival of the RGB message to its array, milliseconds.
        stamp_to_publish: From the RGB stamp to its array; NaN where stamps are of another clock.
    """

    pairs_in: int = 0
    pairs_without_thermal: int = 0
    arrays_out: int = 0
    confirmed: int = 0
    callback_errors: int = 0
    messages_lost: int = 0
    pair_rate: RateMeter = field(default_factory=RateMeter)
    receive_to_publish: LatencyWindow = field(default_factory=LatencyWindow)
    stamp_to_publish: LatencyWindow = field(default_factory=LatencyWindow)


@dataclass(frozen=True)
class Health:
    """One look at the node; the two messages are made of it.

    Attributes:
        now_ns: Monotonic clock.
        activity: The node's own counts.
        intake: The ``Intake`` in use.
        stats: The tracking pipeline's counts.
        model: What the engine is.
        queries: Active queries.
        epoch: Changes of queries so far.
        settings: The node's parameters.
    """

    now_ns: int
    activity: Activity
    intake: Any
    stats: PipelineStats
    model: Capabilities
    queries: tuple[Query, ...]
    epoch: int
    settings: Any

    @property
    def rgb_hz(self) -> float:
        """RGB images per second."""
        return float(self.intake.rgb_rate.rate_hz(self.now_ns))

    @property
    def rgb_healthy(self) -> bool:
        """Whether readable RGB images keep coming."""
        return self.activity.pair_rate.rate_hz(self.now_ns) > 0

    def complaint(self) -> str:
        """Return one sentence about the worst trouble, '' when all is well."""
        if not self.rgb_healthy:
            return 'no readable images on rgb/image_raw; check the camera, the remapping and QoS'
        if not self.intake.thermal_healthy():
            return 'thermal/image_raw is silent; tracking goes on with RGB alone'
        if self.stats.last_error and self.stats.answer_latency_ms is None:
            return f'the model does not answer: {self.stats.last_error}'
        if not self.queries:
            return 'no query; publish a sentence on /referring_query'
        return ''


def status_message(health: Health, stamp: Time, frame_id: str) -> TrackerStatus:
    """Return the status for people and programs."""
    activity, stats = health.activity, health.stats
    message = TrackerStatus(
        query_ids=[query.id for query in health.queries],
        query_texts=[query.text for query in health.queries], epoch=health.epoch,
        rgb_rate_hz=health.rgb_hz,
        thermal_rate_hz=health.intake.thermal_rate.rate_hz(health.now_ns),
        pair_rate_hz=activity.pair_rate.rate_hz(health.now_ns), rgb_healthy=health.rgb_healthy,
        thermal_healthy=health.intake.thermal_healthy(), pairs_in=activity.pairs_in,
        pairs_without_thermal=activity.pairs_without_thermal,
        frames_rejected=health.intake.rejected, arrays_out=activity.arrays_out,
        tracks=activity.confirmed, stamp_to_publish_ms=activity.stamp_to_publish.newest,
        answers=stats.answers, answers_late=stats.answers_late,
        answers_stale_epoch=stats.answers_stale_epoch, answers_invalid=stats.answers_invalid,
        engine_errors=stats.engine_errors, answer_age_ms=_number(stats.answer_age_ms),
        answer_latency_ms=_number(stats.answer_latency_ms), engine=health.model.name,
        model=health.model.model, message=health.complaint())
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    return message


def diagnostic_array(health: Health, stamp: Time) -> DiagnosticArray:
    """Return the three statuses of REP 107: inputs, inference, model."""
    message = DiagnosticArray(status=[_inputs(health), _inference(health), _model(health)])
    message.header.stamp = stamp
    return message


def _inputs(health: Health) -> DiagnosticStatus:
    intake, activity = health.intake, health.activity
    if not health.rgb_healthy:
        level, text = DiagnosticStatus.ERROR, 'no readable RGB images'
    elif not intake.thermal_healthy():
        level, text = DiagnosticStatus.WARN, 'thermal camera silent, going on with RGB'
    else:
        level, text = DiagnosticStatus.OK, 'both cameras deliver'
    return _status('rtrack: inputs', level, text, {
        'rgb rate (Hz)': health.rgb_hz,
        'thermal rate (Hz)': intake.thermal_rate.rate_hz(health.now_ns),
        'pair rate (Hz)': activity.pair_rate.rate_hz(health.now_ns),
        'thermal minus rgb stamp, median (ms)': _number(intake.offset_ms),
        'pairs': activity.pairs_in, 'pairs without thermal': activity.pairs_without_thermal,
        'images refused': intake.rejected, 'messages lost': activity.messages_lost})


def _inference(health: Health) -> DiagnosticStatus:
    stats, activity, settings = health.stats, health.activity, health.settings
    latency_ms = activity.receive_to_publish.percentile(99)
    age_ms = _number(stats.answer_age_ms)
    if latency_ms > settings['diagnostics.latency_warn_ms']:
        level, text = DiagnosticStatus.WARN, 'arrays are late: lower engine.threads or image size'
    elif health.queries and age_ms > settings['diagnostics.answer_age_warn_s'] * 1e3:
        level, text = DiagnosticStatus.WARN, 'the newest answer is old'
    elif health.queries and math.isnan(age_ms):
        level, text = DiagnosticStatus.WARN, 'no answer yet'
    else:
        level, text = DiagnosticStatus.OK, 'tracking' if health.queries else 'no query'
    return _status('rtrack: inference', level, text, {
        'receive to publish, p50 (ms)': activity.receive_to_publish.percentile(50),
        'receive to publish, p99 (ms)': latency_ms,
        'stamp to publish, p50 (ms)': activity.stamp_to_publish.percentile(50),
        'stamp to publish, p99 (ms)': activity.stamp_to_publish.percentile(99),
        'arrays': activity.arrays_out, 'tracks': activity.confirmed, 'answers': stats.answers,
        'answers late': stats.answers_late, 'answers stale': stats.answers_stale_epoch,
        'answers invalid': stats.answers_invalid, 'answer age (ms)': age_ms,
        'answer latency (ms)': _number(stats.answer_latency_ms),
        'callback errors': activity.callback_errors})


def _model(health: Health) -> DiagnosticStatus:
    stats = health.stats
    failing = bool(stats.last_error) and stats.answer_latency_ms is None
    level = DiagnosticStatus.ERROR if failing else DiagnosticStatus.OK
    text = f'the model does not answer: {stats.last_error}' if failing else 'loaded'
    return _status('rtrack: model', level, text, {
        'engine': health.model.name, 'model': health.model.model, 'device': health.model.device,
        'precision': health.model.precision, 'questions': stats.questions,
        'questions about crops': stats.questions_about_crops,
        'questions sharing a pair': stats.questions_sharing_a_pair,
        'pairs not asked about': stats.pairs_superseded, 'engine errors': stats.engine_errors,
        'deadlines missed': stats.deadlines_missed, 'last error': stats.last_error})


def _status(name: str, level: bytes, text: str, facts: dict[str, Any]) -> DiagnosticStatus:
    values = [KeyValue(key=key, value=f'{value:.1f}' if isinstance(value, float) else str(value))
              for key, value in facts.items()]
    return DiagnosticStatus(name=name, level=level, message=text, hardware_id='rtrack',
                            values=values)


def _number(value: float | None) -> float:
    return NAN if value is None else float(value)
