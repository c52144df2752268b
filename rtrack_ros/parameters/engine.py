"""The engine that the parameters ``engine.*`` name: for the node, and for a recording of it."""

from collections.abc import Callable, Mapping
from typing import Any

from rtrack_ros.engines.base import Engine, EngineError
from rtrack_ros.engines.registry import default_model, load_engine
from rtrack_ros.engines.server.address import is_server_url
from rtrack_ros.foreign_text import parse_json, read_foreign
from rtrack_ros.language.self_test import Verdict, run_self_test
from rtrack_ros.parameters.values import server_options, tracker_config

SCRIPTED_DELAY_S = 0.1
"""How long a scripted answer takes: about as long as one of rtrack-nano."""


def load(values: Mapping[str, Any]) -> Engine:
    """Load the engine; the caller closes it.

    Raises:
        EngineError: it cannot be loaded; the message names the remedy.
    """
    name, model = values['engine.name'], values['engine.model']
    if name == 'scripted':
        return load_engine(name, '', script=_script(model), delay_s=SCRIPTED_DELAY_S)
    if name == 'server' or (name == 'auto' and is_server_url(model)):
        return load_engine('server', model, **server_options(values))
    return load_engine(name, model or default_model(), threads=values['engine.threads'],
                       niceness=values['engine.niceness'])


def self_tested(engine: Engine, values: Mapping[str, Any], warn: Callable[[str], object]
                ) -> Verdict | None:
    """Run the self-test as ``engine.self_test`` says; None where it says so.

    Raises:
        EngineError: the model boxes wrongly and is to be refused, or does not answer.
    """
    deadline_s = values['ask.deadline_s'] or tracker_config(values).history_length_s
    return run_self_test(engine, values['engine.self_test'], warn, deadline_s)


def _script(path: str) -> list[str]:
    """Return the answers of the scripted engine, for tests of everything around a model."""
    try:
        answers = parse_json(read_foreign(path))
    except (OSError, ValueError) as error:
        raise EngineError('engine.name scripted needs a JSON list of answers as engine.model; '
                          f'{path!r}: {error}') from error
    if not isinstance(answers, list) or not answers:
        raise EngineError(f'{path} must hold a JSON list of at least one answer')
    return [str(answer) for answer in answers]
