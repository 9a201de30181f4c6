"""Training with PyTorch, held against the flow, against descent, and against a module's own gradients."""

import math
import sys

import numpy as np
import pytest
import torch

import reluquant as rq
from reluquant.dynamics.training import objective

DATA = rq.Dataset([-1.0, -0.4, 0.3, 1.0], [1.0, -0.5, 0.8, -0.4])
SPACE = np.random.default_rng(0).standard_normal((12, 3))
CLASSES = rq.Dataset(SPACE, np.eye(3)[np.arange(12) % 3])
QUIET = {"progress": False, "device": "cpu", "dtype": "float64"}


def network(n_outputs=None, n_features=1, n_neurons=8, scale=0.1):
    net = rq.ShallowReLU.balanced(n_features=n_features, n_neurons=n_neurons, scale=scale, rng=0)
    if n_outputs is None:
        return net
    a = np.random.default_rng(1).standard_normal((n_neurons, n_outputs))
    return rq.ShallowReLU(net.W, a * (net.norms / np.linalg.norm(a, axis=1))[:, None])


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_steps_of_one_length_are_those_of_gradient_descent(loss):
    run = rq.train(DATA, net=network(), loss=loss, lr=0.01, max_steps=200, stop=0, **QUIET)
    same = rq.gradient_descent(network(), DATA, loss=loss, lr=0.01, n_steps=200, progress=False)
    assert run.end == "max_steps"
    assert pytest.approx(same.final.W, abs=1e-13) == run.final.W
    assert run.final.a == pytest.approx(same.final.a, abs=1e-13)
    assert run.loss == pytest.approx(same.loss, rel=1e-12)
    assert run.t == pytest.approx(same.t, rel=1e-12)


@pytest.mark.parametrize(
    ("data", "loss", "net"),
    [
        (DATA, "squared", network(n_neurons=30, scale=1e-3)),
        (CLASSES, "cross-entropy", network(3, 3)),
        (rq.Dataset(SPACE, np.where(SPACE[:, 0] > 0, 1.0, -1.0)), "logistic", network(None, 3)),
        (rq.Dataset(SPACE, SPACE @ SPACE[:3].T), "squared", network(3, 3)),
    ],
    ids=["line", "classes", "logistic", "outputs"],
)
def test_the_flow_is_the_limit_and_the_distance_shrinks_with_the_step(data, loss, net):
    t_max = 12.0 if data is DATA else 4.0
    flow = rq.gradient_flow(net, data, loss=loss, t_max=t_max, progress=False).final(data.X)

    def distance(**step):
        run = rq.train(data, net=net, loss=loss, t_max=t_max, stop=0, **step, **QUIET)
        assert run.end == "t_max"
        return np.abs(run.final(data.X) - flow).max()

    size = np.abs(flow).max()
    by_share = [distance(share=share) for share in (0.02, 0.01, 0.005)]
    by_length = [distance(lr=lr) for lr in (0.02, 0.01, 0.005)]
    for errors in (by_share, by_length):
        assert errors[2] < 0.05 * size
        slope = np.polyfit(np.log([4.0, 2.0, 1.0]), np.log(errors), 1)[0]
        assert 0.7 < slope < 1.4, errors


def test_two_hidden_layers_move_down_the_gradient_of_the_module():
    draw = np.random.default_rng(2)
    net = rq.DeepReLU(
        [0.5 * draw.standard_normal(shape) for shape in ((6, 3), (5, 6), (3, 5))],
        [0.1 * draw.standard_normal(n) for n in (6, 5)] + [np.zeros(3)],
    )
    module = rq.to_torch(net, dtype="float64")
    outputs = module(torch.tensor(CLASSES.X))
    torch.nn.functional.cross_entropy(outputs, torch.arange(12) % 3).backward()
    expected = [p.detach().numpy() - 0.1 * p.grad.numpy() for p in module.parameters()]
    moved = rq.train(CLASSES, net=net, loss="cross-entropy", lr=0.1, max_steps=1, stop=0, **QUIET).final
    found = [moved.weights[0], moved.biases[0], moved.weights[1], moved.biases[1], moved.weights[2]]
    for mine, theirs in zip(found, expected[:5], strict=True):
        assert mine == pytest.approx(theirs, abs=1e-14)
    assert not np.any(moved.biases[2])


def test_the_start_is_the_balanced_network():
    run = rq.train(DATA, widths=(30,), scale=1e-4, max_steps=0, rng=5, **QUIET)
    start = rq.ShallowReLU.balanced(n_neurons=30, scale=1e-4, rng=5)
    assert np.array_equal(run.final.W, start.W)
    assert np.array_equal(run.final.a, start.a)


