"""The configurations that come with the package, and how one is found by its name.

They are data of this package, so that a checkout, a colcon workspace and ``pip install`` all hold
them at one place. Command lines show the names: nothing heavy is imported here.
"""

from pathlib import Path
from typing import Final

from rtrack_ros.training.yaml_settings import SettingsError

_FOLDER: Final = Path(__file__).parent


def shipped_configs() -> list[str]:
    """Return the names of the configurations of the package, without ``.yaml``."""
    return sorted(path.stem for path in _FOLDER.glob('*.yaml'))


def find_config(named: Path | str) -> Path:
    """Return the file of a configuration.

    Args:
        named: The name of one of the package, such as 'gspo'; or a file. 'gspo.yaml' is a file
            where there is one, else that of the package.

    Raises:
        SettingsError: there is neither.
    """
    given, known = Path(named), shipped_configs()
    if given.is_file() and str(given) not in known:
        return given
    if str(given).removesuffix('.yaml') in known:
        return shipped_config(str(given).removesuffix('.yaml'))
    raise SettingsError(f'there is no configuration {named}; name a file, or one of the package: '
                        f'{", ".join(known)}')


def shipped_config(name: str) -> Path:
    """Return the file of a configuration of the package; a file of the user is never taken."""
    return _FOLDER / f'{name}.yaml'
