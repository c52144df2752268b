"""Set this machine up to run and test the package, inside build/ and nowhere else.

On a machine with ROS 2 sourced, that ROS is used. On a bare one, ROS 2 Jazzy comes as Python
wheels into a private environment, and a stand-in for the vision_msgs package is built beside ours.
Every step runs once; see steps.py. Standard library only.

    python3.11 bootstrap/prepare.py [--torch]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import runpy
import shlex
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

import locks
from machine import check_machine, extras, own_ros, pip_settings, uv_environment
from steps import SetupError, Steps, digest_of, run_logged

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / 'build'
ENV = BUILD / 'env'
PYTHON = ENV / 'bin' / 'python'
LOGS = BUILD / 'log'

UV = 'uv==0.13.9'
# Where the wheels' exported CMake files believe that Python lives.
FOREIGN_INCLUDE = '/opt/python/cp311-cp311/include/python3.11'
FOREIGN_SITE = '/opt/python/cp311-cp311/lib/python3.11/site-packages'


def make_environment(with_ros: bool) -> None:
    """Create the empty environment; with a ROS of the machine it sees that ROS's modules."""
    flags = ['--system-site-packages'] if with_ros else []
    run_logged([sys.executable, '-m', 'venv', '--clear', *flags, str(ENV)], LOGS / 'venv.log',
               os.environ)
    run_logged([str(PYTHON), '-m', 'pip', 'install', '--no-compile', '--quiet', UV],
               LOGS / 'uv.log', os.environ, needs_network=True)


def uv_install(*arguments: str, log: str) -> None:
    """Install into the environment with uv, from the sources that pip is set to use."""
    env = {**os.environ, **uv_environment(pip_settings(PYTHON))}
    run_logged([str(ENV / 'bin' / 'uv'), 'pip', 'install', '--python', str(PYTHON), *arguments],
               LOGS / log, env, needs_network=True, cwd=ROOT)


def install_wheels() -> None:
    """Install ROS 2 and the libraries as locked, by their hashes; mend the wheels' CMake files."""
    uv_install('--no-deps', '--require-hashes', '--requirement', str(HERE / 'requirements.lock'),
               log='wheels.log')
    # Named, because the default scheme of Debian's interpreter is not that of an environment.
    site = sysconfig.get_path('purelib', 'posix_prefix', vars={'base': str(ENV)})
    for path in (ENV / 'share').rglob('*.cmake'):
        text = path.read_text()
        mended = (text.replace(FOREIGN_INCLUDE, sysconfig.get_path('include'))
                  .replace(FOREIGN_SITE, site))
        if mended != text:
            path.write_text(mended)


def install_beside_ros() -> None:
    """Install what the machine's ROS lacks, leaving its NumPy as it is.

    Its rclpy and message packages were compiled against that NumPy, so trackeval has to live with
    it although it asks for a newer one.
    """
    numpy = subprocess.run([str(PYTHON), '-c', 'import numpy; print(numpy.__version__)'],
                           check=True, text=True, capture_output=True).stdout.strip()
    overrides = BUILD / 'overrides.txt'
    overrides.write_text((HERE / 'overrides.txt').read_text() + f'numpy=={numpy}\nscipy>=1.8\n')
    wanted = [f'--extra={name}' for name in (*extras(own_ros(), torch=False), 'dev')]
    # Humble's generators do not know EmPy 4, and colcon-core refuses newer setuptools.
    uv_install('--requirement', 'pyproject.toml', *wanted, '--override', str(overrides),
               'colcon-common-extensions', 'empy<4', 'setuptools>=30.3,<80', log='libraries.log')


def install_torch() -> None:
    """Install what learning needs as locked, by hash; torch's CPU build where there is one.

    A mirror that pip is told of may have the usual build alone, which needs CUDA's libraries.
    """
    if sys.version_info < (3, 11):
        raise SetupError('what learning needs is made for Python 3.11 and newer; leave it out '
                         'with TORCH=0')
    locked = locks.entries((HERE / 'learning.lock').read_text())
    if own_ros():
        # Its rclpy was compiled against its own NumPy.
        locked = locks.without(locked, ('numpy', 'setuptools'))
    cpu = locks.cpu_build(locked, locks.entries((HERE / 'torch_cpu.lock').read_text()))
    configured = {'index-url', 'extra-index-url', 'find-links'} & pip_settings(PYTHON).keys()
    try:
        install_locked(cpu, *([] if configured else ['--torch-backend', 'cpu']))
    except SetupError as error:
        if not configured or 'no version of torch' not in str(error):
            raise
        install_locked(locked)


def install_locked(locked: Mapping[str, str], *options: str) -> None:
    """Install what learning needs, by its hashes."""
    chosen = BUILD / 'learning.txt'
    chosen.write_text(''.join(locked.values()))
    uv_install('--no-deps', '--require-hashes', '--requirement', str(chosen), *options,
               log='torch.log')


def build_environment(distribution: str | None) -> dict[str, str]:
    """Return the environment of a build: tools of ours first, packages from the right prefix."""
    env = {**os.environ, 'PATH': f'{ENV / "bin"}:{os.environ["PATH"]}',
           'CMAKE_BUILD_PARALLEL_LEVEL': os.environ.get('CMAKE_BUILD_PARALLEL_LEVEL', '2')}
    if distribution is None:
        for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH'):
            env[name] = str(ENV)
        env.pop('COLCON_PREFIX_PATH', None)
        env.pop('PYTHONPATH', None)
    return env


