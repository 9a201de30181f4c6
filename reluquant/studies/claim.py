"""What a claim of the literature is, to a program: a sentence, a source, and a function that measures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

PAPER = "1803.08367"
# Closed forms and golden values of the package's own documentation.
DERIVED = "docs/theory.md"


class Relation(StrEnum):
    """How what is found is to compare with what is expected."""

    EQUAL = "="
    AT_MOST = "≤"
    AT_LEAST = "≥"


class Outcome(NamedTuple):
    """What was measured, what is expected, and by how much they may differ.

    Parameters
    ----------
    found, expected : float
        The two numbers.
    tolerance : float, default 0
        Zero for counts.
    relation : Relation, default Relation.EQUAL
        ``found = expected``, ``found ≤ expected`` or ``found ≥ expected``, up to the tolerance.

    Examples
    --------
    >>> Outcome(0.0700000003, 0.07, 1e-6).holds, Outcome(2, 1, relation=Relation.AT_MOST).holds
    (True, False)
    """

    found: float
    expected: float
    tolerance: float = 0.0
    relation: Relation = Relation.EQUAL

    @property
    def holds(self) -> bool:
        """Whether they agree."""
        apart = self.found - self.expected
        if self.relation == Relation.AT_MOST:
            return apart <= self.tolerance
        if self.relation == Relation.AT_LEAST:
            return apart >= -self.tolerance
        return abs(apart) <= self.tolerance

    def rounded(self, value: float) -> str:
        """A number with the digits that the tolerance vouches for, the same on every machine."""
        if self.tolerance == 0:
            return f"{value:g}"
        places = max(0, round(-math.log10(self.tolerance)))
        # Adding zero keeps -0.0 out of print.
        return f"{round(float(value), places) + 0.0:.10g}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, and how to check it.

    Parameters
    ----------
    sentence : str
        What is claimed.
    source : str
        Number of the paper at arXiv, or another reference; ``docs/theory.md`` for what is derived there.
    by : str
        What of reluquant checks it.
    check : callable
        Takes no arguments, returns an Outcome.
    exception : str
        Empty for a claim that holds; else why it is known not to.
    """

    sentence: str
    source: str
    by: str
    check: Callable[[], Outcome]
    exception: str = ""


def claim(sentence: str, *, source: str = PAPER, by: str, exception: str = "") -> Callable[..., Claim]:
    """Make a claim of the function that checks it.

    Parameters
    ----------
    sentence, source, by, exception
        As for :class:`Claim`.

    Returns
    -------
    callable
        A decorator.

    Examples
    --------
    >>> @claim("Two and two are four.", source="arithmetic", by="+")
    ... def sums() -> Outcome:
    ...     return Outcome(2 + 2, 4)
    >>> sums.check().holds
    True
    """
    return lambda check: Claim(sentence, source, by, check, exception)
