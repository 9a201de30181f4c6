"""Clusters, held against single linkage by loops over all pairs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant import ShallowReLU, neuron_clusters

degrees = st.integers(-180, 180).map(lambda d: math.radians(d))
neurons = st.lists(
    st.tuples(degrees, st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]), st.sampled_from([0.0, 1.0, 0.5, 1e-9])),
    min_size=1,
    max_size=14,
)


def network(angles, a, norms=1.0):
    angles = np.asarray(angles, dtype=float)
    return ShallowReLU((norms * np.array([np.cos(angles), np.sin(angles)])).T, a)


def single_linkage(W, a, angle):
    """Labels by merging all pairs of close directions with equal signs, again and again."""
    labels = [j if np.any(w) else -1 for j, w in enumerate(W)]
    directions = np.arctan2(W[:, 1], W[:, 0])
    for _ in labels:
        for i in range(len(a)):
            for j in range(len(a)):
                gap = abs(directions[i] - directions[j])
                close = min(gap, 2 * math.pi - gap) <= angle and np.sign(a[i]) == np.sign(a[j])
                if close and labels[i] >= 0 and labels[j] >= 0:
                    labels[i] = labels[j] = min(labels[i], labels[j])
    return labels


def same_partition(p, q):
    return len(set(zip(p, q, strict=True))) == len(set(p)) == len(set(q))


@given(neurons, st.sampled_from([1.5, 3.5, 20.5, 100.5]))
def test_partition_is_that_of_single_linkage(rows, gap):
    angles, a, norms = np.array(rows).T
    net = network(angles, a, norms)
    clusters = neuron_clusters(net, angle=math.radians(gap))
    expected = single_linkage(net.W, net.a, math.radians(gap))
    assert same_partition(clusters.labels.tolist(), expected)
    assert [v == -1 for v in clusters.labels] == [v == -1 for v in expected]


@given(neurons)
def test_numbers_of_each_cluster_are_those_of_its_neurons(rows):
    angles, a, norms = np.array(rows).T
    net = network(angles, a, norms)
    clusters = neuron_clusters(net, angle=math.radians(3.5))
    assert list(clusters.mass) == sorted(clusters.mass, reverse=True)
    assert len(clusters) == clusters.n_clusters == clusters.labels.max(initial=-1) + 1
    for i in range(len(clusters)):
        members = clusters.labels == i
        lengths = np.hypot(*net.W[members].T)
        assert clusters.size[i] == members.sum()
        assert set(np.sign(net.a[members])) == {clusters.sign[i]}
        assert clusters.mass[i] == pytest.approx(np.sum(np.abs(net.a[members]) * lengths), rel=1e-14)
        assert clusters.log_norm[i] == pytest.approx(math.log(lengths.max()), abs=1e-14)
        assert np.linalg.norm(clusters.direction[i]) == pytest.approx(1, abs=1e-15)
        w, b = clusters.direction[i]
        assert clusters.angle[i] == pytest.approx(math.atan2(b, w), rel=1e-15)


def test_direction_is_weighted_by_mass():
    clusters = neuron_clusters(network([0.0, 0.0004], [1.0, 3.0]))
    assert clusters.angle[0] == pytest.approx(0.0003, abs=1e-10)
    assert clusters.kink[0] == pytest.approx(-0.0003, abs=1e-10)


def test_a_lone_neuron_keeps_its_direction_exactly():
    clusters = neuron_clusters(ShallowReLU([[0.0, -2.0], [-3.0, 0.0]], [1.0, 5.0]))
    assert clusters.direction.tolist() == [[-1.0, 0.0], [0.0, -1.0]]
    assert clusters.angle.tolist() == [math.pi, -math.pi / 2]
    np.testing.assert_array_equal(clusters.kink, [0.0, np.nan])


def test_the_circle_is_closed_at_pi():
    clusters = neuron_clusters(network([math.pi - 4e-4, -math.pi + 4e-4, 1.0], [1.0, 1.0, 0.1]))
    assert clusters.size.tolist() == [2, 1]
    assert abs(clusters.angle[0]) == pytest.approx(math.pi, abs=1e-12)


def test_negative_zero_bias_is_the_same_direction():
    assert len(neuron_clusters(ShallowReLU([[-1.0, 0.0], [-1.0, -0.0]], [1.0, 1.0]))) == 1


def test_a_gap_of_exactly_the_angle_does_not_split():
    W = [[1.0, 0.0], [math.cos(1e-3), math.sin(1e-3)]]
    gap = math.atan2(W[1][1], W[1][0])
    assert len(neuron_clusters(ShallowReLU(W, [1.0, 1.0]), angle=gap)) == 1
    assert len(neuron_clusters(ShallowReLU(W, [1.0, 1.0]), angle=np.nextafter(gap, 0))) == 2


def test_a_chain_around_the_circle_is_one_cluster():
    assert neuron_clusters(network(np.linspace(-3, 3.2, 100), np.ones(100)), angle=0.1).size.tolist() == [100]


def test_signs_are_apart_and_neurons_without_output_are_their_own():
    clusters = neuron_clusters(network([0.0, 0.0, 0.0, 0.0], [1.0, -2.0, 0.0, 1.0]))
    assert clusters.sign.tolist() in ([1, -1, 0], [-1, 1, 0])
    assert clusters.mass.tolist() == [2.0, 2.0, 0.0]
    assert clusters.log_mass[2] == -math.inf


def test_zero_neurons_have_no_cluster():
    clusters = neuron_clusters(ShallowReLU([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]], [1.0, 1.0, 0.0]))
    assert clusters.labels.tolist() == [-1, 0, -1]
    none = neuron_clusters(ShallowReLU(np.zeros((2, 2)), np.ones(2)))
    assert none.labels.tolist() == [-1, -1]
    assert (len(none), none.direction.shape, none.mass.shape) == (0, (0, 2), (0,))
    assert neuron_clusters(ShallowReLU(np.zeros((0, 2)), np.zeros(0))).labels.shape == (0,)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e300])
def test_nothing_underflows_or_overflows(scale):
    rng = np.random.default_rng(0)
    angles = np.repeat(rng.uniform(-3, 3, 5), 20) + 1e-5 * rng.standard_normal(100)
    a = np.repeat([1.0, -1.0, 1.0, 1.0, -1.0], 20) * rng.uniform(0.5, 1.5, 100)
    one, other = (neuron_clusters(network(angles, s * a, s)) for s in (1.0, scale))
    assert one.labels.tolist() == other.labels.tolist()
    np.testing.assert_allclose(other.direction, one.direction, atol=1e-14)
    np.testing.assert_allclose(other.log_norm, one.log_norm + math.log(scale), rtol=1e-13)
    np.testing.assert_allclose(other.log_mass, one.log_mass + 2 * math.log(scale), rtol=1e-13)


def test_mass_that_underflows_still_sorts():
    clusters = neuron_clusters(network([0.0, 1.0, 2.0], [1e-300, 3e-300, 2e-300], 1e-300))
    assert clusters.mass.tolist() == [0.0, 0.0, 0.0]
    assert clusters.labels.tolist() == [2, 0, 1]


def test_the_largest_weights():
    clusters = neuron_clusters(ShallowReLU([[1.7e308, 1.7e308]], [1e-308]))
    assert clusters.log_norm[0] == pytest.approx(math.log(1.7) + 308 * math.log(10) + math.log(2) / 2)
    assert clusters.log_mass[0] == pytest.approx(math.log(1.7 * math.sqrt(2)))


def test_ten_thousand_neurons_are_all_counted():
    net = ShallowReLU.gaussian(n_neurons=10_000, rng=0)
    clusters = neuron_clusters(net, angle=1e-4)
    assert clusters.size.sum() == 10_000


@pytest.mark.parametrize("angle", [0.0, -1.0, np.nan, np.inf, "wide", None, True, np.complex128(1)])
def test_bad_angles_are_refused(angle):
    with pytest.raises((TypeError, ValueError), match="angle must be a finite number above 0"):
        neuron_clusters(ShallowReLU([[1.0, 0.0]], [1.0]), angle=angle)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="one input dimension with bias so far"):
        neuron_clusters(ShallowReLU(np.ones((2, 3)), np.ones(2)))
    with pytest.raises(TypeError, match="needs a ShallowReLU"):
        neuron_clusters(np.ones((2, 3)))


def test_result_is_immutable():
    clusters = neuron_clusters(ShallowReLU([[1.0, 0.0]], [1.0]))
    with pytest.raises(ValueError, match="read-only"):
        clusters.labels[0] = 5