def colcon_build(folder: Path, distribution: str | None) -> None:
    """Build one package into the environment, with links to the sources instead of copies.

    The environment is the install prefix, as it is for the wheels. CMake leaves no other choice
    inside a source tree: it refuses to export a target that includes NumPy's headers from there,
    unless the prefix holds them too.
    """
    run_logged([str(PYTHON), '-m', 'colcon', '--log-base', str(LOGS / 'colcon'), 'build',
                '--base-paths', str(folder), '--build-base', str(BUILD / 'colcon'),
                '--install-base', str(ENV), '--merge-install', '--symlink-install',
                '--event-handlers', 'console_direct+', '--cmake-args',
                f'-DPython3_EXECUTABLE={PYTHON}', '-DBUILD_TESTING=OFF',
                '-DCMAKE_BUILD_TYPE=Release'],
               LOGS / f'{folder.name}-build.log', build_environment(distribution), cwd=ROOT)


def build_package(distribution: str | None) -> None:
    """Build our package and drop the links to sources that are gone."""
    colcon_build(ROOT, distribution)
    for folder in (*ENV.glob('lib/python3*/site-packages/rtrack_ros'),
                   ENV / 'share' / 'rtrack_ros', ENV / 'lib' / 'rtrack_ros'):
        for link in folder.rglob('*'):
            if link.is_symlink() and not link.exists():
                link.unlink()


def has_vision_msgs() -> bool:
    """Tell whether the released vision_msgs is there."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(':')
    return any((Path(prefix) / 'share' / 'vision_msgs' / 'package.xml').is_file()
               for prefix in prefixes if prefix and Path(prefix) != ENV)


def activation(distribution: str | None) -> list[str]:
    """Return the lines of build/activate, to be sourced by any POSIX shell."""
    lines = ['# Written by bootstrap/prepare.py. Use: source build/activate',
             f'. {shlex.quote(str(ENV / "bin" / "activate"))}']
    if distribution is None:
        lines += ['unset PYTHONPATH COLCON_PREFIX_PATH',
                  *(f'export {name}={shlex.quote(str(ENV))}'
                    for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH'))]
    lines.append(f'. {shlex.quote(str(ENV / "setup.sh"))}')
    # For what is started without importing rtrack_ros, which does the same.
    telemetry = runpy.run_path(str(ROOT / 'rtrack_ros' / 'telemetry.py'))
    return lines + [f'export {name}={value}' for name, value in telemetry['SWITCHES'].items()]


def write_activate(distribution: str | None) -> None:
    """Write build/activate."""
    (BUILD / 'activate').write_text('\n'.join(activation(distribution)) + '\n')


def our_sources() -> str:
    """Return a digest of what the build of our package depends on.

    Python, launch and configuration files are linked into the overlay, so that only their names
    count: an edit needs no build.
    """
    built = digest_of([ROOT / 'CMakeLists.txt', ROOT / 'package.xml', ROOT / 'msg', ROOT / 'srv'])
    linked = digest_of((ROOT / name for name in
                        ('rtrack_ros', 'scripts', 'launch', 'config', 'models')), content=False)
    return built + linked


def prepare(torch: bool) -> None:
    """Bring build/ up to date."""
    distribution = own_ros()
    kind = f'ROS 2 {distribution} of this machine' if distribution else 'ROS 2 Jazzy from wheels'
    stand_in = not (distribution and has_vision_msgs())
    steps = Steps(BUILD / 'stamps', 4 + stand_in + torch,
                  f'{ROOT} {os.path.realpath(sys.executable)} {sys.version} {kind}')
    check_machine(distribution)
    steps.once('environment', f'Private Python environment build/env, for {kind}', UV,
               lambda: make_environment(distribution is not None))
    if distribution:
        steps.once('libraries', 'Python libraries beside that ROS (about 235 MB)',
                   digest_of([ROOT / 'pyproject.toml', HERE / 'overrides.txt']),
                   install_beside_ros)
    else:
        steps.once('libraries', 'ROS 2 Jazzy and Python libraries as wheels (about 245 MB)',
                   digest_of([HERE / 'requirements.lock']), install_wheels)
    if stand_in:
        steps.once('vision_msgs', 'Stand-in for vision_msgs, compiled (about half a minute)',
                   digest_of([HERE / 'vision_msgs']),
                   lambda: colcon_build(HERE / 'vision_msgs', distribution))
    steps.once('rtrack_ros', 'rtrack_ros, compiled', our_sources(),
               lambda: build_package(distribution))
    steps.once('activate', 'build/activate',
               digest_of([HERE / 'prepare.py', ROOT / 'rtrack_ros' / 'telemetry.py']),
               lambda: write_activate(distribution))
    if torch:
        steps.once('torch', 'torch, transformers and TRL (about 330 MB)',
                   digest_of([HERE / 'learning.lock', HERE / 'torch_cpu.lock']), install_torch)


def main() -> int:
    """Run the set-up; only one at a time may work on build/."""
    parser = argparse.ArgumentParser(description='Set this machine up inside build/.')
    parser.add_argument('--torch', action='store_true', help='install torch and transformers too')
    options = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    # A colcon build of a workspace that holds this checkout must not look in here.
    (BUILD / 'COLCON_IGNORE').touch()
    start = time.monotonic()
    with (BUILD / 'lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            prepare(options.torch)
        except SetupError as error:
            print(f'\nset-up failed: {error}', file=sys.stderr)
            return 1
    seconds = time.monotonic() - start
    if seconds > 3:
        print(f'set-up ready after {seconds:.0f} s: source build/activate')
    return 0


if __name__ == '__main__':
    sys.exit(main())
