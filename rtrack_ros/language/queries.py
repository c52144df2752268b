"""Queries, their epochs, and the text that may become a query."""

import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rtrack_ros.foreign_text import shown
from rtrack_ros.limits import MAX_CHARACTERS, Limits, estimated_tokens

DEFAULT_ID: Final = 'default'
"""Id of the sentence of the plain topic."""


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
        QueryError: the text is longer than ``MAX_CHARACTERS``.
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryError(f'the query has {len(text)} characters; send at most {MAX_CHARACTERS}')
    printable = ''.join(' ' if unicodedata.category(char)[0] == 'C' else char for char in text)
    return ' '.join(printable.split())


class QueryBook:
    """The set of active queries; every change raises the epoch of the query it touches.

    Used from any thread.

    Args:
        limits: How many queries there may be and how long their texts; None takes the defaults.
        count_tokens: Returns how many tokens a text has for the model.
    """

    def __init__(self, limits: Limits | None = None,
                 count_tokens: Callable[[str], int] = estimated_tokens) -> None:
        self.limits, self._count_tokens = limits or Limits(), count_tokens
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
        self._check_length(cleaned)
        return self._add(query_id, cleaned)

    def set_target(self, name: str, query_id: str = 'default') -> Query:
        """Add a target that is known by its appearance, or replace a query by it.

        Raises:
            QueryError: the name is empty or too long, or there are too many; nothing changes.
        """
        cleaned = clean_query_text(name)
        if not cleaned:
            raise QueryError('a target needs a name; send one of at least a character')
        self._check_length(cleaned)
        return self._add(query_id, cleaned, by_template=True)

    def _add(self, query_id: str, text: str, by_template: bool = False) -> Query:
        with self._lock:
            self._check_room(query_id, by_template)
            self._epoch += 1
            query = Query(query_id, text, self._epoch, by_template)
            self._queries[query_id] = query
            return query

    def _check_length(self, text: str) -> None:
        tokens = self._count_tokens(text)
        if tokens > self.limits.sentence_tokens:
            raise QueryError(f'the query has {tokens} tokens for the model; send at most '
                             f'{self.limits.sentence_tokens} (limits.sentence_tokens)')

    def _check_room(self, query_id: str, by_template: bool) -> None:
        limits = self.limits
        if len(query_id) > limits.id_characters or not query_id.isprintable():
            raise QueryError(f'the id {shown(query_id, 16)!r} cannot be used; send at most '
                             f'{limits.id_characters} printable characters '
                             '(limits.id_characters)')
        others = [query for name, query in self._queries.items() if name != query_id]
        # The plain topic has a place of its own: a flood under other ids cannot take it.
        rivals = sum(query.id != DEFAULT_ID for query in others)
        if query_id != DEFAULT_ID and rivals >= limits.sentences:
            raise QueryError(f'{rivals} sentences are followed, which is the most; remove '
                             'one first (limits.sentences)')
        if by_template and sum(query.by_template for query in others) >= limits.targets:
            raise QueryError(f'{limits.targets} targets are followed, which is the most; remove '
                             'one first (limits.targets)')

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
