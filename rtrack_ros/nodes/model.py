"""The model of the node: engine and tracking pipeline, loaded and freed together."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rtrack_ros.engines.base import Capabilities, Engine, EngineError
from rtrack_ros.engines.registry import default_model, load_engine
from rtrack_ros.engines.server.address import is_server_url
from rtrack_ros.language.self_test import Verdict, run_self_test
from rtrack_ros.parameters.values import (
    pipeline_config,
    schedule_for,
    server_options,
    tracker_config,
)
from rtrack_ros.pipeline import build_pipeline

SCRIPTED_DELAY_S = 0.1
"""How long a scripted answer takes: about as long as one of rtrack-nano."""


class Model:
    """A loaded engine with the pipeline that asks it.

    Args:
        settings: The node's parameters, read by name.
        warn: Is told what the self-test found wrong, where the model is used all the same.

    Attributes:
        capabilities: Those of the engine.
        verdict: That of the self-test; None where there was none.

    Raises:
        EngineError: nothing can be loaded, or the model fails its self-test; the message names
            the remedy.
    """

    def __init__(self, settings: Mapping[str, Any], warn: Callable[[str], object]) -> None:
        self._engine = _load(settings)
        self.capabilities: Capabilities = self._engine.capabilities()
        try:
            self.verdict: Verdict | None = _tested(self._engine, settings, warn)
            self.pipeline = build_pipeline(self._engine, pipeline_config(settings))
        except BaseException:
            self._engine.close()
            raise

    def reconfigure(self, settings: Mapping[str, Any]) -> None:
        """Take over changed parameters ``tracker.*`` and ``ask.*``; the model stays loaded."""
        self.pipeline.reconfigure(tracker_config(settings),
                                  schedule_for(settings, self.capabilities))

    def close(self) -> None:
        """Stop asking and free the engine's memory."""
        self.pipeline.close()
        self._engine.close()


def _load(settings: Mapping[str, Any]) -> Engine:
    name, model = settings['engine.name'], settings['engine.model']
    if name == 'scripted':
        return load_engine(name, '', script=_script(model), delay_s=SCRIPTED_DELAY_S)
    if name == 'server' or (name == 'auto' and is_server_url(model)):
        return load_engine('server', model, **server_options(settings))
    return load_engine(name, model or default_model(), threads=settings['engine.threads'],
                       niceness=settings['engine.niceness'])


def _tested(engine: Engine, settings: Mapping[str, Any], warn: Callable[[str], object]
            ) -> Verdict | None:
    deadline_s = settings['ask.deadline_s'] or tracker_config(settings).history_length_s
    return run_self_test(engine, settings['engine.self_test'], warn, deadline_s)


def _script(path: str) -> list[str]:
    """Return the answers of the scripted engine, for tests of everything around a model."""
    try:
        answers = json.loads(Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise EngineError('engine.name scripted needs a JSON list of answers as engine.model; '
                          f'{path!r}: {error}') from error
    if not isinstance(answers, list) or not answers:
        raise EngineError(f'{path} must hold a JSON list of at least one answer')
    return [str(answer) for answer in answers]
