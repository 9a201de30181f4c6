"""Scenes as files: a picture, a film, or the numbers that are shown."""

from __future__ import annotations

import csv
import itertools
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.figure import Figure

from reluquant.views.scene import Scene
from reluquant.views.scene_figure import PER_INCH, draw_scene, scene_figure
from reluquant.views.sheet import palette

PICTURES, FILMS, TABLES = (".png", ".svg", ".pdf"), (".gif", ".mp4"), (".csv", ".npz")
FRAMES_PER_SECOND = 20
# A printed picture is twice as fine as the page.
FINE = 2 * PER_INCH


def save_scene(scene: Scene, path: str | os.PathLike) -> Path:
    """Write one scene as a picture (PNG, SVG, PDF) or its numbers as a table (CSV, NPZ).

    Parameters
    ----------
    scene : Scene
        What to write.
    path : path-like
        Its suffix says how.

    Returns
    -------
    Path
        Where it lies.

    Raises
    ------
    ValueError
        If the suffix is another one.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from reluquant.views.film import save_scene
    >>> from reluquant.views.scene import Line, Panel, Scene
    >>> panel = Panel("function", (0.0, 1.0), (0.0, 1.0), (Line([0.0, 1.0], [0.0, 0.5], label="network"),))
    >>> path = save_scene(Scene(((panel,),)), mkdtemp() + "/numbers.csv")
    >>> print(path.read_text())
    panel,label,x,y
    function,network,0.0,0.0
    function,network,1.0,0.5
    <BLANKLINE>
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        scene_figure(scene).savefig(path, dpi=FINE)
    elif suffix == ".csv":
        _write_csv(scene, path)
    elif suffix == ".npz":
        np.savez(path, **scene.table())
    else:
        raise ValueError(f"A scene is saved as one of {', '.join(PICTURES + TABLES)}, but got {path.name!r}.")
    return path


def save_film(
    scenes: Iterable[Scene],
    path: str | os.PathLike,
    *,
    frames_per_second: float = FRAMES_PER_SECOND,
    progress: Callable[[int], object] = lambda done: None,
) -> Path:
    """Write scenes as a film (GIF, MP4); no browser is needed.

    Parameters
    ----------
    scenes : iterable of Scene
        One a frame; the first sets the size.
    path : path-like
        Ends in ``.gif`` or ``.mp4``; the latter needs ffmpeg, which ``pip install reluquant[export]`` brings.
    frames_per_second : float
        The pace.
    progress : callable
        Called with the number of frames written.

    Returns
    -------
    Path
        Where it lies.

    Raises
    ------
    ValueError
        If the suffix is another one or there is no scene.
    ModuleNotFoundError
        If there is no ffmpeg for an MP4.
    """
    path = Path(path)
    if path.suffix.lower() not in FILMS:
        raise ValueError(f"A film is saved as one of {', '.join(FILMS)}, but got {path.name!r}.")
    scenes = iter(scenes)
    first = next(scenes, None)
    if first is None:
        raise ValueError("A film needs at least one scene, but got none.")
    writer = _writer(path, frames_per_second)
    figure = Figure(facecolor=palette().paper, dpi=PER_INCH)
    draw_scene(figure, first)
    # Sizes of a film's frames are the same: a legend that grows by a line must not change them.
    size = figure.get_size_inches().copy()
    with writer.saving(figure, str(path), PER_INCH):
        for done, scene in enumerate(itertools.chain([first], scenes), start=1):
            draw_scene(figure, scene)
            figure.set_size_inches(size)
            writer.grab_frame()
            progress(done)
    return path


def _writer(path: Path, pace: float) -> AbstractMovieWriter:
    if path.suffix.lower() == ".gif":
        return PillowWriter(fps=pace)
    matplotlib.rcParams["animation.ffmpeg_path"] = _ffmpeg()
    # Players ask for even sizes and for this way of storing colours.
    return FFMpegWriter(fps=pace, extra_args=["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"])


def _ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "An MP4 needs ffmpeg, which is not here: pip install 'reluquant[export]', or save a .gif."
        ) from None
    return imageio_ffmpeg.get_ffmpeg_exe()


def _write_csv(scene: Scene, path: Path) -> None:
    table = scene.table()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["panel", "label", "x", "y"])
        for key in (key for key in table if key.endswith("/x")):
            # A label may hold a stroke, a panel's name does not.
            panel, label = key.removesuffix("/x").split("/", 1)
            for x, y in zip(table[key].tolist(), table[f"{panel}/{label}/y"].tolist(), strict=True):
                writer.writerow([panel, label, repr(x), repr(y)])
