"""The command ``reluquant``: argument parsing only."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from reluquant.studies.active_report import ActiveNeuronReport
    from reluquant.studies.approximation_report import ApproximationReport
    from reluquant.studies.flow_report import FlowReport
    from reluquant.studies.phase_report import PhaseReport

app = typer.Typer(
    help="Gradient flow of shallow ReLU networks, from points to directions and kinks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_NO_SUCCESS, _BAD_INPUT = 1, 2
# The outcome hardly depends on the width; a hundred times more than anybody needs still fits into memory.
_MOST_NEURONS = 1_000_000
_COMPILING = "Loading the integrator; the first time it is compiled, which takes less than a minute …"


def _refuse(reason: object) -> NoReturn:
    typer.echo(f"reluquant: {reason}", err=True)
    raise typer.Exit(_BAD_INPUT)


def _whole(option: str, low: int, high: int | None = None) -> Callable[[str], int]:
    """Return a parser that refuses what is not a whole number of the range, and says what was typed."""

    def parse(typed: str) -> int:
        try:
            value = int(typed)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            span = f"of at least {low:,}" if high is None else f"from {low:,} to {high:,}"
            _refuse(f"{option} must be a whole number {span}, but it is {typed}.")
        return value

    return parse


def _real(option: str) -> Callable[[str], float]:
    """Return a parser that refuses what no float64 can hold: "1e-400" would silently be zero."""

    def parse(typed: str) -> float:
        text = str(typed)
        try:
            value = float(text)
        except ValueError:
            _refuse(f"{option} must be a number, but it is {text}.")
        underflows = value == 0 and re.search("[1-9]", re.split("[eE]", text)[0])
        overflows = math.isinf(value) and "inf" not in text.lower()
        if underflows or overflows:
            size, remedy = ("small", "larger") if underflows else ("large", "smaller")
            _refuse(f"{option} must be a float64 number, but {text} is too {size} for one; type a {remedy} number.")
        return value

    return parse


def _several(option: str, parse: Callable[[str], float]) -> Callable[[str], list]:
    """Return a parser of numbers with commas between them."""

    def parse_all(typed: str) -> list:
        parts = [part.strip() for part in str(typed).split(",")]
        if not all(parts):
            _refuse(f"{option} must be numbers with commas between them, but it is {typed!r}.")
        return [parse(part) for part in parts]

    return parse_all


def _deliver(
    report: FlowReport | PhaseReport | ApproximationReport | ActiveNeuronReport,
    as_json: bool,
    save: Callable[[Path], None],
    path: Path | None,
    what: str = "figure",
) -> None:
    """Print a report, save its figure or page, and set the exit status."""
    # Before the figure: what goes wrong with a file must not cost the reader a finished run.
    typer.echo(json.dumps(report.to_dict(), indent=2, allow_nan=False) if as_json else str(report))
    if path is not None:
        try:
            save(path)
        except (OSError, ValueError) as error:
            _refuse(f"the report is complete, but its {what} was not written: {error}")
    if not report.success:
        raise typer.Exit(_NO_SUCCESS)


def _show_version(asked: bool) -> None:
    if asked:
        from reluquant import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


_Browser = Annotated[bool, typer.Option(help="Open a browser; the address is printed in any case.")]
_Port = Annotated[
    int | None, typer.Option(parser=_whole("--port", 1, 65535), metavar="INTEGER", help="Port of the server.")
]


@app.command()
def lab(browser: _Browser = True, port: _Port = None) -> None:
    """Open the quick-start notebook in JupyterLab, on this machine only."""
    from reluquant.environment.lab import run_lab

    _serve(run_lab, browser, port)


@app.command()
def dashboard(browser: _Browser = True, port: _Port = None) -> None:
    """Serve all widgets as one page without code (Voilà), on this machine only."""
    from reluquant.environment.lab import run_dashboard

    _serve(run_dashboard, browser, port)


def _serve(run: Callable[..., int], browser: bool, port: int | None) -> NoReturn:
    try:
        status = run(Path.cwd(), browser=browser, port=port)
    except (OSError, ImportError) as error:
        _refuse(error)
    raise typer.Exit(status)


@app.command()
def flow(
    points: Annotated[Path, typer.Argument(help="Text file with two columns, x and y.", metavar="POINTS.CSV")],
    neurons: Annotated[
        int,
        typer.Option(
            parser=_whole("--neurons", 1, _MOST_NEURONS),
            metavar="INTEGER",
            help=f"Number of neurons, at most {_MOST_NEURONS:,}.",
        ),
    ] = 1000,
    scale: Annotated[
        float, typer.Option(parser=_real("--scale"), metavar="FLOAT", help="Typical norm of a neuron at the start.")
    ] = 1e-6,
    seed: Annotated[
        int, typer.Option(parser=_whole("--seed", 0), metavar="INTEGER", help="Seed of the initial network.")
    ] = 0,
    t_max: Annotated[
        float | None,
        typer.Option(
            parser=_real("--t-max"), metavar="FLOAT", help="Stop at this time; by default when nothing moves."
        ),
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Write a picture: .png, .svg or .pdf.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Train a tiny network on the points by gradient flow and report what it became.

    Exit status: 0 if the run succeeded, 1 if it stopped early (what was
    reached is printed), 2 for bad input or a figure that cannot be written.
    """
    from reluquant.studies.flow_report import figure_path, flow_report
    from reluquant.studies.points_file import read_points

    try:
        data = read_points(points)
        picture = None if figure is None else figure_path(figure)
        report = flow_report(
            data,
            n_neurons=neurons,
            scale=scale,
            rng=seed,
            t_max=t_max,
            while_compiling=lambda: typer.echo(_COMPILING, err=True),
        )
    except (OSError, TypeError, ValueError) as error:
        _refuse(error)
    _deliver(report, as_json, report.save_figure, picture)


