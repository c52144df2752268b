"""Everything that is installed has a licence that is known and allowed, and a row in the table."""

import re
from email.message import Message
from types import ModuleType, SimpleNamespace

import pytest


def package(**fields: str) -> SimpleNamespace:
    metadata = Message()
    for name, value in fields.items():
        metadata[name.replace('_', '-')] = value
    return SimpleNamespace(metadata=metadata, version='1')


def test_everything_installed_is_allowed_and_in_the_table(licences: ModuleType) -> None:
    packages = licences.installed()
    assert licences.problems(packages) == []
    page = licences.PAGE.read_text()
    rows = dict(re.findall(r'^\| ([^|]+) \| ([^|]+) \|', page, re.MULTILINE))
    # What the machine has besides (another ROS, tools of a developer) is in no table.
    lock = {licences.canonical(line.partition('==')[0]) for line in
            (licences.ROOT / 'bootstrap' / 'requirements.lock').read_text().splitlines()
            if '==' in line}
    wanted = {name: licence for name, (_, licence) in packages.items() if name in lock}
    assert wanted, 'the environment of the lock is not there'
    assert {name: rows.get(name) for name in wanted} == wanted, 'run: make licences'


@pytest.mark.parametrize('said, names', [
    ('MIT', 'MIT'), ('GNU General Public License v3 (GPLv3)', 'GPL'), ('AGPL-3.0', 'GPL'),
    ('LGPL-2.1', 'LGPL'), ('Apache License, Version 2.0', 'Apache-2.0'),
    ('Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND MIT', 'Apache-2.0, MIT'),
    ('My Own Licence', 'My Own Licence')])
def test_licences_are_told_apart(licences: ModuleType, said: str, names: str) -> None:
    assert licences.licence_of(package(Name='x', License=said)) == names


def test_what_is_not_allowed_or_not_known_is_a_problem(licences: ModuleType) -> None:
    said = licences.problems({'a': ('1', 'MIT'), 'b': ('2', 'GPL'), 'c': ('3', ''),
                              'd': ('4', 'My Own Licence'), 'e': ('5', 'LGPL')})
    assert [line.split()[0] for line in said] == ['b', 'c', 'd']
