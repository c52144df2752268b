"""Queries, their epochs, and the text that may become a query."""

import threading
import unicodedata
from dataclasses import dataclass

MAX_QUERY_CHARACTERS = 2000


class QueryError(ValueError):
    """A text cannot become a query; the message says why and what to do."""


@dataclass(frozen=True)
class Query:
    """One active sentence.

    Attributes:
        id: Name of the query; the plain topic uses 'default'.
        text: The sentence, cleaned.
        epoch: Counts every change of any query in this run; an answer to an older epoch of the
            same id is stale.
        by_template: Whether it means one target that was shown in a box; the text is then only
            the target's name.
    """

    id: str
    text: str
    epoch: int
    by_template: bool = False


def clean_query_text(text: str) -> str:
    """Return the sentence with control characters stripped and spaces collapsed.

    Raises:
        QueryError: the text is longer than ``MAX_QUERY_CHARACTERS``.
    """
    if len(text) > MAX_QUERY_CHARACTERS:
        raise QueryError(f'the query has {len(text)} characters; send at most '
                         f'{MAX_QUERY_CHARACTERS}')
    printable = ''.join(' ' if unicodedata.category(char)[0] == 'C' else char for char in text)
    return ' '.join(printable.split())


class QueryBook:
    """The set of active queries; every change raises the epoch of the query it touches.

    Used from any thread.
    """

    def __init__(self) -> None:
        # Guards both; held for a few dictionary operations.
        self._lock = threading.RLock()
        self._queries: dict[str, Query] = {}
        self._epoch = 0

    @property
    def epoch(self) -> int:
        """Number of changes so far."""
        return self._epoch

    def active(self) -> tuple[Query, ...]:
        """Return the active queries in the order they were added."""
        with self._lock:
            return tuple(self._queries.values())

    def set(self, text: str, query_id: str = 'default') -> Query | None:
        """Add or replace a query; an empty text removes it. An unchanged text keeps its epoch.

        Raises:
            QueryError: the text cannot become a query; nothing changes.
        """
        cleaned = clean_query_text(text)
        if not cleaned:
            self.remove(query_id)
            return None
        with self._lock:
            known = self._queries.get(query_id)
            if known is not None and known.text == cleaned and not known.by_template:
                return known
            return self._add(query_id, cleaned)

    def set_target(self, name: str, query_id: str = 'default') -> Query:
        """Add a target that is known by its appearance, or replace a query by it.

        Raises:
            QueryError: the name is empty or too long; nothing changes.
        """
        cleaned = clean_query_text(name)
        if not cleaned:
            raise QueryError('a target needs a name; send one of at least a character')
        return self._add(query_id, cleaned, by_template=True)

    def _add(self, query_id: str, text: str, by_template: bool = False) -> Query:
        with self._lock:
            self._epoch += 1
            query = Query(query_id, text, self._epoch, by_template)
            self._queries[query_id] = query
            return query

    def remove(self, query_id: str) -> bool:
        """Remove one query; returns whether it was there."""
        with self._lock:
            if self._queries.pop(query_id, None) is None:
                return False
            self._epoch += 1
            return True

    def clear(self) -> None:
        """Remove all queries."""
        with self._lock:
            if self._queries:
                self._queries.clear()
                self._epoch += 1
