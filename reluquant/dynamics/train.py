"""Training of networks of one hidden layer or more, at the size of images, close to the flow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from reluquant.dynamics.progress import Progress, reporting
from reluquant.structures.dataset import Dataset
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.losses import Loss, check_labels, named
from reluquant.structures.scalars import Rng, generator, real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.training_run import Layers, Snapshot, TrainingRun

# In single precision squares of smaller weights underflow where they meet.
SMALLEST_SCALE = {"float32": 1e-15, "float64": 1e-150}
MOST_LAYERS = 20
# Larger steps are no stand-in for the flow.
LARGEST_SHARE = 0.5


def train(
    data: Dataset,
    *,
    widths: Sequence[int] = (256,),
    scale: float = 1e-3,
    net: ShallowReLU | DeepReLU | None = None,
    loss: str | Loss = "squared",
    lr: float | None = None,
    share: float = 0.02,
    batch_size: int | None = None,
    optimizer: str | None = None,
    stop: float = 0.01,
    t_max: float = math.inf,
    max_steps: int = 100_000,
    test: Dataset | None = None,
    device: str = "auto",
    dtype: str = "float32",
    resume: TrainingRun | str | Path | None = None,
    checkpoint: str | Path | None = None,
    rng: Rng = None,
    progress: Progress = True,
) -> TrainingRun:
    r"""Train a ReLU network from a small start by gradient descent that keeps close to the flow, with PyTorch.

    For networks and data that :func:`reluquant.gradient_flow` is too slow for: images, thousands of samples, several
    hidden layers, a GPU.

    Parameters
    ----------
    data : Dataset
        What to train on.
    widths : sequence of int, default (256,)
        Neurons of each hidden layer. Hidden neurons have a bias if the data say so; the output has none.
    scale : float, default 1e-3
        Norm of a neuron's input weights at the start: uniform in ``scale · [0.5, 1.5]``, in uniform directions. Output
        weights are as long as the input weights of their neuron (balanced). One hidden layer and one output: exactly
        :meth:`ShallowReLU.balanced`.
    net : ShallowReLU or DeepReLU, optional
        Where to start, instead of ``widths`` and ``scale``.
    loss : {"squared", "logistic", "cross-entropy", "huber"} or Loss
        As for :func:`reluquant.gradient_descent`: a mean over the samples. A loss of your own is not for training here.
    lr : float, optional
        Length of every step. By default a step is as long as it can be with no neuron moving by more than ``share`` of
        itself, and a quarter of the length at which descent is unstable.
    share : float, default 0.02
        At most 0.5. The distance to the flow shrinks in proportion to it, as it does with ``lr``.
    batch_size : int, optional
        Samples of a step; by default all. Each pass deals out all samples in a new random order.
    optimizer : {"gd", "sgd"}, optional
        Says which is meant: "gd" looks at all samples and takes no batch size, "sgd" needs one.
    stop : float, default 0.01
        Share of the loss of the zero function at which to stop; 0 for never.
    t_max : float, optional
        Time, the sum of the lengths of the steps, to stop at.
    max_steps : int, default 100_000
        Bound on the number of steps.
    test : Dataset, optional
        Data to score on at the snapshots.
    device : str, default "auto"
        "cpu", "cuda", "cuda:1", …; "auto" is a GPU where there is one.
    dtype : {"float32", "float64"}
        Precision.
    resume : TrainingRun or path, optional
        Go on from there, bit for bit as if the run had not stopped (on the same machine); ``widths``, ``scale``, and
        ``net`` are not looked at.
    checkpoint : path, optional
        A ``.safetensors`` file that is written every minute, at an interrupt and at the end. If it exists, training
        goes on from it.
    rng : int, numpy.random.Generator or None
        Source of the start and of the order of the samples.
    progress : bool or callable, default True
        As for the flow; a function gets reports with ``.so_far()``, the run up to there. It may raise
        KeyboardInterrupt to stop.

    Returns
    -------
    TrainingRun
        Also after an interrupt, with what was reached. ``.final`` is a ShallowReLU for one hidden layer.

    Raises
    ------
    ModuleNotFoundError
        Without PyTorch; ``pip install 'reluquant[torch]'`` brings it.
    TypeError, ValueError
        If an argument is not what is described here; before any work.
    MemoryError
        If the device cannot hold a few samples at once; the sentence says what to choose. More samples than fit at
        once are dealt with in parts, which changes no result but its rounding.

    Notes
    -----
    Descent from a saddle takes steps of one share each: from scale :math:`s` about :math:`\ln(1/s)/share` of them.
    On a point where the flow slides, descent goes to and fro. On a GPU two runs agree to rounding, on a processor bit
    for bit.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 5 (experiments).

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.datasets.zigzag(4)
    >>> run = rq.train(data, widths=(50,), scale=1e-4, stop=0.05, rng=0, progress=False)
    >>> run.end, run.final.n_neurons
    ('stop_loss', 50)
    """
    engine = _engine()
    if not isinstance(data, Dataset):
        raise TypeError(f"train() needs a Dataset, but it got a {type(data).__name__}.")
    chosen = _loss(loss)
    check_labels(chosen, data.y)
    _check_test(test, data)
    draw = generator(rng)
    precision = _one_of(dtype, "dtype", tuple(SMALLEST_SCALE))
    batch = _batch_size(batch_size, optimizer, data.n_samples)
    start = _start(data, widths, scale, net, precision, draw)
    seed = int(draw.integers(2**62))
    before = _resumed(resume, checkpoint)
    if before is not None:
        _check_net(before.snapshots[-1].layers, data)
        seed, start = int(before.settings["seed"]), before
    plan = engine.Plan(
        data=data,
        test=test,
        loss=chosen,
        lr=None if lr is None else real_number(lr, "lr", above=0),
        share=real_number(share, "share", above=0, most=LARGEST_SHARE),
        batch_size=batch,
        seed=seed,
        device=device,
        dtype=precision,
        max_steps=whole_number(max_steps, "max_steps", least=0),
        t_max=math.inf if t_max == math.inf else real_number(t_max, "t_max", above=0),
        stop=real_number(stop, "stop", least=0),
        checkpoint=_saver(checkpoint),
        settings={"loss": chosen.name, "lr": lr, "share": share, "batch_size": batch, "seed": seed, "data": data.name},
    )
    with reporting(progress, "training") as report:
        return engine.run(plan, start, report)


def _engine() -> ModuleType:
    try:
        from reluquant.dynamics.training import engine
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(
            "rq.train needs PyTorch, which is not installed; pip install 'reluquant[torch]' brings it.", name="torch"
        ) from error
    return engine


def _loss(loss: str | Loss) -> Loss:
    if not isinstance(loss, str | Loss):
        raise TypeError(f"loss must be a name or a Loss, but it is a {type(loss).__name__}.")
    chosen = named(loss.replace("_", "-")) if isinstance(loss, str) else loss
    if chosen.name == "custom":
        raise ValueError(
            "A loss of your own is compiled for single numbers, which PyTorch cannot use; take one of the named losses,"
            " or gradient_descent."
        )
    return chosen


def _check_test(test: Dataset | None, data: Dataset) -> None:
    if test is None:
        return
    if not isinstance(test, Dataset):
        raise TypeError(f"test must be a Dataset, but it is a {type(test).__name__}.")
    if (test.n_features, test.y.shape[1:]) != (data.n_features, data.y.shape[1:]):
        raise ValueError(
            f"test must have features and labels as the training data, {data.n_features} and {data.y.shape[1:]},"
            f" but it has {test.n_features} and {test.y.shape[1:]}."
        )


def _one_of(value: object, name: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, but it is {value!r}.")
    return str(value)


def _batch_size(batch_size: int | None, optimizer: str | None, n_samples: int) -> int:
    """Samples of a step; 0 for all."""
    if optimizer is not None:
        _one_of(optimizer, "optimizer", ("gd", "sgd"))
    if batch_size is None:
        if optimizer == "sgd":
            raise ValueError('optimizer="sgd" needs a batch_size; 128, for example.')
        return 0
    if optimizer == "gd":
        raise ValueError('optimizer="gd" looks at all samples in every step; leave batch_size out, or take "sgd".')
    size = whole_number(batch_size, "batch_size", most=n_samples)
    return 0 if size == n_samples else size


def _start(
    data: Dataset,
    widths: Sequence[int],
    scale: float,
    net: ShallowReLU | DeepReLU | None,
    dtype: str,
    draw: np.random.Generator,
) -> TrainingRun:
    """A run that has taken no step yet."""
    flat = data.y.ndim == 1
    if net is None:
        size = real_number(scale, "scale", least=SMALLEST_SCALE[dtype])
        layers = Layers(_drawn(data, _widths(widths), size, draw), data.bias, flat)
    elif isinstance(net, ShallowReLU | DeepReLU):
        layers = Layers.of(net, flat=flat)
        _check_net(layers, data)
    else:
        raise TypeError(f"net must be a ShallowReLU or a DeepReLU, but it is a {type(net).__name__}.")
    arrays = tuple(np.asarray(W, dtype=dtype) for W in layers.weights)
    snapshot = Snapshot(0, 0.0, Layers(arrays, layers.bias, flat), (math.nan,) * 3)
    return TrainingRun(np.zeros(1), np.full(1, math.nan), np.full(1, math.nan), (snapshot,), "", "", {})


def _widths(widths: Sequence[int]) -> tuple[int, ...]:
    if isinstance(widths, str) or not isinstance(widths, Sequence | np.ndarray) or not 1 <= len(widths) <= MOST_LAYERS:
        raise ValueError(f"widths must be 1 to {MOST_LAYERS} numbers of neurons, such as (256,), but it is {widths!r}.")
    return tuple(whole_number(width, f"widths[{i}]") for i, width in enumerate(widths))


def _drawn(data: Dataset, widths: tuple[int, ...], scale: float, draw: np.random.Generator) -> tuple[np.ndarray, ...]:
    sizes = (data.n_features, *widths)
    # Drawn like a shallow network with one output each, so that a shallow network is exactly that.
    layers = [
        ShallowReLU.balanced(n_features=inputs, n_neurons=width, scale=scale, rng=draw, bias=data.bias)
        for inputs, width in zip(sizes, sizes[1:], strict=False)
    ]
    if data.y.ndim == 1:
        last = layers[-1].a[None, :]
    else:
        last = draw.standard_normal((data.y.shape[1], widths[-1]))
        last *= np.abs(layers[-1].a) / np.linalg.norm(last, axis=0)
    return (*(layer.W for layer in layers), last)


def _check_net(layers: Layers, data: Dataset) -> None:
    n_features, n_outputs = layers.weights[0].shape[1] - layers.bias, layers.weights[-1].shape[0]
    wanted = data.n_features, data.y[:1].size, data.bias
    if (n_features, n_outputs, layers.bias) != wanted:
        raise ValueError(
            f"The network must have {wanted[0]} features, {wanted[1]} outputs and bias={wanted[2]} as the data,"
            f" but it has {n_features}, {n_outputs} and bias={layers.bias}."
        )


def _resumed(resume: TrainingRun | str | Path | None, checkpoint: str | Path | None) -> TrainingRun | None:
    if resume is None:
        return TrainingRun.load(checkpoint) if checkpoint is not None and Path(checkpoint).exists() else None
    if isinstance(resume, str | Path):
        return TrainingRun.load(resume)
    if not isinstance(resume, TrainingRun):
        raise TypeError(f"resume must be a TrainingRun or a path, but it is a {type(resume).__name__}.")
    return resume


def _saver(checkpoint: str | Path | None) -> Callable[[TrainingRun], object]:
    if checkpoint is None:
        return lambda run: None
    return lambda run: run.save(checkpoint)
