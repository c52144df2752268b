"""Python imports this at its start where this folder is on PYTHONPATH: no name is looked up.

What a process asks a name server for, or where it connects to, beyond this machine, is refused
and written into the file $RTRACK_TEST_LOOKUPS. Processes that it starts inherit both.
"""

import os
import sys

HERE = ('', 'localhost', '127.0.0.1', '::1', '0.0.0.0', '::')


def refuse(event, arguments):
    """Refuse what would leave this machine; an audit hook, which cannot be removed."""
    log = os.environ.get('RTRACK_TEST_LOOKUPS')
    if log is None:
        return
    if event in ('socket.getaddrinfo', 'socket.gethostbyname'):
        host = arguments[0]
    elif event in ('socket.connect', 'socket.sendto') and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = (host or '') if not isinstance(host, bytes) else host.decode(errors='replace')
    if host not in HERE and not host.startswith('127.'):
        with open(log, 'a') as file:
            file.write(f'{os.path.basename(sys.argv[0])} {event} {host}\n')
        raise OSError(f'{event} {host}: a test may not look beyond this machine')


if 'RTRACK_TEST_LOOKUPS' in os.environ:
    sys.addaudithook(refuse)
