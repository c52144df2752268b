"""Which detectors there are, and how to get one; nothing heavy is imported before."""

from pathlib import Path

from rtrack_ros.detectors.base import Detector, DetectorError
from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.detectors.labels import read_labels


def load_detector(config: DetectorConfig) -> Detector | None:
    """Return the detector that the settings name, None for 'none'.

    Raises:
        DetectorError: it cannot be loaded; the message names the remedy.
    """
    if config.name == 'none':
        return None
    if not config.model:
        raise DetectorError(f'detector.name is {config.name} and detector.model is empty; name '
                            'the file of a network, or set detector.name to none')
    labels = read_labels(config.labels)
    unknown = config.wanted - {label.lower() for label in labels}
    if unknown:
        raise DetectorError(f'detector.classes: the detector knows no {", ".join(sorted(unknown))}'
                            f'; it knows {", ".join(labels)}')
    name = recognised(config.model) if config.name == 'auto' else config.name
    if name == 'picodet':
        from rtrack_ros.detectors.picodet import PicoDet

        return PicoDet(config.model, labels, config.threads, config.niceness)
    from rtrack_ros.detectors.network import NetworkDetector

    return NetworkDetector(config.model, labels, config.threads, config.niceness)


def recognised(model: str | Path) -> str:
    """Return the kind of a detector by its path: PicoDet is a folder, or has Paddle's format."""
    path = Path(model)
    return 'picodet' if path.is_dir() or path.suffix == '.pdmodel' else 'network'
