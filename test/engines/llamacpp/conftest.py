"""rtrack-nano as GGUF, and the real llama.cpp behind it."""

import pytest

from rtrack_ros.engines.registry import load_engine


@pytest.fixture(scope='session', autouse=True)
def state(tmp_path_factory):
    """Logs lie here, and not in the home of whoever runs the tests."""
    folder = tmp_path_factory.mktemp('state')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_STATE_HOME', str(folder))
        yield folder


@pytest.fixture(scope='session')
def installed():
    for package in ('gguf', 'xllamacpp'):
        pytest.importorskip(package, reason='the llamacpp extra is not installed')


@pytest.fixture(scope='session')
def pairs(nano, installed, tmp_path_factory):
    """Folders with rtrack-nano as GGUF, by precision."""
    from rtrack_ros.engines.llamacpp.export import PRECISIONS, export_llamacpp
    folder = tmp_path_factory.mktemp('gguf')
    return {precision: export_llamacpp(nano, precision, folder / precision)
            for precision in PRECISIONS}


@pytest.fixture(scope='session')
def start(pairs, nano):
    """Start rtrack-nano with llama.cpp; all that were started are closed at the end."""
    engines = []

    def load(precision='f16', **options):
        engines.append(load_engine('llamacpp', pairs[precision], manifest=nano, **options))
        return engines[-1]
    yield load
    for engine in engines:
        engine.close()


@pytest.fixture(scope='session')
def llamacpp(start):
    return start()
