"""How much of the model's time guests may have while sentences that were there before them wait.

Guests are descriptions, targets that were shown in a box, and all sentences beside that of the
plain topic; without one, those that are new, change again and again, or came later than others
(``Scheduler.is_guest``). Anybody in the domain can send them at any rate. Without guests the
other sentences have the model for themselves, and without those the guests have it.
"""


class GuestTime:
    """Says when the next guest may come; knows no clock and no lock."""

    def __init__(self) -> None:
        self._free_at_s = 0.0
        self._came_last = False

    def wait_s(self, now_s: float) -> float:
        """Return how long guests must still wait, 0 where they may come.

        Args:
            now_s: By a monotonic clock.
        """
        return max(self._free_at_s - now_s, 0.0)

    @property
    def came_last(self) -> bool:
        """Whether the last one that came was a guest: then others go first."""
        return self._came_last

    def comes(self, is_guest: bool) -> None:
        """Note who comes now."""
        self._came_last = is_guest

    def took(self, now_s: float, seconds: float, share: float) -> None:
        """Note how long a guest kept the model.

        Args:
            now_s: When it ended.
            seconds: How long it took.
            share: Most of the model's time for guests, above 0 and at most 1.
        """
        # Several in a row wait for the sum of their times.
        self._free_at_s = max(self._free_at_s, now_s - seconds) + seconds / share
