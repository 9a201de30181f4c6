import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.views.direction_view import BINS, RING, bars, extremal_view, sector_view

DATA = rq.Dataset([-1.0, 0.0, 2.0], [1.0, -1.0, 1.0])


def test_rays_are_where_a_kink_lies_on_a_sample():
    view = sector_view(DATA)
    assert view.angles.size == 6
    inputs = np.sort(DATA.X[:, 0])
    for angle, rank in zip(view.angles, view.ranks, strict=True):
        assert math.cos(angle) * inputs[rank - 1] + math.sin(angle) == pytest.approx(0.0, abs=1e-12)


def test_dead_arc_is_where_no_sample_is_active():
    start, end = sector_view(DATA).dead
    assert end > start
    for angle in np.linspace(0, math.tau, 720, endpoint=False) + 1e-3:
        inactive = np.all(math.cos(angle) * DATA.X[:, 0] + math.sin(angle) < 0)
        assert inactive == (start < angle < end or start < angle + math.tau < end)


def test_many_samples_have_few_rays():
    assert sector_view(rq.Dataset(np.arange(500.0), np.zeros(500))).angles.size <= 60


def test_bars_show_counts_by_side():
    angle = np.radians([0.0, 0.5, 90.0, 90.0, 90.0, 90.0, -90.0])
    sign = np.array([1, 1, -1, -1, -1, -1, 1])
    dead = np.array([False] * 6 + [True])
    positive, negative, lifeless, _ = bars(angle, sign, dead)
    assert (len(positive), len(negative), len(lifeless)) == (1, 1, 1)
    radius = np.hypot(positive[0, :, 0], positive[0, :, 1])
    assert radius.min() == pytest.approx(RING)
    inner = np.hypot(negative[0, :, 0], negative[0, :, 1])
    assert inner.max() == pytest.approx(RING)
    # Two against four neurons: lengths as the roots.
    assert (RING - inner.min()) / (radius.max() - RING) == pytest.approx(math.sqrt(2))
    assert np.degrees(np.arctan2(*lifeless[0].mean(axis=0)[::-1])) == pytest.approx(-90.0)


def test_all_bins_count_once():
    angle = np.linspace(-math.pi, math.pi, 10_001)[:-1]
    positive, negative, lifeless, _ = bars(angle, np.ones(10_000), np.zeros(10_000, bool))
    assert (len(positive), len(negative), len(lifeless)) == (BINS, 0, 0)


def test_extremal_view_shows_what_attracts():
    residual = DATA.y / 3
    view = extremal_view(DATA, residual, 1.0)
    expected = [e for e in rq.extremal_directions(DATA, residual=residual) if e.kind in ("attractor", "semistable")]
    np.testing.assert_allclose(view.angle, [e.angle for e in expected])
    assert view.strength.max() == 1.0
    assert set(view.sign) <= {1, -1}


def test_a_residual_of_rounding_attracts_nothing():
    assert extremal_view(DATA, DATA.y * 1e-9, 1.0).angle.size == 0
    assert extremal_view(DATA, np.zeros(3), 0.0).angle.size == 0
