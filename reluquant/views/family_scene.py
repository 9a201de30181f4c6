"""The finite family of functions as small multiples, and one of them large."""

from __future__ import annotations

import numpy as np

from reluquant.dynamics.function_family import FamilyMember, FunctionFamily
from reluquant.structures.arrays import Floats
from reluquant.views.circle_scene import circle_panel, polar, sector_marks
from reluquant.views.direction_view import RING
from reluquant.views.frames import Window, data_view, sector_view, window
from reluquant.views.function_scene import (
    RELATION,
    SIGN_NAMES,
    data_dots,
    function_panel,
    interpolant_line,
    network_line,
)
from reluquant.views.scene import Area, Dots, Line, Mark, Panel, Scene
from reluquant.views.sentences import number

# Small multiples: how many, in rows of how many, and their size in pixels.
MOST_SMALL, IN_A_ROW, SMALL = 12, 6, (155, 112)
SIDE, PRESENT_AREA, USED_AREA = 0.13, 190.0, 70.0


def by_frequency(family: FunctionFamily) -> list[int]:
    """Places of the members, the most frequent first; equally frequent ones by loss, as the family has them."""
    return sorted(range(len(family)), key=lambda k: -family[k].count)


def family_scene(family: FunctionFamily, chosen: int) -> Scene:
    """Return the family with one member chosen.

    Parameters
    ----------
    family : FunctionFamily
        From :func:`reluquant.function_family`.
    chosen : int
        Place of the member that is shown large.

    Returns
    -------
    Scene
        Panels ``member0``, ``member1``, … by frequency, at most 12 of them; ``function`` and ``directions``.
    """
    shown = window(family.data)
    order = by_frequency(family)[:MOST_SMALL]
    small = [_small(family, place, shown, chosen == place) for place in order]
    rows = [tuple(small[k : k + IN_A_ROW]) for k in range(0, len(small), IN_A_ROW)]
    member, view = family[chosen], data_view(family.data)
    marks = (network_line(*_polyline(member, shown)), interpolant_line(view), data_dots(view))
    function = function_panel(shown, marks, height=340, summary="The chosen function, the data and the interpolant")
    return Scene((*rows, (function, _circle(family, member))), family_in_words(family, chosen))


def family_in_words(family: FunctionFamily, chosen: int) -> str:
    """Say how many functions there are, and what the chosen one is."""
    member = family[chosen]
    reached = sum(other.count > 0 for other in family)
    drawn = f"{family.n_draws} random networks ended in {reached} of them" if family.n_draws else "none was drawn"
    least = min(member.subsets, key=len) if member.subsets else ()
    n = len(member.subsets)
    subsets = "1 set of directions leads" if n == 1 else f"{n} sets of directions lead"
    share = f"{100 * member.count / family.n_draws:.3g} % of the draws, " if family.n_draws else ""
    return (
        f"{len(family)} functions in all, whatever the width; {drawn}. Chosen: {share}loss {number(member.loss)},"
        f" {member.n_kinks} kinks, {member.n_breakpoints} breakpoints between the data, at most"
        f" {number(member.distance.sup)} from the interpolant; {subsets} to it, the smallest J = {set(least) or '{}'}."
    )


def _small(family: FunctionFamily, place: int, shown: Window, chosen: bool) -> Panel:
    member = family[place]
    share = f"{100 * member.count / family.n_draws:.0f} %" if family.n_draws else f"loss {number(member.loss)}"
    corners = np.array(
        [[shown.left, shown.bottom], [shown.right, shown.bottom], [shown.right, shown.top], [shown.left, shown.top]]
    )
    data = family.data
    marks: list[Mark] = [Area((corners,), "interpolant" if chosen else "muted", 0.16 if chosen else 0.05, edge=1.0)]
    marks += [Line(*_polyline(member, shown), "ink", 2.0), Dots(data.X[:, 0], data.y, "ink", 12.0)]
    width, height = SMALL
    return Panel(
        f"member{place}", (shown.left, shown.right), (shown.bottom, shown.top), tuple(marks),
        width=width, height=height, axes=False, title=share, clickable=True,
        summary=f"Function {place}: {share}, loss {number(member.loss)}",
    )  # fmt: skip


def _polyline(member: FamilyMember, shown: Window) -> tuple[Floats, Floats]:
    knots = member.function.knots
    inside = knots[(knots > shown.left) & (knots < shown.right)]
    x = np.concatenate([[shown.left], inside, [shown.right]])
    return x, member.function(x)


def _circle(family: FunctionFamily, member: FamilyMember) -> Panel:
    """All directions hollow, those of the smallest set that leads to the member filled, by sign outside or inside."""
    present = family.present
    angle, sign = np.arctan2(present.W[:, 1], present.W[:, 0]), np.sign(present.a).astype(int)
    used = np.zeros(angle.size, dtype=bool)
    if member.subsets:
        used[list(min(member.subsets, key=len))] = True
    marks: list[Mark] = [*sector_marks(sector_view(family.data))]
    for one, colour in SIGN_NAMES.items():
        for chosen, hollow, area, label in (
            (np.ones_like(used), True, PRESENT_AREA, f"direction, {RELATION[one]}"),
            (used, False, USED_AREA, f"in J, {RELATION[one]}"),
        ):
            mine = (sign == one) & chosen
            titles = tuple(f"direction {k}: {np.degrees(angle[k]):.1f}°" for k in np.flatnonzero(mine))
            x, y = polar(RING + SIDE * one, angle[mine])
            marks.append(Dots(x, y, colour, area, hollow=hollow, label=label, titles=titles))
    return circle_panel(tuple(marks), size=330, title="directions present, and J", summary="Directions of the family")
