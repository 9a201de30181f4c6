"""What every widget of the package is: traits, work off the main thread, one sentence for each mistake, and files."""

from __future__ import annotations

import base64
import numbers
import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import wraps
from io import BytesIO
from pathlib import Path

import ipywidgets as W
import traitlets as T

from reluquant.views.film import FILMS, save_film, save_scene
from reluquant.views.scene import Scene
from reluquant.views.scene_figure import scene_figure
from reluquant.widgets.accessibility import Accessibility
from reluquant.widgets.lifetime import close_earlier_runs, close_parts
from reluquant.widgets.numeric_traits import came
from reluquant.widgets.page import page
from reluquant.widgets.runner import LatestJob, PacedDrawing
from reluquant.widgets.save_bar import SaveBar
from reluquant.widgets.words import Words

# A first display waits that many seconds for a result, to put a picture beside the widget; its dots per inch.
PATIENCE, COARSE = 0.3, 80.0
# A lock waits no longer than threading.TIMEOUT_MAX; half of it leaves room for rounding.
LONGEST_WAIT = threading.TIMEOUT_MAX / 2


def guarded(method: Callable) -> Callable:
    """Show what a callback of an :class:`Instrument` raises as one sentence in it: raised there it would be lost.

    When the user did something, what an earlier action was refused for is forgotten.
    """

    @wraps(method)
    def callback(self: Instrument, *args: object, **kwargs: object) -> object:
        earlier = self._refusal
        if not self._by_itself.on:
            self._refusal = ""
        try:
            return method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001
            self._refusal = sentence_of(error)
            return None
        finally:
            if earlier and not self._refusal:
                self._refusal_gone()
            self._show_error()

    return callback


class ByItself(threading.local):
    """Whether this thread changes the widget's traits by itself, not for the user."""

    on = False

    def __enter__(self) -> None:
        self.on = True

    def __exit__(self, *exception: object) -> None:
        self.on = False


