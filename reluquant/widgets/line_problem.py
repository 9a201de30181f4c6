"""An instrument of data on the line that computes anew whenever they change."""

from __future__ import annotations

import traitlets as T

from reluquant.structures.dataset import Dataset
from reluquant.widgets.instrument import Instrument, guarded
from reluquant.widgets.words import PointsText, as_points


class LineProblem(Instrument):
    """An instrument with data of one feature, a box to type them, and a computation (``_compute``) for them.

    Parameters
    ----------
    data : Dataset
        One feature with a bias, one label.
    **settings
        Traits.

    Raises
    ------
    TypeError, ValueError
        If the data are something else.
    """

    data = T.Instance(Dataset)

    # The box, which a kind of instrument builds.
    _points: PointsText

    def __init__(self, data: Dataset, **settings: object) -> None:
        self._check(data)
        super().__init__(data=data, **settings)

    def _compute(self) -> None:
        """Start the computation for the present traits."""
        raise NotImplementedError

    def _check(self, data: object) -> None:
        name = type(self).__name__
        if not isinstance(data, Dataset):
            raise TypeError(f"{name} takes a Dataset, but got a {type(data).__name__}; use rq.Dataset.")
        if data.n_features != 1 or not data.bias or data.y.ndim != 1:
            raise ValueError(f"{name} takes data with one feature, one label and a bias, but got {data!r}.")

    @T.validate("data")
    def _valid_data(self, proposal: object) -> Dataset:
        self._check(proposal["value"])
        return proposal["value"]

    @guarded
    def _points_typed(self, text: str) -> None:
        x, y = as_points(text)
        self.data = Dataset(x, y, name=self.data.name)

    @guarded
    def _on_problem(self, change: object) -> None:
        self._points.show(self.data)
        self._show_controls()
        self._compute()

    def _refusal_gone(self) -> None:
        self._points.show(self.data)
        self._show_controls()
