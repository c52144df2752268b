import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.server.api_key import ApiKey


def test_the_key_is_read_from_its_variable_and_sent_as_a_bearer(monkeypatch):
    monkeypatch.setenv('MY_KEY', ' s3cret \n')
    key = ApiKey('MY_KEY')
    assert key.given and key.headers() == {'Authorization': 'Bearer s3cret'}


def test_without_the_variable_nothing_is_sent(monkeypatch):
    monkeypatch.delenv('MY_KEY', raising=False)
    key = ApiKey('MY_KEY')
    assert not key.given and key.headers() == {} and key.hidden('a text') == 'a text'


def test_the_key_is_shown_nowhere(monkeypatch):
    monkeypatch.setenv('MY_KEY', 's3cret')
    key = ApiKey('MY_KEY')
    assert repr(key) == "ApiKey('MY_KEY')"
    assert key.hidden('the key s3cret is wrong') == 'the key *** is wrong'


@pytest.mark.parametrize('value', ['a\nHost: evil', 'schlüssel', 'a\x7fb'])
def test_what_no_header_can_carry_is_refused_without_being_shown(monkeypatch, value):
    monkeypatch.setenv('MY_KEY', value)
    with pytest.raises(EngineError, match='MY_KEY') as caught:
        ApiKey('MY_KEY')
    assert value not in str(caught.value)


def test_what_is_no_name_of_a_variable_is_refused_and_not_shown():
    for given in ('sk-proj-12', '', 'MY KEY', '1KEY'):
        with pytest.raises(EngineError, match='no name of an environment variable') as caught:
            ApiKey(given)
        assert not given or given not in str(caught.value)