def test_every_neuron_of_a_drawn_network_is_balanced_and_of_the_scale():
    net = rq.train(CLASSES, widths=(40, 30), scale=1e-3, max_steps=0, rng=0, **QUIET).final
    assert net.widths == (40, 30)
    for W, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        norms = np.linalg.norm(np.column_stack([W, b]), axis=1)
        assert 0.5e-3 <= norms.min() < 0.7e-3 < 1.3e-3 < norms.max() <= 1.5e-3
    assert np.linalg.norm(net.weights[-1], axis=0) == pytest.approx(norms, rel=1e-12)


def test_neurons_gather_where_those_of_the_flow_do():
    data = rq.datasets.tent()
    net = rq.ShallowReLU.balanced(n_neurons=60, scale=1e-4, rng=0)
    run = rq.train(data, net=net, stop=1e-3, **QUIET)
    assert run.end == "stop_loss"
    flow = rq.gradient_flow(net, data, stop_loss=run.loss[-1], progress=False)
    found, expected = (rq.neuron_clusters(final, angle=0.1) for final in (run.final, flow.final))
    heavy = int(np.sum(expected.mass > 0.01 * expected.mass.sum()))
    assert 1 <= heavy <= 4
    assert np.abs(found.direction[:heavy] - expected.direction[:heavy]).max() < 0.03
    assert found.sign[:heavy].tolist() == expected.sign[:heavy].tolist()
    assert found.mass[:heavy] == pytest.approx(expected.mass[:heavy], rel=0.05)
    assert found.mass[heavy:].sum() < 0.02 * found.mass.sum()


def test_training_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path):
    whole = rq.train(DATA, widths=(20,), max_steps=300, stop=0, rng=0, **QUIET)

    def interrupt(report):
        if report.n_steps == 137:
            raise KeyboardInterrupt

    file = tmp_path / "run.safetensors"
    options = {"widths": (20,), "max_steps": 300, "stop": 0, "rng": 0, "checkpoint": file}
    first = rq.train(DATA, **options, **QUIET | {"progress": interrupt})
    assert (first.end, first.n_steps, first.success) == ("interrupted", 137, False)
    assert "go on with resume=" in first.message
    for second in (rq.train(DATA, **options, **QUIET), rq.train(DATA, max_steps=300, stop=0, resume=first, **QUIET)):
        assert (second.end, second.n_steps) == ("max_steps", 300)
        assert np.array_equal(second.final.W, whole.final.W)
        assert np.array_equal(second.t, whole.t)
        assert np.array_equal(second.loss, whole.loss)
        assert [snapshot.step for snapshot in second.snapshots] == [snapshot.step for snapshot in whole.snapshots]


def test_mini_batches_are_resumed_in_the_middle_of_a_pass():
    options = {"loss": "cross-entropy", "lr": 0.05, "batch_size": 5, "stop": 0}
    whole = rq.train(CLASSES, widths=(20,), max_steps=25, rng=0, **options, **QUIET)
    half = rq.train(CLASSES, widths=(20,), max_steps=13, rng=0, **options, **QUIET)
    rest = rq.train(CLASSES, resume=half, max_steps=25, **options, **QUIET)
    assert np.array_equal(rest.final.W, whole.final.W)
    assert np.array_equal(rest.loss, whole.loss)


def test_each_pass_deals_out_every_sample_once(monkeypatch):
    seen = []
    original = objective.Objective.value_and_gradient

    def spy(self, weights, batch=None):
        if batch is not None:
            seen.append(batch.tolist())
        return original(self, weights, batch)

    monkeypatch.setattr(objective.Objective, "value_and_gradient", spy)
    rq.train(CLASSES, widths=(4,), lr=0.01, batch_size=5, max_steps=6, stop=0, rng=0, **QUIET)
    passes = [[k for batch in seen[i : i + 3] for k in batch] for i in (0, 3)]
    assert [len(batch) for batch in seen[:3]] == [5, 5, 2]
    assert all(sorted(order) == list(range(12)) for order in passes)
    assert passes[0] != passes[1]


def test_the_same_seed_gives_the_same_bits():
    first, second, other = (
        rq.train(CLASSES, widths=(30, 20), max_steps=50, rng=seed, progress=False, device="cpu") for seed in (3, 3, 4)
    )
    assert all(np.array_equal(V, W) for V, W in zip(first.final.weights, second.final.weights, strict=True))
    assert not np.array_equal(first.final.weights[0], other.final.weights[0])


