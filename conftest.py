"""Where a package is promised, a test that needs it fails without it instead of being skipped.

``pytest.importorskip`` skips a test whose package is missing, which is right for a person who has
some of the extras. `make test` installs its extras and says so in RTRACK_TEST_EXTRAS, for example
'bag,eval,ros': there a package of theirs that cannot be imported is an error to be seen.
"""

import importlib
import os
from collections.abc import Callable
from typing import Any

import pytest

PACKAGES = {
    # Extras of pyproject.toml.
    'bag': ('rosbags',),
    'bytetrack': ('trackers',),
    'cluster': ('ray',),
    'eval': ('jinja2', 'matplotlib', 'trackeval'),
    'llamacpp': ('gguf', 'xllamacpp'),
    'openvino': ('openvino', 'openvino_genai', 'openvino_tokenizers'),
    'train': ('accelerate', 'datasets', 'onnx', 'peft', 'trl'),
    'transformers': ('tokenizers', 'torch', 'transformers'),
    # ROS 2, of the machine or from wheels.
    'ros': ('ament_index_python', 'rclpy'),
    # In no extra: some tests compare with it where it happens to be.
    'none': ('xgrammar',),
}


def promised_packages(extras: str) -> set[str]:
    """Return the packages of comma-separated extras.

    Raises:
        pytest.UsageError: there is no such extra.
    """
    names = {name for name in extras.split(',') if name}
    if unknown := names - set(PACKAGES):
        raise pytest.UsageError(f'RTRACK_TEST_EXTRAS names {", ".join(sorted(unknown))}; '
                                f'conftest.py knows {", ".join(PACKAGES)}')
    return {package for name in names for package in PACKAGES[name]}


def strict(importorskip: Callable[..., Any], promised: set[str]) -> Callable[..., Any]:
    """Return ``importorskip`` so changed that it skips only for packages not promised."""
    known = {package for packages in PACKAGES.values() for package in packages}

    def import_or_fail(modname: str, *arguments: Any, **options: Any) -> Any:
        package = modname.partition('.')[0]
        if package not in known:
            pytest.fail(f'importorskip({modname!r}): say in conftest.py which extra brings it',
                        pytrace=False)
        if package in promised and (reason := _import_error(modname)):
            pytest.fail(f'{package} is promised by RTRACK_TEST_EXTRAS and cannot be imported: '
                        f'{reason}. Set up again: make clean, then make test', pytrace=False)
        return importorskip(modname, *arguments, **options)
    return import_or_fail


def _import_error(module: str) -> str:
    try:
        importlib.import_module(module)
    except ImportError as error:
        return str(error)
    return ''


def pytest_configure(config: pytest.Config) -> None:
    """Put the strict importorskip in place; without a promise all stays as pytest has it."""
    extras = os.environ.get('RTRACK_TEST_EXTRAS', '')
    if extras:
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        patch.setattr(pytest, 'importorskip',
                      strict(pytest.importorskip, promised_packages(extras)))
