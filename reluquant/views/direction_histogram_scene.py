"""The histogram of weight directions as a scene: a circle, spheres, or a heat map, by the number of weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.dataset import Dataset
from reluquant.views.angle_words import arc
from reluquant.views.direction_circle_scene import circle
from reluquant.views.direction_frame import TURN, DirectionFrame, Shape, shape_of
from reluquant.views.direction_frames import DirectionFrames
from reluquant.views.direction_heat_scene import Rows, heat_map, rows_of, told
from reluquant.views.direction_sphere_scene import View, spheres
from reluquant.views.direction_weight import Weight
from reluquant.views.function_scene import RELATION
from reluquant.views.loss_scene import loss_panel
from reluquant.views.neuron_words import SELECTED, chosen_and_verb, kink_range, names, norms
from reluquant.views.scene import Scene

# Width and height of the loss beside a circle, and its height below the others, in pixels.
BESIDE, BELOW = (460, 300), 130
NOBODY = np.zeros(0, dtype=np.int64)


def direction_scene(
    frames: DirectionFrames, t: float, *, weight: Weight = Weight.COUNT, selected: NDArray[np.int64] = NOBODY,
    pointed: NDArray[np.int64] = NOBODY, view: View | None = None, sorted_now: bool = False,
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
    pointed : ndarray of int
        Neurons to highlight in their place, while the mouse is over them.
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
    chosen, verb = chosen_and_verb(selected, pointed)
    how = {"weight": weight, "scale": frames.scale, "selected": chosen}
    words = [frame.sentence]
    if frames.shape is Shape.CIRCLE:
        rows = ((circle(data, frame, **how), loss_panel(frames.loss, t, width=BESIDE[0], height=BESIDE[1])),)
    elif frames.shape is Shape.SPHERE:
        rows = (spheres(data, frame, **how, view=view or View()), (loss_panel(frames.loss, t, height=BELOW),))
    else:
        shown = rows_at(frames, frame, sorted_now=sorted_now)
        rows = (heat_map(frame, shown, selected=chosen), (loss_panel(frames.loss, t, height=BELOW),))
        words.append(told(frame, shown))
    if frame.extremal is None and frames.shape is not Shape.HEAT_MAP:
        words.append("There may be too many sectors to look for extremal directions at every moment.")
    if chosen.size:
        words.append(selection(data, frame, chosen, verb=verb))
    return Scene(rows, " ".join(words))


def rows_at(frames: DirectionFrames, frame: DirectionFrame, *, sorted_now: bool) -> Rows:
    """Return the rows of a heat map."""
    if sorted_now:
        return rows_of(frame.leaders)
    return rows_of(frame.leaders if frame.sample is None else frame.sample, frames.order)


def selection(data: Dataset, frame: DirectionFrame, chosen: NDArray[np.int64], *, verb: str = SELECTED) -> str:
    """Describe some neurons: which, where, how large, and how much of the mass."""
    mass = frame.mass()
    share = 100 * float(mass[chosen].sum()) / (float(mass.sum()) or 1.0)
    parts = [names(chosen)]
    if chosen.size == 1 and frame.sign[chosen[0]]:
        parts[0] += f" with {RELATION[int(frame.sign[chosen[0]])]}"
    if shape_of(data) is Shape.CIRCLE:
        angle = frame.angle[chosen].astype(float) * (math.tau / TURN)
        parts.append(arc(angle))
        if data.bias and data.n_features == 1:
            parts.append(kink_range(_kinks(angle)))
    parts.append(norms(frame.top_norm + frame.log_norm[chosen].astype(float)))
    dead = int(np.count_nonzero(frame.idle[chosen]))
    if dead:
        parts.append("dead" if dead == chosen.size else f"{dead:,} dead")
    signs = frame.sign[chosen]
    counts = [f"{np.count_nonzero(signs == s):,} with {RELATION[s]}" for s in (1, -1) if np.any(signs == s)]
    by_sign = f"; {', '.join(counts)}" if counts and chosen.size > 1 else ""
    return f"{verb}: {', '.join(part for part in parts if part)}{by_sign}; {share:.3g} % of the mass."


def _kinks(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the boundary ``cos(angle) x + sin(angle) = 0`` is."""
    with np.errstate(divide="ignore"):
        return -np.sin(angle) / np.cos(angle)
