"""What this machine has: a ROS 2 of its own or not, and the tools that a build needs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from steps import SetupError

# The ROS 2 wheels are built for this interpreter only.
WHEELS_PYTHON = (3, 11)
ROS_PYTHON = (3, 10)

DEBIAN_PACKAGES = {
    'gcc': 'gcc', 'g++': 'g++', 'cmake': 'cmake', 'make': 'make',
    'Python.h': 'python3-dev', 'ensurepip': 'python3-venv',
}


def own_ros() -> str | None:
    """Return the name of the ROS 2 distribution that is sourced and usable, or None.

    Raises:
        SetupError: a distribution is sourced, but this interpreter cannot import its rclpy.
    """
    distribution = os.environ.get('ROS_DISTRO')
    if not distribution or '_ROS_WHEELS_BOOTSTRAP_COMPLETE' in os.environ:
        return None
    if importlib.util.find_spec('rclpy') is None:
        raise SetupError(
            f'ROS_DISTRO is {distribution}, but {sys.executable} cannot import rclpy. Name the '
            'interpreter of that ROS (make PYTHON=/usr/bin/python3 ...), install '
            f'ros-{distribution}-ros-base, or unset ROS_DISTRO to set up without it')
    return distribution


def extras(distribution: str | None, torch: bool) -> tuple[str, ...]:
    """Return the extras of pyproject.toml that the set-up installs, 'dev' aside.

    Args:
        distribution: The machine's own ROS 2, None for the wheels. Only the wheels bring the
            NumPy that ByteTrack's package was locked with.
        torch: Whether what learning needs is installed as well.
    """
    names = ('openvino', 'llamacpp', 'eval', 'bag') + (() if distribution else ('bytetrack',))
    if torch:
        # Python 3.10 runs a trained model and does not train one.
        names += ('transformers', 'train') if sys.version_info >= (3, 11) else ('transformers',)
    return names


def check_machine(distribution: str | None) -> None:
    """Check the interpreter and the build tools, all at once.

    Raises:
        SetupError: something is missing; the message lists everything, with the command to get it.
    """
    version = sys.version_info[:2]
    if distribution is None and version != WHEELS_PYTHON:
        raise SetupError(
            'without ROS 2 this needs Python 3.11, which the ROS 2 wheels are built for; '
            f'{sys.executable} is {version[0]}.{version[1]}. Install 3.11 (Debian 12: '
            'sudo apt-get install python3.11 python3.11-venv python3.11-dev; elsewhere: '
            'uv python install 3.11 or pyenv install 3.11) and run '
            'make PYTHON=/path/to/python3.11 ..., or source a ROS 2 installation')
    if distribution is not None and version < ROS_PYTHON:
        raise SetupError(f'Python 3.10 or newer is needed; {sys.executable} is '
                         f'{version[0]}.{version[1]}')
    missing = [tool for tool in ('gcc', 'g++', 'cmake', 'make') if shutil.which(tool) is None]
    if not (Path(sysconfig.get_path('include')) / 'Python.h').is_file():
        missing.append('Python.h')
    if importlib.util.find_spec('ensurepip') is None or importlib.util.find_spec('venv') is None:
        missing.append('ensurepip')
    if missing:
        packages = ' '.join(DEBIAN_PACKAGES[name] for name in missing)
        raise SetupError(f'missing: {", ".join(missing)}. On Debian and Ubuntu:\n'
                         f'    sudo apt-get install {packages}')


def pip_settings(python: Path) -> dict[str, str]:
    """Return this machine's pip settings; uv does not read them, yet mirrors are named there."""
    listing = subprocess.run([str(python), '-m', 'pip', 'config', 'list'], check=True, text=True,
                             capture_output=True).stdout
    settings = {}
    for line in listing.splitlines():
        key, _, value = line.partition('=')
        # Keys look like global.index-url or :env:.index-url; the environment is listed first
        # and is the stronger.
        settings.setdefault(key.rpartition('.')[2], value.strip('\'"'))
    return settings


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """Return the environment variables that make uv look where pip looks."""
    names = {'index-url': 'UV_DEFAULT_INDEX', 'extra-index-url': 'UV_INDEX',
             'find-links': 'UV_FIND_LINKS', 'cert': 'SSL_CERT_FILE'}
    chosen = {names[key]: value for key, value in settings.items() if key in names}
    if 'find-links' in settings:
        chosen['UV_FIND_LINKS'] = ','.join(settings['find-links'].split())
    if 'extra-index-url' in settings:
        # Mirrors that share the work hold different versions, and pip takes the best of all. What
        # is locked must have the locked hash whichever it comes from. Without mirrors a package
        # comes from one index, so that nobody can slip in a newer one elsewhere.
        chosen['UV_INDEX_STRATEGY'] = 'unsafe-best-match'
    return {
        **chosen,
        # We mend installed files: a hard link would carry that into uv's cache.
        'UV_LINK_MODE': 'copy',
        'UV_HTTP_TIMEOUT': settings.get('timeout', '120'),
    }
