"""An instrument with a cursor that can be played: a time, a scale, a step."""

from __future__ import annotations

import numbers

import traitlets as T

from reluquant.structures.arrays import Floats
from reluquant.widgets.instrument import Instrument, guarded
from reluquant.widgets.numeric_traits import FiniteFloat, came
from reluquant.widgets.playback import Playback


class Playable(Instrument):
    """An instrument whose picture depends on a cursor, one of its traits.

    A kind of it names that trait in ``_cursor`` and tells the moments of a play by :meth:`_set_grid`, whenever they
    change; it draws the trait's value.

    Parameters
    ----------
    speed : float, default 1.0
        A whole play takes 15 seconds divided by it.

    Attributes
    ----------
    playing : bool
        Whether the cursor runs.
    """

    _cursor = "t"

    playing = T.Bool(False).tag(sync=True)
    speed = FiniteFloat(1.0, min=0.01, max=100.0).tag(user=True, sync=True)

    def __init__(self, **traits: object) -> None:
        self._playback: Playback | None = None
        super().__init__(**traits)

    def play(self) -> None:
        """Let the cursor run; from the start, if it is at the end."""
        self.playing = True

    def pause(self) -> None:
        """Stop the cursor."""
        self.playing = False

    def step(self, frames: int = 1) -> None:
        """Move the cursor by some frames of the play; before there is something to play, nothing happens.

        Parameters
        ----------
        frames : int, default 1
            How many; negative ones go back.

        Raises
        ------
        TypeError
            If ``frames`` is not a whole number.
        """
        if isinstance(frames, bool) or not isinstance(frames, numbers.Integral):
            raise TypeError(f"step takes a whole number of frames such as 1 or -1, but got {came(frames)}.")
        if self._playback is not None:
            self.playing = False
            setattr(self, self._cursor, self._playback.step(getattr(self, self._cursor), int(frames)))

    # --- for a kind of it ------------------------------------------------------------------------

    def _set_grid(self, grid: Floats) -> None:
        """Tell the moments of a play, in increasing order."""
        self._playback = Playback(grid)
        self._playback.start()

    def _at_last(self) -> bool:
        """Whether a play would begin anew."""
        return self._playback is not None and getattr(self, self._cursor) >= self._playback.end

    @guarded
    def _on_playing(self, change: object) -> None:
        self._show_controls()
        if self.playing and self._playback is not None:
            self._playback.start()
            if self._at_last():
                setattr(self, self._cursor, float(self._playback.grid[0]))
        self._drawing.request()

    @guarded
    def _toggle(self) -> None:
        self.playing = not self.playing

    @guarded
    def _scrubbed(self, value: float) -> None:
        """The user took the cursor to a place."""
        self.playing = False
        setattr(self, self._cursor, value)

    def _advance(self) -> None:
        """Move on by the time that has passed, while drawing."""
        if not self.playing or self._playback is None:
            return
        with self._by_itself:
            setattr(self, self._cursor, self._playback.advance(getattr(self, self._cursor), self.speed))
            # Never set to true here: the user may have pressed pause meanwhile.
            if getattr(self, self._cursor) >= self._playback.end:
                self.playing = False

    def _draw_failed(self, error: BaseException) -> None:
        super()._draw_failed(error)
        with self._by_itself:
            # A play ends with it, since it would ask for no further frame.
            self.playing = False
