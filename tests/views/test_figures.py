import io

import matplotlib
import numpy as np
import pytest

import reluquant as rq
from reluquant.views.figures import flow_figure


def test_three_panels_show_the_run(run):
    function, circle, loss = flow_figure(run).axes
    lines = {line.get_label(): line.get_xydata() for line in function.get_lines()}
    x, y = lines["network"].T
    np.testing.assert_allclose(y, run.final(x), atol=1e-9)
    points = np.column_stack([run.data.X[:, 0], run.data.y])
    dots = {group.get_label(): group.get_offsets() for group in function.collections}
    np.testing.assert_allclose(dots["data"], points)
    np.testing.assert_allclose(lines["interpolant"], points)
    width, height = circle.figure.get_size_inches() * circle.get_position().size
    assert width == pytest.approx(height)
    log_t, fall = next(line.get_xydata() for line in loss.get_lines() if line.get_label() == "loss").T
    np.testing.assert_allclose(fall[-1], run.loss[-1], atol=1e-12)
    assert log_t[-1] == pytest.approx(np.log10(run.t[-1]))


def test_time_moves_the_cursor(run):
    positions = [flow_figure(run, t=t).axes[2].get_lines()[0].get_xdata()[0] for t in (1.0, 10.0)]
    np.testing.assert_allclose(positions, [0.0, 1.0])


@pytest.mark.parametrize("t", [None, 0.0, 30.0])
def test_it_can_be_saved_without_pyplot(run, t):
    file = io.BytesIO()
    flow_figure(run, t=t).savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")
    pyplot = matplotlib.__dict__.get("pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_many_samples_and_one_sample():
    rng = np.random.default_rng(0)
    for data in (rq.Dataset([0.5], [1.0]), rq.Dataset(rng.normal(size=40), rng.normal(size=40))):
        net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-3, rng=0)
        run = rq.gradient_flow(net, data, t_max=5.0, progress=False)
        assert len(flow_figure(run, t=2.0).axes) == 3
