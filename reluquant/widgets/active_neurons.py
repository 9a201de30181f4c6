"""Training seen live: active neurons, what they look for, and how well the network does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.dynamics.progress import TrainingProgress
from reluquant.dynamics.train import SMALLEST_SCALE, train
from reluquant.structures.dataset import Dataset
from reluquant.structures.training_run import TrainingRun
from reluquant.views.scene import Scene
from reluquant.views.training_moment import TrainingMoment, training_moment, training_moments
from reluquant.views.training_scene import WIDTH, training_scene
from reluquant.widgets import legend
from reluquant.widgets.control_bar import LARGEST_SEED
from reluquant.widgets.controls import as_number
from reluquant.widgets.instrument import guarded
from reluquant.widgets.numeric_traits import FiniteFloat, WholeNumber
from reluquant.widgets.play_bar import PlayBar
from reluquant.widgets.playable import Playable
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.words import Words

LOSSES = ("squared", "cross-entropy", "logistic", "huber")
MOST_WIDTH = 4096
# Between two moments that are looked at while training goes on: looking costs a pass over all images.
LOOK_SECONDS = 0.3


class ActiveNeurons(Playable):
    """A network in training from a small start: which neurons become active, and what they look for.

    Training begins at once, off the kernel's main thread; Stop keeps what was reached, Resume goes on from there. When
    it has ended, the run can be played.

    Parameters
    ----------
    data : Dataset
        Images, or any other data.
    test : Dataset, optional
        To score on.
    width : int, default 128
        Neurons of the one hidden layer.
    scale : float, default 1e-4
        Norm of a neuron at the start.
    loss : {"squared", "cross-entropy", "logistic", "huber"}
        As for :func:`reluquant.train`.
    share : float, default 0.05
        Of a neuron, that a step may change.
    stop : float, default 0.01
        Share of the loss of the zero function at which training ends.
    max_steps : int, default 20,000
    seed : int, default 0
        Of the start.
    least, angle : float, default 0.01 and 0.1
        What active means, as for :func:`reluquant.active_neurons`.
    speed : float, default 1.0
        A play of the whole run takes 15 seconds divided by it.

    Attributes
    ----------
    t : float
        The time shown.
    run : TrainingRun or None
        The newest run, also one that was stopped.
    training : bool
        Whether it goes on; set it to False to stop, to True to go on.

    Notes
    -----
    Needs PyTorch: ``pip install 'reluquant[torch]'``.

    Examples
    --------
    >>> import reluquant as rq
    >>> widget = rq.ActiveNeurons(rq.datasets.tent(), width=20, stop=0.1)
    >>> widget.wait(120)
    >>> widget.run.end, [panel.name for panel in widget.scene().panels()]
    ('stop_loss', ['templates', 'masses', 'counts', 'scores'])
    >>> widget.close()
    """

    _nouns = ("data", "test")

    data = T.Instance(Dataset)
    test = T.Instance(Dataset, allow_none=True)
    width = WholeNumber(128, min=1, max=MOST_WIDTH).tag(user=True)
    scale = FiniteFloat(1e-4, min=SMALLEST_SCALE["float32"], max=10.0).tag(user=True)
    loss = T.Enum(LOSSES, "squared").tag(user=True)
    share = FiniteFloat(0.05, min=1e-4, max=0.5).tag(user=True)
    stop = FiniteFloat(0.01, min=0.0, max=1.0).tag(user=True)
    max_steps = WholeNumber(20_000, min=1, max=10**9).tag(user=True)
    seed = WholeNumber(0, min=0, max=LARGEST_SEED).tag(user=True)
    least = FiniteFloat(0.01, min=1e-12, max=1.0).tag(user=True)
    angle = FiniteFloat(0.1, min=1e-6, max=1.5).tag(user=True)
    t = FiniteFloat(0.0, min=0.0)
    run = T.Instance(TrainingRun, allow_none=True)
    training = T.Bool(False)

    def __init__(self, data: Dataset, test: Dataset | None = None, **settings: object) -> None:
        if not isinstance(data, Dataset):
            raise TypeError(f"ActiveNeurons takes a Dataset, but got a {type(data).__name__}; use rq.Dataset.")
        self._moments: tuple[TrainingMoment, ...] = ()
        super().__init__(data=data, test=test, **settings)

    # --- what users call -------------------------------------------------------------------------

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Raises
        ------
        RuntimeError
            If training has not begun yet.
        """
        if not self._moments:
            raise RuntimeError("There is nothing to show yet: call wait() first.")
        times = [moment.t for moment in self._moments]
        return self._scene_of(int(np.searchsorted(times, self.t * (1 + 1e-12), "right")) - 1)

    def _scene_of(self, i: int) -> Scene:
        classes = self.data.y.shape[1] if self.data.y.ndim == 2 else 2
        scored = not np.isnan([moment.train_accuracy for moment in self._moments]).all()
        return training_scene(self._moments, max(0, i), n_classes=classes if scored else 0)

    def _scenes(self) -> Iterator[Scene]:
        self.scene()
        return (self._scene_of(i) for i in range(len(self._moments)))

    def __repr__(self) -> str:
        if self._closed:
            return "ActiveNeurons(closed)"
        start = f"width={self.width}, scale={self.scale:g}, seed={self.seed}"
        return f"ActiveNeurons(n_samples={self.data.n_samples}, {start})"

    # --- parts -----------------------------------------------------------------------------------

    def _open(self) -> None:
        self._go = W.Button(layout=W.Layout(width="100px"))
        self._go.on_click(lambda _: self._go_clicked())
        self._loss = W.Dropdown(
            options=LOSSES, description="loss", tooltip="What training lowers; a change starts anew",
            style={"description_width": "30px"}, layout=W.Layout(width="160px"),
        )  # fmt: skip
        self._width = _text(
            "neurons", "Neurons of the hidden layer (type a number); a change starts anew", 52
        )
        self._scale = _text(
            "scale", "Norm of a neuron at the start (type a number); a change starts anew", 36
        )
        self._seed = _text("seed", "Seed of the start (type a whole number); a change starts anew", 34)
        self._least = _text("active from", "Share of the heaviest neuron's mass from which one is active", 84)
        self._play_bar = PlayBar(
            WIDTH - 110,
            "Time",
            on={
                "back": self._pressed("step", -1), "toggle": self._toggle, "forth": self._pressed("step", 1),
                "speed": self._speed_chosen, "scrub": self._scrubbed,
            },
        )  # fmt: skip
        self._view = SceneView(self._heard)
        self._words = Words(WIDTH)
        self.children = [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")),
            W.HBox([self._go, self._loss, self._width, self._scale, self._seed, self._least]), self._play_bar.box,
            self._view, self._words.status, self._saver.box, self._words.alert,
        ]  # fmt: skip
        self.add_class("reluquant")
        self._showing = False
        self._loss.observe(lambda change: self._showing or self._chosen("loss", change.new), names="value")
        for box, name in ((self._width, "width"), (self._scale, "scale"), (self._seed, "seed"), (self._least, "least")):
            box.observe(lambda change, name=name: self._showing or self._typed(name, change.new), names="value")
        self.observe(
            self._on_problem, names=["data", "test", "width", "scale", "loss", "seed", "share", "stop", "max_steps"]
        )
        self.observe(self._on_definition, names=["least", "angle"])
        self.observe(self._on_training, names="training")
        self.observe(self._on_t, names="t")
        self.observe(self._on_playing, names="playing")
        self.observe(lambda _: self._show_controls(), names="speed")
        self._show_controls()
        self.training = True

    # --- the user did something ------------------------------------------------------------------

    @guarded
    def _go_clicked(self) -> None:
        self.training = not self.training

    @guarded
    def _chosen(self, name: str, value: object) -> None:
        setattr(self, name, value)

    @guarded
    def _speed_chosen(self, value: float) -> None:
        self.speed = value

    @guarded
    def _typed(self, name: str, text: str) -> None:
        try:
            value = as_number(text, name)
            whole = isinstance(self.traits()[name], WholeNumber)
            if whole and value != round(value):
                raise ValueError(f"{name} must be a whole number, but {text} was typed.")
            setattr(self, name, round(value) if whole else value)
        finally:
            self._show_controls()

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        if event["event"] == "click" and event.get("panel") in ("counts", "scores") and self._moments:
            self.playing = False
            self.t = min(10.0 ** float(event["x"]), self._moments[-1].t)

    # --- a trait changed -------------------------------------------------------------------------

    @guarded
    def _on_problem(self, change: object) -> None:
        self.run, self._moments = None, ()
        self._show_controls()
        if self.training:
            self._train()
        else:
            self.training = True

    @guarded
    def _on_definition(self, change: object) -> None:
        self._show_controls()
        if self.run is not None and not self.training:
            self._look_back(self.run)

    @guarded
    def _on_training(self, change: object) -> None:
        self._show_controls()
        if self.training:
            self._train()

    @guarded
    def _on_t(self, change: object) -> None:
        self._drawing.request()

    # --- work off the main thread ----------------------------------------------------------------

    def _train(self) -> None:
        """Go on from the newest run, or begin."""
        before, definition = self.run, {"least": self.least, "angle": self.angle}
        settings = {
            "widths": (self.width,), "scale": self.scale, "loss": self.loss, "share": self.share, "stop": self.stop,
            "max_steps": self.max_steps, "rng": self.seed, "test": self.test, "resume": before,
        }  # fmt: skip
        data = self.data
        self._work_failure, self.busy = None, True
        self._show_error()

        def job(outdated: Callable[[], bool]) -> None:
            looked = 0.0

            def progress(report: TrainingProgress) -> None:
                nonlocal looked
                if outdated() or not self.training:
                    raise KeyboardInterrupt
                if time.monotonic() - looked >= LOOK_SECONDS:
                    so_far = report.so_far()
                    self._add(training_moment(so_far.snapshots[-1], float(so_far.loss[-1]), **definition))
                    looked = time.monotonic()

            found = train(data, progress=progress, **settings)
            if outdated():
                return
            self.run = found
            self._look_back(found)
            self.busy = self._work.behind
            if found.end != "interrupted":
                with self._by_itself:
                    self.training = False

        self._work.submit(job)

    def _add(self, moment: TrainingMoment) -> None:
        followed = not self._moments or self.t >= self._moments[-1].t
        kept = tuple(m for m in self._moments if m.t < moment.t)
        self._moments = (*kept, moment)
        if followed:
            with self._by_itself:
                self.t = moment.t
        self._drawing.request()

    def _look_back(self, run: TrainingRun) -> None:
        """Take all snapshots of a run that has ended, which are even in the logarithm of time."""
        followed = not self._moments or self.t >= self._moments[-1].t
        self._moments = training_moments(run, least=self.least, angle=self.angle)
        grid = np.array([moment.t for moment in self._moments])
        self._play_bar.set_grid(grid)
        self._set_grid(grid)
        if followed:
            with self._by_itself:
                self.t = float(grid[-1])
        self._show_controls()
        self._drawing.request()

    def _work_failed(self, error: BaseException) -> None:
        super()._work_failed(error)
        if not self._work.behind:
            with self._by_itself:
                self.training = False

    # --- showing ---------------------------------------------------------------------------------

    def _show(self) -> bool:
        if not self._moments:
            self.status = "Training begins …"
            return False
        self._advance()
        scene = self.scene()
        self._view.show(scene)
        self._play_bar.show(self.t, speed=self.speed, playing=self.playing)
        ended = "" if self.run is None or self.training or self.t < self._moments[-1].t else f" {self.run.message}"
        self.status = scene.sentence + ended
        return self.playing

    def _show_controls(self) -> None:
        self._showing = True
        try:
            self._loss.value = self.loss
            self._width.value, self._scale.value = str(self.width), f"{self.scale:g}"
            self._seed.value, self._least.value = str(self.seed), f"{self.least:g}"
        finally:
            self._showing = False
        fresh = self.run is None
        self._go.description = "Stop" if self.training else "Train" if fresh else "Resume"
        self._go.icon = "stop" if self.training else "play"
        self._go.tooltip = "Stop training and keep what was reached" if self.training else "Go on with training"
        ended = not fresh and self.run.end not in ("interrupted", "max_steps")
        self._go.disabled = not self.training and ended
        self._play_bar.show(self.t, speed=self.speed, playing=self.playing)


def _text(description: str, tooltip: str, label_width: int) -> W.Text:
    return W.Text(
        description=description, tooltip=tooltip, continuous_update=False,
        style={"description_width": f"{label_width}px"}, layout=W.Layout(width=f"{label_width + 80}px"),
    )  # fmt: skip
