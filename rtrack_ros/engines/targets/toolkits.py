"""The toolkits: which program each is, which version is installed, and what versions can do."""

import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.machine import Output, output_of


@dataclass(frozen=True)
class ToolkitKind:
    """A toolkit as such.

    Attributes:
        engine: The engine it makes, see ``devices.ENGINES``, or 'llamacpp'.
        title: What it calls itself.
        programs: Programs that show that it is installed, the newest spelling first, each with
            the version that is assumed where it does not tell.
        package: Its Python package; empty where it is none.
        newest: The newest version whose commands were looked up.
        oldest: The oldest version that has the commands we use.
        install: How it is installed.
        least_driver: Oldest major version of the driver on a PC; 0 where nothing is known.
        stand_in: A Python package and a module of ours that takes the options of the first
            program and needs the package; None where there is none.
    """

    engine: str
    title: str
    programs: dict[str, str]
    package: str
    newest: str
    oldest: str
    install: str
    least_driver: int = 0
    stand_in: tuple[str, str] | None = None


KINDS: Final = {kind.engine: kind for kind in (
    # Its libraries are built for CUDA 13, which needs this driver. Before 0.10.1 its server was
    # another one; the package that was read is 0.11.0.
    ToolkitKind('edgellm', 'TensorRT Edge-LLM',
                {'trtedge': '0.11.1', 'tensorrt-edgellm-serve': '0.11.0'},
                'tensorrt-edgellm', '0.11.1', '0.11.0',
                "python3.12 -m venv --system-site-packages ENV && ENV/bin/pip install "
                "'tensorrt-edgellm[server]', with the tensorrt of JetPack, on a PC with "
                'tensorrt==10.16.0.72', 580),
    ToolkitKind('trtllm', 'TensorRT-LLM', {'trtllm-serve': ''}, 'tensorrt_llm', '1.2.1', '1.0.0',
                'take the TensorRT-LLM release container of NVIDIA and give it with --container'),
    ToolkitKind('vllm', 'vLLM', {'vllm': ''}, 'vllm', '0.33.0', '0.12.1',
                'python3 -m venv ENV && ENV/bin/pip install vllm'),
    ToolkitKind('llamacpp', 'llama.cpp', {'llama-server': ''}, '', '', '',
                "pip install '.[llamacpp]' in the folder of rtrack_ros; or build it, or fetch a "
                'release of it, and give its folder with --environment',
                stand_in=('xllamacpp', 'rtrack_ros.engines.llamacpp.program')),
)}


@dataclass(frozen=True)
class Toolkit:
    """A toolkit of a version, and where it is.

    Attributes:
        kind: What it is.
        version: '0.11.0'; empty where it does not tell.
        folder: Of its programs; None where they are found by name alone.
        container: Image that it is in; empty where it is installed.
        module: Module of ours that stands in for its program; empty where that is installed.
    """

    kind: ToolkitKind
    version: str
    folder: Path | None = None
    container: str = ''
    module: str = ''

    def program(self, name: str) -> str:
        """Return how one of its programs is called."""
        return name if self.folder is None else str(self.folder / name)

    def call(self, name: str) -> list[str]:
        """Return how a command begins that calls one of its programs, or what stands in for it."""
        return [sys.executable, '-m', self.module] if self.module else [self.program(name)]

    def is_at_least(self, version: str) -> bool:
        """Return whether it is as new as ``version``; one that does not tell is."""
        return not self.version or numbers(self.version) >= numbers(version)

    def check_version(self) -> None:
        """Check that it has the commands we use.

        Raises:
            EngineError: it is too old.
        """
        if self.kind.oldest and not self.is_at_least(self.kind.oldest):
            raise EngineError(f'{self.kind.title} {self.version} is too old; {self.kind.oldest} '
                              f'or newer is needed: {self.kind.install}')


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: (1, 3, 0) of '1.3.0rc15'."""
    return tuple(int(number) for number in re.findall(r'\d+', version)[:3])


def assumed_toolkit(engine: str, version: str | None = None, container: str | None = None
                    ) -> Toolkit:
    """Return a toolkit that need not be installed, of the newest version that is known here."""
    kind = KINDS[engine]
    toolkit = Toolkit(kind, version or kind.newest, None, container or '')
    toolkit.check_version()
    return toolkit


def find_toolkit(engine: str, environment: Path | None = None, container: str | None = None,
                 run: Output = output_of) -> Toolkit:
    """Return the toolkit that is installed.

    Args:
        engine: The engine it makes.
        environment: Folder of a Python environment, or of programs, that has it; None looks on
            the search path.
        container: Image that has it, which is then believed.
        run: Runs a command.

    Raises:
        EngineError: it is not installed or too old, with the remedy.
    """
    kind = KINDS[engine]
    if container:
        return Toolkit(kind, '', None, container)
    places = [environment / 'bin', environment] if environment is not None else []
    path = os.pathsep.join(map(str, places)) if places else None
    for program in kind.programs:
        found = shutil.which(program, path=path)
        if found:
            # Not resolved: a link in an environment is what makes it that environment.
            place = Path(found).absolute()
            version = _version(place, kind, run) or kind.programs[program]
            toolkit = Toolkit(kind, version, place.parent if places else None)
            toolkit.check_version()
            return toolkit
    if kind.stand_in and environment is None and importlib.util.find_spec(kind.stand_in[0]):
        return Toolkit(kind, '', module=kind.stand_in[1])
    where = f'in {environment}' if environment is not None else 'on the search path'
    raise EngineError(f'{kind.title} is not installed {where} (no program '
                      f'{" or ".join(kind.programs)}); it lives in an environment of its own: '
                      f'{kind.install}; then name it with --environment ENV')


def _version(program: Path, kind: ToolkitKind, run: Output) -> str:
    """Return the version of the package of a program, from the interpreter in its first line."""
    if not kind.package:
        return ''
    with program.open('rb') as stream:
        first = stream.readline(4096).decode(errors='replace')
    interpreter = first[2:].split()[:1] if first.startswith('#!') else []
    if not interpreter or 'python' not in interpreter[0]:
        return ''
    return run([interpreter[0], '-c', 'import importlib.metadata as metadata; '
                f'print(metadata.version({kind.package!r}))']).strip()
