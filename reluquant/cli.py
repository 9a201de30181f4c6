"""The command ``reluquant``: argument parsing only."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    help="Gradient flow of shallow ReLU networks, from points to directions and kinks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_NO_SUCCESS, _BAD_INPUT = 1, 2


def _refuse(error: Exception) -> NoReturn:
    typer.echo(f"reluquant: {error}", err=True)
    raise typer.Exit(_BAD_INPUT)


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


@app.command()
def lab(
    browser: Annotated[bool, typer.Option(help="Open a browser; the address is printed in any case.")] = True,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the server.")] = None,
) -> None:
    """Open the quick-start notebook in JupyterLab, on this machine only."""
    from reluquant.environment.lab import lab_command, quickstart_notebook

    try:
        command = lab_command(quickstart_notebook(Path.cwd()), browser=browser, port=port)
    except (OSError, ImportError) as error:
        _refuse(error)
    try:
        raise typer.Exit(subprocess.run(command, check=False).returncode)
    except KeyboardInterrupt:  # Ctrl-C reaches the server as well, which asks and then stops by itself.
        raise typer.Exit(0) from None


@app.command()
def flow(
    points: Annotated[Path, typer.Argument(help="Text file with two columns, x and y.", metavar="POINTS.CSV")],
    neurons: Annotated[int, typer.Option(min=1, help="Number of neurons.")] = 1000,
    scale: Annotated[float, typer.Option(help="Typical norm of a neuron at the start.")] = 1e-6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the initial network.")] = 0,
    t_max: Annotated[float | None, typer.Option(help="Stop at this time; by default when nothing moves.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Write a picture: .png, .svg or .pdf.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Train a tiny network on the points by gradient flow and report what it became.

    Exit status: 0 if the run succeeded, 1 if it stopped early (what was reached is printed), 2 for bad input.
    """
    from reluquant.studies.flow_report import figure_path, flow_report
    from reluquant.studies.points_file import read_points

    try:
        data = read_points(points)
        picture = None if figure is None else figure_path(figure)
        report = flow_report(data, n_neurons=neurons, scale=scale, rng=seed, t_max=t_max)
        if picture is not None:
            report.save_figure(picture)
    except (OSError, TypeError, ValueError) as error:
        _refuse(error)
    typer.echo(json.dumps(report.to_dict(), indent=2, allow_nan=False) if as_json else str(report))
    if not report.success:
        raise typer.Exit(_NO_SUCCESS)


@app.command()
def doctor() -> None:
    """Print the versions that matter, and known conflicts between them."""
    from reluquant.environment.doctor import doctor as examine

    report = examine()
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(_NO_SUCCESS)
