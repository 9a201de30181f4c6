"""Clusters, held against single linkage by loops over all pairs."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant import Dataset, ShallowReLU, extremal_directions, gradient_flow, neuron_clusters

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


def pairs_by_loops(W, a, angle):
    """Labels by merging all pairs (w/|w|, a/|a|) within the chord of the angle, if both have output weights or none."""
    labels = [j if np.any(w) else -1 for j, w in enumerate(W)]
    a = a.reshape(len(W), -1)
    pairs = [np.r_[w / (math.hypot(*w) or 1), b / (math.hypot(*b) or 1)] for w, b in zip(W, a, strict=True)]
    for _ in labels:
        for i in range(len(a)):
            for j in range(len(a)):
                same = np.any(a[i]) == np.any(a[j]) and (a.shape[1] > 1 or np.sign(a[i]) == np.sign(a[j]))
                close = np.linalg.norm(pairs[i] - pairs[j]) <= 2 * math.sin(angle / 2)
                if same and close and labels[i] >= 0 and labels[j] >= 0:
                    labels[i] = labels[j] = min(labels[i], labels[j])
    return labels


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.booleans(), st.floats(0.01, 1.5))
def test_any_features_and_outputs(seed, p, o, bias, angle):
    rng = np.random.default_rng(seed)
    p = max(p, 1 + bias)
    m = int(rng.integers(1, 14))
    places, sides = rng.standard_normal((3, p)), rng.standard_normal((2, o))
    scale = 10.0 ** rng.integers(-200, 100, (m, 1))
    W = scale * (places[rng.integers(0, 3, m)] + 0.3 * rng.standard_normal((m, p))) * (rng.random((m, 1)) > 0.1)
    a = sides[rng.integers(0, 2, m)] * (rng.random((m, 1)) > 0.1)
    net = ShallowReLU(W, a[:, 0] if o == 1 and bias else a, bias=bias)
    clusters = neuron_clusters(net, angle=angle)
    expected = pairs_by_loops(W, a, angle)
    assert same_partition(clusters.labels.tolist(), expected)
    assert clusters.direction.shape == (len(clusters), p)
    assert clusters.output.shape == (len(clusters), o)
    np.testing.assert_allclose(np.linalg.norm(clusters.direction, axis=1), 1)
    for i in range(len(clusters)):
        members = clusters.labels == i
        mass = np.linalg.norm(a[members], axis=1) * np.array([math.hypot(*w) for w in W[members]])
        assert clusters.mass[i] == pytest.approx(np.sum(mass), rel=1e-12)
        if np.any(mass > 1e-300):
            assert clusters.log_mass[i] == pytest.approx(math.log(np.sum(mass)), rel=1e-12)
            lead = W[members][np.argmax(mass)]
            assert clusters.direction[i] @ lead > 0 or clusters.size[i] > 2
        assert clusters.size[i] == members.sum()
        assert clusters.sign[i] == (np.sign(a[members][0, 0]) if o == 1 else 0)
        assert clusters.log_norm[i] == pytest.approx(max(math.log(math.hypot(*w)) for w in W[members]), abs=1e-12)


def test_with_and_without_a_second_output_of_zeros_are_the_same_clusters():
    rng = np.random.default_rng(0)
    W, a = rng.standard_normal((60, 3)), rng.standard_normal(60)
    one = neuron_clusters(ShallowReLU(W, a), angle=0.3)
    two = neuron_clusters(ShallowReLU(W, np.column_stack([a, 0 * a])), angle=0.3)
    assert same_partition(one.labels.tolist(), two.labels.tolist())
    np.testing.assert_allclose(one.direction, two.direction, atol=1e-14)
    np.testing.assert_array_equal(one.sign, two.output[:, 0])
    assert np.all(np.isnan(one.kink) & np.isnan(one.angle))


def test_mean_on_the_sphere_is_weighted_by_mass():
    W = np.array([[1.0, 0.0, 0.0], [1.0, 4e-4, 0.0]])
    clusters = neuron_clusters(ShallowReLU(W, [1.0, 3.0]))
    assert clusters.size.tolist() == [2]
    assert clusters.direction[0, 1] == pytest.approx(3e-4, rel=1e-6)


def test_what_a_flow_has_turned_to():
    data = Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, -1, -1], bias=False)
    net = ShallowReLU.balanced(n_features=2, bias=False, n_neurons=200, scale=1e-8, rng=0)
    clusters = neuron_clusters(gradient_flow(net, data, progress=False).final)
    extremal = extremal_directions(data)
    index, angle = clusters.match(extremal)
    assert len(clusters) == 4
    assert sorted(index.tolist()) == [i for i, e in enumerate(extremal) if e.kind == "attractor"]
    assert [extremal[i].sign for i in index] == clusters.sign.tolist()
    assert np.all(angle < 1e-9)
    assert clusters.match(extremal[:1]).index.tolist().count(-1) >= 3
    with pytest.raises(ValueError, match="2 weights and 1 outputs, but the neurons have 3 and 1"):
        neuron_clusters(ShallowReLU(np.ones((1, 3)), [1.0])).match(extremal)
    with pytest.raises(ValueError, match="angle must be a finite number above 0 and at most 1.5"):
        clusters.match(extremal, angle=2.0)


def test_condensed_wide_networks_are_quick():
    rng = np.random.default_rng(0)
    places = rng.standard_normal((7, 4))
    W = places[rng.integers(0, 7, 100_000)] + 1e-10 * rng.standard_normal((100_000, 4))
    start = time.process_time()
    clusters = neuron_clusters(ShallowReLU(W, np.ones((100_000, 2))))
    assert time.process_time() - start < 5.0
    assert clusters.size.sum() == 100_000
    assert len(clusters) == 7


def test_other_things_are_refused():
    with pytest.raises(TypeError, match="needs a ShallowReLU"):
        neuron_clusters(np.ones((2, 3)))


def test_result_is_immutable():
    clusters = neuron_clusters(ShallowReLU([[1.0, 0.0]], [1.0]))
    with pytest.raises(ValueError, match="read-only"):
        clusters.labels[0] = 5
