"""Saddle to saddle as a scene: what woke, what the function was and is, and the loss as a staircase."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from reluquant.dynamics.greedy_limit import GreedyLimit
from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.circle_scene import circle_panel, polar, sector_marks
from reluquant.views.direction_view import RING, sector_view
from reluquant.views.function_scene import RELATION, SIGN_NAMES, data_dots, function_panel, network_line
from reluquant.views.function_view import Window, data_view, network_curve, window
from reluquant.views.greedy_facts import GreedyFacts
from reluquant.views.scene import Dots, Label, Line, Mark, Panel, Scene
from reluquant.views.sentences import number

# Sizes in pixels.
FUNCTION, CIRCLE, STRIP = (560, 372), 356, (944, 190)
# Off the ring, outwards for a > 0 and inwards for a < 0, sit the groups; one that wakes where another did, further off.
OFF, FURTHER = 0.085, 0.125
# Directions that are as near as that, in radians, are one place.
SAME_PLACE = 0.12
GROUP_AREA, NUMBER_SIZE = 230.0, 11.0
# A neuron of the flow is drawn from this share of the heaviest one's mass on; area in square pixels of that.
LIGHTEST, FLOW_AREA = 1e-3, 90.0
# The table's rows, and how many samples a pattern is written for.
MOST_ROWS, MOST_SAMPLES = 12, 24
# Directions that woke are right to about that; a kink so near to a sample is on it.
ON_SAMPLE = 1e-6
# Where the columns of the table begin; its width, and the height of a row, in pixels.
COLUMNS = (0.01, 0.09, 0.22, 0.31, 0.72)
TABLE, ROW = 944, 22
LOSS_ROOM = 1.12
# What the last plateau is.
ENDS = {
    "zero loss": "No neuron can grow any more.",
    "spurious": "It is stuck: neurons would grow in directions in which there are none.",
    "dead": "It is stuck: no sample that is not fitted activates a neuron.",
}


def greedy_scene(facts: GreedyFacts, tau: float, *, shown: Window | None = None) -> Scene:
    """Return what there is to see at τ.

    Parameters
    ----------
    facts : GreedyFacts
        A limit and a flow.
    tau : float
        Time in units of ln(1/scale).
    shown : Window, optional
        Of the function panel; by default the one that fits the data.

    Returns
    -------
    Scene
        Panels ``function``, ``directions`` and ``loss``; for other data than on the line ``steps`` and ``loss``.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.greedy_facts import greedy_facts
    >>> from reluquant.views.greedy_scene import greedy_scene
    >>> facts = greedy_facts(rq.datasets.two_points(), n_neurons=20, scale=1e-50, seed=0, mode="tracked")
    >>> greedy_scene(facts, 1.0).sentence
    'Plateau 0 of 1, up to τ = 1.41: the limit has loss 0.5, the flow 0.5 (t = 115).'
    """
    tau = min(max(float(tau), 0.0), facts.end)
    if facts.on_line:
        first = (_function(facts, tau, window(facts.data) if shown is None else shown), _circle(facts, tau))
    else:
        first = (_table(facts, tau),)
    return Scene((first, (_loss(facts, tau),)), _sentence(facts, tau))


# --------------------------------------------------------------------------------------------------- the function


def _function(facts: GreedyFacts, tau: float, shown: Window) -> Panel:
    k, ends = facts.plateau(tau), (shown.left, shown.right)
    networks = facts.limit.networks
    marks: list[Mark] = [Line(np.array(ends), np.zeros(2), "muted", theme.THIN, opacity=0.6)]
    if k > 0:
        marks.append(
            Line(*network_curve(networks[k - 1], *ends), "muted", 2.0, dashed=True, label="limit before the jump")
        )
    limit = network_line(*network_curve(networks[k], *ends))
    flow = network_curve(facts.run.at(facts.time(tau)), *ends)
    marks += [
        Line(limit.x, limit.y, limit.colour, limit.width, label="limit"),
        Line(*flow, "difference", 2.0, label="flow of finite scale"),
        data_dots(data_view(facts.data), movable=True),
    ]
    return function_panel(
        shown, tuple(marks), width=FUNCTION[0], height=FUNCTION[1], clickable=True,
        summary="Data, the limit's function before and after the last jump, and that of the flow",
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------- the circle


def _circle(facts: GreedyFacts, tau: float) -> Panel:
    k = facts.plateau(tau)
    marks: list[Mark] = [*sector_marks(sector_view(facts.data)), *_missing(facts, k), _flow_neurons(facts, tau)]
    numbers: list[Label] = []
    seen: Counter[tuple[int, int]] = Counter()
    for index, step in enumerate(facts.limit.steps):
        fired = index < k
        for direction, sign in zip(step.directions, step.signs.tolist(), strict=True):
            angle = math.atan2(direction[1], direction[0])
            place = round(angle / SAME_PLACE), sign
            x, y = polar(RING + sign * (OFF + FURTHER * seen[place]), angle)
            seen[place] += 1
            colour = SIGN_NAMES[sign]
            title = f"jump {index + 1} at τ = {number(step.tau)}: {math.degrees(angle):.1f}°, {RELATION[sign]}"
            marks.append(
                Dots(
                    np.array([x]), np.array([y]), colour, GROUP_AREA, hollow=not fired, name=f"jump {index + 1}",
                    titles=(title,), label=f"{'awake' if fired else 'still to wake'}, {RELATION[sign]}",
                )
            )  # fmt: skip
            ink = "paper" if fired else colour
            numbers.append(Label(float(x), float(y), str(index + 1), ink, NUMBER_SIZE, halo=not fired))
    return circle_panel(
        (*marks, *numbers), size=CIRCLE, title="directions of (w, b), by jump",
        summary="Circle of weight directions with the groups that wake, numbered by jump",
    )  # fmt: skip


def _missing(facts: GreedyFacts, plateau: int) -> list[Mark]:
    """What a limit that is stuck lacks."""
    missing = facts.limit.missing
    if plateau < len(facts.limit.steps) or len(missing) == 0:
        return []
    angle = np.arctan2(missing[:, 1], missing[:, 0])
    return [Dots(*polar(RING, angle), "ink", 70.0, "cross", label="a neuron would grow here")]


def _flow_neurons(facts: GreedyFacts, tau: float) -> Dots:
    states = facts.run.states([facts.time(tau)])
    with np.errstate(divide="ignore"):
        log_mass = np.log(np.abs(states.a[0])) + states.log_norm[0]
    share = np.exp(log_mass - log_mass.max()) if np.isfinite(log_mass.max(initial=-np.inf)) else np.zeros(log_mass.size)
    heavy = share > LIGHTEST
    w, b = states.W[0][heavy].T
    x, y = polar(RING, np.arctan2(b, w))
    return Dots(x, y, "difference", FLOW_AREA * share[heavy], label="heaviest neurons of the flow")


# ------------------------------------------------------------------------------------------------------ the table


def _table(facts: GreedyFacts, tau: float) -> Panel:
    """The steps as rows, for data of any dimension; those to come are pale, the last one is framed."""
    k, rows = facts.plateau(tau), _rows(facts)
    head = ("jump", "τ", "sign of a", "direction of w", "active samples")
    # The rows around the cursor, if there are too many.
    here = sum(1 for step, _ in rows if step < k)
    first = min(max(here - MOST_ROWS // 2, 0), max(len(rows) - MOST_ROWS, 0))
    count = max(min(len(rows), MOST_ROWS), 1)
    marks: list[Mark] = [Label(x, 0.0, text, "ink", 12.0, "start") for x, text in zip(COLUMNS, head, strict=True)]
    marks.append(Line(np.array([0.0, 1.0]), np.full(2, 0.6), "muted", theme.THIN))
    for place, (step, cells) in enumerate(rows[first : first + MOST_ROWS], start=1):
        colour = "ink" if step < k else "muted"
        marks += [Label(x, place + 0.1, text, colour, 11.0, "start") for x, text in zip(COLUMNS, cells, strict=True)]
        if step == k - 1:
            marks.append(Dots(np.zeros(1), np.array([place + 0.1]), "interpolant", 60.0, "diamond", label="last jump"))
    return Panel(
        "steps", (-0.01, 1.0), (count + 0.6, -0.6), tuple(marks), width=TABLE,
        height=round(ROW * (count + 1.2)) + 20, axes=False,
        summary="; ".join(" ".join(cells) for _, cells in rows),
    )  # fmt: skip


def _rows(facts: GreedyFacts) -> list[tuple[int, tuple[str, ...]]]:
    rows = []
    for index, step in enumerate(facts.limit.steps):
        margins = step.directions @ facts.data.inputs.T
        for direction, sign, margin in zip(step.directions, step.signs.tolist(), margins, strict=True):
            named = "(" + ", ".join(f"{value:.3g}" for value in direction[:6]) + (", …)" if direction.size > 6 else ")")
            if direction.size == 2:
                named += f" at {math.degrees(math.atan2(direction[1], direction[0])):.1f}°"
            written = "".join("1" if v > ON_SAMPLE else "–" if v >= -ON_SAMPLE else "0" for v in margin[:MOST_SAMPLES])
            cells = (
                str(index + 1), f"{step.tau:.4g}{' tied' if step.tied else ''}", "+" if sign > 0 else "−",
                named.replace("-", "−"), written + ("…" if margin.size > MOST_SAMPLES else ""),
            )  # fmt: skip
            rows.append((index, cells))
    return rows


# ------------------------------------------------------------------------------------------------------- the loss


def _loss(facts: GreedyFacts, tau: float) -> Panel:
    limit = facts.limit
    edges, stairs = _staircase(limit, facts.end)
    top = LOSS_ROOM * float(max(stairs.max(), facts.flow_loss.max())) or 1.0
    here = float(limit.losses[facts.plateau(tau)])
    marks: list[Mark] = [
        Line(np.full(2, tau), np.array([0.0, top]), "interpolant", 1.5),
        *_other(facts),
        Line(edges, stairs, "ink", theme.NETWORK_WIDTH, label="limit"),
        Line(facts.flow_tau, facts.flow_loss, "difference", 2.0, label="flow of finite scale"),
        *(
            Label(float(step.tau), min(step.loss_before + 0.06 * top, 0.96 * top), str(k + 1))
            for k, step in enumerate(limit.steps)
        ),
        Dots(
            np.array([tau]), np.array([here]), "interpolant", 130.0, name="head", movable=True,
            titles=(f"τ = {tau:.4g}",),
        ),
    ]  # fmt: skip
    return Panel(
        "loss", (0.0, facts.end), (0.0, top), tuple(marks), width=STRIP[0], height=STRIP[1],
        x_label="τ = t / ln(1/scale)", y_label="loss", clickable=True,
        summary="Loss of the limit as a staircase over τ, and of a flow of finite scale",
    )  # fmt: skip


def _staircase(limit: GreedyLimit, end: float) -> tuple[Floats, Floats]:
    return np.concatenate([[0.0], np.repeat(limit.taus, 2), [end]]), np.repeat(limit.losses, 2)


def _other(facts: GreedyFacts) -> list[Mark]:
    """The staircase of the other mode, up to the end of the axis."""
    if facts.other is None:
        return []
    last = max(facts.end, float(np.max(facts.other.taus, initial=0.0)))
    edges, stairs = _staircase(facts.other, last)
    inside = int(np.searchsorted(edges, facts.end))
    edges, stairs = np.append(edges[:inside], facts.end), np.append(stairs[:inside], stairs[inside])
    return [Line(edges, stairs, "muted", 1.6, dashed=True, label=f"limit, {facts.other.mode}")]


# -------------------------------------------------------------------------------------------------------- in words


def _sentence(facts: GreedyFacts, tau: float) -> str:
    limit, k = facts.limit, facts.plateau(tau)
    n = len(limit.steps)
    where = f"Plateau {k} of {n}"
    if k > 0:
        step = limit.steps[k - 1]
        groups = len(step.signs)
        where += f", since {groups} group{'s' * (groups != 1)} woke at τ = {number(step.tau)}"
        where += " (tied: their order depends on factors of order one)" * step.tied
    where += f", up to τ = {number(float(limit.taus[k]))}" if k < n else ", the last"
    t = facts.time(tau)
    flow = float(np.interp(t, facts.run.t, facts.run.loss))
    said = f"{where}: the limit has loss {number(float(limit.losses[k]))}, the flow {number(flow)} (t = {number(t)})."
    return said if k < n else f"{said} {ENDS.get(limit.end, limit.message)}"
