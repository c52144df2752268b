"""Settings of a detector of our own choice; parameters ``detector.*``."""

from dataclasses import dataclass

from rtrack_ros.model_thread import NICENESS, NICEST
from rtrack_ros.settings import check_settings, setting

NAMES = ('none', 'auto', 'network', 'picodet')
SPECTRA = ('both', 'rgb', 'thermal')


@dataclass(frozen=True)
class DetectorConfig:
    """Which detector looks at which images, how often, and what of it is kept.

    Raises:
        ValueError: a value is out of its range.
    """

    name: str = setting(
        'none', 'Kind of the detector that says where objects are: none, picodet, or network for '
        'any other; auto recognises it by detector.model', choices=NAMES)
    model: str = setting(
        '', 'File of the network (.onnx, .xml of OpenVINO), or folder of PicoDet')
    labels: str = setting(
        '', 'Text file of its class names, one a line; empty takes the 80 of COCO', advanced=True)
    classes: str = setting(
        '', 'Class names that are used, separated by commas; empty uses all. Fewer are followed '
        'and asked about faster', advanced=True)
    spectra: str = setting(
        'both', 'Images that it looks at; both looks at each in turn and joins what it sees',
        choices=SPECTRA, advanced=True)
    min_score: float = setting(
        0.4, 'Least confidence of a box; raising it invents less and misses more',
        span=(0.0, 1.0), advanced=True)
    most_overlap: float = setting(
        0.6, 'Overlap (IoU) with a surer box of its class above which a box is dropped; raising '
        'it keeps people apart who stand close, and doubles more', span=(0.0, 1.0), advanced=True)
    most_boxes: int = setting(
        50, 'Most boxes of one look, the surest ones; raising it serves crowds and costs time',
        span=(1, 1000), advanced=True)
    rate_hz: float = setting(
        10.0, 'Most pairs that it looks at in a second; raising it follows turns better and '
        'takes time from tracking', 'Hz', (0.1, 120.0), advanced=True)
    time_share: float = setting(
        0.5, 'Most of the time for which it computes; it rests in between. Raising it looks more '
        'often and takes time from tracking', span=(0.01, 1.0), advanced=True)
    threads: int = setting(
        1, 'Threads of its network; more shorten a look and take cores from tracking',
        span=(1, 64), advanced=True)
    niceness: int = setting(
        NICENESS, 'Added to the scheduling niceness of the threads of its network, without a '
        'unit, on Linux; raising it favours tracking over looks where cores are scarce',
        span=(0, NICEST), advanced=True)

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def wanted(self) -> frozenset[str]:
        """Class names that are used, small letters; empty for all."""
        return frozenset(name.strip().lower() for name in self.classes.split(',')
                         if name.strip())
