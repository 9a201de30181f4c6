"""Neurons one at a time: closed forms, the exact limit where it is known, and how a run ends."""

import numpy as np
import pytest

import reluquant as rq


def greedy(data, **options):
    return rq.greedy_training(data, **{"rng": 0, "progress": False, "stop": 1e-6} | options)


def test_orthogonal_inputs_need_a_neuron_for_each_sign():
    data = rq.Dataset(np.eye(4), [1.0, 2.0, -1.0, -3.0], bias=False)
    run = greedy(data)
    assert (run.end, run.n_neurons) == ("stop_loss", 2)
    # The tiny neuron of a sign grows at the norm of its labels over n.
    assert run.rate == pytest.approx([np.hypot(1, 3) / 4, np.hypot(1, 2) / 4], rel=1e-6)
    assert run.loss == pytest.approx([15 / 8, 5 / 8, 0.0], abs=1e-3)


@pytest.mark.parametrize("name", ["tent", "absolute", "three_points"])
def test_the_saddles_are_those_of_the_limit(name):
    data = getattr(rq.datasets, name)()
    run, limit = greedy(data), rq.greedy_limit(data)
    n = min(run.n_added, len(limit.losses) - 1)
    assert n >= 1
    assert run.loss[: n + 1] == pytest.approx(limit.losses[: n + 1], abs=2e-3 * run.loss[0])


@pytest.mark.parametrize("name", ["zigzag", "sine", "xor"])
def test_the_loss_falls_at_every_neuron_down_to_what_was_asked_for(name):
    run = greedy(getattr(rq.datasets, name)(), stop=1e-3)
    assert run.success
    assert np.all(np.diff(run.loss) < 0)
    assert run.loss[-1] <= 1e-3 * run.loss[0] < run.loss[-2]
    assert len(run.nets) == run.n_added == run.loss.size - 1
    assert f"with {run.n_added} neurons" in run.message


def test_directions_that_fire_together_come_one_after_the_other():
    run, limit = greedy(rq.datasets.two_points()), rq.greedy_limit(rq.datasets.two_points())
    assert limit.losses == pytest.approx([0.5, 0.0], abs=1e-9)
    assert run.loss == pytest.approx([0.5, 0.25, 0.0], abs=1e-3)


def test_each_net_has_the_loss_that_is_said():
    data = rq.datasets.zigzag()
    run = greedy(data)
    losses = [np.mean((net(data.X) - data.y) ** 2) / 2 for net in run.nets]
    assert losses == pytest.approx(run.loss[1:], rel=1e-9)


def test_several_outputs_and_the_cross_entropy():
    draw = np.random.default_rng(0)
    data = rq.Dataset(draw.standard_normal((15, 3)), np.eye(3)[np.arange(15) % 3])
    squared, entropy = greedy(data, stop=0.1), greedy(data, loss="cross-entropy", stop=0.1)
    assert squared.net.a.shape[1] == 3
    for run, nothing in ((squared, 0.5), (entropy, np.log(3))):
        assert run.success
        assert run.loss[0] == pytest.approx(nothing)
    assert np.mean(entropy.net(data.X).argmax(1) == np.arange(15) % 3) >= 0.9


def test_why_a_run_ends():
    data = rq.datasets.zigzag()
    few = greedy(data, max_neurons=1)
    assert (few.end, few.n_added, few.success) == ("max_steps", 1, False)
    assert "raise max_neurons" in few.message

    def interrupt(report):
        if report.n_steps == 2:
            raise KeyboardInterrupt

    stopped = greedy(data, progress=interrupt)
    assert (stopped.end, len(stopped.nets), stopped.n_added) == ("interrupted", 2, 2)
    # Two labels at one place: their mean is the best there is.
    torn = greedy(rq.Dataset([0.0, 0.0], [1.0, 3.0]))
    assert torn.end in ("stationary", "max_steps")
    assert torn.loss[-1] == pytest.approx(0.5, rel=1e-3)
    nothing = greedy(rq.Dataset([0.0, 1.0], [0.0, 0.0]))
    assert nothing.n_added == 0
    with pytest.raises(ValueError, match="No neuron was added"):
        _ = nothing.net


def test_the_same_seed_gives_the_same_bits():
    data = rq.datasets.sine()
    assert np.array_equal(greedy(data).net.W, greedy(data).net.W)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: rq.greedy_training([1.0]), TypeError, "needs a Dataset, but it got a list"),
        (lambda: greedy(rq.datasets.tent(), loss=3), TypeError, "loss must be a name or a Loss"),
        (lambda: greedy(rq.datasets.tent(), loss="logistic"), ValueError, "logistic loss needs labels"),
        (lambda: greedy(rq.datasets.tent(), stop=-1.0), ValueError, "stop must be"),
        (lambda: greedy(rq.datasets.tent(), max_neurons=0), ValueError, "max_neurons must be"),
    ],
)
def test_a_bad_argument_is_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()
