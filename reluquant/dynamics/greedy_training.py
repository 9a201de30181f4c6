"""Training one neuron after the other: what the limit of a vanishing start does, at sizes where it is out of reach."""

from __future__ import annotations

import math

import numpy as np

from reluquant.analysis.steepest_neuron import Steepest, steepest_neuron
from reluquant.dynamics.kinked_minimum import kinked_minimum
from reluquant.dynamics.progress import FlowProgress, Progress, reporting
from reluquant.kernels import losses
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.greedy_run import GreedyRun
from reluquant.structures.losses import Loss, check_labels, named, residuals
from reluquant.structures.scalars import Rng, generator, real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import End

# At a saddle so many steps of the minimiser gain less than this share of the loss.
GAIN, EVERY, MOST_STEPS = 1e-3, 100, 3000
# No direction grows: all rates are below this share of that of the first neuron.
REST = 1e-9
# Norm of a neuron that is added, as a share of that which alone would lower the loss most: small, as one that escapes
# from a saddle, and large enough for the minimiser to see.
SMALL = 0.1
MOST_NEURONS = 100_000

_SENTENCES = {
    End.STOP_LOSS: "Greedy training reached the loss {loss:.4g} that was asked for with {neurons} neurons.",
    End.STATIONARY: (
        "No direction grows any more at the loss {loss:.4g}, with {neurons} neurons: a spurious stationary point, or"
        " the least possible loss."
    ),
    End.MAX_STEPS: "All {neurons} neurons were added, and the loss is {loss:.4g}; raise max_neurons.",
    End.INTERRUPTED: "Greedy training was interrupted with {neurons} neurons, at the loss {loss:.4g}.",
}


def greedy_training(
    data: Dataset,
    *,
    loss: str | Loss = "squared",
    stop: float = 0.01,
    max_neurons: int = 1000,
    rng: Rng = None,
    progress: Progress = True,
) -> GreedyRun:
    """Add neurons one at a time, each in the direction that grows fastest, and minimise the loss in between.

    What gradient descent does from a vanishing start, as the paper simulates it: at each saddle the tiny neuron that
    grows fastest takes off first, and all move on to the next saddle.

    Parameters
    ----------
    data : Dataset
        Any number of samples, features and outputs.
    loss : {"squared", "logistic", "cross-entropy", "huber"} or Loss
        As for :func:`reluquant.gradient_descent`.
    stop : float, default 0.01
        Share of the loss of the zero function at which to stop.
    max_neurons : int, default 1000
        Bound on the number of neurons that are added.
    rng : int, numpy.random.Generator or None
        Source of the starts of the search.
    progress : bool or callable, default True
        True shows a bar; a function gets a report after each neuron: ``.t`` and ``.n_steps`` are neurons added, and
        ``.loss``. It may raise KeyboardInterrupt to stop.

    Returns
    -------
    GreedyRun
        Also after an interrupt, with what was reached.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any work.

    Notes
    -----
    The direction is found by a search, whose rate is a lower bound of the largest
    (``reluquant.analysis.steepest_neuron``). Between two saddles quasi-Newton steps lower the loss from where the
    new neuron is small: they end in a minimum nearby, which need not be that to which the flow would go. For few
    points the limit itself is :func:`reluquant.greedy_limit`; it tracks which directions still have a neuron, while
    here every direction is open at every saddle.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, sections 4 and 5.

    Examples
    --------
    >>> import reluquant as rq
    >>> run = rq.greedy_training(rq.Dataset([-1.0, 1.0], [1.0, 2.0]), stop=1e-6, rng=0, progress=False)
    >>> run.n_neurons, run.net([-1.0, 1.0]).round(2)
    (1, array([1., 2.]))
    """
    if not isinstance(data, Dataset):
        raise TypeError(f"greedy_training needs a Dataset, but it got a {type(data).__name__}.")
    if not isinstance(loss, str | Loss):
        raise TypeError(f"loss must be a name or a Loss, but it is a {type(loss).__name__}.")
    chosen = named(loss.replace("_", "-")) if isinstance(loss, str) else loss
    check_labels(chosen, data.y)
    share, draw = real_number(stop, "stop", least=0), generator(rng)
    most = whole_number(max_neurons, "max_neurons", most=MOST_NEURONS)
    problem = _Problem(data, chosen)
    nets: list[_Neurons] = []
    history, rates, end = [problem.loss(problem.empty)], [], End.MAX_STEPS
    goal = share * history[0]
    try:
        with reporting(progress, "greedy training") as report:
            while len(rates) < most:
                neurons = nets[-1] if nets else problem.empty
                if history[-1] <= goal:
                    end = End.STOP_LOSS
                    break
                found = steepest_neuron(problem.inputs, problem.residuals(neurons), rng=draw)
                if found.rate <= REST * max([found.rate, *rates[:1]]) or found.rate == 0.0:
                    end = End.STATIONARY
                    break
                settled = problem.minimised(problem.with_neuron(neurons, found), goal)
                nets.append(problem.without_the_dead(settled))
                rates.append(found.rate)
                history.append(problem.loss(nets[-1]))
                report(FlowProgress(float(len(rates)), history[-1], len(rates)))
            else:
                end = End.STOP_LOSS if history[-1] <= goal else End.MAX_STEPS
    except KeyboardInterrupt:
        end = End.INTERRUPTED
    nets = nets[: min(len(nets), len(rates), len(history) - 1)]
    return GreedyRun(
        nets=tuple(problem.network(neurons) for neurons in nets),
        loss=np.array(history[: len(nets) + 1]),
        rate=np.array(rates[: len(nets)]),
        end=end.value,
        message=_SENTENCES[end].format(loss=history[len(nets)], neurons=len(nets)),
    )


