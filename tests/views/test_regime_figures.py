import io

import numpy as np
import pytest

import reluquant as rq
from reluquant.structures.regimes import CRITICAL_EXPONENT
from reluquant.views.regime_figures import phase_diagram_figure, scale_sweep_figure


@pytest.fixture(scope="module")
def sweep():
    # The last one fails, and has a place on the axis only.
    scales = [1e-3, 1e-1, 1.0, 1e90]
    return rq.scale_sweep(rq.datasets.zigzag(), scales=scales, n_neurons=30, n_seeds=2, rng=0, progress=False)


@pytest.fixture(scope="module")
def diagram():
    scales = [1e-4, 1e-3, 1e-2, 0.1, 1.0, 3.0]
    return rq.phase_diagram(
        rq.datasets.zigzag(), scales=scales, widths=[16, 32, 64], n_seeds=2, mirrored=True, rng=0, progress=False
    )


def png(figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def test_a_sweep_is_runs_and_their_mean_against_the_scale(sweep):
    figure = scale_sweep_figure(sweep)
    for axes, name in zip(figure.axes, ("log10_rd", "n_directions", "sup"), strict=True):
        *runs, mean, boundary = axes.get_lines()[:4]
        np.testing.assert_allclose([line.get_ydata() for line in runs], getattr(sweep, name).T)
        np.testing.assert_allclose(mean.get_ydata(), sweep.mean(name))
        np.testing.assert_allclose(mean.get_xdata(), np.log10(sweep.scales))
        np.testing.assert_allclose(boundary.get_xdata(), np.log10(30**-0.5))
    assert png(figure).startswith(b"\x89PNG")


def test_a_diagram_shows_exponents_phases_and_the_boundary(diagram):
    figure = phase_diagram_figure(diagram)
    axes = figure.axes[0]
    (cells,) = axes.collections
    np.testing.assert_allclose(cells.get_array().reshape(diagram.exponent.shape), diagram.exponent)
    lines = axes.get_lines()
    marks = {line.get_marker(): line.get_xdata().size for line in lines if len(line.get_xdata())}
    assert marks["v"] == np.sum(diagram.exponent < -CRITICAL_EXPONENT) > 0
    assert marks["^"] == np.sum(diagram.exponent > CRITICAL_EXPONENT) > 0
    x, y = lines[-1].get_data()
    np.testing.assert_allclose(y, -0.5 * x)
    assert png(figure).startswith(b"\x89PNG")


def test_the_collapse_shows_every_width_against_width_times_scale_squared(diagram):
    axes = phase_diagram_figure(diagram).axes[1]
    for i, (line, width) in enumerate(zip(axes.get_lines()[:3], diagram.widths, strict=True)):
        x, y = line.get_data()
        np.testing.assert_allclose(x, np.log10(width * diagram.scales**2))
        np.testing.assert_allclose(y, diagram.mean("log10_rd")[:, i])


def test_unequal_layers_have_another_boundary_and_no_guides():
    found = rq.phase_diagram(
        rq.datasets.zigzag(), scales=[0.01, 0.1], widths=[10, 20], n_seeds=1, start="gaussian", gamma_prime=0.5,
        t_max=1.0, rng=0, progress=False,
    )  # fmt: skip
    figure = phase_diagram_figure(found)
    x, y = figure.axes[0].get_lines()[-1].get_data()
    np.testing.assert_allclose(y, -0.75 * x)
    labels = [line.get_label() for line in figure.axes[1].get_lines()]
    assert not any("slope" in label for label in labels)
    assert "γ' = 0.5" in figure.get_suptitle()
