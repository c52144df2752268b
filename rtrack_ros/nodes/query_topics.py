"""What people ask for: sentences from topics into the set of active queries."""

from collections.abc import Callable

from std_msgs.msg import String

from rtrack_ros.language.queries import QueryBook, QueryError
from rtrack_ros.limits import shortened
from rtrack_ros.msg import ReferringQuery

DEFAULT_ID = 'default'


class QueryCommands:
    """Carries out commands; one that is refused changes nothing and is explained in a warning.

    Args:
        book: The active queries.
        warn: Takes the reason why a command was refused.
        changed: Called after every change of the active queries.
    """

    def __init__(self, book: QueryBook, warn: Callable[[str], object],
                 changed: Callable[[], object]) -> None:
        self._book = book
        self._warn = warn
        self._changed = changed

    def on_sentence(self, message: String) -> None:
        """Follow a plain sentence; an empty one ends the following."""
        self._carry_out(lambda: self._book.set(message.data, DEFAULT_ID))

    def on_query(self, message: ReferringQuery) -> None:
        """Add, replace or remove one of several sentences."""
        query_id = message.id or DEFAULT_ID
        known = any(query.id == query_id for query in self._book.active())
        shown = repr(shortened(query_id))
        if message.operation == ReferringQuery.CLEAR:
            self._carry_out(self._book.clear)
        elif message.operation == ReferringQuery.REMOVE and known:
            self._carry_out(lambda: self._book.remove(query_id))
        elif message.operation == ReferringQuery.REMOVE:
            self._warn(f'no query has the id {shown}; nothing was removed')
        elif message.operation == ReferringQuery.ADD and known:
            self._warn(f'a query with the id {shown} is active; send REPLACE to change it')
        elif message.operation in (ReferringQuery.ADD, ReferringQuery.REPLACE):
            self._carry_out(lambda: self._book.set(message.text, query_id))
        else:
            self._warn(f'unknown operation {message.operation}; send ADD, REPLACE, REMOVE or '
                       'CLEAR of rtrack_ros/ReferringQuery')

    def _carry_out(self, command: Callable[[], object]) -> None:
        before = self._book.epoch
        try:
            command()
        except QueryError as error:
            self._warn(f'query refused: {error}')
        if self._book.epoch != before:
            self._changed()
