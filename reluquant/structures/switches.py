"""Switches of a run: a row for each neuron, made when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.mergers import NO_MERGERS, Mergers, neurons_of

SWITCH_KINDS = np.array(["on", "off", "slide", "release"])
SWITCH_DTYPE = np.dtype([("time", "f8"), ("neuron", "i8"), ("sample", "i8"), ("kind", "U7")])


@dataclass(frozen=True, slots=True, eq=False)
class SwitchLog:
    """Switches as an integrator found them, of neurons and of groups that move as one.

    Attributes
    ----------
    events : tuple of ndarray, each (k, ≥ 4)
        Time, node (see `mergers`), boundary, and number of the kind.
    samples : ndarray of int
        The sample of each boundary.
    n_neurons : int
    mergers : Mergers
    """

    events: tuple[Floats, ...]
    samples: np.ndarray
    n_neurons: int
    mergers: Mergers = NO_MERGERS

    @classmethod
    def of(cls, table: np.ndarray, n_neurons: int) -> Self:
        """Make the log of a table of switches."""
        kinds = np.argmax(table["kind"][:, None] == SWITCH_KINDS, axis=1)
        events = np.column_stack([table["time"], table["neuron"], table["sample"], kinds])
        return cls((events,), np.arange(np.max(table["sample"], initial=-1) + 1), n_neurons)

    def table(self) -> np.ndarray:
        """Return the switches of all neurons by time, then by neuron; read-only."""
        events = np.concatenate([part[:, :4] for part in self.events])
        neuron, row = neurons_of(events[:, 1].astype(np.int64), self.mergers, self.n_neurons)
        order = np.lexsort((neuron, events[row, 0]))
        neuron, events = neuron[order], events[row[order]]
        table = np.empty(len(events), dtype=SWITCH_DTYPE)
        table["time"] = events[:, 0]
        table["neuron"] = neuron
        table["sample"] = self.samples[events[:, 2].astype(np.int64)]
        table["kind"] = SWITCH_KINDS[events[:, 3].astype(np.int64)]
        table.setflags(write=False)
        return table
