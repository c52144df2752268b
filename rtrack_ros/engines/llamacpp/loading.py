"""llama.cpp's server in this process, from its Python package."""

import os
from typing import Any, Final

from rtrack_ros.engines.llamacpp.settings import ServerSettings
from rtrack_ros.model_thread import lower_session

_ERRORS: Final = 1
"""llama.cpp's level for errors alone; beyond it some questions are logged, and a log that grows
with them would fill the disk of a robot."""


def start_server(settings: ServerSettings) -> Any:
    """Return llama.cpp's server, which answers by then; this process is niced as a whole.

    Raises:
        RuntimeError: llama.cpp cannot load the model; it has said more on standard error.
    """
    _yield_to_others(settings.niceness)
    import xllamacpp

    asked = xllamacpp.CommonParams()
    asked.model.path, asked.mmproj.path = settings.model, settings.projector
    # A set in this release; a list or one text in others.
    asked.model_alias = ({settings.alias} if isinstance(asked.model_alias, set)
                         else [settings.alias] if isinstance(asked.model_alias, list)
                         else settings.alias)
    asked.hostnames, asked.port = [settings.host], settings.port
    asked.cors_origins = f'http://{settings.host}'  # no page in a browser may ask
    asked.ui = asked.endpoint_slots = asked.warmup = False
    asked.use_jinja = True
    # Thinking costs seconds; a template that knows of none does not look.
    asked.default_template_kwargs = {'enable_thinking': 'false'}
    asked.n_parallel, asked.n_ctx = settings.slots, settings.context * settings.slots
    asked.cpuparams.n_threads = asked.cpuparams_batch.n_threads = settings.threads
    # No question comes twice: nothing is gained by keeping old ones in memory.
    asked.cache_ram_mib = 0
    asked.verbosity = _ERRORS
    return xllamacpp.Server(asked)


def _yield_to_others(niceness: int) -> None:
    """Add to the niceness of this process, and of its session where it leads one."""
    os.nice(niceness)
    lower_session(os.getpid())
