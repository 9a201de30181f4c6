"""The histogram of weight directions as a scene: a circle, spheres, or a heat map, by the number of weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reluquant.views.direction_circle_scene import circle, written
from reluquant.views.direction_frame import DirectionFrame, Shape
from reluquant.views.direction_frames import DirectionFrames
from reluquant.views.direction_heat_scene import Rows, heat_map, rows_of, told
from reluquant.views.direction_sphere_scene import View, spheres
from reluquant.views.direction_weight import Weight
from reluquant.views.function_scene import RELATION
from reluquant.views.loss_scene import loss_panel
from reluquant.views.scene import Scene
from reluquant.views.sentences import neurons

# Width and height of the loss beside a circle, and its height below the others, in pixels.
BESIDE, BELOW = (460, 300), 130
# Names of the first selected neurons are written out.
NAMED = 5
NOBODY = np.zeros(0, dtype=np.int64)


def direction_scene(
    frames: DirectionFrames, t: float, *, weight: Weight = Weight.COUNT, selected: NDArray[np.int64] = NOBODY,
    view: View | None = None, sorted_now: bool = False,
) -> Scene:  # fmt: skip
    """Return the directions of all neurons at a time.

    Parameters
    ----------
    frames : DirectionFrames
        Of a run of any number of features and outputs, with or without bias.
    t : float
        Time, from 0 to the end of the run.
    weight : Weight
        What bars and density stand for; a heat map has none.
    selected : ndarray of int
        Neurons to highlight.
    view : View, optional
        From where a sphere is seen.
    sorted_now : bool
        Heat map: take and order the neurons that are heaviest now, instead of those at the end of the run.

    Returns
    -------
    Scene
        Panel ``directions``; panels ``positive`` and ``negative`` (several outputs: ``all``); or ``angles``, ``scale``
        and ``clusters``; and always ``loss``.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.direction_frames import DirectionFrames
    >>> from reluquant.views.direction_histogram_scene import direction_scene
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=10, scale=1e-3, rng=0), data, t_max=50.0)
    >>> [panel.name for panel in direction_scene(DirectionFrames(run), 50.0).panels()]
    ['directions', 'loss']
    """
    frame, data = frames.at(t), frames.trajectory.data
    how = {"weight": weight, "scale": frames.scale, "selected": selected}
    words = [frame.sentence]
    if frames.shape is Shape.CIRCLE:
        rows = ((circle(data, frame, **how), loss_panel(frames.loss, t, width=BESIDE[0], height=BESIDE[1])),)
    elif frames.shape is Shape.SPHERE:
        rows = (spheres(data, frame, **how, view=view or View()), (loss_panel(frames.loss, t, height=BELOW),))
    else:
        shown = rows_at(frames, frame, sorted_now=sorted_now)
        rows = (heat_map(frame, shown, selected=selected), (loss_panel(frames.loss, t, height=BELOW),))
        words.append(told(frame, shown))
    if frame.extremal is None and frames.shape is not Shape.HEAT_MAP:
        words.append("There may be too many sectors to look for extremal directions at every moment.")
    if selected.size:
        words.append(selection(frame, frames.shape, selected))
    return Scene(rows, " ".join(words))


def rows_at(frames: DirectionFrames, frame: DirectionFrame, *, sorted_now: bool) -> Rows:
    """Return the rows of a heat map."""
    if sorted_now:
        return rows_of(frame.leaders)
    return rows_of(frame.leaders if frame.sample is None else frame.sample, frames.order)


def selection(frame: DirectionFrame, shape: Shape, selected: NDArray[np.int64]) -> str:
    """Describe the selected neurons: which, where, and how much of the mass."""
    mass = frame.mass()
    share = 100 * float(mass[selected].sum()) / (float(mass.sum()) or 1.0)
    names = ", ".join(str(j) for j in selected[:NAMED].tolist()) + (", …" if selected.size > NAMED else "")
    signs = frame.sign[selected]
    counts = [f"{np.count_nonzero(signs == s):,} with {RELATION[s]}" for s in (1, -1) if np.any(signs == s)]
    where = f", {_spread(frame.angle[selected])}" if shape is Shape.CIRCLE else ""
    return (
        f"Selected: {neurons(selected.size)} ({names})"
        f"{where}{'; ' + ', '.join(counts) if counts else ''}; {share:.3g} % of the mass."
    )


def _spread(angle: NDArray[np.uint16]) -> str:
    """The shortest arc that holds some directions."""
    turns = np.sort(np.unique(angle).astype(np.int64))
    gaps = np.diff(np.append(turns, turns[0] + 2**16))
    widest = int(np.argmax(gaps))
    if gaps[widest] < 2**15:
        return "all around"
    start, end = turns[(widest + 1) % turns.size], turns[widest]
    first, last = (written(float(step) * math.tau / 2**16) for step in (start, end))
    return f"at {first}" if first == last else f"at {first} to {last}"
