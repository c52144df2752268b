"""Which engines there are, and how to get one; nothing heavy is imported until it is asked for."""

import logging
import os
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import Engine, EngineError
from rtrack_ros.engines.compiled import StaleExportError
from rtrack_ros.engines.server.address import is_server_url

DEFAULT_MODEL_NAME: Final = 'rtrack-nano'
_LOG = logging.getLogger(__name__)


def load_engine(name: str, model: Path | str, **options: Any) -> Engine:
    """Load an engine by name.

    Args:
        name: 'openvino', 'llamacpp', 'transformers', 'server', 'scripted', or 'auto': the server
            where the model is a URL, else OpenVINO or transformers, whichever works first. An
            export that is older than the weights does not work: 'auto' then takes the weights
            themselves, on a slower engine, and logs a warning that names the remedy.
        model: Model folder; for 'llamacpp' also a GGUF file or a folder of them; URL of the
            server for 'server'; ignored by 'scripted'.
        options: Passed to the engine: 'threads' and 'niceness' for those that compute here, for
            others see them.

    Raises:
        EngineError: the name is unknown, or the engine (for 'auto': every engine, with the
            reason of each) cannot be used.
    """
    if name == 'auto' and is_server_url(model):
        name = 'server'
    if name == 'auto':
        return _first_that_works(model, options)
    if name in _AUTOMATIC and is_server_url(model):
        # Not shown: an address may hold a password.
        raise EngineError(f'engine {name} runs a model folder, and the model is named by a URL; '
                          'choose engine server or auto')
    if name not in _FACTORIES:
        raise EngineError(f'engine {name!r} is unknown; choose one of '
                          f'{", ".join(("auto", *_FACTORIES))}')
    return _FACTORIES[name](model, **options)


def default_model() -> Path:
    """Return the folder of the model that comes with the package.

    Looked for in the source checkout, in every prefix of ``AMENT_PREFIX_PATH``, and where pip puts
    the data of a package.

    Raises:
        EngineError: it is in none of them.
    """
    checkout = Path(__file__).resolve().parents[2] / 'models'
    prefixes = [prefix for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
                if prefix]
    prefixes.append(sysconfig.get_path('data'))
    shares = [Path(prefix) / 'share' / 'rtrack_ros' / 'models' for prefix in prefixes]
    for folder in (checkout, *shares):
        if (folder / DEFAULT_MODEL_NAME).is_dir():
            return folder / DEFAULT_MODEL_NAME
    raise EngineError(f'the model {DEFAULT_MODEL_NAME} is not beside the package nor in a sourced '
                      'workspace; source the workspace, or name a model folder')


def _first_that_works(model: Path | str, options: dict[str, Any]) -> Engine:
    reasons, stale = [], []
    for name in _AUTOMATIC:
        try:
            engine = _FACTORIES[name](model, **options)
        except EngineError as error:
            reasons.append(f'{name}: {error}')
            stale += [reasons[-1]] if isinstance(error, StaleExportError) else []
            continue
        for reason in stale:
            _LOG.warning('%s. Until then %s answers, which is slower', reason, name)
        return engine
    raise EngineError('no engine works here. ' + ' | '.join(reasons))


def _openvino(model: Path | str, **options: Any) -> Engine:
    from rtrack_ros.engines.openvino import OpenVinoEngine
    return OpenVinoEngine(model, **options)


def _llamacpp(model: Path | str, **options: Any) -> Engine:
    from rtrack_ros.engines.llamacpp.engine import LlamaCppEngine
    return LlamaCppEngine(model, **options)


def _transformers(model: Path | str, **options: Any) -> Engine:
    from rtrack_ros.engines.transformers import TransformersEngine
    return TransformersEngine(model, **options)


def _server(model: Path | str, threads: int = 0, niceness: int = 0, **options: Any) -> Engine:
    """Return the engine of a server, which computes with threads of its own."""
    from rtrack_ros.engines.server.engine import ServerEngine
    return ServerEngine(str(model), **options)


def _scripted(model: Path | str, **options: Any) -> Engine:
    from rtrack_ros.engines.scripted import ScriptedEngine
    return ScriptedEngine(**options)


_FACTORIES: Final[dict[str, Callable[..., Engine]]] = {
    'openvino': _openvino, 'llamacpp': _llamacpp, 'transformers': _transformers,
    'server': _server, 'scripted': _scripted}
_AUTOMATIC: Final = ('openvino', 'transformers')
