import socket
import threading

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.server.address import HostLookup, ServerAddress, is_server_url
from rtrack_ros.engines.server.deadline import Deadline


@pytest.mark.parametrize(('url', 'address', 'shown'), [
    ('http://127.0.0.1:8000', ServerAddress(False, '127.0.0.1', 8000, '/v1'),
     'http://127.0.0.1:8000'),
    ('http://thor.local/', ServerAddress(False, 'thor.local', 80, '/v1'), 'http://thor.local:80'),
    ('https://host/v3/', ServerAddress(True, 'host', 443, '/v3'), 'https://host:443/v3'),
    ('http://host:1/a/v1', ServerAddress(False, 'host', 1, '/a/v1'), 'http://host:1/a/v1'),
    ('HTTP://[::1]:8000', ServerAddress(False, '::1', 8000, '/v1'), 'http://[::1]:8000')])
def test_a_url_is_read_and_without_a_path_v1_is_meant(url, address, shown):
    assert ServerAddress.parse(url) == address
    assert str(address) == shown


def test_what_belongs_to_no_version_lies_above_it():
    assert [ServerAddress.parse(f'http://host{path}').root for path in ('', '/a/v1', '/v3')] == [
        '', '/a', '/v3']


@pytest.mark.parametrize('url', [
    'http:/127.0.0.1:8000', '127.0.0.1:8000', 'models/rtrack-nano', '', 'ftp://host', 'http://',
    'http://host:no', 'http://host:99999', 'http://[::1', 'http://host/v1?key=1'])
def test_what_is_no_url_of_a_server_is_refused_with_the_form_of_one(url):
    with pytest.raises(EngineError, match='write it as http://HOST:PORT'):
        ServerAddress.parse(url)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(EngineError, match='environment variable') as caught:
        ServerAddress.parse('http://me:s3cret@host:8000')
    assert 's3cret' not in str(caught.value)


def test_a_url_is_told_from_a_folder():
    assert is_server_url('HTTPS://host') and is_server_url('http://host:8000')
    assert not is_server_url('models/http') and not is_server_url('http:/host')


def answers(monkeypatch, *results):
    """Have the system's resolver answer these in turn, the last one for ever."""
    asked = []

    def resolve(host, port, **options):
        asked.append(host)
        result = results[min(len(asked), len(results)) - 1]
        if isinstance(result, Exception):
            raise result
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, '', (address, port))
                for address in result]
    monkeypatch.setattr(socket, 'getaddrinfo', resolve)
    return asked


def test_the_address_that_worked_is_tried_first_and_alone_while_it_works(monkeypatch):
    asked = answers(monkeypatch, ['10.0.0.1', '10.0.0.2'])
    lookup, deadline = HostLookup('thor', 8000), Deadline(None, 5.0)
    assert [place for _, place in lookup.places(deadline)] == [('10.0.0.1', 8000),
                                                              ('10.0.0.2', 8000)]
    lookup.remember((socket.AF_INET, ('10.0.0.2', 8000)))
    assert next(lookup.places(deadline))[1] == ('10.0.0.2', 8000) and asked == ['thor']
    assert [place for _, place in lookup.places(deadline)] == [('10.0.0.2', 8000),
                                                              ('10.0.0.1', 8000)]


def test_a_name_that_is_gone_does_no_harm_while_its_address_works(monkeypatch):
    answers(monkeypatch, ['10.0.0.1'], socket.gaierror('gone'))
    lookup, deadline = HostLookup('thor', 8000), Deadline(None, 5.0)
    place = next(lookup.places(deadline))
    lookup.remember(place)
    places = lookup.places(deadline)
    assert next(places) == place
    with pytest.raises(socket.gaierror, match='gone'):
        next(places)


def test_a_resolver_that_hangs_is_not_waited_for_past_the_deadline(monkeypatch, request):
    hang = threading.Event()
    request.addfinalizer(hang.set)
    started = []

    def resolve(*_, **__):
        started.append(1)
        hang.wait(30.0)
        return []
    monkeypatch.setattr(socket, 'getaddrinfo', resolve)
    lookup = HostLookup('thor', 8000)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            next(lookup.places(Deadline(0.05, 5.0)))
    assert started == [1]
