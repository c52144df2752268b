"""How the node is doing, told as ``~/status`` and ``/diagnostics``.

A quantity has one name: its field in ``PipelineStats``, its field in ``TrackerStatus`` and its key
in the diagnostics are spelt alike.
"""

import math
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.intake.lone_thermal import RGB_SILENT
from rtrack_ros.intake.rates import NAN
from rtrack_ros.intake.thermal_state import ThermalStatus
from rtrack_ros.language.queries import Query
from rtrack_ros.msg import TrackerStatus
from rtrack_ros.nodes.activity import Activity
from rtrack_ros.pipeline_stats import PipelineStats

_FAILURES_IN_A_ROW = 3
"""From so many on the model is said to fail: single ones are counted, and mean little."""

NO_RGB = 'no readable images on rgb/image_raw; check the camera, the remapping and QoS'
TOO_FAST = 'RGB images come faster than they are tracked'
LESS_WORK = 'lower engine.threads, the rate or the size of the images'
FALLEN_BEHIND = 'tracking has fallen behind'
_OVERLOAD = 0.1
"""A larger share of RGB images passed over is worth a warning."""
BEHIND_MS = 500.0
"""Images that lay longer in the queue are worth a warning."""
NO_CLOCK = ('use_sim_time is set and nothing publishes /clock; start the simulator, play the bag '
            'with --clock, or set use_sim_time to false')


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
        name: Name of the node with its namespace, such as 'front/rtrack'.
        query_topic: Where sentences are heard.
        clock_silent: The node waits for a simulated time that has not come.
    """

    now_ns: int
    activity: Activity
    intake: Any
    stats: PipelineStats
    model: Capabilities
    queries: tuple[Query, ...]
    epoch: int
    settings: Any
    name: str = 'rtrack'
    query_topic: str = 'referring_query'
    clock_silent: bool = False

    @property
    def rgb_healthy(self) -> bool:
        """Whether RGB images arrive and can be decoded."""
        return self.activity.pair_rate.rate_hz(self.now_ns) > 0 and self.rgb_silence == ''

    @property
    def rgb_silence(self) -> str:
        """What is done while RGB is silent, '' while it is not."""
        return RGB_SILENT if self.intake.thermal_is_clock else ''

    @property
    def thermal(self) -> ThermalStatus:
        """Whether thermal images arrive and pair up."""
        status: ThermalStatus = self.intake.thermal_status(self.now_ns)
        return status

    @property
    def model_failure(self) -> str:
        """Why the model does not answer, '' while it answers or nothing was asked yet."""
        answers = self.stats.answer_latency_ms is not None and (
            self.stats.questions_unanswered < _FAILURES_IN_A_ROW or not self.queries)
        if answers or not self.stats.last_error:
            return ''
        return f'the model does not answer: {self.stats.last_error}'

    @property
    def overload(self) -> str:
        """What images that come faster than they are tracked lead to, '' while they do not."""
        superseded_hz = self.intake.superseded_rate.rate_hz(self.now_ns)
        rgb_hz = self.intake.rgb_rate.rate_hz(self.now_ns)
        if superseded_hz > _OVERLOAD * rgb_hz:
            return (f'{TOO_FAST}: {superseded_hz:.1f} of {rgb_hz:.1f} a second are passed over; '
                    f'{LESS_WORK}')
        if self.activity.behind_ms > BEHIND_MS:
            return (f'{FALLEN_BEHIND} by {self.activity.behind_ms * 1e-3:.1f} s; play the '
                    'recording more slowly, or set input.profile to live')
        return ''

    def complaint(self) -> str:
        """Return one sentence about the worst trouble, '' when all is well."""
        if self.clock_silent:
            return NO_CLOCK
        if not self.rgb_healthy:
            return self.rgb_silence or NO_RGB
        if not self.thermal.healthy:
            return self.thermal.sentence
        if self.model_failure:
            return self.model_failure
        if self.overload or self.stats.detector_complaint:
            return self.overload or self.stats.detector_complaint
        return '' if self.queries else f'no query; publish a sentence on {self.query_topic}'


def status_message(health: Health, stamp: Time, frame_id: str) -> TrackerStatus:
    """Return the status for people and programs."""
    activity, stats, intake, now_ns = health.activity, health.stats, health.intake, health.now_ns
    message = TrackerStatus(
        query_ids=[query.id for query in health.queries],
        query_texts=[query.text for query in health.queries], epoch=health.epoch,
        rgb_rate_hz=intake.rgb_rate.rate_hz(now_ns),
        thermal_rate_hz=intake.thermal_rate.rate_hz(now_ns),
        pair_rate_hz=activity.pair_rate.rate_hz(now_ns), rgb_healthy=health.rgb_healthy,
        thermal_healthy=health.thermal.healthy, frames_rejected=intake.frames_rejected,
        frames_superseded=intake.counts.rgb_superseded, behind_ms=activity.behind_ms,
        **_named(activity, 'pairs_in', 'pairs_without_thermal', 'arrays_out', 'tracks'),
        stamp_to_publish_ms=activity.stamp_to_publish.newest,
        **_named(stats, 'answers', 'answers_late', 'answers_stale_epoch', 'answers_invalid',
                 'engine_errors', 'answer_age_ms', 'answer_latency_ms'),
        engine=health.model.name, model=health.model.model, message=health.complaint())
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    return message


def diagnostic_array(health: Health, stamp: Time) -> DiagnosticArray:
    """Return the three statuses of REP 107: inputs, inference, model."""
    status = status_message(health, stamp, '')
    message = DiagnosticArray(
        status=[_inputs(health, status), _inference(health, status), _model(health, status)])
    message.header.stamp = stamp
    return message


def failure_array(node: str, problem: str, stamp: Time) -> DiagnosticArray:
    """Return the status of a node that could not be configured.

    Args:
        node: Name of the node with its namespace, such as 'front/rtrack'.
        problem: What is wrong, and the remedy.
        stamp: Of the message.
    """
    text = f'cannot configure: {problem}'
    message = DiagnosticArray(status=[_status(node, 'model', DiagnosticStatus.ERROR, text, {})])
    message.header.stamp = stamp
    return message


def _inputs(health: Health, status: TrackerStatus) -> DiagnosticStatus:
    if not status.rgb_healthy:
        level, text = DiagnosticStatus.ERROR, NO_CLOCK if health.clock_silent else NO_RGB
    elif health.clock_silent:
        level, text = DiagnosticStatus.WARN, NO_CLOCK
    elif not status.thermal_healthy:
        level, text = DiagnosticStatus.WARN, health.thermal.sentence
    elif health.overload:
        level, text = DiagnosticStatus.WARN, health.overload
    elif health.stats.detector_complaint:
        level, text = DiagnosticStatus.WARN, health.stats.detector_complaint
    else:
        level, text = DiagnosticStatus.OK, f'RGB images arrive; {health.thermal.sentence}'
    return _status(health.name, 'inputs', level, text, {
        **_named(status, 'rgb_rate_hz', 'thermal_rate_hz', 'pair_rate_hz', 'pairs_in',
                 'pairs_without_thermal', 'frames_rejected', 'frames_superseded', 'behind_ms'),
        **_named(health.intake, 'thermal_offset_ms', 'thermal_delay_ms',
                 'thermal_stamp_offset_ms'),
        **vars(health.intake.evidence),
        **_named(health.stats, 'detections', 'detections_refused'), **health.stats.detector_facts,
        **_named(health.activity, 'messages_lost')})


def _inference(health: Health, status: TrackerStatus) -> DiagnosticStatus:
    activity, settings = health.activity, health.settings
    latency_ms = activity.receive_to_publish.percentile(99)
    age_ms = status.answer_age_ms
    if latency_ms > settings['diagnostics.latency_warn_ms']:
        level, text = DiagnosticStatus.WARN, 'arrays are late: lower engine.threads or image size'
    elif health.queries and age_ms > settings['diagnostics.answer_age_warn_s'] * 1e3:
        level, text = DiagnosticStatus.WARN, 'the newest answer is old'
    elif health.queries and math.isnan(age_ms):
        level, text = DiagnosticStatus.WARN, 'no answer yet'
    else:
        level, text = DiagnosticStatus.OK, 'tracking' if health.queries else 'no query'
    return _status(health.name, 'inference', level, text, {
        'receive_to_publish_ms_p50': activity.receive_to_publish.percentile(50),
        'receive_to_publish_ms_p99': latency_ms,
        'stamp_to_publish_ms_p50': activity.stamp_to_publish.percentile(50),
        'stamp_to_publish_ms_p99': activity.stamp_to_publish.percentile(99),
        **_named(status, 'arrays_out', 'tracks', 'answers', 'answers_late', 'answers_stale_epoch',
                 'answers_invalid', 'answer_age_ms', 'answer_latency_ms'),
        **_named(health.stats, 'tracks_born', 'tracks_ended', 'tracks_recovered',
                 'steps_with_fewer_looks', 'steps_on_one_spectrum', 'steps_with_coarse_flow',
                 'steps_not_measured'),
        'distrusted': ', '.join(health.stats.distrusted),
        **_named(activity, 'callback_errors')})


def _model(health: Health, status: TrackerStatus) -> DiagnosticStatus:
    failure = health.model_failure
    level = DiagnosticStatus.ERROR if failure else DiagnosticStatus.OK
    return _status(health.name, 'model', level, failure or 'loaded', {
        **_named(status, 'engine', 'model'),
        **_named(health.model, 'device', 'precision', 'constrained', 'concurrency', 'niceness'),
        **_named(health.stats, 'questions', 'questions_about_crops', 'questions_sharing_a_pair',
                 'questions_cancelled', 'questions_unanswered', 'pairs_superseded',
                 'engine_errors', 'deadlines_missed', 'last_error')})


def _named(source: Any, *names: str) -> dict[str, Any]:
    """Return attributes under their own names; NaN stands for what was not measured yet."""
    values = {name: getattr(source, name) for name in names}
    return {name: NAN if value is None else value for name, value in values.items()}


def _status(node: str, part: str, level: bytes, text: str, facts: dict[str, Any]
            ) -> DiagnosticStatus:
    values = [KeyValue(key=key, value=f'{value:.1f}' if isinstance(value, float) else str(value))
              for key, value in facts.items()]
    return DiagnosticStatus(name=f'{node}: {part}', level=level, message=text, hardware_id=node,
                            values=values)