class Instrument(W.VBox):
    """A box of panels that draws at a steady pace and computes off the kernel's main thread.

    A kind of instrument says what it shows (:meth:`scene`, a pure function of its traits and of what was computed),
    how its parts show it (:meth:`_show`), and what its controls look like (:meth:`_show_controls`). It starts work by
    ``self._work.submit(job)`` and asks for a picture by ``self._drawing.request()``.

    Attributes
    ----------
    busy : bool
        Whether something is being computed.
    status, error : str
        What the widget says; ``error`` is empty when all is well. What an action was refused for goes with the next
        action that is taken; what is wrong with a computation, with the next one; what is wrong with a drawing, with
        the next drawing.
    """

    busy = T.Bool(False)
    status = T.Unicode("")
    error = T.Unicode("")

    # Python closes a widget that it deletes, also one whose construction was refused.
    _closed = True

    # The lines of words, which a kind of instrument builds.
    _words: Words

    # Traits that a kind of instrument is about, and gives its constructor; `user=True` marks its settings.
    _nouns: tuple[str, ...] = ("data",)

    def __init__(self, **traits: object) -> None:
        unknown = sorted(set(traits) - set(self.traits(user=True)) - set(self._nouns))
        if unknown:
            settings = ", ".join(sorted(self.traits(user=True)))
            raise TypeError(f"{type(self).__name__} has no setting {unknown[0]!r}; it takes {settings}.")
        # Before anything is built, since a part of a widget that is never shown would stay in the kernel.
        for name, value in traits.items():
            self.traits()[name].validate(self, value)
        self._refusal = self._warning = ""
        self._work_failure: BaseException | None = None
        self._draw_failure: BaseException | None = None
        self._by_itself = ByItself()
        self._work = LatestJob(self._work_failed)
        self._drawing = PacedDrawing(self._draw, self._draw_failed)
        self._saving = LatestJob(self._save_failed)
        self._save_failure: BaseException | None = None
        super().__init__(**traits)
        self._closed = False
        self._saver = SaveBar(f"{type(self).__name__.lower()}.png", self._save_clicked)
        try:
            self._open()
            self.observe(lambda _: self._show_words(), names=["status", "error", "busy"])
            self._show_words()
            if not any(isinstance(part, Accessibility) for part in self.children):
                self.children = (*self.children, Accessibility())
            for part in self.children:
                if isinstance(part, Accessibility):
                    part.on_escape = self._escaped
        except BaseException:
            self.close()
            raise
        close_earlier_runs(self)

    # --- what a kind of instrument says ----------------------------------------------------------

    def _open(self) -> None:
        """Build the parts, set ``children``, observe, and start the first work."""
        raise NotImplementedError

    def _show(self) -> bool:
        """Draw the newest state; return whether the next frame is due by itself (a play)."""
        raise NotImplementedError

    def _show_controls(self) -> None:
        """Make the controls show the traits."""

    def _show_words(self) -> None:
        """Say status and error; a play is not read aloud."""
        self._words.show(self.status, self.error, busy=self.busy, live=not getattr(self, "playing", False))

    @guarded
    def _escaped(self) -> None:
        """Let go of what is selected: Escape was pressed."""
        self._let_go()

    def _let_go(self) -> None:
        """Select nothing, where something can be."""

    def _refusal_gone(self) -> None:
        """Put right what a control still shows of a refused action."""
        self._show_controls()

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Returns
        -------
        Scene
            For :func:`reluquant.views.scene_figure.scene_figure`, a table, or a page.
        """
        raise NotImplementedError

    def _scenes(self) -> Iterable[Scene]:
        """The frames of a film: by default the one picture."""
        return [self.scene()]

    # --- what users call -------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> None:
        """Wait until everything is computed and drawn, and a play has ended.

        Parameters
        ----------
        timeout : float, optional
            In seconds; without it, as long as it takes.

        Raises
        ------
        TimeoutError
            If it takes longer.
        TypeError, ValueError
            If ``timeout`` is not a number, or is negative or NaN.
        Exception
            What the newest computation or the newest drawing raised.
        """
        deadline = time.monotonic() + _waiting_time(timeout)
        for part in self._at_work():
            if not part.wait(max(0.0, deadline - time.monotonic())):
                name = type(self).__name__
                raise TimeoutError(f"The {name} was still at work after {timeout:g} seconds; wait longer.")
        for failure in (self._work_failure, self._draw_failure, self._save_failure):
            if failure is not None:
                raise failure

    def save(self, path: str | os.PathLike, *, progress: Callable[[int], object] = lambda done: None) -> Path:
        """Write what is shown to a file; no browser is needed.

        Parameters
        ----------
        path : path-like
            By its suffix: a picture (``.png``, ``.svg``, ``.pdf``), the numbers shown (``.csv``, ``.npz``), a film of
            the whole play (``.gif``, ``.mp4``), or a page that plays by itself (``.html``).
        progress : callable
            Called with the number of frames of a film that are written.

        Returns
        -------
        Path
            Where it lies.

        Raises
        ------
        ValueError
            If the suffix is another one.
        """
        path = Path(path)
        if path.suffix.lower() == ".html":
            path.write_text(self.to_html(), encoding="utf-8")
            return path
        if path.suffix.lower() in FILMS:
            return save_film(self._scenes(), path, progress=progress)
        return save_scene(self.scene(), path)

    def to_html(self) -> str:
        """Return a self-contained page that shows, or plays, the instrument with no kernel.

        Returns
        -------
        str
            HTML with everything in it: it opens from a disk, from any server, or in a frame.
        """
        return page(list(self._scenes()), title=repr(self))

    def close(self) -> None:
        """Stop all work and remove the widget and its parts from page and kernel."""
        if self._closed:
            return
        self._closed = True
        self._work.close()
        self._drawing.close()
        self._saving.close()
        for box in (self, self._saver.box):
            close_parts(box)
        self._saver.box.close()
        super().close()

    def _repr_mimebundle_(self, **options: object) -> dict[str, object]:
        """The widget, and a picture beside it for pages that have no kernel, if one is there soon."""
        bundle = super()._repr_mimebundle_(**options)
        picture = self._picture()
        return bundle if picture is None else {**bundle, "image/png": picture}

    def _picture(self) -> str | None:
        if not self._work.wait(PATIENCE):
            return None
        try:
            scene = self.scene()
        except Exception:  # noqa: BLE001 - a widget that has nothing to show yet is shown all the same
            return None
        file = BytesIO()
        scene_figure(scene).savefig(file, format="png", dpi=COARSE)
        return base64.b64encode(file.getvalue()).decode("ascii")

    # --- saving by the button --------------------------------------------------------------------

    @guarded
    def _save_clicked(self, name: str) -> None:
        self._save_failure = None

        def job(outdated: Callable[[], bool]) -> None:
            def progress(done: int) -> None:
                if outdated():
                    raise InterruptedError("Saving was called off.")
                self.status = f"Saving {name}: {done} frames …"

            self.status = f"Saved {self.save(name, progress=progress).name}."

        self._saving.submit(job)

    def _save_failed(self, error: BaseException) -> None:
        self._save_failure = error
        self._show_error()

    def _at_work(self) -> tuple[LatestJob | PacedDrawing, ...]:
        """What :meth:`wait` waits for, in the order in which one asks for the other."""
        return self._work, self._drawing, self._saving

    # --- drawing and failures --------------------------------------------------------------------

    def _draw(self) -> bool:
        if self._closed:
            return False
        again = self._show()
        if self._draw_failure is not None:
            self._draw_failure = None
            self._show_error()
        return again

    def _work_failed(self, error: BaseException) -> None:
        if self._work.behind:
            # A newer job is on its way, and nobody asks for this one any more.
            return
        self._work_failure = error
        self.busy = False
        self.status = self._failure_status()
        self._show_error()

    def _failure_status(self) -> str:
        return "This computation failed; the picture shows the one before."

    def _draw_failed(self, error: BaseException) -> None:
        self._draw_failure = error
        self.status = "This moment could not be drawn."
        self._show_error()

    def _show_error(self) -> None:
        """Say what is wrong now: the user's last action, the newest drawing, or the newest computation."""
        failures = (self._draw_failure, self._work_failure, self._save_failure)
        said = [sentence_of(failure) for failure in failures if failure is not None]
        self.error = self._refusal or (said[0] if said else self._warning)

    def _pressed(self, method: str, *args: object) -> Callable[[], object]:
        """A guarded call of a method, for a button."""
        return lambda: guarded(getattr(type(self), method))(self, *args)


def sentence_of(error: BaseException) -> str:
    """What went wrong, in one line; an error that is not the user's also tells its kind."""
    lines = str(error).strip().splitlines()
    named = isinstance(error, ValueError | TypeError | T.TraitError)
    return lines[0] if named and lines else f"{type(error).__name__}: {' '.join(lines)}"


def _waiting_time(timeout: object) -> float:
    """Seconds to wait; None is as long as a lock can wait."""
    if timeout is None:
        return LONGEST_WAIT
    if isinstance(timeout, bool) or not isinstance(timeout, numbers.Real):
        raise TypeError(f"wait takes a number of seconds or None, but got {came(timeout)}.")
    if not timeout >= 0:
        raise ValueError(f"wait takes a number of seconds of at least 0, but got {came(timeout)}.")
    return float(min(timeout, LONGEST_WAIT))
