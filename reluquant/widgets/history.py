"""Undo and redo of values that do not change."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")

# Older states are forgotten.
MOST_STATES = 200


class History(Generic[Value]):
    """The states that a user went through.

    Parameters
    ----------
    first : object
        The state at the beginning.
    """

    def __init__(self, first: Value) -> None:
        self._states, self._place = [first], 0

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._place > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a later state."""
        return self._place < len(self._states) - 1

    def push(self, state: Value) -> None:
        """Add a state after the present one; what was undone is forgotten. The present one again is no new one."""
        if state is not self._states[self._place]:
            self._states = [*self._states[: self._place + 1], state][-MOST_STATES:]
            self._place = len(self._states) - 1

    def undo(self) -> Value:
        """Go back by one state, at most to the first, and return it."""
        self._place = max(self._place - 1, 0)
        return self._states[self._place]

    def redo(self) -> Value:
        """Go forth by one state, at most to the last, and return it."""
        self._place = min(self._place + 1, len(self._states) - 1)
        return self._states[self._place]
