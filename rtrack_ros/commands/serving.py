"""A model behind the server that suits it, for as long as a command needs it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands.scratch import scratch_folder

if TYPE_CHECKING:
    from rtrack_ros.engines.llamacpp.pair import GgufPair
    from rtrack_ros.engines.targets.engine_folder import EngineFolder
    from rtrack_ros.engines.targets.servers import Served
    from rtrack_ros.engines.targets.toolkits import Toolkit


@dataclass(frozen=True)
class Wanted:
    """A model that is to be served, and how.

    Attributes:
        source: Engine folder, model folder, or GGUF file.
        server: 'vllm' or 'llamacpp' for a model that was not compiled; None takes what suits.
        host: Address to listen on.
        port: TCP port; 0 for any that is free.
        environment: Folder that has the server; None looks on the search path.
        container: Image that has the server.
        logs: Folder for its log; None for that of an engine folder, or a temporary one.
        ready_timeout_s: How long it may take until it answers.
        self_test: What to do about a model that boxes wrongly.
    """

    source: Path
    server: str | None = None
    host: str = '127.0.0.1'
    port: int = 0
    environment: Path | None = None
    container: str | None = None
    logs: Path | None = None
    ready_timeout_s: float = 600.0
    self_test: str = 'refuse'

    @cached_property
    def facts(self) -> 'EngineFolder | None':
        """What is known of an engine folder; None for any other model."""
        from rtrack_ros.engines.targets.engine_folder import ENGINE_MANIFEST, EngineFolder

        return (EngineFolder.read(self.source) if (self.source / ENGINE_MANIFEST).is_file()
                else None)

    @property
    def kind(self) -> str:
        """Name of the server."""
        if self.facts is not None:
            return self.facts.engine
        return self.server or ('llamacpp' if _holds_gguf(self.source) else 'vllm')

    def assumed_toolkit(self) -> 'Toolkit':
        """Return the server's toolkit, which need not be installed."""
        from rtrack_ros.engines.targets.toolkits import assumed_toolkit

        return assumed_toolkit(self.kind, self.facts.toolkit_version if self.facts else '',
                               self._container)

    def toolkit(self) -> 'Toolkit':
        """Return the server's toolkit.

        Raises:
            EngineError: it is not installed.
        """
        from rtrack_ros.engines.targets.toolkits import find_toolkit

        return find_toolkit(self.kind, self.environment, self._container)

    @property
    def _container(self) -> str:
        return self.container or (self.facts.container if self.facts else '')

    def pair(self) -> 'GgufPair':
        """Return the GGUF files that are meant.

        Raises:
            EngineError: there are none, or it is not clear which.
        """
        from rtrack_ros.engines.llamacpp.pair import GgufPair

        return GgufPair.find(self.source.resolve())

    def served(self, port: int) -> 'Served':
        """Return what is served, at a port."""
        from rtrack_ros.engines.targets.servers import Served

        facts, folder = self.facts, self.source.resolve()
        if facts is not None:
            return Served(str(facts.checkpoint_path(folder)), facts.name, folder, facts.limits,
                          facts.memory_share, facts.quantise, self.host, port)
        place = folder if self.source.exists() else self.source
        if self.kind == 'llamacpp':
            # Its name tells the family; that of the folder may be anything.
            place = self.pair().model
        return Served(str(place), place.stem if place.suffix == '.gguf' else place.name,
                      host=self.host, port=port)

    def model_folder(self) -> Path:
        """Return the folder that knows the model: of the engine, if its facts lie there."""
        from rtrack_ros.engines.manifest import MANIFEST_NAME

        if self.facts is None:
            pair = self.pair() if self.kind == 'llamacpp' else None
            return self.source.resolve() if pair is None else pair.manifest or pair.model.parent
        if (self.source / MANIFEST_NAME).is_file():
            return self.source.resolve()
        return self.facts.checkpoint_path(self.source.resolve())


@dataclass(frozen=True)
class Serving:
    """A model that is served.

    Attributes:
        parameters: Of the node that asks it.
        check: Raises ``ProcessFailure`` once the server has ended.
    """

    parameters: dict[str, str]
    check: Callable[[], None]


@contextmanager
def model_served(wanted: Wanted) -> Iterator[Serving]:
    """Serve a model while the context is open; it has answered by then, and was tested.

    Raises:
        ProcessFailure: the server ended, or did not become ready.
        EngineError: it is not installed, does not fit the machine, or the model fails.
    """
    from rtrack_ros.commands.building import model_options, prove
    from rtrack_ros.engines.targets.servers import server_command, shown
    from rtrack_ros.playback.serving import free_port, served

    toolkit = wanted.toolkit()
    what = wanted.served(free_port(wanted.host, wanted.port))
    _check(wanted, toolkit)
    command = server_command(toolkit, what)
    given = wanted.logs or (what.folder / 'logs' if what.folder else None)
    with ExitStack() as until_the_end:
        logs = given or until_the_end.enter_context(scratch_folder('serve'))
        print(f'starting: {shown(command)}\nlog: {logs}', file=sys.stderr, flush=True)
        check = until_the_end.enter_context(
            served(command, what, logs.resolve(), wanted.ready_timeout_s))
        folder = wanted.model_folder()
        prove(what, folder, wanted.self_test)
        told = model_options(folder, what.name)
        yield Serving({'engine.name': 'server', 'engine.model': what.url,
                       **{f'engine.server.{name}': value for name, value in told.items()}}, check)


def _check(wanted: Wanted, toolkit: 'Toolkit') -> None:
    """Refuse an engine that does not match the machine or the toolkit."""
    from rtrack_ros.engines.targets.machine import probe_machine
    from rtrack_ros.engines.targets.readiness import check_free_memory

    if wanted.facts is None:
        return
    facts, machine = wanted.facts, probe_machine()
    if wanted.self_test != 'refuse':
        facts = replace(facts, self_test={})
    facts.check(wanted.source, machine, toolkit)
    check_free_memory(facts.memory_gb, machine)


def _holds_gguf(source: Path) -> bool:
    from rtrack_ros.engines.compiled import LLAMACPP_FOLDER

    return source.suffix == '.gguf' or any(
        any(folder.glob('*.gguf')) for folder in (source, source / LLAMACPP_FOLDER))
