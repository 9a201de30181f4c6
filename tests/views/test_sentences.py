import numpy as np

from reluquant.structures.arrays import frozen
from reluquant.views.direction_view import ExtremalView
from reluquant.views.frames import flow_frame
from reluquant.views.sentences import FrameFacts, aligned, describe, main_directions, phase


def facts(**changes):
    angle = np.radians([10.0, 10.4, 10.4, 200.0])
    values = {
        "t": 2.0, "loss": 0.5, "first_loss": 1.0, "angle": angle, "sign": np.array([1, 1, -1, 1]),
        "log_mass": np.log([1.0, 1.0, 1.0, 1e-9]), "slides_on": np.array([-1, 3, -1, -1]),
        "extremal": ExtremalView(frozen(np.radians([10.0])), frozen([1], int), frozen([1.0])),
    }  # fmt: skip
    return FrameFacts(**(values | changes))


def test_neurons_along_a_direction_of_their_sign_are_aligned():
    assert aligned(facts()) == 2


def test_directions_that_carry_the_mass_are_counted_by_sign():
    assert main_directions(facts()) == 2
    assert main_directions(facts(log_mass=np.full(4, -np.inf))) == 0


def test_ten_thousand_random_directions_are_not_one():
    angle = np.linspace(-3, 3, 10_000)
    many = facts(angle=angle, sign=np.ones(10_000), log_mass=np.zeros(10_000))
    assert main_directions(many) > 300


def test_phases():
    assert phase(0.999, 1.0, at_rest=False) == "Alignment"
    assert phase(0.5, 1.0, at_rest=False) == "Fitting"
    assert phase(1e-9, 1.0, at_rest=False) == "Fitted"
    assert phase(0.35, 1.0, at_rest=True) == "Stuck"


def test_sentence():
    assert describe(facts()) == (
        "Fitting – t = 2: loss 0.5 (50 % of the start); 2 of 4 neurons within 1° of a direction that attracts them;"
        " 1 held on a data point; 2 directions carry 99 % of the mass."
    )


def test_sentences_of_a_run_tell_its_phases(run):
    assert flow_frame(run, 0.0).sentence.startswith("Alignment")
    assert flow_frame(run, float(run.t[-1])).sentence.startswith("Fitted")
