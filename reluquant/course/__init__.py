"""Checks of the course's exercises: each says what is wrong with an answer, and never only that it is.

The exercises of notebook NN are in ``lesson_NN``, which loads when one of them is checked.
"""

from reluquant.course.exercises import check

__all__ = ["check"]
