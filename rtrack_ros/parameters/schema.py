"""Every parameter of the tracker node: one schema for node, YAML file and documents.

What a parameter means, its unit and its range stand in one place: here for the node's own, and in
the fields of ``SyncConfig``, ``ThermalConfig``, ``Limits``, ``DetectorConfig``, ``TrackerConfig``
and ``Schedule`` for those of the intake, of everything that is bounded, of a detector, of the
tracker and the scheduler.
"""

from dataclasses import dataclass
from typing import Any

from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.engines.base import USES
from rtrack_ros.engines.families import FAMILIES
from rtrack_ros.engines.server.api_key import API_KEY_VARIABLE
from rtrack_ros.engines.server.dialects import AUTO, DIALECTS
from rtrack_ros.intake.config import SyncConfig, ThermalConfig
from rtrack_ros.intake.transports import RAW, RGB_TRANSPORTS, THERMAL_TRANSPORTS
from rtrack_ros.language.self_test import MODES
from rtrack_ros.limits import Limits
from rtrack_ros.model_thread import NICENESS, NICEST
from rtrack_ros.scheduling.scheduler import Schedule
from rtrack_ros.settings import Setting, settings_of
from rtrack_ros.tracking.config import TrackerConfig

_NETWORK = 'siamese_'


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter.

    Attributes:
        name: Dotted name.
        default: Its type is the parameter's type.
        setting: Meaning, unit, range and whether it is better left alone.
        when: When a change takes effect: 'now', at the next 'activate' or 'configure', or 'never'
            for what is fixed for the life of the process.
        field: The field of the library's settings that it sets, '' for others.
    """

    name: str
    default: Any
    setting: Setting
    when: str = 'now'
    field: str = ''

    @property
    def number_or_word(self) -> bool:
        """Whether a number may be given as well as a text: a text with a unit."""
        return isinstance(self.default, str) and bool(self.setting.unit)


def _own(name: str, default: Any, meaning: str, when: str = 'now', unit: str = '',
         span: tuple[float, float] | None = None, choices: tuple[str, ...] = (),
         advanced: bool = True) -> ParameterSpec:
    return ParameterSpec(name, default, Setting(meaning, unit, span, choices, advanced), when)


OWN = (
    _own('engine.name', 'auto', 'Engine that runs the model; auto takes server for a URL, and '
         'the first that works for a folder', 'configure',
         choices=('auto', 'openvino', 'llamacpp', 'transformers', 'server', 'scripted'),
         advanced=False),
    _own('engine.model', '', 'Folder of the model, GGUF file of it, or URL of the server that has '
         'it; empty takes the rtrack-nano that comes with the package; for scripted, a JSON list '
         'of answers',
         'configure', advanced=False),
    _own('query.initial', '', 'Sentence to follow from the start', 'configure', advanced=False),
    _own('autostart', False, 'Configure and activate without a lifecycle manager', 'never'),
    _own('engine.max_boxes', 12, 'Most boxes in one answer; raising it lets crowds be answered '
         'and makes the longest answer slower', 'configure', span=(1, 100)),
    _own('engine.threads', 1, 'Threads of the model; more shorten an answer and take cores from '
         'tracking', 'configure', span=(1, 256)),
    _own('engine.niceness', NICENESS, 'Added to the scheduling niceness of the threads of the '
         'model, without a unit, on Linux; raising it favours tracking over answers where cores '
         'are scarce', 'configure', span=(0, NICEST)),
    _own('engine.server.dialect', AUTO, 'What the server speaks; auto finds out', 'configure',
         choices=(AUTO, *DIALECTS)),
    _own('engine.server.served_model', '', 'The name by which the server knows the model; empty '
         'takes the only one it has', 'configure'),
    _own('engine.server.family', '', 'Family of the model: '
         f'{", ".join(family.name for family in FAMILIES)}; empty recognises it by its name',
         'configure'),
    _own('engine.server.manifest', '', 'Folder with the rtrack.json of the model, which then '
         'holds in place of what is known of its family; empty for none', 'configure'),
    _own('engine.server.image_size', '', 'Size in pixels at which the model is shown images, '
         'written like 640x480; empty takes that of the manifest or the family; raising it shows '
         'small objects better and makes answers slower', 'configure'),
    _own('engine.server.api_key_env', API_KEY_VARIABLE, 'Name of the environment variable that '
         'holds the API key, if the server wants one; never the key itself', 'configure'),
    _own('engine.server.concurrency', 0, 'Most questions in flight; 0 takes what the server '
         'tells, or what its dialect is known for; raising it serves more sentences at once, if '
         'the server computes them together', 'configure', span=(0, 64)),
    _own('engine.server.ready_timeout_s', 10.0, 'Longest time that configure waits for a server '
         'that is still starting', 'configure', 's', (0.0, 3600.0)),
    _own('engine.self_test', 'refuse', 'What happens to a model that boxes wrongly in the drawn '
         'pictures it is shown at the start: it is refused, used with a warning, or not tested',
         'configure', choices=MODES),
    _own('ask.deadline_s', 0.0, 'Time after which a question to the model is given up and a newer '
         'pair asked about; 0 gives up once the frame is forgotten (tracker.history_length_s)',
         unit='s', span=(0.0, 600.0)),
    _own('ask.crops', 'auto', 'Whether sure tracks are looked at enlarged; auto does it where '
         'rtrack.json of the model says that it gains', choices=USES),
    _own('ask.refine', 'never', 'Whether every box of an answer is looked at again from near. '
         'Answers become more exact, fewer and later; auto does it where rtrack.json of the model '
         'says that it gains', 'configure', choices=USES),
    _own('ask.split_sentences', 'auto', 'Whether a sentence such as the people not in red, or the '
         'people left of the car, is asked as two plain ones, whose answers are combined; auto '
         'does it where rtrack.json of the model says that it gains', 'configure', choices=USES),
    _own('input.profile', 'live', 'What happens when images come faster than they are tracked: '
         'live passes over all but the newest; replay keeps them all, subscribes reliably, and '
         'falls behind', 'activate', choices=('live', 'replay')),
    _own('rgb.transport', RAW, 'Whether rgb/image_raw or rgb/image_raw/compressed is '
         'subscribed', 'activate', choices=RGB_TRANSPORTS),
    _own('thermal.transport', RAW, 'Whether thermal/image_raw, or its topic /compressed or '
         '/compressedDepth is subscribed', 'activate', choices=THERMAL_TRANSPORTS),
    _own('detections.spectrum', 'rgb', 'Whose pixels the boxes on ~/detections are: those of the '
         'RGB or of the thermal camera', 'activate', choices=('rgb', 'thermal')),
    _own('detections.image_size', '', 'Size in pixels of the image that the detector of '
         '~/detections looks at, written like 640x480; empty takes that of its camera',
         'activate'),
    _own('status.rate_hz', 2.0, 'Rate of ~/status', 'activate', 'Hz', (0.1, 50.0)),
    _own('diagnostics.rate_hz', 1.0, 'Rate of /diagnostics', 'activate', 'Hz', (0.1, 10.0)),
    _own('diagnostics.answer_age_warn_s', 5.0, 'Age of the newest answer from which diagnostics '
         'warn', unit='s', span=(0.1, 600.0)),
    _own('diagnostics.latency_warn_ms', 100.0, 'Time from receiving an image to publishing its '
         'array from which diagnostics warn', unit='ms', span=(1.0, 10000.0)),
    _own('debug.image_rate_hz', 5.0, 'Highest rate of ~/debug/image, which is drawn only for '
         'subscribers; raising it costs processor time', unit='Hz', span=(0.1, 60.0)),
)
"""Parameters of the node itself."""

# A live node asks several sentences about one pair where the engine can; a file asks one.
_LIVE_DEFAULTS = {'queries_per_pair': 4}


def _fields(group: str, config: type, when: str = 'now') -> list[ParameterSpec]:
    # ROS has lists of numbers only.
    return [ParameterSpec(f'{group}.{item.name}', list(item.default) if isinstance(
                item.default, tuple) else item.default, known, when, item.name)
            for item, known in settings_of(config)]


def _tracker() -> list[ParameterSpec]:
    specs = []
    for item, known in settings_of(TrackerConfig):
        short = item.name.replace(_NETWORK, 'siamese.', 1)
        parent = 'tracker.advanced' if known.advanced else 'tracker'
        specs.append(ParameterSpec(f'{parent}.{short}', item.default, known, field=item.name))
    return specs


def _schedule() -> list[ParameterSpec]:
    named = {spec.name for spec in OWN}
    return [ParameterSpec(f'ask.{item.name}', _LIVE_DEFAULTS.get(item.name, item.default), known,
                          field=item.name)
            for item, known in settings_of(Schedule) if f'ask.{item.name}' not in named]


SCHEMA = tuple(sorted([*OWN, *_fields('sync', SyncConfig), *_fields('thermal', ThermalConfig),
                       *_fields('limits', Limits),
                       *_fields('detector', DetectorConfig, 'configure'),
                       *_schedule(), *_tracker()], key=lambda spec: spec.setting.advanced))
"""All parameters, those that one usually changes first."""
