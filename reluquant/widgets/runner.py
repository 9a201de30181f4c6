"""Work off the kernel's main thread: the newest job wins, and drawing keeps a pace.

Threads live only while there is work, so an explorer that nobody uses holds none, whether or
not somebody closed it. They are daemons, so that a kernel can be shut down at any moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Outdated = Callable[[], bool]
Job = Callable[[Outdated], None]

# A page with four figures draws thirty updates a second, and sixty queue up for seconds; some room is left.
FRAMES_PER_SECOND = 25.0
# A drag outdates a run every few milliseconds; one that is this young may still finish, so that
# the picture follows the mouse instead of waiting for it to rest.
GRACE_SECONDS = 0.5


class LatestJob:
    """Runs jobs on a thread, one at a time; a newer one replaces what waits and outdates what runs.

    Parameters
    ----------
    on_error : callable
        Called with the exception that a job raised.
    grace : float
        Seconds that an outdated job may go on, to finish.
    """

    def __init__(self, on_error: Callable[[BaseException], None], grace: float = GRACE_SECONDS) -> None:
        self._on_error, self._grace = on_error, grace
        self._changed = threading.Condition()
        self._waiting: Job | None = None
        self._thread: threading.Thread | None = None
        self._newest = 0
        self._called_off = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._thread is not None

    @property
    def behind(self) -> bool:
        """Whether a newer job waits."""
        return self._waiting is not None

    def submit(self, job: Job) -> None:
        """Run ``job(outdated)`` soon; it should return early once ``outdated()`` is true."""
        with self._changed:
            if self._closed:
                return
            self._waiting = job
            self._newest += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="reluquant-flow", daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Drop what waits and outdate what runs, at once."""
        with self._changed:
            self._waiting = None
            # Far ahead of every ticket: no grace for a job that was called off.
            self._newest += 1
            self._called_off = self._newest

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs or waits; return whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def close(self) -> None:
        """Outdate what runs and take no more jobs; the thread ends by itself."""
        with self._changed:
            self._closed = True
        self.cancel()

    def _work(self) -> None:
        while True:
            with self._changed:
                job, ticket = self._waiting, self._newest
                self._waiting = None
                if job is None:
                    self._thread = None
                    self._changed.notify_all()
                    return
            began = time.monotonic()

            def outdated(ticket: int = ticket, began: float = began) -> bool:
                if ticket < self._called_off or self._closed:
                    return True
                return ticket < self._newest and time.monotonic() - began > self._grace

            try:
                job(outdated)
            except BaseException as error:  # noqa: BLE001 - a thread's exception is seen by nobody else
                self._on_error(error)


class PacedDrawing:
    """Draws on a thread when asked, at most 25 times a second; the last request is always drawn.

    Parameters
    ----------
    draw : callable
        Draws the newest state and returns whether it wants to be called again (a play is on).
    on_error : callable
        Called with an exception that ``draw`` raised; drawing then stops until asked again.
    frames_per_second : float
        The pace.
    """

    def __init__(
        self,
        draw: Callable[[], bool],
        on_error: Callable[[BaseException], None],
        frames_per_second: float = FRAMES_PER_SECOND,
    ) -> None:
        self._draw, self._on_error, self._pause = draw, on_error, 1.0 / frames_per_second
        self._changed = threading.Condition()
        self._asked = False
        self._thread: threading.Thread | None = None
        self._closed = False
        self._last = self._took = 0.0

    @property
    def busy(self) -> bool:
        """Whether a request is yet to be drawn, or a play is on."""
        return self._thread is not None

    def request(self) -> None:
        """Ask for a drawing of the newest state; returns at once."""
        with self._changed:
            if self._closed:
                return
            self._asked = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="reluquant-draw", daemon=True)
                self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything asked for is drawn; return whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def close(self) -> None:
        """Draw no more; the thread ends by itself."""
        with self._changed:
            self._closed, self._asked = True, False

    def _work(self) -> None:
        again = False
        while True:
            with self._changed:
                if self._closed or not (self._asked or again):
                    self._thread = None
                    self._changed.notify_all()
                    return
                self._asked = False
            # At least half of the time is left to the kernel's main thread and to the page.
            took = max(self._pause, 2 * self._took) if again else self._pause
            time.sleep(max(0.0, self._last + took - time.monotonic()))
            self._last = time.monotonic()
            try:
                again = bool(self._draw())
            except BaseException as error:  # noqa: BLE001 - a thread's exception is seen by nobody else
                again = False
                self._on_error(error)
            self._took = time.monotonic() - self._last
