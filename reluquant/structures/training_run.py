"""What a training run did: loss and step lengths, networks on a logarithmic grid of times, and where to go on."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import End

# Bumped when the tensors or the words of a saved run change meaning.
FILE_FORMAT = "reluquant-training-1"
_SERIES = ("t", "loss", "lr")


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The weights of a network as training keeps them, in the precision it trains in.

    Attributes
    ----------
    weights : tuple of ndarray
        Of each hidden layer (n_neurons, n_inputs + bias), the bias last; then of the output (n_outputs, n_neurons).
    bias : bool
        Whether hidden neurons have a bias.
    flat : bool
        Whether the one output is a number and not an array of one.
    """

    weights: tuple[np.ndarray, ...]
    bias: bool
    flat: bool

    def network(self) -> ShallowReLU | DeepReLU:
        """Return the network: shallow with one hidden layer, deep with more."""
        *hidden, last = (np.asarray(W, dtype=np.float64) for W in self.weights)
        if len(hidden) == 1:
            return ShallowReLU(hidden[0], last[0] if self.flat else last.T, bias=self.bias)
        matrices = [W[:, :-1] if self.bias else W for W in hidden]
        shifts = [W[:, -1] if self.bias else np.zeros(len(W)) for W in hidden]
        return DeepReLU([*matrices, last], [*shifts, np.zeros(len(last))])

    @classmethod
    def of(cls, net: ShallowReLU | DeepReLU, *, flat: bool) -> Layers:
        """Return the weights of a network whose output has no bias.

        Raises
        ------
        ValueError
            If its output has a bias, or it has no hidden layer.
        """
        if isinstance(net, ShallowReLU):
            return cls((net.W, np.atleast_2d(net.a.T)), net.bias, flat)
        if len(net.weights) < 2:
            raise ValueError("A network to train needs a hidden layer, but this one is affine.")
        if np.any(net.biases[-1]):
            raise ValueError(
                "A network to train has no bias at its output, but this one has; subtract it from the labels and set"
                " it to zero."
            )
        hidden = [np.column_stack([W, b]) for W, b in zip(net.weights[:-1], net.biases[:-1], strict=True)]
        return cls((*hidden, net.weights[-1]), True, flat)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A network on the way.

    Attributes
    ----------
    step : int
        Steps taken.
    t : float
        Sum of their lengths.
    layers : Layers
    scores : tuple of float
        Share of the training samples classified rightly, loss and share on the test data; NaN where there is none.
    """

    step: int
    t: float
    layers: Layers
    scores: tuple[float, float, float]


@dataclass(frozen=True, eq=False, repr=False)
class TrainingRun:
    """The result of :func:`reluquant.train`.

    Attributes
    ----------
    t, loss, lr : ndarray, shape (n_records,)
        Time, loss over all training samples there, and length of the step that was taken next. Full batch: every step;
        mini-batches: once a pass and at the snapshots.
    snapshots : tuple of Snapshot
        Networks at times that double every four.
    end : {"t_max", "stop_loss", "stationary", "max_steps", "interrupted", "failed"}
        Why the run ended.
    success : bool
        Whether that is what was asked for.
    message : str
        The same in a sentence, with the remedy where one is needed.
    settings : mapping
        What was asked for, in plain words and numbers.
    pace : tuple of float
        What the choice of step lengths goes on from.
    n_steps : int
        Steps taken.

    Notes
    -----
    Unlike a :class:`reluquant.Trajectory` it cannot be evaluated at every time: :meth:`at` returns the last snapshot.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.train(data, widths=(20,), scale=1e-3, rng=0, progress=False)
    >>> run.end, run.final([-1.0, 1.0]).round(1)
    ('stop_loss', array([-0.9,  0.9]))
    """

    t: Floats
    loss: Floats
    lr: Floats
    snapshots: tuple[Snapshot, ...]
    end: str
    message: str
    settings: Mapping[str, object]
    pace: tuple[float, float] = (math.nan, 0.0)

    def __post_init__(self) -> None:
        for name in _SERIES:
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def success(self) -> bool:
        """Whether the run reached what was asked for."""
        return End(self.end).success

    @property
    def n_steps(self) -> int:
        """Steps taken."""
        return self.snapshots[-1].step

    @cached_property
    def snapshot_t(self) -> Floats:
        """Times of the snapshots."""
        return frozen([snapshot.t for snapshot in self.snapshots])

    @cached_property
    def _scores(self) -> Floats:
        return frozen([snapshot.scores for snapshot in self.snapshots])

    @property
    def train_accuracy(self) -> Floats:
        """Share of the training samples classified rightly at the snapshots; NaN if the labels are no classes."""
        return self._scores[:, 0]

    @property
    def test_loss(self) -> Floats:
        """Loss on the test data at the snapshots; NaN without any."""
        return self._scores[:, 1]

    @property
    def test_accuracy(self) -> Floats:
        """Share of the test data classified rightly at the snapshots; NaN without any."""
        return self._scores[:, 2]

    @cached_property
    def final(self) -> ShallowReLU | DeepReLU:
        """The network at the end."""
        return self.snapshots[-1].layers.network()

    def at(self, t: float) -> ShallowReLU | DeepReLU:
        """Return the network of the last snapshot at or before a time.

        Parameters
        ----------
        t : float
            Between 0 and ``run.t[-1]``.

        Raises
        ------
        ValueError
            If ``t`` is not a number inside the run.
        """
        if np.ndim(t) != 0 or not 0 <= t <= self.snapshot_t[-1]:
            raise ValueError(f"This run covers the times 0 to {self.snapshot_t[-1]:.6g}, but {t!r} was asked for.")
        return self.snapshots[int(np.searchsorted(self.snapshot_t, t, "right")) - 1].layers.network()

    def save(self, path: str | Path) -> None:
        """Write everything to a ``.safetensors`` file, whole or not at all; training can go on from it.

        Parameters
        ----------
        path : str or path
            Where; an older file is replaced.

        Raises
        ------
        ModuleNotFoundError
            Without the package safetensors, which ``reluquant[torch]`` brings.
        """
        from safetensors.numpy import save_file

        tensors = {name: np.array(getattr(self, name)) for name in _SERIES}
        tensors["step"] = np.array([snapshot.step for snapshot in self.snapshots], dtype=np.int64)
        tensors["snapshot_t"], tensors["scores"] = np.array(self.snapshot_t), np.array(self._scores)
        for i in range(len(self.snapshots[0].layers.weights)):
            tensors[f"layer_{i}"] = np.stack([snapshot.layers.weights[i] for snapshot in self.snapshots])
        last = self.snapshots[-1].layers
        words = {"end": self.end, "message": self.message, "pace": self.pace, "bias": last.bias, "flat": last.flat}
        about = {"format": FILE_FORMAT, "run": json.dumps({**words, "settings": dict(self.settings)})}
        path = Path(path)
        partial = path.with_name(path.name + ".partial")
        save_file(tensors, partial, metadata=about)
        os.replace(partial, path)

    @classmethod
    def load(cls, path: str | Path) -> TrainingRun:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is not a saved run.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).exists():
            raise FileNotFoundError(f"There is no file {path}.")
        try:
            with safe_open(path, framework="numpy") as file:
                about = file.metadata() or {}
                if about.get("format") != FILE_FORMAT:
                    raise ValueError(
                        f"{path} is not a training run of format {FILE_FORMAT}, but of {about.get('format')!r}."
                    )
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, a file is no mapping
            words = json.loads(about["run"])
            return cls._made_from(tensors, words)
        except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is not a saved training run: {error}.") from error

    @classmethod
    def _made_from(cls, tensors: Mapping[str, np.ndarray], words: Mapping[str, object]) -> TrainingRun:
        n_layers = sum(name.startswith("layer_") for name in tensors)
        stacks = [tensors[f"layer_{i}"] for i in range(n_layers)]
        rows = zip(tensors["step"], tensors["snapshot_t"], tensors["scores"].tolist(), *stacks, strict=True)
        snapshots = tuple(
            Snapshot(int(step), float(t), Layers(tuple(weights), words["bias"], words["flat"]), tuple(scores))
            for step, t, scores, *weights in rows
        )
        series = {name: tensors[name] for name in _SERIES}
        kept = {name: words[name] for name in ("end", "message", "settings")}
        return cls(**series, snapshots=snapshots, **kept, pace=tuple(words["pace"]))

    def __repr__(self) -> str:
        return (
            f"TrainingRun(widths={widths(self.snapshots[-1].layers.weights)}, n_steps={self.n_steps},"
            f" t={self.snapshot_t[-1]:.6g}, loss={self.loss[-1]:.6g}, end={self.end!r})"
        )


def widths(weights: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Number of neurons of each hidden layer."""
    return tuple(W.shape[0] for W in weights[:-1])
