"""Data sets to look at: small ones of the theory, those of the literature, random ones, real measurements, images.

Every maker returns a :class:`reluquant.Dataset`, most of one input and one output. Only functions that load files
import more than NumPy, and only those of images may fetch them.
"""

from reluquant.datasets.aligned import orthogonal, separable, teacher_neuron
from reluquant.datasets.drawn import random, smooth
from reluquant.datasets.images import digits, fashion_mnist, mnist
from reluquant.datasets.measured import hillside, motorcycle, volcano
from reluquant.datasets.noisy import linear_teacher
from reluquant.datasets.peaks import stewart
from reluquant.datasets.small_sets import absolute, five_points, sine, tent, three_points, two_points, xor, zigzag
from reluquant.datasets.terrain import terrain, terrain_profile

__all__ = [
    "absolute",
    "digits",
    "fashion_mnist",
    "five_points",
    "hillside",
    "linear_teacher",
    "mnist",
    "motorcycle",
    "orthogonal",
    "random",
    "separable",
    "sine",
    "smooth",
    "stewart",
    "teacher_neuron",
    "tent",
    "terrain",
    "terrain_profile",
    "three_points",
    "two_points",
    "volcano",
    "xor",
    "zigzag",
]