_Neurons = tuple[Floats, Floats]
"""Input weights (m, p) and output weights (m, o)."""


class _Problem:
    """The loss of networks of any width on given data, its gradient, and what to do with neurons."""

    def __init__(self, data: Dataset, loss: Loss) -> None:
        self.data, self.kind = data, loss
        self.inputs = np.array(data.inputs)
        self.labels = np.array(data.y.reshape(data.n_samples, -1))
        self.empty = np.zeros((0, self.inputs.shape[1])), np.zeros((0, self.labels.shape[1]))

    def outputs(self, neurons: _Neurons) -> Floats:
        W, A = neurons
        return np.maximum(self.inputs @ W.T, 0.0) @ A

    def loss(self, neurons: _Neurons) -> float:
        return self._loss(self.outputs(neurons))

    def _loss(self, outputs: Floats) -> float:
        kind = self.kind
        return float(losses.mean_loss(kind.kind, kind.parameter, kind.value, outputs, self.labels))

    def residuals(self, neurons: _Neurons) -> Floats:
        return residuals(self.kind, self.outputs(neurons), self.labels)

    def with_neuron(self, neurons: _Neurons, found: Steepest) -> _Neurons:
        """Add a balanced neuron that is small against the one that alone would lower the loss most."""
        felt = np.maximum(self.inputs @ found.w, 0.0)
        # Of the loss as if it were quadratic: rate = size² · the mean square of what the neuron adds.
        norm = SMALL * math.sqrt(found.rate / np.mean(felt**2))
        W, A = neurons
        return np.vstack([W, norm * found.w]), np.vstack([A, norm * found.output])

    def minimised(self, neurons: _Neurons, goal: float) -> _Neurons:
        """Move all neurons to a minimum nearby, or to where the loss is as asked for."""
        (m, p), o = neurons[0].shape, self.labels.shape[1]

        def split(flat: Floats) -> _Neurons:
            return flat[: m * p].reshape(m, p), flat[m * p :].reshape(m, o)

        def value_and_gradient(flat: Floats) -> tuple[float, Floats]:
            W, A = split(flat)
            felt = np.maximum(self.inputs @ W.T, 0.0)
            outputs = felt @ A
            r = residuals(self.kind, outputs, self.labels)
            back = (felt > 0) * (r @ A.T)
            return self._loss(outputs), -np.concatenate([(back.T @ self.inputs).ravel(), (felt.T @ r).ravel()])

        flat = np.concatenate([part.ravel() for part in neurons])
        # Losses of separable classes have no minimum: without the goal they would fall on and on.
        return split(kinked_minimum(value_and_gradient, flat, goal=goal, gain=GAIN, every=EVERY, most_steps=MOST_STEPS))

    def without_the_dead(self, neurons: _Neurons) -> _Neurons:
        """Remove neurons that no sample reaches, which changes the function on no sample."""
        W, A = neurons
        alive = (self.inputs @ W.T > 0).any(axis=0) & A.any(axis=1)
        return W[alive], A[alive]

    def network(self, neurons: _Neurons) -> ShallowReLU:
        W, A = neurons
        return ShallowReLU(W, A[:, 0] if self.data.y.ndim == 1 else A, bias=self.data.bias)
