"""What greedy training did: the network after each neuron that was added."""

from __future__ import annotations

from dataclasses import dataclass

from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import End


@dataclass(frozen=True, eq=False, repr=False)
class GreedyRun:
    """The result of :func:`reluquant.greedy_training`.

    Attributes
    ----------
    nets : tuple of ShallowReLU
        The saddle, a minimum for its number of neurons, after each addition; the first follows the first neuron.
    loss : ndarray, shape (n_added + 1,)
        At the saddles, from that of the zero function.
    rate : ndarray, shape (n_added,)
        At which each added neuron would grow from tiny, at the saddle where it was added.
    end : {"stop_loss", "stationary", "max_steps", "interrupted"}
        Why it ended; "stationary" where no direction grows, "max_steps" with as many neurons as were allowed.
    success : bool
        Whether that is what was asked for.
    message : str
        The same in a sentence.

    Examples
    --------
    >>> import reluquant as rq
    >>> run = rq.greedy_training(rq.datasets.tent(), stop=1e-6, rng=0, progress=False)
    >>> run.end, run.n_added
    ('stop_loss', 2)
    """

    nets: tuple[ShallowReLU, ...]
    loss: Floats
    rate: Floats
    end: str
    message: str

    def __post_init__(self) -> None:
        for name in ("loss", "rate"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def success(self) -> bool:
        """Whether the run reached what was asked for."""
        return End(self.end) is End.STOP_LOSS

    @property
    def n_added(self) -> int:
        """Neurons that were added; some may have died on the way."""
        return self.rate.size

    @property
    def n_neurons(self) -> int:
        """Neurons of the network at the end."""
        return self.nets[-1].n_neurons if self.nets else 0

    @property
    def net(self) -> ShallowReLU:
        """The network at the end.

        Raises
        ------
        ValueError
            If no neuron was added: the function is zero.
        """
        if not self.nets:
            raise ValueError("No neuron was added: the zero function is as good as asked for, or no direction grows.")
        return self.nets[-1]

    def __repr__(self) -> str:
        return (
            f"GreedyRun(n_added={self.n_added}, n_neurons={self.n_neurons}, loss={self.loss[-1]:.6g}, end={self.end!r})"
        )
