"""How the number of active neurons grows with the number of training samples: the paper's experiment with images."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from reluquant import datasets
from reluquant.analysis.active_neurons import active_neurons
from reluquant.dynamics.greedy_training import greedy_training
from reluquant.dynamics.train import train
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU

# What "active" may mean: shares of the mass of the heaviest neuron, and angles within which directions are one.
LEASTS = (0.1, 0.01, 0.001)
ANGLES = (0.03, 0.1, 0.3)
# What it means where one number is asked for.
LEAST, ANGLE = 0.01, 0.1
METHODS = ("descent", "greedy")
SETS = ("digits", "mnist", "fashion_mnist")
# Draws of the bootstrap: the ends of the interval are known to about a fiftieth of its length.
RESAMPLES = 2000
# Steps of one run: enough from scale 1e-6 to one per cent of the loss; a run that needs more is marked by its end.
MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Question:
    """One run: what is trained on, how, and from which seed.

    Attributes
    ----------
    dataset : {"digits", "mnist", "fashion_mnist"}
    n : int
        Number of training samples.
    seed : int
        Of the choice of samples and of the start.
    method : {"descent", "greedy"}
    loss : {"squared", "cross-entropy", "logistic"}
    classes : int
        10, or 2 for even against odd as -1 and 1.
    width : int
        Neurons at the start; not for the greedy method.
    scale : float
        Of the start; not for the greedy method.
    stop : float
        Share of the loss of the zero function at which a run ends.
    share : float
        Of a neuron that one step may change.
    """

    dataset: str = "digits"
    n: int = 100
    seed: int = 0
    method: str = "descent"
    loss: str = "squared"
    classes: int = 10
    width: int = 256
    scale: float = 1e-3
    stop: float = 0.01
    share: float = 0.05

    @property
    def key(self) -> str:
        """The same question has the same key, in a file too."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run came to.

    Attributes
    ----------
    question : Question
    n_active, n_directions : int
        Active neurons and the directions among them, as :func:`reluquant.active_neurons` counts by default.
    counts : dict
        ``"least, angle"`` to the number of directions, and ``"least"`` to that of neurons, for other definitions.
    train_accuracy, test_accuracy : float
        Share classified rightly.
    loss : float
        Of training at the end, as a share of that of the zero function.
    n_steps : int
        Of descent, or neurons added by the greedy method.
    seconds : float
    end : str
        Why the run ended.
    device : str
    """

    question: Question
    n_active: int
    n_directions: int
    counts: dict[str, int]
    train_accuracy: float
    test_accuracy: float
    loss: float
    n_steps: int
    seconds: float
    end: str
    device: str


@dataclass(frozen=True, slots=True)
class Exponent:
    """A fitted exponent, ``count ~ n**value``, and the interval that holds it with 95 % confidence."""

    value: float
    low: float
    high: float


def ask(
    question: Question, *, device: str = "auto", checkpoint: Path | None = None, progress: object = False
) -> Answer:
    """Make one run.

    Parameters
    ----------
    question : Question
    device : str
        As for :func:`reluquant.train`.
    checkpoint : Path, optional
        Where descent keeps what it has, and goes on from.
    progress : bool or callable
        As for :func:`reluquant.train`.

    Returns
    -------
    Answer
    """
    data, test = _data(question)
    began = time.perf_counter()
    if question.method == "greedy":
        run = greedy_training(data, loss=question.loss, stop=question.stop, rng=question.seed, progress=progress)
        net, end, n_steps, device = run.net, run.end, run.n_neurons, "cpu"
    else:
        run = train(
            data,
            widths=(question.width,),
            scale=question.scale,
            loss=question.loss,
            stop=question.stop,
            share=question.share,
            max_steps=MOST_STEPS,
            device=device,
            checkpoint=checkpoint,
            rng=question.seed,
            progress=progress,
        )
        net, end, n_steps = run.final, run.end, run.n_steps
    if end == "interrupted":
        # What descent had is in the checkpoint; a count of half a run is none.
        raise KeyboardInterrupt
    default = active_neurons(net, least=LEAST, angle=ANGLE)
    return Answer(
        question=question,
        n_active=default.n_active,
        n_directions=default.n_directions,
        counts=_counts(net),
        train_accuracy=accuracy(net, data),
        test_accuracy=accuracy(net, test),
        loss=float(run.loss[-1] / _loss_of_nothing(data, question.loss)),
        n_steps=n_steps,
        seconds=time.perf_counter() - began,
        end=end,
        device=device,
    )


def accuracy(net: ShallowReLU, data: Dataset) -> float:
    """Return the share of samples whose class a network tells: by sign of one output, or the largest of several."""
    outputs = net(data.X)
    if data.y.ndim == 1:
        return float(np.mean(np.sign(outputs) == data.y))
    return float(np.mean(outputs.argmax(axis=1) == data.y.argmax(axis=1)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ActiveNeuronStudy:
    """The result of :func:`reluquant.active_neuron_study`.

    Attributes
    ----------
    answers : tuple of Answer
        Of all runs that were made, in the order of the questions.
    n_asked : int
        Runs that were asked for.
    """

    answers: tuple[Answer, ...]
    n_asked: int

    @property
    def ok(self) -> bool:
        """Whether every run was made and reached its loss."""
        return len(self.answers) == self.n_asked and all(answer.end == "stop_loss" for answer in self.answers)

    @property
    def message(self) -> str:
        """What became of the runs, in a sentence."""
        missing, short = self.n_asked - len(self.answers), [a for a in self.answers if a.end != "stop_loss"]
        if missing:
            return f"{len(self.answers)} of {self.n_asked} runs were made; the same call goes on from there."
        if short:
            ends = ", ".join(sorted({a.end for a in short}))
            return f"All {self.n_asked} runs were made; {len(short)} did not reach the loss asked for ({ends})."
        return f"All {self.n_asked} runs were made and reached the loss asked for."

    def series(self) -> dict[tuple[str, ...], tuple[Answer, ...]]:
        """Return the runs that differ in size and seed only, together, by what they have in common."""
        found: dict[tuple[str, ...], list[Answer]] = {}
        for answer in self.answers:
            q = answer.question
            name = (q.dataset, f"{q.classes} classes", q.loss, q.method, "" if q.method == "greedy" else f"{q.scale:g}")
            found.setdefault(name, []).append(answer)
        return {name: tuple(answers) for name, answers in found.items()}

    def __repr__(self) -> str:
        return f"ActiveNeuronStudy({self.message!r})"


def exponent(answers: Iterable[Answer], count: Callable[[Answer], int]) -> Exponent:
    """Fit ``count ~ n**value`` by least squares of the logarithms, over all runs.

    Parameters
    ----------
    answers : iterable of Answer
        Of two sizes at least.
    count : callable
        Of one answer: what is fitted.

    Returns
    -------
    Exponent
        The interval is that of a bootstrap over the runs of each size; NaN with one run a size.
    """
    logs: dict[int, list[float]] = {}
    for answer in answers:
        if count(answer) > 0:
            logs.setdefault(answer.question.n, []).append(math.log(count(answer)))
    if len(logs) < 2:
        return Exponent(math.nan, math.nan, math.nan)
    values = {n: np.array(found) for n, found in logs.items()}

    def slope(chosen: dict[int, np.ndarray]) -> float:
        x = np.concatenate([np.full(len(found), math.log(n)) for n, found in chosen.items()])
        return float(np.polyfit(x, np.concatenate(list(chosen.values())), 1)[0])

    if min(map(len, values.values())) < 2:
        return Exponent(slope(values), math.nan, math.nan)
    # Always the same draws: a report is to be repeatable.
    draw = np.random.default_rng(0)
    again = [slope({n: draw.choice(found, len(found)) for n, found in values.items()}) for _ in range(RESAMPLES)]
    low, high = np.quantile(again, [0.025, 0.975])
    return Exponent(slope(values), float(low), float(high))


def active_neuron_study(
    *,
    dataset: str = "digits",
    sizes: Sequence[int] = (10, 30, 100, 300, 1000),
    n_seeds: int = 3,
    methods: Sequence[str] = ("descent",),
    losses: Sequence[str] = ("squared",),
    scales: Sequence[float] = (1e-3,),
    classes: int = 10,
    width: int = 256,
    stop: float = 0.01,
    share: float = 0.05,
    store: str | Path | None = None,
    device: str = "auto",
    progress: bool | Callable[[int, int], object] = True,
) -> ActiveNeuronStudy:
    """Count active neurons of networks trained from small starts, against the number of training samples.

    Parameters
    ----------
    dataset : {"digits", "mnist", "fashion_mnist"}
        Of images; smaller sets are parts of larger ones of the same seed.
    sizes : sequence of int
        Numbers of training samples.
    n_seeds : int
        Runs of each size, from seeds 0, 1, ….
    methods : sequence of {"descent", "greedy"}
        :func:`reluquant.train`, or :func:`reluquant.greedy_training`, which adds one neuron at a time.
    losses : sequence of {"squared", "cross-entropy", "logistic"}
        "logistic" for two classes.
    scales : sequence of float
        Of the starts of descent.
    classes : int
        10; or 2 for even against odd as -1 and 1.
    width : int
        Neurons at the start of descent.
    stop : float
        Share of the loss of the zero function at which a run ends.
    share : float
        Share of a neuron that a step of descent may change.
    store : path, optional
        A folder in which every finished run is kept, and the one in progress every minute; the same call goes on from
        there, on another day too.
    device : str
        As for :func:`reluquant.train`.
    progress : bool or callable
        True shows a bar; a function is called with the number of runs done, and of all.

    Returns
    -------
    ActiveNeuronStudy
        Also after an interrupt, with the runs that were made.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any work.
    FileNotFoundError
        If the images are nowhere; the sentence says where to put them.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 5.

    Examples
    --------
    >>> import reluquant as rq
    >>> study = rq.active_neuron_study(sizes=(5, 10), n_seeds=1, width=20, stop=0.2, progress=False)
    >>> study.message
    'All 2 runs were made and reached the loss asked for.'
    """
    for values, allowed, name in (
        ((dataset,), SETS, "dataset"),
        (methods, METHODS, "methods"),
        (losses, ("squared", "cross-entropy", "logistic"), "losses"),
    ):
        _among(values, allowed, name)
    if whole_number(classes, "classes", most=10) not in (2, 10):
        raise ValueError(f"classes must be 2 or 10, but it is {classes}.")
    wrong = {"logistic"} if classes == 10 else {"cross-entropy"}
    if wrong & set(losses):
        raise ValueError(
            f"With {classes} classes the losses are squared and {'cross-entropy' if classes == 10 else 'logistic'}."
        )
    common = {
        "dataset": dataset,
        "classes": classes,
        "width": whole_number(width, "width"),
        "stop": real_number(stop, "stop", above=0, most=1),
        "share": real_number(share, "share", above=0, most=0.5),
    }
    questions = [
        Question(
            n=n, seed=seed, method=method, loss=loss, **common, **({"scale": scale} if method == "descent" else {})
        )
        for method in methods
        for loss in losses
        for scale in (scales if method == "descent" else scales[:1])
        for n in sorted(whole_number(size, "sizes") for size in sizes)
        for seed in range(whole_number(n_seeds, "n_seeds"))
    ]
    return _asked(questions, None if store is None else Path(store), device, progress)


def _asked(
    questions: Sequence[Question], store: Path | None, device: str, progress: bool | Callable[[int, int], object]
) -> ActiveNeuronStudy:
    from tqdm.auto import tqdm

    known = {} if store is None else _stored(store)
    with tqdm(total=len(questions), desc="active neurons", disable=progress is not True, delay=2.0, leave=False) as bar:
        try:
            for i, question in enumerate(questions):
                if question.key not in known:
                    known[question.key] = ask(question, device=device, checkpoint=_checkpoint(store, question))
                    _keep(store, known[question.key])
                bar.update()
                if callable(progress):
                    progress(i + 1, len(questions))
        except KeyboardInterrupt:
            pass
    answers = tuple(known[question.key] for question in questions if question.key in known)
    return ActiveNeuronStudy(answers, len(questions))


def _checkpoint(store: Path | None, question: Question) -> Path | None:
    if store is None or question.method == "greedy":
        return None
    name = "-".join(str(value) for value in asdict(question).values())
    return store / f"{name}.safetensors"


def _keep(store: Path | None, answer: Answer) -> None:
    """Append a run to the file; what was kept while it ran is not needed any more."""
    if store is None:
        return
    with (store / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(answer)) + "\n")
    checkpoint = _checkpoint(store, answer.question)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)


def _stored(store: Path) -> dict[str, Answer]:
    store.mkdir(parents=True, exist_ok=True)
    file = store / "runs.jsonl"
    if not file.exists():
        return {}
    answers = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            answers.append(Answer(**row | {"question": Question(**row["question"])}))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"Line {number} of {file} is no run of this study; mend or delete it: {error}.") from error
    return {answer.question.key: answer for answer in answers}


def _among(values: Sequence[str], allowed: tuple[str, ...], name: str) -> None:
    for value in values:
        if value not in allowed:
            raise ValueError(f"{name} must be among {', '.join(map(repr, allowed))}, but one is {value!r}.")


def _data(question: Question) -> tuple[Dataset, Dataset]:
    maker = getattr(datasets, question.dataset)
    labels = {"binary": "parity"} if question.classes == 2 else {}
    return maker(question.n, split="train", rng=question.seed, **labels), maker(split="test", **labels)


def _loss_of_nothing(data: Dataset, loss: str) -> float:
    """The loss of the function that is zero."""
    if loss == "squared":
        return float(np.mean(np.sum(data.y.reshape(data.n_samples, -1) ** 2, axis=1)) / 2)
    return math.log(2 if data.y.ndim == 1 else data.y.shape[1])


def _counts(net: ShallowReLU) -> dict[str, int]:
    """Active neurons by other definitions of active."""
    counts = {}
    for least in LEASTS:
        for angle in ANGLES:
            found = active_neurons(net, least=least, angle=angle)
            counts[f"{least:g}, {angle:g}"] = found.n_directions
        counts[f"{least:g}"] = found.n_active
    return counts
