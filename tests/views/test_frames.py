import dataclasses

import numpy as np
import pytest

import reluquant as rq
from reluquant.views.frames import flow_frame, window


@pytest.fixture(params=[0.0, 0.3, 20.0, 60.0, np.inf])
def moment(request, run):
    return min(request.param, float(run.t[-1]))


def test_the_curve_is_the_network(run, moment):
    frame = flow_frame(run, moment)
    shown = window(run.data)
    assert frame.curve_x[0] == shown.left
    assert frame.curve_x[-1] == shown.right
    assert frame.curve_x.size <= 400
    # Also between the points: a polyline that misses a kink would be off there.
    x = np.linspace(shown.left, shown.right, 1001)
    expected = run.at(moment)(x)
    scale = max(np.abs(expected).max(), 1e-30)
    np.testing.assert_allclose(np.interp(x, frame.curve_x, frame.curve_y), expected, atol=1e-9 * scale)


def test_loss_is_that_of_the_network(run, moment):
    difference = run.at(moment)(run.data.X) - run.data.y
    assert flow_frame(run, moment).loss == pytest.approx(np.mean(difference**2) / 2, rel=1e-9)


def test_every_neuron_with_mass_is_in_the_rug_or_outside_the_window(run):
    t = float(run.t[-1])
    frame, states, shown = flow_frame(run, t), run.states([t]), window(run.data)
    W, a = states.W[0], states.a[0]
    for (w, b), output, holder in zip(W, a, states.slides_on[0], strict=True):
        kink = -b / w
        if shown.left <= kink <= shown.right:
            same = (frame.kinks.sign == np.sign(output)) & (frame.kinks.held == (holder >= 0))
            assert np.abs(frame.kinks.x[same] - kink).min() <= (shown.right - shown.left) / 250


def test_bars_count_the_neurons(run, moment):
    frame = flow_frame(run, moment)
    net = run.at(moment)
    angle = np.degrees(np.arctan2(net.W[:, 1], net.W[:, 0]))
    corners = np.concatenate([frame.bars_positive, frame.bars_negative, frame.bars_dead])
    middles = np.degrees(np.arctan2(corners[:, :, 1].mean(axis=1), corners[:, :, 0].mean(axis=1)))
    away = np.abs((angle[:, None] - middles + 180) % 360 - 180)
    assert np.all(away.min(axis=1) <= 1.5 + 1e-6)
    assert np.all(np.hypot(corners[..., 0], corners[..., 1]) <= 1.0)


def test_a_time_beyond_the_end_is_the_end(run):
    assert flow_frame(run, 1e300).t == run.t[-1]
    assert flow_frame(run, -1.0).t == 0.0


def test_values_are_frozen(run):
    frame = flow_frame(run, 1.0)
    for value in (frame.curve_x, frame.kinks.x, frame.bars_positive, frame.extremal.angle):
        with pytest.raises(ValueError, match="read-only"):
            value[...] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.t = 2.0


@pytest.mark.parametrize(
    ("X", "y"),
    [([1.0], [2.0]), ([1.0, 1.0], [1.0, 3.0]), ([-1.0, 1.0], [0.0, 0.0]), ([1e-8, 3e-8], [1.0, -1.0]), ([1e90], [1.0])],
)
def test_degenerate_data_have_a_picture(X, y):
    run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=7, rng=0), rq.Dataset(X, y), max_steps=500, progress=False)
    for t in (0.0, float(run.t[-1])):
        frame = flow_frame(run, t)
        assert np.all(np.isfinite(frame.curve_y))
        assert "loss" in frame.sentence


def test_weights_below_the_smallest_float_have_a_picture():
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-250, rng=0)
    run = rq.gradient_flow(net, rq.Dataset([-1.0, 1.0], [1.0, -1.0]), t_max=3.0, progress=False)
    frame = flow_frame(run, 3.0)
    # Products |a| |w| underflow at this scale; their logarithms do not.
    assert frame.kinks.size.max() == 1.0
