"""What a flow did: times, losses, switches, and the network at any time."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.descent_recording import DescentRecording
from reluquant.structures.general_recording import GeneralRecording
from reluquant.structures.losses import residuals
from reluquant.structures.planar_recording import PlanarRecording
from reluquant.structures.recording import NeuronStates, Recording
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.stationary_point import StationaryPoint
from reluquant.structures.switches import SwitchLog

# Bumped when the arrays of a saved file change meaning.
FILE_FORMAT = 4
# What `Trajectory.load` can read, by the name that the file gives.
_RECORDINGS = {recording.kind: recording for recording in (PlanarRecording, GeneralRecording, DescentRecording)}


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


def _no_rest() -> tuple[None, str]:
    """What there is to say of the rest of a network that does not rest."""
    return None, ""


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """The result of :func:`reluquant.gradient_flow` or :func:`reluquant.gradient_descent`.

    Attributes
    ----------
    data : Dataset
        What was trained on.
    t, loss : ndarray, shape (n_steps + 1,)
        Times of the steps of a flow, from 0, and the loss there. For descent: those of its steps at which the loss was
        kept.
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
    method : str
        How it was integrated, in words.
    stationary_point : StationaryPoint or None
        For ``end="stationary"``: whether the loss is the least possible, the point is spurious (and which neurons are
        missing), or the network is dead.
    branch_points : structured ndarray
        Where merged neurons crossed a sample that would part them if they were not exactly together: ``time``,
        ``sample``, ``rate`` (angular speed at which one ahead leaves one behind), ``magnification`` (of a small
        distance between them, by the crossing), ``n_neurons`` and ``mass`` (``Σ a²``) of the group. Gradient descent
        may follow another branch from there, as does ``gradient_flow(…, spread=…)``. One input, one output only.

    Notes
    -----
    A trajectory keeps the network every few dozen steps; :meth:`at` restarts the integrator there and
    goes on to the time asked for, so it is as accurate as the run itself. It is a record: it cannot be
    continued by assigning to it.

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
    switch_log: SwitchLog
    end: str
    sentence: str
    rtol: float
    recording: Recording
    rest: Callable[[], tuple[StationaryPoint | None, str]] = _no_rest

    def __post_init__(self) -> None:
        for name in ("t", "loss"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @cached_property
    def switches(self) -> np.ndarray:
        """Every switch of every neuron, made from the record when first asked for."""
        return self.switch_log.table()

    @cached_property
    def _found_rest(self) -> tuple[StationaryPoint | None, str]:
        """The kind of the end, as a value and in words; found when first asked for: it can take as long as the run."""
        return self.rest()

    @property
    def stationary_point(self) -> StationaryPoint | None:
        """Which kind of stationary point the run ended at, if it did."""
        return self._found_rest[0]

    @property
    def message(self) -> str:
        """Why the run ended, in a sentence."""
        return self.sentence + self._found_rest[1]

    @property
    def success(self) -> bool:
        """Whether the run reached what was asked for."""
        return End(self.end).success

    @property
    def n_steps(self) -> int:
        """Number of steps taken (descent: of those kept)."""
        return self.t.size - 1

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.recording.n_neurons

    @property
    def method(self) -> str:
        """How the run was integrated, in words."""
        return self.recording.method

    @cached_property
    def branch_points(self) -> np.ndarray:
        """Where merged neurons crossed a sample and would have parted; found by replays when first asked for."""
        table = self.recording.branch_points(self.switches)
        table.setflags(write=False)
        return table

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
        return ShallowReLU(states.W[0], states.a[0], bias=self.data.bias)

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
        return self.recording.states(self._inside(times))

    def output_bias(self, t: float) -> Floats:
        """Return the trained output bias at a time, shape (n_outputs,); zeros for a run without one.

        The network of :meth:`at` does not contain it: the trained function is ``traj.at(t)(x) + traj.output_bias(t)``.
        """
        return self.recording.offsets(self._inside([t]))[0]

    def residual(self, t: float) -> Floats:
        """Return ``-∂L/∂f(x_k)`` at a time, with the shape of ``data.y``: what drives the neurons.

        Parameters
        ----------
        t : float
            Between 0 and ``traj.t[-1]``.
        """
        labels = self.data.y.reshape(self.data.n_samples, -1)
        outputs = self.at(t)(self.data.X).reshape(labels.shape) + self.output_bias(t)
        return residuals(self.recording.loss, outputs, labels).reshape(self.data.y.shape)

    def _inside(self, times: ArrayLike) -> Floats:
        asked = real_array(times, "times", ndim=(1,))
        outside = asked[(asked < 0) | (asked > self.t[-1])]
        if outside.size:
            raise ValueError(f"This run covers the times 0 to {self.t[-1]:.6g}, but {outside[0]:.6g} was asked for.")
        return asked

    def save(self, path: str | Path) -> None:
        """Write everything to an ``.npz`` file, without pickle.

        Parameters
        ----------
        path : str or path
            Where; numpy's ending ``.npz`` is appended when it is missing.
        """
        np.savez_compressed(path, **self._file())

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
        return _made_from(_read(path), path)

    def _file(self) -> dict[str, object]:
        """Everything as plain arrays and numbers."""
        return {
            "format": FILE_FORMAT,
            "X": self.data.X,
            "y": self.data.y,
            "bias": self.data.bias,
            "name": self.data.name,
            "t": self.t,
            "loss": self.loss,
            "switches": self.switches,
            "end": self.end,
            "message": self.message,
            "rtol": self.rtol,
            "recording": self.recording.kind,
            **{f"recording_{name}": array for name, array in self.recording.arrays().items()},
            **_rest_arrays(self.stationary_point),
        }

    def __reduce__(self) -> tuple:
        # As a file: what is cached stays behind, and what comes out of a pickle is read-only again.
        return _made_from, (self._file(), "This pickle")

    def __repr__(self) -> str:
        return (
            f"Trajectory(n_neurons={self.n_neurons}, n_steps={self.n_steps}, t={self.t[-1]:.6g},"
            f" loss={self.loss[-1]:.6g}, end={self.end!r})"
        )


def _made_from(file: Mapping[str, object], source: Path | str) -> Trajectory:
    """Make the trajectory that a file or a pickle holds."""
    data = Dataset(file["X"], file["y"], bias=bool(file["bias"]), name=str(file["name"]))
    recording = _recording(file, data, source)
    return Trajectory(
        data=data,
        **{name: file[name] for name in ("t", "loss")},
        switch_log=SwitchLog.of(file["switches"], recording.n_neurons),
        end=str(file["end"]),
        sentence=str(file["message"]),
        rtol=float(file["rtol"]),
        recording=recording,
        rest=lambda: (_rest(file), ""),
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
    needed = {"X", "y", "bias", "name", "t", "loss", "switches", "end", "message", "rtol", "recording"}
    missing = needed - set(file)
    if missing:
        raise ValueError(f"{not_one}: it lacks {', '.join(sorted(missing))}.")
    return file


def _recording(file: Mapping[str, object], data: Dataset, path: Path | str) -> Recording:
    """Make the recording of a saved trajectory, or say what is wrong with the file."""
    own = {name.removeprefix("recording_"): array for name, array in file.items() if name.startswith("recording_")}
    try:
        return _RECORDINGS[str(file["recording"])].from_arrays(own, data)
    except KeyError as error:
        raise ValueError(f"{path} is not a saved Trajectory: it lacks {error.args[0]}.") from error
    except ValueError as error:
        raise ValueError(f"{path} is not a saved Trajectory: {error}.") from error


def _rest_arrays(rest: StationaryPoint | None) -> dict[str, np.ndarray]:
    if rest is None:
        return {}
    return {f"rest_{name}": np.asarray(getattr(rest, name)) for name in StationaryPoint.__slots__}


def _rest(file: dict[str, np.ndarray]) -> StationaryPoint | None:
    if "rest_kind" not in file:
        return None
    own = {name: file[f"rest_{name}"] for name in ("missing", "signs", "rates")}
    return StationaryPoint(str(file["rest_kind"]), **own, complete=bool(file["rest_complete"]))
