import numpy as np
import pytest

import reluquant as rq
from reluquant.kernels import flow_general
from reluquant.structures import general_recording


@pytest.fixture(scope="module", params=[False, True], ids=["no offset", "offset"])
def run(request):
    X = np.random.default_rng(0).standard_normal((6, 3))
    data = rq.Dataset(X, np.sin(X.sum(axis=1)))
    net = rq.ShallowReLU.balanced(n_features=3, n_neurons=30, scale=1e-4, rng=0)
    offset = {"output_bias": 0.0} if request.param else {}
    return rq.gradient_flow(net, data, t_max=20.0, rtol=1e-6, progress=False, **offset)


def moments(run):
    rng = np.random.default_rng(1)
    snapshots = run.recording.snapshots.t
    return np.concatenate([[0.0, run.t[-1]], rng.uniform(0, run.t[-1], 30), rng.choice(run.t, 8), snapshots[:3]])


def test_many_times_at_once_are_bit_for_bit_those_asked_for_one_by_one(run):
    times = moments(run)
    together = run.states(times)
    offsets = run.recording.offsets(times)
    for row, t in enumerate(times):
        alone = run.states([t])
        for name in ("W", "a", "log_norm", "slides_on"):
            np.testing.assert_array_equal(getattr(together, name)[row], getattr(alone, name)[0], err_msg=f"t = {t}")
        np.testing.assert_array_equal(offsets[row], run.recording.offsets(np.array([t]))[0])


def test_the_states_at_the_steps_of_the_run_give_its_losses(run):
    for t, loss in list(zip(run.t, run.loss, strict=True))[:: max(1, run.t.size // 20)]:
        net = run.at(t)
        value = np.mean((net(run.data.X) + run.output_bias(t) - run.data.y) ** 2) / 2
        assert value == pytest.approx(loss, rel=1e-6, abs=1e-12)


def test_no_step_is_taken_twice_for_many_times(run, monkeypatch):
    taken = []

    def counted(*args):
        answer = advance(*args)
        taken.append(answer[1])
        return answer

    advance = flow_general.advance
    monkeypatch.setattr(general_recording.flow_general, "advance", counted)
    times = np.sort(moments(run))
    run.states(times)
    together = sum(taken)
    # Each whole step once, and one that is cut for each time, or a few where it must be shortened.
    assert together <= run.t.size + 3 * times.size
    taken.clear()
    for t in times:
        run.states([t])
    assert sum(taken) > 2 * together