def test_scores_at_the_snapshots():
    test = rq.Dataset(CLASSES.X[::-1], CLASSES.y[::-1])
    run = rq.train(CLASSES, widths=(50,), scale=0.1, loss="cross-entropy", stop=0.02, test=test, rng=0, **QUIET)
    right = [(run.at(t)(CLASSES.X).argmax(1) == CLASSES.y.argmax(1)).mean() for t in run.snapshot_t]
    assert run.train_accuracy == pytest.approx(right)
    assert run.test_accuracy == pytest.approx(right), "the same samples, in another order"
    assert run.test_loss[-1] == pytest.approx(run.loss[-1], rel=1e-9)
    assert run.train_accuracy[-1] == 1.0
    line = rq.train(DATA, widths=(5,), max_steps=3, rng=0, **QUIET)
    assert np.isnan(line.train_accuracy).all(), "numbers are no classes"


def test_snapshots_lie_on_a_logarithmic_grid():
    run = rq.train(DATA, widths=(10,), lr=1e-3, max_steps=3000, stop=0, rng=0, **QUIET)
    steps = np.array([snapshot.step for snapshot in run.snapshots])
    assert steps[:2].tolist() == [0, 1]
    assert steps[-1] == 3000
    assert len(steps) < 45
    # Every four double, but where steps are too few.
    assert np.all(steps[10:-1] / steps[9:-2] < 1.3)
    assert run.snapshot_t == pytest.approx(1e-3 * steps)


@pytest.mark.parametrize(
    ("options", "end", "words"),
    [
        ({"stop": 0.5}, "stop_loss", "reached the loss"),
        ({"t_max": 1.5}, "t_max", "reached t = 1.5"),
        ({"max_steps": 3}, "max_steps", "took all 3 steps"),
        ({"lr": 1e160}, "failed", "overflowed after step"),
    ],
)
def test_why_a_run_ends(options, end, words):
    run = rq.train(DATA, **{"widths": (20,), "scale": 0.3, "rng": 0, "stop": 0.0} | options, **QUIET)
    assert run.end == end
    assert words in run.message
    assert run.success is (end in ("stop_loss", "t_max"))
    assert np.isfinite(run.loss).all()
    assert np.isfinite(run.final.W).all()
    if end == "t_max":
        assert run.t[-1] == pytest.approx(1.5, rel=1e-15)
    if end == "stop_loss":
        assert run.loss[-1] <= 0.5 * np.mean(DATA.y**2) / 2 < run.loss[-2]


def test_a_dead_network_and_a_fitted_one_rest():
    dead = rq.train(DATA, net=rq.ShallowReLU([[0.1, -2.0]], [1.0]), **QUIET)
    assert (dead.end, dead.n_steps) == ("stationary", 0)
    pair = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    fitted = rq.train(pair, widths=(20,), scale=1e-2, stop=0, rng=0, **QUIET)
    assert fitted.end == "stationary"
    assert fitted.loss[-1] < 1e-7


def test_samples_that_do_not_fit_at_once_are_dealt_with_in_parts(monkeypatch):
    expected = rq.train(CLASSES, widths=(20,), max_steps=20, rng=0, **QUIET)
    original, most = objective.forward, 5

    def small_memory(weights, bias, x):
        if len(x) > most:
            raise torch.OutOfMemoryError("out of memory")
        return original(weights, bias, x)

    monkeypatch.setattr(objective.Objective, "_summed", _with(small_memory, objective.Objective._summed))
    monkeypatch.setattr(objective, "LEAST_CHUNK", 2)
    assert (
        pytest.approx(expected.final.W, rel=1e-12)
        == rq.train(CLASSES, widths=(20,), max_steps=20, rng=0, **QUIET).final.W
    )
    most = 1
    with pytest.raises(MemoryError, match="The memory of cpu does not hold 2 samples .* smaller batch_size"):
        rq.train(CLASSES, widths=(20,), max_steps=20, rng=0, **QUIET)


