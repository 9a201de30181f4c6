"""The exercises of MNIST and active neurons."""

from __future__ import annotations

from functools import cache

import numpy as np

from reluquant import datasets
from reluquant.course.exercises import Checks
from reluquant.dynamics.greedy_training import greedy_training
from reluquant.dynamics.train import train
from reluquant.structures.dataset import Dataset
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU

# The neuron sees how bright an image is, which lowers the loss a little below nine tenths.
PLATEAU, PLATEAU_TOLERANCE = 0.9, 0.02
# Other processors round otherwise, which moves a few images of 510.
ACCURACY_TOLERANCE = 0.03
CLASSES = 10


def _greedy_count(answer: object) -> str:
    """Exercise 09-1: neurons that 200 images need."""
    count = whole_number(answer, "the number of neurons", least=0)
    added = _added()
    if count == added:
        return f"Right: {added} neurons for 200 images in {CLASSES} classes, little more than one a class."
    if count < CLASSES - 1:
        return (
            f"{count} neurons cannot have {CLASSES} one-hot outputs: did you stop at one per cent of the loss, and"
            " count all that were added?"
        )
    if count >= 200:
        return f"{count} is not fewer than the images: did you count the steps of descent, or the images?"
    return f"{count} is too {'many' if count > added else 'few'}: take stop=0.01 and rng=0, and run.n_added."


def _plateau(answer: object) -> str:
    """Exercise 09-2: the loss at the first saddle, as a share of that of the zero function."""
    share = real_number(answer, "the share", least=0)
    if abs(share - PLATEAU) <= PLATEAU_TOLERANCE:
        return (
            "Right: the mean label takes one tenth of the loss of ten one-hot outputs, and that is all that one"
            " direction can do."
        )
    if abs(share - PLATEAU / 2) <= PLATEAU_TOLERANCE:
        return f"{share:.3g} is the loss itself: divide it by that of the zero function, one half."
    if abs(share - (1 - PLATEAU)) <= PLATEAU_TOLERANCE:
        return f"{share:.3g} is what the first jump takes away: asked for is what stays."
    return (
        f"{share:.3g} is not it: the best constant output is the mean label, one tenth for each class. How much of"
        " the loss does it take away?"
    )


def _who_is_better(answer: object) -> str:
    """Exercise 09-3: test accuracies of descent and of greedy training on 300 images."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ValueError(f"Exercise 09-3 asks for two shares, (descent, greedy), but the answer is {answer!r}.")
    shares = [real_number(value, name, least=0) for value, name in zip(answer, ("descent", "greedy"), strict=True)]
    if max(shares) > 1:
        return f"{max(shares):.4g} is not a share: divide the number of images told rightly by that of all."
    true = _shares()
    off = [abs(found - value) > ACCURACY_TOLERANCE for found, value in zip(shares, true, strict=True)]
    if not any(off):
        return (
            f"Right: about {true[0]:.0%} against {true[1]:.0%}. Many neurons average over many directions; the greedy"
            " network has just those that its training images asked for."
        )
    if all(abs(found - value) <= ACCURACY_TOLERANCE for found, value in zip(shares, reversed(true), strict=True)):
        return "These are the two shares, but the other way round: descent first."
    if min(shares) > 0.98:
        return "These look like shares of the training images: ask for the test images, which no network has seen."
    which = "descent" if off[0] else "greedy training"
    return f"The share of {which} is another: take 300 images, stop=0.05, the settings of the lesson, and argmax."


@cache
def _added() -> int:
    """How many neurons greedy training adds for 200 images."""
    return greedy_training(datasets.digits(200, split="train"), stop=0.01, rng=0, progress=False).n_added


@cache
def _shares() -> tuple[float, float]:
    """What descent and greedy training tell rightly; once, since both take a while."""
    data, test = datasets.digits(300, split="train"), datasets.digits(split="test")
    descent = train(data, widths=(64,), scale=1e-4, share=0.05, stop=0.05, rng=0, progress=False).final
    return _told(descent, test), _told(greedy_training(data, stop=0.05, rng=0, progress=False).net, test)


def _told(net: ShallowReLU | DeepReLU, test: Dataset) -> float:
    return float(np.mean(net(test.X).argmax(axis=1) == test.y.argmax(axis=1)))


CHECKS: Checks = {"09-1": _greedy_count, "09-2": _plateau, "09-3": _who_is_better}
