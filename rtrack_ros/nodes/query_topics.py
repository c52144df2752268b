"""What people ask for: sentences from topics and a service into the set of active queries."""

from collections.abc import Callable

from std_msgs.msg import String

from rtrack_ros.foreign_text import shown
from rtrack_ros.language.queries import DEFAULT_ID, QueryBook, QueryError
from rtrack_ros.msg import ReferringQuery


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
        self._tell(self.set(message.data))

    def set(self, text: str, query_id: str = '') -> str:
        """Follow a sentence under an id; an empty one ends the following.

        Args:
            text: The sentence.
            query_id: Its name; '' means 'default'.

        Returns:
            Why it was refused and what to do, '' where it was not.
        """
        name = query_id or DEFAULT_ID
        if not text.strip() and not self._known(name):
            # The topic says nothing of it: there, an empty sentence is the way to be sure.
            return '' if name == DEFAULT_ID else _unknown(name)
        return self._carry_out(lambda: self._book.set(text, name))

    def on_query(self, message: ReferringQuery) -> None:
        """Add, replace or remove one of several sentences."""
        query_id = message.id or DEFAULT_ID
        known, named = self._known(query_id), repr(shown(query_id))
        if message.operation == ReferringQuery.CLEAR:
            self._tell(self._carry_out(self._book.clear))
        elif message.operation == ReferringQuery.REMOVE and known:
            self._tell(self._carry_out(lambda: self._book.remove(query_id)))
        elif message.operation == ReferringQuery.REMOVE:
            self._warn(_unknown(query_id))
        elif message.operation == ReferringQuery.ADD and known:
            self._warn(f'a query with the id {named} is active; send REPLACE to change it')
        elif message.operation in (ReferringQuery.ADD, ReferringQuery.REPLACE):
            self._tell(self._carry_out(lambda: self._book.set(message.text, query_id)))
        else:
            self._warn(f'unknown operation {message.operation}; send ADD, REPLACE, REMOVE or '
                       'CLEAR of rtrack_ros/ReferringQuery')

    def _known(self, query_id: str) -> bool:
        return any(query.id == query_id for query in self._book.active())

    def _tell(self, reason: str) -> None:
        if reason:
            self._warn(f'query refused: {reason}')

    def _carry_out(self, command: Callable[[], object]) -> str:
        """Return why a command was refused, '' where it was not."""
        before, reason = self._book.epoch, ''
        try:
            command()
        except QueryError as error:
            reason = str(error)
        if self._book.epoch != before:
            self._changed()
        return reason


def _unknown(query_id: str) -> str:
    return f'no query has the id {shown(query_id)!r}; nothing was removed'
