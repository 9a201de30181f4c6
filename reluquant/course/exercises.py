"""Which exercises there are, and how an answer finds its check."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

# The number of an exercise, and the function that says whether an answer is right, or what is wrong with it.
Checks = dict[str, Callable[[object], str]]

# The notebooks that have exercises.
LESSONS = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09")


def check(exercise: str, answer: object) -> str:
    """Check an answer to an exercise of the course.

    Parameters
    ----------
    exercise : str
        Its number, such as ``"00-1"``: notebook, exercise.
    answer : object
        What the exercise asks for.

    Returns
    -------
    str
        "Right: …", or what is wrong and where to look.

    Raises
    ------
    ValueError
        If there is no such exercise, or the answer has another form than asked for.
    TypeError
        If the answer does not consist of what is asked for.

    Examples
    --------
    >>> import reluquant as rq
    >>> print(rq.course.check("00-1", (4, 300)))
    4 directions are as few as a tiny start leaves: did you draw the network with scale=1?
    """
    lesson = str(exercise)[:2]
    lessons = (lesson,) if lesson in LESSONS else LESSONS
    checks: Checks = {}
    for number in lessons:
        checks |= import_module(f"reluquant.course.lesson_{number}").CHECKS
    if exercise not in checks:
        raise ValueError(f"There is no exercise {exercise!r}; there are {', '.join(sorted(checks))}.")
    return checks[exercise](answer)
