"""Building for a device: the plan in words, its commands one after the other, and the folder."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError

if TYPE_CHECKING:
    from rtrack_ros.engines.targets.checkpoints import Checkpoint
    from rtrack_ros.engines.targets.devices import Device, Route
    from rtrack_ros.engines.targets.engine_folder import EngineFolder
    from rtrack_ros.engines.targets.machine import Machine
    from rtrack_ros.engines.targets.plan import Plan
    from rtrack_ros.engines.targets.servers import Served

_MARKER = '.rtrack-build'
"""Lies in a folder that a build may fill and clear."""


def expectation_lines(device: 'Device', route: 'Route', checkpoint: 'Checkpoint', precision: str,
                      toolkit: str) -> Iterator[str]:
    """Yield what is to be expected of a model on a device, each figure with its source."""
    from rtrack_ros.engines.targets.figures import expected_answer, expected_memory

    yield f'target     {device.name} (figures of {device.figures_of})'
    yield f'engine     {route.engine}: {toolkit}'
    yield f'precision  {precision}, of {", ".join(route.precisions)}'
    yield f'           source: {route.source}'
    for what, figure in (
            ('memory', expected_memory(device, checkpoint, precision, route.engine)),
            ('answer', expected_answer(device, checkpoint, precision, route.engine))):
        yield f'{what:<9}  {figure.text}'
        yield f'           source: {figure.source}'


def plan_lines(plan: 'Plan') -> Iterator[str]:
    """Yield a plan in words: what is to be expected of it, and its commands."""
    from rtrack_ros.engines.targets.servers import TRTLLM_CONFIG, shown, trtllm_config

    version = plan.toolkit.container or plan.toolkit.version
    yield from expectation_lines(plan.device, plan.route, plan.checkpoint, plan.precision,
                                 f'{plan.toolkit.kind.title} {version}')
    least = plan.device.memory_gb[0] - plan.device.reserved_gb
    if plan.memory.value is not None and plan.memory.value > least:
        wanted = plan.memory.value + plan.device.reserved_gb
        yield f'           only {plan.device.name} with {wanted:.1f} GB or more will do'
    if plan.quantising is not None:
        yield f'to build   {plan.quantising.text}'
        yield f'           source: {plan.quantising.source}'
    for step in plan.steps:
        yield f'\n# {step.what}' + (f', with {step.elsewhere}' if step.elsewhere else '')
        yield shown(step.command)
    if plan.route.engine == 'trtllm':
        yield f'\n# write {plan.folder / TRTLLM_CONFIG}'
        yield trtllm_config(plan.served).rstrip()
    built = ('; the first start builds the engine, which serves later starts with the same limits'
             if plan.route.engine == 'edgellm' else '')
    yield f'\n# start the server, test it and end it{built}'
    yield shown(plan.server)
    yield '\n# from then on'
    yield f'rtrack serve {plan.folder}'


def _take_folder(folder: Path) -> None:
    """Make the folder of a build, and mark it as ours before anything in it is replaced."""
    from rtrack_ros.engines.targets.engine_folder import ENGINE_MANIFEST

    folder.mkdir(parents=True, exist_ok=True)
    ours = any((folder / name).is_file() for name in (_MARKER, ENGINE_MANIFEST))
    if not ours and any(folder.iterdir()):
        raise CommandError(f'{folder} holds files that no build made; nothing was touched: choose '
                           'another folder with --out, or move them away')
    (folder / _MARKER).touch()


def build(plan: 'Plan', machine: 'Machine', ready_timeout_s: float, self_test: str
          ) -> 'EngineFolder':
    """Carry a plan out and return what was written into its folder.

    Raises:
        CommandError: the folder holds files of somebody else, or a command failed; the message
            names its log.
        ProcessFailure: the server did not become ready.
        EngineError: the model does not answer.
    """
    from rtrack_ros.engines.targets.engine_folder import ENGINE_MANIFEST
    from rtrack_ros.engines.targets.plan import CHECKPOINT_FOLDER
    from rtrack_ros.engines.targets.servers import TRTLLM_CONFIG, trtllm_config
    from rtrack_ros.playback.serving import ended_once, free_port, served

    _take_folder(plan.folder)
    (plan.folder / ENGINE_MANIFEST).unlink(missing_ok=True)
    with ended_once():
        if plan.steps:
            shutil.rmtree(plan.folder / CHECKPOINT_FOLDER, ignore_errors=True)
        for step in plan.steps:
            _run(step.what, step.command, plan.folder / 'logs')
    _keep_manifest(Path(plan.checkpoint.path), plan.folder)
    if plan.route.engine == 'trtllm':
        (plan.folder / TRTLLM_CONFIG).write_text(trtllm_config(plan.served), encoding='utf-8')
    here = replace(plan.served, port=free_port(plan.served.host, 0))
    command = replace(plan, served=here).server
    with ended_once(), served(command, here, plan.folder / 'logs', ready_timeout_s):
        found = prove(here, Path(plan.checkpoint.path), self_test)
    written = _facts(plan, machine, found)
    written.write(plan.folder)
    return written


def model_options(folder: Path, name: str) -> dict[str, str]:
    """Return what the engine 'server' must be told of a model that its name does not tell.

    Args:
        folder: Of the model.
        name: By which it is served.
    """
    from rtrack_ros.engines.base import EngineError
    from rtrack_ros.engines.families import recognise_family
    from rtrack_ros.engines.manifest import MANIFEST_NAME

    if (folder / MANIFEST_NAME).is_file():
        return {'manifest': str(folder)}
    try:
        recognise_family(name)
    except EngineError:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return {'family': str(json.loads((folder / 'config.json').read_text())['model_type'])}
    return {}


def prove(what: 'Served', folder: Path, self_test: str) -> 'dict[str, Any]':
    """Ask a served model what is known; returns what was found, empty where it was not asked.

    Args:
        what: What is served and where.
        folder: Of the model.
        self_test: What to do about a model that boxes wrongly, of ``language.self_test.MODES``.

    Raises:
        EngineError: it does not answer, or is of no known family.
    """
    from rtrack_ros.engines.registry import load_engine
    from rtrack_ros.language.self_test import run_self_test

    engine = load_engine('server', what.url, **model_options(folder, what.name))
    try:
        verdict = run_self_test(engine, self_test, _warn)
    finally:
        engine.close()
    return {} if verdict is None else {'passed': verdict.ok, 'message': str(verdict)}


def _warn(text: str) -> None:
    print(f'warning: {text}', file=sys.stderr, flush=True)


def _keep_manifest(model: Path, folder: Path) -> None:
    """Copy ``rtrack.json``, which whoever quantises a checkpoint does not."""
    from rtrack_ros.engines.manifest import MANIFEST_NAME

    if (model / MANIFEST_NAME).is_file():
        shutil.copyfile(model / MANIFEST_NAME, folder / MANIFEST_NAME)


def _run(what: str, command: list[str], logs: Path) -> None:
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f'{what}.log'
    print(f'{what}: {" ".join(command)}', file=sys.stderr)
    with log.open('wb') as file:
        try:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file,
                                    stderr=subprocess.STDOUT, check=False,
                                    env=os.environ).returncode
        except OSError as error:
            raise CommandError(f'{command[0]} cannot be run ({error.strerror}); install the extra '
                               'of the toolkit that brings it') from error
    if status != 0:
        raise CommandError(f'{what} ended with status {status}; read {log}')


def _facts(plan: 'Plan', machine: 'Machine', found: 'dict[str, Any]') -> 'EngineFolder':
    from rtrack_ros.engines.targets.checkpoints import checkpoint_digest
    from rtrack_ros.engines.targets.engine_folder import EngineFolder, built_files

    weights = Path(plan.served.model).resolve()
    below = weights.is_relative_to(plan.folder.resolve())
    return EngineFolder(
        plan.device.name, plan.route.engine, plan.precision, plan.served.name,
        str(weights.relative_to(plan.folder.resolve()) if below else weights),
        checkpoint_digest(weights), plan.toolkit.version, plan.toolkit.container,
        machine.compute_capability, machine.cpu, machine.driver, machine.l4t, plan.served.limits,
        plan.served.memory_share, plan.served.quantise, plan.memory.value or 0.0,
        built_files(plan.folder), found)
