"""What the funding instrument says, way by way: its tables, their sentences, their picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis.errors import UnknownNameError
from crime_analysis.inference.instruments import FirstStage
from crime_analysis.links import WEAK

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure

__all__ = ["InstrumentReport", "parted"]

#: How many ways read as what.
_HOW = {
    "parted before": "have outcomes that were parting by dose before the cuts",
    "weak": "have an instrument too weak to lean on",
    "cannot tell": "have a set that holds zero or has no bound",
    "clear": "have a strong instrument, no parting seen before, and a set clear of zero",
}


@dataclass(frozen=True)
class InstrumentReport:
    """Every way of the funding instrument.

    Attributes
    ----------
    forces : DataFrame
        By ``force``: ``used``, ``reason`` (why not), and the two shares of 2009/10.
    strength : DataFrame
        By ``cause``, ``share``, ``weights``, ``London``: ``coefficient`` of the instrument with
        ``std_error``, ``f_statistic``, ``effective_f``, ``forces``, ``nobs``.
    effects : DataFrame
        By ``outcome``, ``share``, ``weights``, ``London``: ``estimate`` (two-stage),
        ``ci_low``, ``ci_high`` and ``set`` (Anderson-Rubin, 95%; where the set is not one
        interval the ends are infinite and ``set`` says what it is), ``effective_f``,
        ``reduced_form`` and ``p_value`` (wild cluster bootstrap of the reduced form),
        ``reading`` (by rule; see `funding_instrument`).
    pre_trends : DataFrame
        By ``outcome``, ``share``, ``weights``, ``London``: ``joint_p``; ``slope`` a year for
        one standard deviation of the share, ``ci_low``, ``ci_high``, ``slope_p``; ``after``: the
        average after, with its interval (``after_low``, ``after_high``), and the same less the
        line through the years before (``net_low``, ``net_high``).
    reference : int
        The last year before the cuts in the pre-trends.
    """

    forces: pd.DataFrame
    strength: pd.DataFrame
    effects: pd.DataFrame
    pre_trends: pd.DataFrame
    reference: int
    stages: dict[tuple[str, str, str, str], FirstStage] = field(repr=False, compare=False)

    def tidy(self) -> pd.DataFrame:
        """Return the effects, the numbers that the instrument is for."""
        return self.effects

    def shown(self, table: str) -> pd.DataFrame:
        """Return ``strength``, ``effects`` or ``pre_trends`` for reading, a way in one column.

        Raises
        ------
        UnknownNameError
            If there is no such table.
        """
        tables = {name: getattr(self, name) for name in ("strength", "effects", "pre_trends")}
        if table not in tables:
            raise UnknownNameError("table", table, tables)
        frame = tables[table]
        ways = [_way(key[1:]) for key in frame.index]
        first = frame.index.get_level_values(0)
        out = frame.reset_index(drop=True)
        out.insert(0, frame.index.names[0], first)
        out.insert(1, "way", ways)
        return out

    @property
    def text(self) -> str:
        """The report in sentences made from its tables; see `paragraphs`."""
        return "\n\n".join(self.paragraphs())

    def summary(self) -> str:
        """Return the report in sentences."""
        return self.text

    def paragraphs(self) -> tuple[str, ...]:
        """Return sentences made from the tables: doubt first, then what stands."""
        return (
            *(self._outcome(name) for name in self.effects.index.unique("outcome")),
            *(self._strength(name) for name in self.strength.index.unique("cause")),
            self._before(),
            self._after(),
            self._who(),
        )

    def _outcome(self, name: str) -> str:
        rows = self.effects.xs(name, level="outcome")
        count = rows["reading"].value_counts()
        said = "; ".join(f"{number} of {len(rows)} {_HOW[word]}" for word, number in count.items())
        firm = _clear(rows) == len(rows) and (rows["effective_f"] >= WEAK).all()
        word = "clear of zero in every way" if firm else "cannot tell"
        first = f"{name.capitalize()}: {word}. Of the ways, {said}."
        inside, out = (rows.xs(where, level="London") for where in ("in", "out"))
        return (
            f"{first} The elasticity is {_span(inside['estimate'])} with London and"
            f" {_span(out['estimate'])} without; the Anderson-Rubin set is bounded and leaves zero"
            f" out in {_clear(inside)} of {len(inside)} ways with London and in {_clear(out)} of"
            f" {len(out)} without.{_above_one(rows)}"
        )

    def _strength(self, name: str) -> str:
        rows = self.strength.xs(name, level="cause")["effective_f"]
        strong = int((rows >= WEAK).sum())
        best, worst = rows.idxmax(), rows.idxmin()
        inside, out = (rows.xs(where, level="London") for where in ("in", "out"))
        told = (
            f"too weak to lean on (effective F under {WEAK:g}) in {len(rows) - strong} of"
            f" {len(rows)} ways"
            if strong < len(rows)
            else f"strong (effective F of {WEAK:g} or more) in every way"
        )
        return (
            f"As an instrument for {name} the exposure is {told}. The F runs from"
            f" {rows.min():.1f} ({_way(worst)}) to {rows.max():.1f} ({_way(best)});"
            f" {_span(inside, 1)} with London and {_span(out, 1)} without."
        )

    def _before(self) -> str:
        parts = []
        for name in self.pre_trends.index.unique("outcome"):
            rows = self.pre_trends.xs(name, level="outcome")
            found = int(parted(rows).sum())
            parts.append(
                f"{name} in {found} of {len(rows)} ways ({np.expm1(rows['slope'].min()):+.1%} to"
                f" {np.expm1(rows['slope'].max()):+.1%})"
            )
        said = "; ".join(parts)
        return (
            f"Before {self.reference} outcomes were already parting by dose, by the joint or the"
            " linear test at 5% (in brackets the slope a year for one standard deviation of the"
            f" share): {said}. Where they were, what came after cannot be read as the cuts' doing,"
            " and where that cannot be seen, it is no proof that they were not."
        ).replace("-", "−")

    def _after(self) -> str:
        """Return what the years after show, as they are and less the line before."""
        parts = []
        for name in self.pre_trends.index.unique("outcome"):
            rows = self.pre_trends.xs(name, level="outcome")
            above = [int((rows[f"{kind}_low"] > 0).sum()) for kind in ("after", "net")]
            below = [int((rows[f"{kind}_high"] < 0).sum()) for kind in ("after", "net")]
            word, (plain, net) = ("higher", above) if sum(above) >= sum(below) else ("lower", below)
            parts.append(f"{name} {word} in {plain} and in {net} of {len(rows)} ways")
        return (
            f"After {self.reference}, clear of zero by dose as it stands and less the line through"
            f" the years before: {'; '.join(parts)}. If that line would have gone on, it hides what"
            " the cuts did; if it was ending anyway, taking it off invents it. These figures cannot"
            " tell which."
        )

    def _who(self) -> str:
        out = self.forces[~self.forces["used"]]
        gone = "; ".join(f"{force} ({reason})" for force, reason in out["reason"].items())
        share = self.forces.loc[self.forces["used"], "share_all_grants"]
        return (
            f"{int(self.forces['used'].sum())} forces are in, with a government share of"
            f" {share.min():.0%} ({share.idxmin()}) to {share.max():.0%} ({share.idxmax()});"
            f" left out: {gone or 'none'}."
        )

    def plot(self) -> Figure:
        """Draw the Anderson-Rubin sets of every way, an outcome a panel."""
        from matplotlib.lines import Line2D

        from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas

        names = list(self.effects.index.unique("outcome"))
        edge = _edge(self.effects)
        with canvas(1, len(names), height=4.6, sharey=True) as (drawing, axes, out):
            for axis, name in zip(axes, names, strict=True):
                rows = self.effects.xs(name, level="outcome")
                for y, row in enumerate(rows.itertuples()):
                    strong = row.effective_f >= WEAK
                    colour, line = (BLUE, "-") if strong else (ORANGE, "--")
                    axis.hlines(y, max(row.ci_low, -edge), min(row.ci_high, edge),
                                color=colour, ls=line, lw=1.8)  # fmt: skip
                    for end, beyond, arrow in (
                        (-edge, row.ci_low < -edge, "<"),
                        (edge, row.ci_high > edge, ">"),
                    ):
                        if beyond:
                            axis.plot(end, y, arrow, color=colour, ms=6, clip_on=False)
                    if abs(row.estimate) <= edge:
                        axis.plot(row.estimate, y, "o" if strong else "D", color=colour, ms=5.5,
                                  mfc=colour if strong else "white")  # fmt: skip
                axis.axvline(0, color="black", lw=0.9)
                axis.set_xlim(-edge * 1.04, edge * 1.04)
                axis.set_title(name.capitalize(), fontsize=10)
                axis.grid(axis="y", visible=False)
                axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
            axes[len(names) // 2].set_xlabel("elasticity with its Anderson-Rubin 95% set")
            axes[0].set_yticks(
                range(len(rows)), [_way(w).replace(", with", ",\nwith") for w in rows.index]
            )
            axes[0].set_ylim(len(rows) - 0.5, -0.5)
            drawing.legend(
                handles=[
                    Line2D([], [], color=BLUE, marker="o", label=f"effective F {WEAK:g} or more"),
                    Line2D([], [], color=ORANGE, ls="--", marker="D", mfc="white",
                           label="weaker"),
                    Line2D([], [], color="black", ls="", marker=">", label="goes on beyond"),
                ],
                loc="outside lower center", ncols=3,
            )  # fmt: skip
        clear = {name: _clear(self.effects.xs(name, level="outcome")) for name in names}
        ways_count = len(self.effects) // len(names)
        found = ", ".join(f"{name} {number}" for name, number in clear.items())
        early = (self.effects["reading"] == "parted before").groupby(level="outcome").sum()
        before = [f"{name} {early[name]}" for name in names]
        shown = self.effects.reset_index()
        listed = "; ".join(
            f"{row.outcome}, {row.share}, weights {row.weights}, London {row.London}:"
            f" {row.estimate:.2f}, set {row.set}, F {row.effective_f:.1f}"
            for row in shown.itertuples()
        )
        return Figure(
            title=f"Of {ways_count} ways to build the instrument so many part before the cuts:"
            f" {', '.join(before)}; so many have a bounded set without zero: {found}",
            alt=f"Intervals by outcome and way of building the instrument. {listed}."
            .replace("-", "−"),
            source="Share of 2009/10 times the national fall in grants; force and year effects,"
            " errors clustered by force. Sets beyond the frame go on; Anderson and Rubin (1949).",
            svg=out.getvalue(),
            data=shown,
        )  # fmt: skip


def _clear(rows: pd.DataFrame) -> int:
    """Return how many bounded sets leave zero out."""
    bounded = np.isfinite(rows[["ci_low", "ci_high"]]).all(axis=1)
    return int((bounded & ((rows["ci_low"] > 0) | (rows["ci_high"] < 0))).sum())


def _above_one(rows: pd.DataFrame) -> str:
    """Return a warning where sets lie wholly above one: out of proportion to their cause."""
    count = int((rows["ci_low"] > 1).sum())
    if not count:
        return ""
    return (
        f" In {count} of {len(rows)} ways the whole set is above 1, a loss out of proportion to"
        " its cause: costs that cannot be cut would do that, and so would a share that moves the"
        " outcome otherwise than through the cause."
    )


def _span(values: pd.Series, digits: int = 2) -> str:
    low, high = (
        f"{round(v, digits) + 0.0:.{digits}f}".replace("-", "−")
        for v in (float(values.min()), float(values.max()))
    )
    return f"{low} to {high}"


def _way(way: tuple[str, ...]) -> str:
    """Return a way in words."""
    share, weights, london = way
    weighed = "by residents" if weights == "residents" else "unweighted"
    placed = "with" if london == "in" else "without"
    return f"{share.removesuffix(' alone')}, {weighed}, {placed} London"


def _edge(rows: pd.DataFrame) -> float:
    """Return how far the axes should reach: past four in five of the bounded sets' ends."""
    ends = rows[["ci_low", "ci_high"]].abs().to_numpy().ravel()
    ends = ends[np.isfinite(ends)]
    reach = float(np.quantile(ends, 0.8)) if len(ends) else 0.0
    return 1.1 * max(reach, float(rows["estimate"].abs().median()))


def parted(rows: pd.DataFrame) -> pd.Series:
    """Return whether either test says that outcomes were parting before the cuts."""
    return (rows["joint_p"] < 0.05) | (rows["slope_p"] < 0.05)