def _with(forward, method):
    def summed(self, weights, batch):
        real, objective.forward = objective.forward, forward
        try:
            return method(self, weights, batch)
        finally:
            objective.forward = real

    return summed


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"widths": ()}, ValueError, r"widths must be 1 to 20 numbers of neurons, such as \(256,\), but it is \(\)"),
        ({"widths": "256"}, ValueError, "widths must be 1 to 20 numbers"),
        ({"widths": (0,)}, ValueError, r"widths\[0\] must be an integer of at least 1"),
        ({"scale": 0.0, "dtype": "float64"}, ValueError, "scale must be a finite number of at least 1e-150"),
        ({"scale": 1e-40, "dtype": "float32"}, ValueError, "at least 1e-15"),
        ({"dtype": "half"}, ValueError, "dtype must be one of 'float32', 'float64'"),
        ({"device": "abacus"}, ValueError, "device must be .* but it is 'abacus'"),
        ({"lr": -1.0}, ValueError, "lr must be a finite number above 0"),
        ({"share": 0.7}, ValueError, "share must be .* at most 0.5"),
        ({"batch_size": 5}, ValueError, "batch_size must be an integer from 1 to 4"),
        ({"batch_size": 2, "optimizer": "gd"}, ValueError, "leave batch_size out"),
        ({"optimizer": "sgd"}, ValueError, "needs a batch_size"),
        ({"optimizer": "adam"}, ValueError, "optimizer must be one of 'gd', 'sgd'"),
        ({"loss": "cross-entropy"}, ValueError, "cross-entropy needs labels of shape"),
        ({"loss": 3}, TypeError, "loss must be a name or a Loss"),
        ({"loss": rq.structures.losses.custom(lambda f, y: f - y, lambda f, y: 1.0)}, ValueError, "loss of your own"),
        ({"net": 3}, TypeError, "net must be a ShallowReLU or a DeepReLU"),
        ({"net": network(3, 3)}, ValueError, "must have 1 features, 1 outputs and bias=True"),
        ({"resume": 3}, TypeError, "resume must be a TrainingRun or a path"),
        ({"test": CLASSES}, ValueError, "test must have features and labels as the training data"),
        ({"test": 3}, TypeError, "test must be a Dataset"),
        ({"t_max": 0.0}, ValueError, "t_max must be a finite number above 0"),
        ({"stop": -1.0}, ValueError, "stop must be"),
        ({"max_steps": -1}, ValueError, "max_steps must be"),
    ],
)
def test_a_bad_argument_is_one_sentence_before_any_work(options, error, words):
    with pytest.raises(error, match=words):
        rq.train(DATA, **{"progress": False} | options)


def test_only_a_dataset_is_trained_on():
    with pytest.raises(TypeError, match="train.. needs a Dataset, but it got a list"):
        rq.train([1.0], progress=False)


def test_without_torch_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("reluquant.dynamics.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match=r"rq.train needs PyTorch.*reluquant\[torch\]"):
        rq.train(DATA, progress=False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch reaches")
def test_a_gpu_computes_the_same():
    expected = rq.train(CLASSES, widths=(30,), max_steps=50, rng=0, **QUIET)
    found = rq.train(CLASSES, widths=(30,), max_steps=50, rng=0, **QUIET | {"device": "cuda"})
    assert pytest.approx(expected.final.W, abs=1e-10) == found.final.W


def test_reports_bring_the_run_up_to_there():
    runs = []
    rq.train(DATA, widths=(5,), max_steps=4, rng=0, **QUIET | {"progress": lambda report: runs.append(report.so_far())})
    assert [run.n_steps for run in runs] == [1, 2, 3, 4]
    assert all(math.isfinite(run.loss[-1]) for run in runs)


def test_runs_on_several_threads_do_not_disturb_each_other():
    alone = rq.train(CLASSES, widths=(30,), max_steps=60, rng=0, **QUIET)
    together = rq.sweep(rq.train, [CLASSES] * 6, widths=(30,), max_steps=60, rng=0, device="cpu", dtype="float64")
    assert together.ok, together.message
    for run in together.results:
        assert np.array_equal(run.final.W, alone.final.W)


def test_the_number_of_threads_is_put_back_by_the_last_of_several_trainings():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        # The first one begins before the others and ends before them.
        steps = [20, 60, 100, 140]
        assert rq.sweep(_trained, steps).ok
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def _trained(n_steps):
    return rq.train(CLASSES, widths=(30,), max_steps=n_steps, stop=0, rng=0, **QUIET)


def test_an_interrupt_between_a_record_and_its_step_leaves_no_double(monkeypatch):
    from reluquant.dynamics.training import engine

    original = engine._moved

    def interrupted(state, gradient, lr):
        if state.step == 7:
            raise KeyboardInterrupt
        return original(state, gradient, lr)

    monkeypatch.setattr(engine, "_moved", interrupted)
    half = rq.train(DATA, widths=(8,), max_steps=20, stop=0, rng=0, **QUIET)
    monkeypatch.setattr(engine, "_moved", original)
    assert (half.end, half.n_steps, half.t.size) == ("interrupted", 7, 8)
    whole = rq.train(DATA, widths=(8,), max_steps=20, stop=0, rng=0, **QUIET)
    again = rq.train(DATA, max_steps=20, stop=0, resume=half, **QUIET)
    assert np.array_equal(again.t, whole.t)
    assert np.array_equal(again.loss, whole.loss)
