"""A training run as a value and as a file."""

import math

import numpy as np
import pytest
from safetensors.numpy import save_file

import reluquant as rq
from reluquant.structures.training_run import Layers, Snapshot, TrainingRun


def made(**changed):
    layers = [Layers((np.full((3, 2), k, dtype=np.float32), np.full((1, 3), -k)), True, True) for k in (1.0, 2.0)]
    snapshots = tuple(Snapshot(5 * i, 10.0 * i, kept, (math.nan, 0.5, 0.25 * i)) for i, kept in enumerate(layers))
    values = {
        "t": [0.0, 10.0],
        "loss": [2.0, 1.0],
        "lr": [2.0, math.nan],
        "snapshots": snapshots,
        "end": "max_steps",
        "message": "Training took all steps.",
        "settings": {"seed": 7, "data": "<script>"},
        "pace": (3.0, 0.125),
    }
    return TrainingRun(**values | changed)


def test_a_file_holds_everything(tmp_path):
    run = made()
    run.save(tmp_path / "run.safetensors")
    again = TrainingRun.load(tmp_path / "run.safetensors")
    for name in ("t", "loss", "lr", "snapshot_t", "train_accuracy", "test_loss", "test_accuracy"):
        assert np.array_equal(getattr(again, name), getattr(run, name), equal_nan=True), name
    for name in ("end", "message", "settings", "pace", "n_steps", "success"):
        assert getattr(again, name) == getattr(run, name), name
    for mine, theirs in zip(run.snapshots, again.snapshots, strict=True):
        for W, V in zip(mine.layers.weights, theirs.layers.weights, strict=True):
            assert W.dtype == V.dtype
            assert np.array_equal(W, V)
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]


def test_the_last_snapshot_before_a_time():
    run = made()
    assert run.at(9.9).W[0, 0] == 1.0
    assert run.at(10.0).W[0, 0] == 2.0
    assert run.final.a.tolist() == [-2.0] * 3
    for t in (-1.0, 10.1, math.nan):
        with pytest.raises(ValueError, match="covers the times 0 to 10"):
            run.at(t)


def test_records_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        made().loss[0] = 0.0


def test_text_names_what_it_is():
    assert repr(made()) == "TrainingRun(widths=(3,), n_steps=5, t=10, loss=1, end='max_steps')"


def test_networks_there_and_back():
    draw = np.random.default_rng(0)
    shallow = rq.ShallowReLU(draw.standard_normal((4, 3)), draw.standard_normal((4, 2)))
    deep = rq.DeepReLU(
        [draw.standard_normal(s) for s in ((4, 2), (3, 4), (1, 3))], [*(draw.standard_normal(n) for n in (4, 3)), [0.0]]
    )
    x = draw.standard_normal((9, 2))
    for net in (shallow, deep):
        assert np.array_equal(Layers.of(net, flat=False).network()(x), net(x))


def test_networks_that_training_cannot_keep():
    with pytest.raises(ValueError, match="needs a hidden layer"):
        Layers.of(rq.DeepReLU([[[1.0]]], [[0.0]]), flat=True)
    with pytest.raises(ValueError, match="has no bias at its output"):
        Layers.of(rq.DeepReLU([[[1.0]], [[1.0]]], [[0.0], [1.0]]), flat=True)


def test_files_that_are_no_runs(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        TrainingRun.load(tmp_path / "none")
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(ValueError, match="junk is not a saved training run"):
        TrainingRun.load(tmp_path / "junk")
    save_file({"t": np.zeros(2)}, tmp_path / "other", metadata={"format": "something"})
    with pytest.raises(ValueError, match=r"not a training run of format .*, but of 'something'"):
        TrainingRun.load(tmp_path / "other")
    made().save(tmp_path / "cut")
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:-20])
    with pytest.raises(ValueError, match="cut is not a saved training run"):
        TrainingRun.load(tmp_path / "cut")
