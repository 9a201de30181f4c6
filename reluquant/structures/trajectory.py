"""What a flow did: times, losses, switches, and the network at any time."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from reluquant.kernels import flow_1d
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU

SWITCH_KINDS = np.array(["on", "off", "slide", "release"])
SWITCH_DTYPE = np.dtype([("time", "f8"), ("neuron", "i8"), ("sample", "i8"), ("kind", "U7")])

# Bumped when the arrays of a saved file change meaning.
FILE_FORMAT = 1


class End(StrEnum):
    """Why a run ended: the values of ``traj.end``."""

    T_MAX = "t_max"
    STOP_LOSS = "stop_loss"
    STATIONARY = "stationary"
    MAX_STEPS = "max_steps"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def success(self) -> bool:
        """Whether that is what was asked for."""
        return self in (End.T_MAX, End.STOP_LOSS, End.STATIONARY)


class NeuronStates(NamedTuple):
    """All neurons at several times.

    Attributes
    ----------
    W : ndarray, shape (n_times, n_neurons, 2)
        Input weights, bias last.
    a : ndarray, shape (n_times, n_neurons)
        Output weights.
    log_norm : ndarray, shape (n_times, n_neurons)
        Natural logarithm of ``‖(w, b)‖``, right even where ``W`` underflows; -inf for zero weights.
    slides_on : ndarray of int, shape (n_times, n_neurons)
        The sample on which a neuron is held, or -1.
    """

    W: Floats
    a: Floats
    log_norm: Floats
    slides_on: np.ndarray


class Snapshots(NamedTuple):
    """Restart points of a flow, one row each: ``2^exponent · mantissa`` is (w, b, a), ``sign`` 0 if unbalanced."""

    t: Floats
    mantissa: Floats
    exponent: np.ndarray
    sign: np.ndarray
    mode: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """The result of :func:`reluquant.gradient_flow`.

    Attributes
    ----------
    data : Dataset
        What was trained on.
    t, loss : ndarray, shape (n_steps + 1,)
        Times of the steps, from 0, and ``L = 1/(2 n_samples) Σ (f(x_k) - y_k)²`` there.
    switches : structured ndarray
        Every switch, in order: ``time``, ``neuron``, ``sample``, and ``kind``, which is "on" or "off"
        (the sample became active or inactive for the neuron), "slide" (the neuron is held with its
        kink on the sample) or "release".
    end : {"t_max", "stop_loss", "stationary", "max_steps", "interrupted", "failed"}
        Why the run ended.
    success : bool
        Whether that is what was asked for: a goal reached, or a stationary network.
    message : str
        The same in a sentence, with the remedy where one is needed.
    rtol : float
        The tolerance of the run.

    Notes
    -----
    A trajectory keeps the network every few dozen steps; :meth:`at` restarts the integrator there and
    follows the same Taylor series to the time asked for, so it is as accurate as the run itself. It is a
    record: it cannot be continued by assigning to it.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-6, rng=0)
    >>> traj = rq.gradient_flow(net, data, progress=False)
    >>> traj.end, bool(traj.loss[-1] < 1e-12)
    ('stationary', True)
    """

    data: Dataset
    t: Floats
    loss: Floats
    switches: np.ndarray
    end: str
    message: str
    rtol: float
    points: Floats
    control: Floats
    order: int
    snapshots: Snapshots

    def __post_init__(self) -> None:
        for name in ("t", "loss", "points", "control"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for array in (self.switches, *self.snapshots):
            array.setflags(write=False)

    @property
    def success(self) -> bool:
        """Whether the run reached what was asked for."""
        return End(self.end).success

    @property
    def n_steps(self) -> int:
        """Number of steps taken."""
        return self.t.size - 1

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.snapshots.mode.shape[1]

    @cached_property
    def final(self) -> ShallowReLU:
        """The network at the end."""
        return self.at(self.t[-1])

    def at(self, t: float) -> ShallowReLU:
        """Return the network at a time.

        Parameters
        ----------
        t : float
            Between 0 and ``traj.t[-1]``.

        Returns
        -------
        ShallowReLU

        Raises
        ------
        ValueError
            If ``t`` is not a number inside the run.
        """
        if np.ndim(t) != 0:
            raise ValueError(f"at() takes one time, but got an array of shape {np.shape(t)}; use states() for many.")
        states = self.states([t])
        return ShallowReLU(states.W[0], states.a[0])

    def states(self, times: ArrayLike) -> NeuronStates:
        """Return all neurons at several times.

        Parameters
        ----------
        times : array_like, shape (n_times,)
            Any order, each between 0 and ``traj.t[-1]``.

        Returns
        -------
        NeuronStates

        Raises
        ------
        ValueError
            If a time is not a number inside the run.
        """
        asked = real_array(times, "times", ndim=(1,))
        outside = asked[(asked < 0) | (asked > self.t[-1])]
        if outside.size:
            raise ValueError(f"This run covers the times 0 to {self.t[-1]:.6g}, but {outside[0]:.6g} was asked for.")
        n_points, m = self.points.shape[0], self.n_neurons
        W, a = np.empty((asked.size, m, 2)), np.empty((asked.size, m))
        log_norm, slides_on = np.empty((asked.size, m)), np.full((asked.size, m), -1, dtype=np.int64)
        for row, t in enumerate(asked):
            Z, E, mode = self._replay(t)
            with np.errstate(under="ignore", divide="ignore"):
                weights = np.ldexp(Z, np.clip(E, -(2**30), 2**30)[:, None].astype(np.int32))
                log_norm[row] = np.log(np.hypot(Z[:, 0], Z[:, 1])) + E * np.log(2.0)
            W[row], a[row] = weights[:, :2], weights[:, 2]
            held = mode >= 2 * n_points
            slides_on[row, held] = self.sample_of_point[(mode[held] - 2 * n_points) % n_points]
        return NeuronStates(W, a, log_norm, slides_on)

    @cached_property
    def sample_of_point(self) -> np.ndarray:
        """The first sample at each distinct input, inputs ascending."""
        return np.unique(self.data.X[:, 0], return_index=True)[1]

    def _replay(self, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        start = int(np.searchsorted(self.snapshots.t, t, side="right")) - 1
        Z, E, sign, mode = (self.snapshots[i][start].copy() for i in (1, 2, 3, 4))
        # A writable copy of what is only read: numba would compile the kernel again for a read-only array.
        points = self.points.copy()
        # Only t stops a replay: no loss goal, and no rest test, which would end it a step early.
        control = np.array([t, -1.0, self.control[2], 0.0, np.inf])
        now, room, status = self.snapshots.t[start], 4096, flow_1d.CHUNK_DONE
        # The run itself took these steps, so the replay is bounded by them; the rest is for growing the buffer.
        for _ in range(self.n_steps + 64):
            times, losses, events = np.empty(65), np.empty(65), np.empty((room, 5))
            times[0] = now
            status, steps, n_events = flow_1d.advance(
                points, Z, E, sign, mode, control, self.order, times, losses, events
            )
            now = times[steps]
            if status == flow_1d.EVENTS_FULL and n_events == 0:
                room *= 4
            elif status not in (flow_1d.CHUNK_DONE, flow_1d.EVENTS_FULL):
                break
        return Z, E, mode

    def save(self, path: str | Path) -> None:
        """Write everything to an ``.npz`` file, without pickle.

        Parameters
        ----------
        path : str or path
            Where; numpy's ending ``.npz`` is appended when it is missing.
        """
        np.savez_compressed(
            path,
            format=FILE_FORMAT,
            X=self.data.X,
            y=self.data.y,
            name=self.data.name,
            t=self.t,
            loss=self.loss,
            switches=self.switches,
            end=self.end,
            message=self.message,
            rtol=self.rtol,
            points=self.points,
            control=self.control,
            order=self.order,
            **{f"snapshot_{name}": array for name, array in self.snapshots._asdict().items()},
        )

    @classmethod
    def load(cls, path: str | Path) -> Trajectory:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        path : str or path
            An ``.npz`` file.

        Returns
        -------
        Trajectory

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is not a trajectory, or of another format.
        """
        path = Path(path)
        if not path.exists() and path.with_name(path.name + ".npz").exists():
            path = path.with_name(path.name + ".npz")
        file = _read(path)
        return cls(
            data=Dataset(file["X"], file["y"], name=str(file["name"])),
            snapshots=Snapshots(*(file[f"snapshot_{name}"] for name in Snapshots._fields)),
            **{name: file[name] for name in ("t", "loss", "switches", "points", "control")},
            **{name: str(file[name]) for name in ("end", "message")},
            rtol=float(file["rtol"]),
            order=int(file["order"]),
        )

    def __repr__(self) -> str:
        return (
            f"Trajectory(n_neurons={self.n_neurons}, n_steps={self.n_steps}, t={self.t[-1]:.6g},"
            f" loss={self.loss[-1]:.6g}, end={self.end!r})"
        )


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a saved trajectory, or say what is wrong with the file."""
    not_one = f"{path} is not a saved Trajectory"
    try:
        with np.load(path, allow_pickle=False) as stored:
            file = {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, TypeError, ValueError, EOFError, OSError) as error:
        # numpy's own advice, to allow pickles, would be unsafe.
        raise ValueError(f"{not_one}: it cannot be read as an .npz file of plain arrays.") from error
    found = file["format"].tolist() if "format" in file else None
    if found != FILE_FORMAT:
        raise ValueError(
            f"{not_one} of file format {FILE_FORMAT}, but of format {found!r};"
            " save it again with this version of reluquant."
        )
    scalars = ("end", "message", "rtol", "order", "name", "X", "y", "t", "loss", "switches", "points", "control")
    missing = {*scalars, *(f"snapshot_{name}" for name in Snapshots._fields)} - set(file)
    if missing:
        raise ValueError(f"{not_one}: it lacks {', '.join(sorted(missing))}.")
    modes, n = file["snapshot_mode"], len(file["points"])
    # The compiled kernel indexes its arrays by these, unchecked.
    if modes.dtype != np.int64 or modes.size == 0 or modes.min() < flow_1d.AT_REST or modes.max() >= 4 * n:
        raise ValueError(f"{not_one}: its neurons are in places that do not exist.")
    return file
