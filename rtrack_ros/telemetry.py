"""No dependency reports to anybody: what would count its users is off before it is loaded.

``rtrack_ros`` calls :func:`switch_off` when it is imported, so that commands, nodes and programs
that use the library are all covered, and every process that they start. There is no setting to
turn it on again.
"""

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SWITCHES: Final[Mapping[str, str]] = MappingProxyType({
    # What many programs look at: Hugging Face's libraries (TRL sends one message for every
    # trainer), vLLM, TensorRT-LLM. The others are their own names, and of what they bring.
    'DO_NOT_TRACK': '1',
    'HF_HUB_DISABLE_TELEMETRY': '1',
    'BNB_DISABLE_TELEMETRY': '1',
    'VLLM_NO_USAGE_STATS': '1',
    'TRTLLM_NO_USAGE_STATS': '1',
    'TELEMETRY_DISABLED': '1',
    'RAY_USAGE_STATS_ENABLED': '0',
    # No telemetry, but a question to a package index about newer releases.
    'HF_HUB_DISABLE_UPDATE_CHECK': '1',
})
"""Environment variables and the value that switches a library's telemetry off."""

ABSENT: Final = ('openvino_telemetry',)
"""Packages that do nothing else, and without which what asks for them works as well. OpenVINO
looks up an analytics host and writes an id into the home folder at every import."""


def switch_off() -> None:
    """Switch the telemetry of every dependency off in this process and those that it starts."""
    os.environ.update(SWITCHES)
    for package in ABSENT:
        # None makes `import` fail, also for a package that is installed. One that somebody else
        # loaded before is left: taking it away could break them.
        sys.modules.setdefault(package, None)  # type: ignore[arg-type]
    loaded = sys.modules.get('huggingface_hub.constants')
    if loaded is not None:  # it read the environment when it was imported
        loaded.HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
