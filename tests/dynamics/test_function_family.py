"""The finitely many outcomes: subsets of directions, random draws, and widths."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq


def family(data, **options):
    return rq.function_family(data, progress=False, **options)


def test_two_points_have_four_outcomes():
    found = family(rq.datasets.two_points())
    assert [len(member.subsets) for member in found] == [1, 1, 1, 1]
    np.testing.assert_allclose([member.loss for member in found], [0.0, 0.25, 0.25, 0.5], atol=1e-9)
    assert found[0].subsets == ((0, 1),)
    assert found[-1].subsets == ((),)
    assert found[-1].limit.end == "dead"
    # On its hull the best one is the line through both points, outside it is not.
    assert found[0].n_breakpoints == 0
    assert found[0].n_kinks == 2
    assert found[0].distance.sup < 1e-8


def test_every_subset_is_in_one_member():
    found = family(rq.datasets.zigzag())
    n = found.present.n_neurons
    subsets = [J for member in found for J in member.subsets]
    assert len(subsets) == len(set(subsets)) == 2**n
    assert len(found) < 2**n
    losses = [member.loss for member in found]
    assert losses == sorted(losses)


def test_members_are_the_limits_of_their_subsets():
    found = family(rq.datasets.random(rng=1))
    for member in found:
        J = list(member.subsets[0])
        if J:
            net = rq.ShallowReLU(found.present.W[J], found.present.a[J])
            limit = rq.greedy_limit(found.data, net, progress=False)
            assert rq.compare(limit.final, member.function, region=(-1, 1)).sup < 1e-3
            assert limit.loss == pytest.approx(member.loss, rel=1e-6)


@pytest.mark.parametrize("n_neurons", [20, 2000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_random_networks_of_any_width_end_in_the_family(n_neurons):
    data = rq.datasets.zigzag()
    subsets = family(data)
    drawn = family(data, draws=2 if n_neurons > 10_000 else 10, n_neurons=n_neurons, rng=0)
    assert sum(member.count for member in drawn) == (2 if n_neurons > 10_000 else 10)
    # Every outcome of a draw is also one of a subset: no member comes from draws alone.
    assert all(member.subsets for member in drawn)
    assert len(drawn) == len(subsets)
    if n_neurons > 1000:
        # All basins are populated then, and there is one outcome left.
        everyone = tuple(range(drawn.present.n_neurons))
        (member,) = (member for member in drawn if member.count)
        assert everyone in member.subsets


def test_too_many_subsets_are_refused():
    with pytest.raises(ValueError, match=r"have 2\^7 subsets, more than most = 100"):
        family(rq.datasets.zigzag(), most=100)


@pytest.mark.parametrize("options", [{"draws": -1}, {"draws": 1.5}, {"n_neurons": 0}])
def test_bad_arguments_are_refused(options):
    with pytest.raises((ValueError, TypeError), match="must be"):
        family(rq.datasets.two_points(), **options)


def test_more_inputs_are_refused():
    with pytest.raises(ValueError, match="one input"):
        family(rq.Dataset(np.eye(2), [1.0, 2.0]))
