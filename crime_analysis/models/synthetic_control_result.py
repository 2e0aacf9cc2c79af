"""What a synthetic control found: its numbers, the sentence they allow, and the picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ParameterError
from crime_analysis.models import placebos

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure

__all__ = ["METHODS", "SyntheticControl", "listed", "spelt"]

METHODS = {
    "sc": "synthetic control",
    "sdid": "synthetic difference-in-differences",
    "did": "difference-in-differences",
}

_DRAWN = 200  # more grey lines than this are a grey area


@dataclass(frozen=True)
class SyntheticControl:
    """What a treated unit did and what its weighted donors did. `tidy` is the source of numbers.

    Attributes
    ----------
    outcome, method, solver : str
        As asked for.
    treated : tuple
        The treated units.
    start : object
        The first period of the event.
    unit_weights : Series
        By donor; they sum to one.
    time_weights : Series
        By period before the event: the baseline that gaps are measured from. Zeros for ``sc``,
        which compares levels.
    paths : DataFrame
        By period: ``treated`` (the mean, if several), ``synthetic`` (moved to the treated
        level before the event for ``sdid`` and ``did``), ``gap``.
    effect : float
        The average gap from the event on.
    effect_at_optimum : float
        The same with weights solved for exactly; equal to `effect` for that solver.
    rmspe_before, rmspe_after, ratio : float
        Root mean squared gaps before and after, and the second over the first.
    outside_hull : tuple
        The periods before the event in which the treated unit is above or below every donor.
    placebos_in_space : DataFrame
        Every donor as if treated, by ``placebo``: ``effect``, ``rmspe_before``,
        ``rmspe_after``, ``ratio``.
    placebo_gaps : DataFrame
        Their gaps, periods by placebo.
    placebos_in_time : DataFrame
        The treated unit as if treated earlier, by ``start``, on the periods before the event.
    leave_one_out : DataFrame
        The effect without each donor that carries weight, by ``left_out``.
    data_used : DataFrame
        One row per row of the data: its unit and period, whether it was kept, and why not.
    """

    outcome: str
    method: str
    solver: str
    treated: tuple[Any, ...]
    start: Any
    unit_weights: pd.Series = field(repr=False)
    time_weights: pd.Series = field(repr=False)
    paths: pd.DataFrame = field(repr=False)
    effect: float
    effect_at_optimum: float
    rmspe_before: float
    rmspe_after: float
    ratio: float
    outside_hull: tuple[Any, ...] = field(repr=False)
    placebos_in_space: pd.DataFrame = field(repr=False)
    placebo_gaps: pd.DataFrame = field(repr=False)
    placebos_in_time: pd.DataFrame = field(repr=False)
    leave_one_out: pd.DataFrame = field(repr=False)
    data_used: pd.DataFrame = field(repr=False)

    @property
    def gap(self) -> pd.Series:
        """Treated less synthetic, by period."""
        return self.paths["gap"]

    @property
    def n_before(self) -> int:
        """Periods before the event."""
        return len(self.time_weights)

    @property
    def effective_donors(self) -> float:
        """How many donors of equal weight would be as concentrated (one over sum of squares)."""
        return float(1 / (self.unit_weights**2).sum())

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Return the effect and its placebo test.

        Returns
        -------
        DataFrame
            One row, ``effect``: ``estimate``, the average gap from the event on; ``std_error``,
            the spread of placebo effects (Arkhangelsky et al., 2021, Algorithm 4), NaN for
            ``sc``, which has none; ``statistic``, the estimate over its error, for ``sc`` the
            ratio of root mean squared gaps; ``p_value``, the share of all units whose ratio
            (``sc``) or absolute effect is as large; ``ci_low`` and ``ci_high``, the constant
            effects which that test does not reject at `level`: infinite if the donors are too
            few for any rejection, NaN if all are rejected. All but the estimate are NaN for
            ``sc`` if the path before the event is met exactly: the ratio divides by zero.

        Raises
        ------
        ParameterError
            If `level` is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ParameterError(f"level is {level!r}; give a number between 0 and 1, as 0.95")
        after = self.gap.to_numpy()[self.n_before :]
        error = statistic = p = low = high = np.nan
        if self.method != "sc":
            effects = self.placebos_in_space["effect"].to_numpy()
            error = float(effects.std())
            statistic = self.effect / error if error > 0 else np.nan
            p = placebos.p_value(abs(self.effect), np.abs(effects))
            low, high = placebos.interval(after, np.abs(effects), level)
        elif np.isfinite(self.ratio):
            ratios = self.placebos_in_space["ratio"].to_numpy()
            statistic = self.ratio
            p = placebos.p_value(self.ratio, ratios)
            low, high = placebos.interval(after, ratios, level, self.rmspe_before)
        return pd.DataFrame(
            {
                "estimate": self.effect,
                "std_error": error,
                "statistic": statistic,
                "p_value": p,
                "ci_low": low,
                "ci_high": high,
            },
            index=pd.Index(["effect"], name="term"),
        )

    def weights(self) -> pd.DataFrame:
        """Return the weights that are not zero, the largest first.

        Returns
        -------
        DataFrame
            ``of`` (``unit`` or ``period``), ``name``, ``weight``.
        """
        parts = []
        for of, weights in (("unit", self.unit_weights), ("period", self.time_weights)):
            kept = weights[weights > 0].sort_values(ascending=False, kind="stable")
            parts.append(
                pd.DataFrame(
                    {"of": of, "name": kept.index.astype(object), "weight": kept.to_numpy()}
                )
            )
        return pd.concat(parts, ignore_index=True)

    def finding(self) -> str:
        """Return what can be said, uncertainty before direction, in a sentence."""
        row = self.tidy().loc["effect"]
        low, high, p = row["ci_low"], row["ci_high"], row["p_value"]
        who = listed(self.treated)
        about = f"{who}, {self.outcome} from {spelt(self.start)}"
        size = _signed(self.effect)
        if self.method == "sc" and 2 * len(self.outside_hull) > self.n_before:
            return (
                f"{about}: cannot tell; above or below every donor in {len(self.outside_hull)} of"
                f" {self.n_before} periods before, so no average of donors stands for it"
            )
        if np.isnan(p):
            return f"{about}: cannot tell; gap {size}, the path before is met exactly, no test"
        test = f"p = {p:.2g} among {len(self.placebos_in_space)} placebos"
        if np.isnan(low):
            return f"{about}: gap {size} on average, and no constant one fits ({test})"
        if low <= 0 <= high:
            bounds = (
                "no bounds at 95%"
                if np.isinf(low)
                else f"95% interval {_signed(low)} to {_signed(high)}"
            )
            return f"{about}: cannot tell; gap {size}, {bounds} ({test})"
        way = "below" if self.effect < 0 else "above"
        return (
            f"{about}: {_number(abs(self.effect))} {way} its weighted donors, 95% interval"
            f" {_signed(low)} to {_signed(high)} ({test})"
        )

    def summary(self) -> str:
        """Return the effect, its tests and the quality of the fit, as text."""
        space, time = self.placebos_in_space, self.placebos_in_time
        level = abs(float(self.paths["treated"].iloc[: self.n_before].mean()))
        lines = [
            self.finding(),
            f"{METHODS[self.method]}, weights: {self.solver}; {self.n_before} periods before,"
            f" {len(self.paths) - self.n_before} from {spelt(self.start)} on;"
            f" {len(self.unit_weights)} donors, as concentrated as {self.effective_donors:.1f} of"
            " equal weight;"
            f" {int((~self.data_used['kept']).sum())} rows not used",
            self.tidy().to_string(float_format=lambda v: f"{v:.5g}"),
            f"Before: root mean squared gap {_number(self.rmspe_before)} (mean level"
            f" {_number(level)}), the median placebo's {_number(space['rmspe_before'].median())},"
            f" {int((space['rmspe_before'] > self.rmspe_before).sum())} of {len(space)} are fitted"
            " worse",
        ]
        if self.solver != "exact":
            lines.append(f"At the optimum of the weights: {_signed(self.effect_at_optimum)}")
        if self.method == "sc" and self.outside_hull:
            lines.append(
                f"In {len(self.outside_hull)} of {self.n_before} periods before, the treated unit"
                " is above or below every donor: no average of donors meets it there"
            )
        exact = int(np.isinf(space["ratio"]).sum())
        if self.method == "sc" and exact:
            lines.append(
                f"{exact} of {len(space)} placebos are met exactly before: their ratio is infinite"
                " and counts against an effect; more periods before would help"
            )
        smallest = 1 / (1 + len(space))
        if smallest > 0.05:
            lines.append(f"With {len(space)} placebos no p-value is below {smallest:.2g}")
        if len(time):
            as_large = int((time["effect"].abs() >= abs(self.effect)).sum())
            lines.append(
                f"Earlier starts: {as_large} of {len(time)} show a gap as large (gaps"
                f" {_signed(time['effect'].min())} to {_signed(time['effect'].max())})"
            )
        else:
            lines.append("Earlier starts: too few periods before to try any")
        out = self.leave_one_out
        lines.append(
            f"Leaving out one donor at a time, of {len(out)} with weight:"
            f" {_signed(out['effect'].min())} to {_signed(out['effect'].max())}, farthest without"
            f" {out['change'].abs().idxmax()}"
        )
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Draw the paths of treated and synthetic, and the gap among the placebos' gaps."""
        from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas

        periods = [spelt(t) for t in self.paths.index]
        x = np.arange(len(periods))
        grey = self.placebo_gaps.to_numpy()
        shown = grey[:, :_DRAWN]
        edge = 1.25 * max(self.gap.abs().max(), np.quantile(np.abs(grey), 0.9)) or 1.0
        moved = self.method != "sc"
        with canvas(1, 2, height=3.9) as (_, (left, right), out):
            left.plot(x, self.paths["treated"], "o-", color=BLUE, ms=3.5, label="treated")
            left.plot(
                x, self.paths["synthetic"], "--", color=ORANGE, lw=1.8,
                label="weighted donors" + (", level moved" if moved else ""),
            )  # fmt: skip
            left.set_title("Paths")
            left.set_ylabel(self.outcome)
            left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.26), ncols=2)
            right.plot(x, shown, color=GREY, lw=0.5, alpha=0.45)
            right.plot([], [], color=GREY, lw=0.5, label=f"{shown.shape[1]} placebos")
            right.plot(x, self.gap, "o-", color=BLUE, ms=3.5, label="treated")
            right.axhline(0, color="black", lw=0.9)
            right.set_ylim(-edge, edge)
            right.set_title("Gap")
            right.set_ylabel("treated less weighted donors")
            right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.26), ncols=2)
            every = -(-len(periods) // 8)
            for axis in (left, right):
                axis.axvline(self.n_before - 0.5, color="black", ls=":", lw=1.2)
                axis.set_xticks(x[::every], periods[::every], rotation=45, ha="right")
                axis.grid(axis="x", visible=False)
                axis.yaxis.set_major_formatter(lambda v, _: f"{v:,g}".replace("-", "−"))
        gaps = ", ".join(f"{t} {_signed(v)}" for t, v in zip(periods, self.gap, strict=True))
        cut = bool((np.abs(shown) > edge).any())
        data = pd.concat([self.paths, self.placebo_gaps.add_prefix("placebo gap: ")], axis=1)
        return Figure(
            title=self.finding(),
            alt=f"Two charts. Left: {self.outcome} of {listed(self.treated)} and of its weighted"
            f" donors by period. Right: the gap between them, among {shown.shape[1]} placebo gaps"
            f" in thin grey. A dotted line marks the start, {spelt(self.start)}. Gaps: {gaps}.",
            source=f"Method: {METHODS[self.method]}. Donors: {_heaviest(self.unit_weights)}."
            " Dotted line: the event. Grey: donors as if they had been treated."
            + (f" The first {_DRAWN} placebos are drawn." if grey.shape[1] > _DRAWN else "")
            + (" Placebo gaps beyond the frame are cut off." if cut else ""),
            svg=out.getvalue(),
            data=data.reset_index(),
        )


def listed(names: Iterable[Any]) -> str:
    """Return names as words: all of them up to three."""
    words = [str(name) for name in names]
    if len(words) > 3:
        return f"{words[0]} and {len(words) - 1} others"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def spelt(period: Any) -> str:
    """Return a period as words: a moment at midnight is a day."""
    if isinstance(period, pd.Timestamp) and period == period.normalize():
        return period.date().isoformat()
    return str(period)


def _heaviest(weights: pd.Series) -> str:
    top = weights.sort_values(ascending=False, kind="stable").head(4)
    return ", ".join(f"{name} {share:.0%}" for name, share in top.items() if share >= 0.005)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_number(abs(value))}"
