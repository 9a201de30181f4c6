import io

import numpy as np
import pytest

import reluquant as rq
from reluquant.views.approximation_figures import approximation_figure, random_label_figure


def png(figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


@pytest.fixture(scope="module")
def study():
    options = {
        "n_points": [4, 5, 9],
        "curvature": np.pi**2,
        "n_neurons": 100,
        "n_seeds": 2,
        "rng": 0,
        "progress": False,
    }
    return rq.approximation_study(lambda x: np.sin(np.pi * x), **options)


def marks(axes):
    """Places of single runs, by their marker."""
    lines = [line for line in axes.get_lines() if line.get_marker() in ("o", "x") and len(line.get_xdata())]
    return {line.get_marker(): np.column_stack(line.get_data()) for line in lines}


def test_errors_are_drawn_with_their_slopes_and_the_kind_of_every_run(study):
    figure = approximation_figure(study)
    for axes, norm in zip(figure.axes[:2], ("sup", "l2"), strict=True):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        for line, who in zip(axes.get_lines()[:2], ("network", "interpolant"), strict=True):
            values = getattr(study, f"{who}_{norm}")
            np.testing.assert_allclose(line.get_data()[1], np.sqrt(values[:, 0] * values[:, 1]))
            value, error = study.slope(f"{who}_{norm}")
            assert line.get_label() == f"{who}: slope {value:.2f} ± {error:.2f}"
        fitted = study.kind == "zero loss"
        assert 0 < fitted.sum() < fitted.size
        found = marks(axes)
        np.testing.assert_array_equal(found["o"][:, 1], getattr(study, f"network_{norm}")[fitted])
        np.testing.assert_array_equal(found["x"][:, 1], getattr(study, f"network_{norm}")[~fitted])
    bound = figure.axes[0].get_lines()[-1]
    np.testing.assert_allclose(bound.get_ydata(), study.bound[:, 0])
    losses = np.concatenate([places[:, 1] for places in marks(figure.axes[2]).values()])
    np.testing.assert_array_equal(np.sort(losses), np.sort(study.loss.ravel()))
    assert png(figure).startswith(b"\x89PNG")


def test_a_study_in_the_plane_names_its_own_bound():
    options = {"n_points": [4, 9], "n_neurons": 5, "n_seeds": 1, "rng": 0, "max_steps": 1, "progress": False}
    box = ((-1.0, 1.0), (-1.0, 1.0))
    figure = approximation_figure(rq.approximation_study(lambda x: x[:, 0] ** 2, region=box, curvature=2.0, **options))
    bound = figure.axes[0].get_lines()[-1]
    assert bound.get_label() == "M R²/2: bound of the interpolant"
    np.testing.assert_allclose(bound.get_ydata(), [2.0, 0.5])
    assert png(figure).startswith(b"\x89PNG")


def test_random_labels_are_drawn_beside_chance():
    study = rq.random_label_study(n_points=[4, 8, 16], n_neurons=30, n_seeds=1, rng=0, progress=False)
    figure = random_label_figure(study)
    network, interpolant = figure.axes[0].get_lines()[:2]
    np.testing.assert_allclose(network.get_ydata(), study.network_wrong[:, 0])
    np.testing.assert_allclose(interpolant.get_ydata(), study.interpolant_wrong[:, 0])
    assert figure.axes[0].get_lines()[-1].get_ydata() == [0.5, 0.5]
    assert png(figure).startswith(b"\x89PNG")


def test_a_study_with_failures_can_be_drawn():
    def f(x):
        if x.size == 5:
            raise ArithmeticError
        return x**2

    options = {"n_points": [4, 5, 9], "curvature": 2.0, "n_neurons": 20, "n_seeds": 1, "rng": 0, "progress": False}
    figure = approximation_figure(rq.approximation_study(f, **options))
    network = figure.axes[0].get_lines()[0]
    assert network.get_xdata().tolist() == [4, 9]
    assert "±" not in network.get_label()
    assert png(figure).startswith(b"\x89PNG")
