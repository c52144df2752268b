"""``rtrack_engine.json``: what an engine folder is for, and the refusal of what does not match."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.checkpoints import checkpoint_digest
from rtrack_ros.engines.targets.machine import Machine
from rtrack_ros.engines.targets.servers import Limits, as_json, limits_of
from rtrack_ros.engines.targets.toolkits import Toolkit
from rtrack_ros.foreign_text import parse_json, read_foreign

ENGINE_MANIFEST: Final = 'rtrack_engine.json'
_CHUNK: Final = 1 << 20
_ENGINES: Final = ('*.engine', '*.yaml')


@dataclass(frozen=True)
class EngineFolder:
    """Facts about a folder that ``rtrack compile --target`` wrote.

    Attributes:
        target: The device it is for.
        engine: What serves it, see ``devices.ENGINES``.
        precision: Of the weights.
        name: Of the model, as the server lists it.
        checkpoint: Folder of the weights: absolute, or below this folder.
        checkpoint_digest: See ``checkpoints.checkpoint_digest``.
        toolkit_version: Version that built it; empty where it did not tell.
        container: Image that it was built in; empty where the toolkit was installed.
        compute_capability: Of the GPU that it was built on; empty where nobody knows.
        cpu: 'x86_64' or 'aarch64'.
        driver: Version of the driver then, for people.
        l4t: Release of Jetson Linux then; empty elsewhere.
        limits: Lengths that it was built for.
        memory_share: See ``servers.Served``.
        quantise: What the server makes of the checkpoint while it loads it.
        memory_gb: What is needed while it runs; 0 where nobody knows.
        files: SHA-256 of built files by their path below the folder.
        self_test: What the self-test found; empty where none was run.
    """

    target: str
    engine: str
    precision: str
    name: str
    checkpoint: str
    checkpoint_digest: str
    toolkit_version: str
    container: str
    compute_capability: str
    cpu: str
    driver: str = ''
    l4t: tuple[int, ...] = ()
    limits: Limits = field(default_factory=Limits)
    memory_share: float = 0.8
    quantise: str = ''
    memory_gb: float = 0.0
    files: dict[str, str] = field(default_factory=dict)
    self_test: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> 'EngineFolder':
        """Read ``folder``/rtrack_engine.json.

        Raises:
            EngineError: it is missing or not readable, with the command that writes it.
        """
        path = folder / ENGINE_MANIFEST
        try:
            content = parse_json(read_foreign(path))
            return cls(**{**content, 'l4t': tuple(content.get('l4t', ())),
                          'limits': limits_of(content.get('limits', {}))})
        except FileNotFoundError as error:
            raise EngineError(f'{folder} holds no {ENGINE_MANIFEST}; make an engine folder with '
                              'rtrack compile MODEL --target T --out DIR') from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise EngineError(f'{path} is not readable ({error}); build the folder again with '
                              'rtrack compile') from error

    def write(self, folder: Path) -> None:
        """Write ``folder``/rtrack_engine.json."""
        content = {**asdict(self), 'limits': as_json(self.limits)}
        draft = folder / f'{ENGINE_MANIFEST}.part'
        draft.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
        draft.replace(folder / ENGINE_MANIFEST)

    def checkpoint_path(self, folder: Path) -> Path:
        """Return where the weights are."""
        return folder / self.checkpoint

    def check(self, folder: Path, machine: Machine, toolkit: Toolkit) -> None:
        """Check that the folder may be served here and now.

        Raises:
            EngineError: something is not what it was when the folder was built; the message names
                all of it and the remedy.
        """
        wrong = [*self._machine_faults(machine), *self._toolkit_faults(toolkit),
                 *self._file_faults(folder)]
        if self.self_test.get('passed') is False:
            wrong.append(f'the self-test failed: {self.self_test.get("message", "")}')
        if wrong:
            raise EngineError(f'{folder} does not match: {"; ".join(wrong)}. Build it here with '
                              f'rtrack compile MODEL --target {self.target}')

    def _machine_faults(self, machine: Machine) -> list[str]:
        wrong = []
        if self.cpu and self.cpu != machine.cpu:
            wrong.append(f'it is for a {self.cpu} processor and this is {machine.cpu}')
        if self.compute_capability and self.compute_capability != machine.compute_capability:
            here = (f'this one has {machine.compute_capability}' if machine.compute_capability
                    else 'this machine has none that answers')
            wrong.append(f'it is for a GPU of compute capability {self.compute_capability} and '
                         f'{here}')
        if self.l4t and machine.l4t and self.l4t[:1] != machine.l4t[:1]:
            wrong.append(f'it was built on Jetson Linux {self.l4t[0]} and this is '
                         f'{machine.l4t[0]}')
        return wrong

    def _toolkit_faults(self, toolkit: Toolkit) -> list[str]:
        if self.container != toolkit.container:
            built = self.container or 'an installed toolkit'
            return [f'it was built with {built} and is served with '
                    f'{toolkit.container or "an installed toolkit"}']
        if self.toolkit_version and toolkit.version and self.toolkit_version != toolkit.version:
            return [f'it was built with {toolkit.kind.title} {self.toolkit_version} and '
                    f'{toolkit.version} is installed']
        return []

    def _file_faults(self, folder: Path) -> list[str]:
        checkpoint = self.checkpoint_path(folder)
        if not checkpoint.is_dir():
            return [f'the checkpoint {checkpoint} is gone']
        wrong = []
        if checkpoint_digest(checkpoint) != self.checkpoint_digest:
            wrong.append(f'the checkpoint {checkpoint} is another one')
        for name, digest in self.files.items():
            file = folder / name
            if not file.is_file():
                wrong.append(f'{name} is gone')
            elif file_digest(file) != digest:
                wrong.append(f'{name} was changed')
        return wrong


def built_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of what a toolkit built, by path below the folder."""
    found = {path for pattern in _ENGINES for path in folder.rglob(pattern)}
    return {str(path.relative_to(folder)): file_digest(path) for path in sorted(found)}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open('rb') as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
