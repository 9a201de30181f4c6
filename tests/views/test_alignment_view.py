"""Predicted and reached directions of one run."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq
from reluquant.views.alignment_view import alignment_view
from reluquant.views.figures import alignment_figure


@pytest.fixture(scope="module")
def traj():
    net = rq.ShallowReLU.balanced(n_neurons=400, scale=1e-12, rng=0)
    return rq.gradient_flow(net, rq.datasets.zigzag(), progress=False)


def test_what_is_predicted_is_reached(traj):
    view = alignment_view(traj)
    assert np.interp(view.t, traj.t, traj.loss) > 0.99 * traj.loss[0]
    predicted = sorted(zip(view.predicted_sign, view.predicted_angle, strict=True))
    reached = sorted(zip(view.reached_sign, view.reached_angle, strict=True))
    np.testing.assert_allclose(reached, predicted, atol=5e-3)
    assert np.sum(view.reached_count) + view.dead_count == 400
    assert view.name == "zigzag"


def test_at_the_start_nothing_is_reached(traj):
    view = alignment_view(traj, t=0.0)
    assert view.t == 0.0
    assert view.reached_angle.size > 100
    assert view.dead_count < alignment_view(traj).dead_count


def test_the_figure_has_a_circle_for_each_run_and_a_mark_for_each_direction(traj):
    view = alignment_view(traj)
    figure = alignment_figure([view, view])
    assert len(figure.axes) == 2
    # Ring and dead sector, and all directions hollow and filled.
    assert len(figure.axes[1].patches) == 2 + view.predicted_angle.size + view.reached_angle.size
    assert {str(n) for n in view.reached_count} <= {text.get_text() for text in figure.axes[0].texts}
    assert "zigzag" in figure.axes[0].get_title()
    # a > 0 outside the ring, a < 0 inside.
    radii = [np.hypot(*patch.center) for patch in figure.axes[1].patches[2 : 2 + view.predicted_angle.size]]
    assert [1 if radius > 0.62 else -1 for radius in radii] == view.predicted_sign.tolist()