@app.command()
def phase_diagram(
    points: Annotated[
        Path | None, typer.Argument(help="Text file with two columns, x and y.", metavar="[POINTS.CSV]")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Name of a data set, such as zigzag, instead of a file.")] = None,
    scales: Annotated[
        list | None,
        typer.Option(
            parser=_several("--scales", _real("each of --scales")),
            metavar="FLOAT,FLOAT,…",
            help="Typical norms of a neuron at the start; by default 1e-4 to 10, two per factor of ten.",
        ),
    ] = None,
    widths: Annotated[
        list | None,
        typer.Option(
            parser=_several("--widths", _whole("each of --widths", 2, _MOST_NEURONS)),
            metavar="INTEGER,INTEGER,…",
            help="Numbers of neurons; by default 32 to 512, each twice the one before.",
        ),
    ] = None,
    start: Annotated[str, typer.Option(help="How weights are drawn: balanced or gaussian.")] = "balanced",
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="Give every neuron a twin of opposite sign: the start is f = 0.")
    ] = False,
    gamma_prime: Annotated[
        float,
        typer.Option(
            parser=_real("--gamma-prime"), metavar="FLOAT", help="Unequal layers of a gaussian start; 0 for equal ones."
        ),
    ] = 0.0,
    seeds: Annotated[
        int,
        typer.Option(parser=_whole("--seeds", 1, 1000), metavar="INTEGER", help="Runs at each scale and width."),
    ] = 3,
    seed: Annotated[
        int, typer.Option(parser=_whole("--seed", 0), metavar="INTEGER", help="From which all starts are drawn.")
    ] = 0,
    figure: Annotated[Path | None, typer.Option(help="Write a picture: .png, .svg or .pdf.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure where training is lazy, critical or condensed, over scales and widths.

    Exit status: 0 if every run returned, 1 if some failed or were
    interrupted (the others are printed), 2 for bad input or a figure that
    cannot be written.
    """
    from reluquant.studies.flow_report import figure_path
    from reluquant.studies.phase_report import SCALES, WIDTHS, chosen_data, phase_report

    try:
        data = chosen_data(points, dataset, rng=seed)
        picture = None if figure is None else figure_path(figure)
        report = phase_report(
            data,
            scales=SCALES if scales is None else scales,
            widths=WIDTHS if widths is None else widths,
            start=start,
            mirrored=mirrored,
            gamma_prime=gamma_prime,
            n_seeds=seeds,
            rng=seed,
            while_compiling=lambda: typer.echo(_COMPILING, err=True),
        )
    except (OSError, TypeError, ValueError) as error:
        _refuse(error)
    _deliver(report, as_json, report.save_figure, picture)


@app.command()
def approximation(
    dimension: Annotated[
        int,
        typer.Option(
            parser=_whole("--dimension", 1, 2), metavar="1|2", help="Features of the target: a wave or a hill."
        ),
    ] = 1,
    random_labels: Annotated[
        bool, typer.Option("--random-labels", help="Learn coin tosses instead, and try fresh ones.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer and smaller runs, in seconds; not to draw conclusions from.")
    ] = False,
    neurons: Annotated[
        int | None,
        typer.Option(parser=_whole("--neurons", 1, _MOST_NEURONS), metavar="INTEGER", help="Number of neurons."),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(parser=_real("--scale"), metavar="FLOAT", help="Typical norm of a neuron at the start."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(parser=_whole("--seeds", 1, 1000), metavar="INTEGER", help="Runs of each number of points."),
    ] = None,
    seed: Annotated[
        int, typer.Option(parser=_whole("--seed", 0), metavar="INTEGER", help="From which all starts are drawn.")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Also write the table as a page here (.md), and its picture beside it (.svg).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure how errors of networks and interpolants fall with the number of points.

    Exit status: 0 if every run returned (also if some do not fit their data,
    which the table says), 1 if some failed or were interrupted (the others
    are printed), 2 for bad input or a page that cannot be written.
    """
    from reluquant.studies.approximation_report import approximation_report, report_path

    given = {"n_neurons": neurons, "scale": scale, "n_seeds": seeds}
    try:
        page = None if out is None else report_path(out)
        report = approximation_report(
            dimension=dimension,
            random_labels=random_labels,
            quick=quick,
            rng=seed,
            while_compiling=lambda: typer.echo(_COMPILING, err=True),
            **{name: value for name, value in given.items() if value is not None},
        )
    except (OSError, TypeError, ValueError) as error:
        _refuse(error)
    _deliver(report, as_json, report.save, page, "page")


@app.command()
def active_neurons(
    dataset: Annotated[str, typer.Option(help="digits, mnist or fashion_mnist.")] = "digits",
    sizes: Annotated[
        list | None,
        typer.Option(
            parser=_several("--sizes", _whole("each of --sizes", 2, 60_000)),
            metavar="INTEGER,INTEGER,…",
            help="Numbers of training samples.",
        ),
    ] = None,
    classes: Annotated[
        int, typer.Option(parser=_whole("--classes", 2, 10), metavar="2|10", help="Ten, or even against odd.")
    ] = 10,
    methods: Annotated[str | None, typer.Option(help="descent, greedy, or both with a comma between.")] = None,
    losses: Annotated[str | None, typer.Option(help="squared, cross-entropy, logistic; several with commas.")] = None,
    scales: Annotated[
        list | None,
        typer.Option(
            parser=_several("--scales", _real("each of --scales")),
            metavar="FLOAT,FLOAT,…",
            help="Typical norms of a neuron at the start of descent.",
        ),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(parser=_whole("--width", 1, _MOST_NEURONS), metavar="INTEGER", help="Neurons at the start."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(parser=_whole("--seeds", 1, 1000), metavar="INTEGER", help="Runs of each size."),
    ] = None,
    stop: Annotated[
        float, typer.Option(parser=_real("--stop"), metavar="FLOAT", help="Share of the loss of the zero function.")
    ] = 0.01,
    share: Annotated[
        float, typer.Option(parser=_real("--share"), metavar="FLOAT", help="Of a neuron, that a step may change.")
    ] = 0.05,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer and smaller runs, in two minutes; not to draw conclusions from.")
    ] = False,
    store: Annotated[
        Path | None, typer.Option(help="A folder that keeps finished runs; the same command goes on from there.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the tables here (.md), and a picture (.svg) and all runs (.json) beside it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Count active neurons of trained networks against the number of samples.

    Needs PyTorch (pip install 'reluquant[torch]') and, for digits,
    scikit-learn (reluquant[data]).

    Exit status: 0 if every run was made and reached its loss, 1 if some did
    not (the others are printed), 2 for bad input.
    """
    from reluquant.studies.active_report import active_neuron_report, report_path

    given = {
        "sizes": sizes,
        "methods": None if methods is None else tuple(methods.split(",")),
        "losses": None if losses is None else tuple(losses.split(",")),
        "scales": scales,
        "width": width,
        "n_seeds": seeds,
    }
    try:
        page = None if out is None else report_path(out)
        report = active_neuron_report(
            quick=quick,
            dataset=dataset,
            classes=classes,
            stop=stop,
            share=share,
            device=device,
            store=store,
            **{name: value for name, value in given.items() if value is not None},
        )
    except (ImportError, OSError, TypeError, ValueError) as error:
        _refuse(error)
    _deliver(report, as_json, report.save, page, "page")


@app.command()
def claims(
    out: Annotated[
        Path | None, typer.Option(help="Write the page here, and its picture beside it, instead of printing it.")
    ] = None,
) -> None:
    """Check what the papers claim, number by number, and print a Markdown table.

    Exit status: 0 if all is as the page says, 1 if a claim failed (or holds
    although it is known not to), 2 if the page cannot be written.
    """
    from reluquant.studies.claims import CLAIMS, claims_report, page_path, write_claims

    try:
        page = None if out is None else page_path(out)
        typer.echo(f"Checking {len(CLAIMS)} claims, which takes less than two minutes …", err=True)
        report = claims_report()
        if page is None:
            typer.echo(report.page())
        else:
            write_claims(report, page)
    except (OSError, ValueError) as error:
        _refuse(error)
    for claim in report.surprises:
        typer.echo(f"reluquant: not as expected: {claim.sentence}", err=True)
    if report.surprises:
        raise typer.Exit(_NO_SUCCESS)


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option(help="Folder of the report; what is there is kept.")] = Path("reproduced"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller runs, in minutes; not to draw conclusions from.")
    ] = False,
    only: Annotated[str | None, typer.Option(help="Names of parts, with commas between; all by default.")] = None,
) -> None:
    """Make every figure and number of the pages anew, into one HTML page.

    Exit status: 0 if all parts are there, 1 if some failed, 2 for bad input.
    """
    from reluquant.studies.reproduce import reproduce as make

    chosen = () if only is None else tuple(only.split(","))
    try:
        found = make(out, quick=quick, only=chosen, say=lambda sentence: typer.echo(sentence, err=True))
    except (OSError, ValueError) as error:
        _refuse(error)
    for name, failure in found.failures.items():
        typer.echo(f"reluquant: {name} failed: {failure}", err=True)
    typer.echo(f"{len(found.made)} parts made, {len(found.kept)} kept: {found.page}")
    if not found.success:
        raise typer.Exit(_NO_SUCCESS)


@app.command()
def doctor() -> None:
    """Print the versions that matter, and known conflicts between them."""
    from reluquant.environment.doctor import doctor as examine

    report = examine()
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(_NO_SUCCESS)


if __name__ == "__main__":
    app()
