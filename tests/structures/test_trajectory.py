"""Saving, loading and reading a trajectory."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq
from reluquant.dynamics import chunks as module
from reluquant.structures.trajectory import FILE_FORMAT


@pytest.fixture(scope="module")
def traj():
    data = rq.Dataset([-1.0, 0.1, 0.1, 1.0], [1.0, 0.0, 0.4, 1.0], name="<tent>")
    net = rq.ShallowReLU.gaussian(n_neurons=12, scale=1e-4, rng=0)
    return rq.gradient_flow(net, data, t_max=80.0, progress=False)


def test_a_loaded_trajectory_is_the_saved_one(traj, tmp_path):
    traj.save(tmp_path / "run.npz")
    again = rq.Trajectory.load(tmp_path / "run.npz")
    for name in ("t", "loss", "switches"):
        assert np.array_equal(getattr(traj, name), getattr(again, name)), name
    assert (again.end, again.message, again.success, again.rtol) == (traj.end, traj.message, traj.success, traj.rtol)
    assert (again.data.name, again.data.X.tolist(), again.data.y.tolist()) == (
        "<tent>",
        traj.data.X.tolist(),
        traj.data.y.tolist(),
    )
    for t in (0.0, 17.3, 80.0):
        assert np.array_equal(again.at(t).W, traj.at(t).W)
        assert np.array_equal(again.at(t).a, traj.at(t).a)


def test_a_saved_file_holds_no_pickle(traj, tmp_path):
    traj.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_load_explains_what_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError):
        rq.Trajectory.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match="is not a saved Trajectory"):
        rq.Trajectory.load(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    with pytest.raises(ValueError, match="file format"):
        rq.Trajectory.load(tmp_path / "other.npz")
    np.savez(tmp_path / "half.npz", format=FILE_FORMAT, X=np.zeros(2))
    with pytest.raises(ValueError, match="it lacks bias, end"):
        rq.Trajectory.load(tmp_path / "half.npz")
    np.savez(tmp_path / "word.npz", format="abc")
    with pytest.raises(ValueError, match="of format 'abc'"):
        rq.Trajectory.load(tmp_path / "word.npz")
    np.save(tmp_path / "array.npy", np.arange(3))
    with pytest.raises(ValueError, match="is not a saved Trajectory"):
        rq.Trajectory.load(tmp_path / "array.npy")
    np.savez(tmp_path / "pickled.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"not a saved Trajectory|file format"):
        rq.Trajectory.load(tmp_path / "pickled.npz")


def test_places_that_do_not_exist_never_reach_the_kernel(traj, tmp_path):
    traj.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        arrays = {name: file[name] for name in file.files}
    arrays["recording_snapshot_mode"] = arrays["recording_snapshot_mode"] + 999
    np.savez(tmp_path / "run.npz", **arrays)
    with pytest.raises(ValueError, match="places that do not exist"):
        rq.Trajectory.load(tmp_path / "run.npz")


def test_load_finds_the_name_that_was_given_to_save(traj, tmp_path):
    traj.save(tmp_path / "run")
    assert rq.Trajectory.load(tmp_path / "run").n_steps == traj.n_steps


def test_everything_is_read_only(traj):
    for array in (traj.t, traj.loss, traj.switches, traj.final.W, *traj.recording.snapshots):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError):
        traj.t = np.zeros(3)


def test_states_take_times_in_any_order(traj):
    forward, backward = traj.states([1.0, 30.0, 80.0]), traj.states([80.0, 30.0, 1.0])
    assert np.array_equal(forward.W, backward.W[::-1])
    assert forward.W.shape == (3, 12, 2)
    assert np.array_equal(forward.W[2], traj.final.W)


def test_thinned_restart_points_change_nothing_but_the_time_it_takes(traj, monkeypatch):
    net = rq.ShallowReLU.gaussian(n_neurons=12, scale=1e-4, rng=0)
    monkeypatch.setattr(module, "CHUNK", 4)
    traj = rq.gradient_flow(net, traj.data, t_max=80.0, progress=False)
    monkeypatch.setattr(module, "MOST_BYTES", 1)
    thin = rq.gradient_flow(net, traj.data, t_max=80.0, progress=False)
    assert 2 <= thin.recording.snapshots.t.size <= 3 < 10 < traj.recording.snapshots.t.size
    assert np.array_equal(thin.t, traj.t)
    assert thin.recording.snapshots.t[-1] == 80.0
    for t in (5.0, 40.0, 79.0):
        np.testing.assert_allclose(thin.at(t).W, traj.at(t).W, rtol=1e-8, atol=1e-12)


def test_the_text_form_says_how_it_ended(traj):
    assert repr(traj).startswith("Trajectory(n_neurons=12, n_steps=")
    assert "end='t_max'" in repr(traj)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_residual_is_minus_the_slope_of_the_loss(loss):
    data = rq.Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, -1, -1], bias=False)
    net = rq.ShallowReLU.balanced(n_features=2, bias=False, n_neurons=20, scale=0.1, rng=0)
    run = rq.gradient_flow(net, data, loss=loss, output_bias=0.2, t_max=3.0, progress=False)
    f = run.at(2.0)(data.X) + run.output_bias(2.0)
    minus_slope = data.y - f if loss == "squared" else data.y / (1 + np.exp(data.y * f))
    np.testing.assert_allclose(run.residual(2.0), minus_slope / 4, rtol=1e-12)


def test_the_residual_has_the_shape_of_the_labels(traj):
    np.testing.assert_allclose(traj.residual(0.0), (traj.data.y - traj.at(0.0)(traj.data.X)) / traj.data.n_samples)
    two = rq.Dataset([1.0, 2.0, 4.0], [[1.0, 2.0], [0.0, 1.0], [1.0, 1.0]])
    run = rq.gradient_descent(rq.ShallowReLU([[1.0, 0.0]], [[0.5, 0.5]]), two, lr=0.01, n_steps=10, progress=False)
    assert run.residual(run.t[-1]).shape == (3, 2)
    assert run.output_bias(0.0).tolist() == [0.0, 0.0]
