"""Which licence everything that is installed is under: a table, and a check that all are allowed.

    python bootstrap/licences.py           check; ends with 1 and says what is wrong
    python bootstrap/licences.py --write   write docs/licences.md from what is installed

To be run in the environment that bootstrap/prepare.py makes, with torch for a complete table.
"""

from __future__ import annotations

import argparse
import re
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'licences.md'
OURS = 'rtrack-ros'

# What a licence is called in metadata, as a pattern, and its name in the table (SPDX). The first
# that matches counts. Nothing under the GPL or AGPL alone may be installed.
KNOWN = (
    (r'\b(A?GPL|GNU (Affero )?General)', 'GPL'),
    (r'LGPL|Lesser General', 'LGPL'),
    (r'Mozilla|MPL', 'MPL-2.0'),
    (r'Python Software Foundation|PSF', 'PSF-2.0'),
    (r'Apache', 'Apache-2.0'),
    (r'MIT|DFSG', 'MIT'),
    (r'ISC', 'ISC'),
    (r'BSD', 'BSD'),
    (r'Zlib|zlib', 'Zlib'),
    (r'BSL', 'BSL-1.0'),
    (r'Public Domain|Unlicense|CC0|0BSD|any-OSI', 'public domain or as free'),
    (r'HPND|CNRI', 'HPND'),
)
ALLOWED = {name for _, name in KNOWN} - {'GPL'}
# Where metadata says nothing, or offers the GPL beside others: looked up in the package itself.
LOOKED_UP = {
    'docutils': 'public domain or as free',  # COPYING.rst: the GPL is for one Emacs file, not here
    'setuptools': 'MIT',
    'ros-fastcdr': 'Apache-2.0',
    'ros-fastrtps': 'Apache-2.0',
    'vision-msgs': 'Apache-2.0',
    'trackeval': 'MIT',
}
# Parts of a package that are under another licence than the package.
INSIDE = {
    'opencv-python-headless': 'FFmpeg (LGPL-2.1) and others: LICENSE-3RD-PARTY.txt',
    'numpy': 'OpenBLAS (BSD) and the run-time library of GCC (GPL with its run-time exception)',
    'scipy': 'OpenBLAS (BSD) and the run-time library of GCC (GPL with its run-time exception)',
    'pillow': 'image libraries under permissive licences',
    'torch': 'libraries listed in its NOTICE',
    'xllamacpp': 'llama.cpp (MIT)',
    'matplotlib': 'fonts and colour maps under licences of their own',
}


def canonical(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r'[-_.]+', '-', name).lower()


def licence_of(package: Distribution) -> str:
    """Return the licences of a package as in the table, '' where nothing is known."""
    name = canonical(package.metadata['Name'])
    if name in LOOKED_UP:
        return LOOKED_UP[name]
    said = (package.metadata.get('License-Expression') or '; '.join(
        item.rpartition(' :: ')[2] for item in package.metadata.get_all('Classifier') or []
        if item.startswith('License :: ')) or _first_line(package.metadata.get('License'))
        or _of_ros(name))
    said = re.sub(r'WITH LLVM-exception|,? Version [\d.]+', '', said)
    parts = re.split(r'\bAND\b|\bOR\b|[;,]', said)
    found = {next((known for pattern, known in KNOWN if re.search(pattern, part)), part.strip())
             for part in parts if part.strip()}
    return ', '.join(sorted(found))


def _first_line(text: str | None) -> str:
    return (text or '').strip().partition('\n')[0]


def _of_ros(name: str) -> str:
    """Return what package.xml says, for ROS packages as wheels, which say it nowhere else."""
    short = re.sub(r'^ros-(jazzy-)?', '', name).replace('-', '_')
    path = Path(sys.prefix, 'share', short, 'package.xml')
    if not path.is_file():
        return ''
    return '; '.join(item.text or '' for item in ElementTree.parse(path).iter('license'))


def installed() -> dict[str, tuple[str, str]]:
    """Return (version, licences) of everything that is installed, ours aside, by name."""
    found = {canonical(package.metadata['Name']): package for package in distributions()}
    return {name: (package.version, licence_of(package))
            for name, package in sorted(found.items()) if name != OURS}


def problems(packages: dict[str, tuple[str, str]]) -> list[str]:
    """Return what is wrong, a line each: a licence that is not known, or not allowed."""
    said = []
    for name, (version, licences) in packages.items():
        names = [item for item in licences.split(', ') if item]
        if not names:
            said.append(f'{name} {version}: no licence is known; look it up, add it to LOOKED_UP')
        said += [f'{name} {version}: {item} is not allowed; leave the package out, or look up '
                 'what is meant' for item in names if item not in ALLOWED]
    return said


def page(packages: dict[str, tuple[str, str]]) -> str:
    """Return docs/licences.md."""
    rows = [f'| {name} | {licences} | {INSIDE.get(name, "")} |'
            for name, (_, licences) in packages.items()]
    return ('# Licences\n\n'
            'Written by `make licences` from the metadata of what `make test` installs. We\n'
            'ourselves are under Apache-2.0 and ship none of these packages. A test checks that\n'
            'everything installed is in the table, and that nothing is under the GPL or AGPL.\n\n'
            '| package | licence | parts under another one |\n|---|---|---|\n'
            + '\n'.join(rows) + '\n')


def main() -> int:
    """Check or write."""
    parser = argparse.ArgumentParser(description='Licences of what is installed.')
    parser.add_argument('--write', action='store_true', help='write docs/licences.md')
    options = parser.parse_args()
    packages = installed()
    said = problems(packages)
    print(*said, sep='\n', end='\n' if said else '')
    if options.write and not said:
        PAGE.write_text(page(packages), encoding='utf-8')
        print(f'wrote {PAGE.relative_to(ROOT)}: {len(packages)} packages')
    return int(bool(said))


if __name__ == '__main__':
    sys.exit(main())
