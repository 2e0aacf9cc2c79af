"""What group-time effects return: cells, and their averages with honest errors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis.drawing import Figure
from crime_analysis.errors import UnknownNameError
from crime_analysis.models.profile import draw_profile

__all__ = ["GroupTime"]

KINDS = ("event", "group", "calendar", "simple", "group_time")
_FEW = 5


@dataclass(frozen=True)
class GroupTime:
    """Average effects on the treated by group (first treated period) and period.

    Attributes
    ----------
    outcome, unit, time, start : str
        Columns.
    comparison : str
        ``never`` or ``not_yet``.
    anticipation : int
        Periods before the start in which treatment may already act.
    cells : DataFrame
        A row a group and period: ``group``, ``period``, ``base`` (the period compared with),
        ``att``, ``treated`` and ``compared`` (units).
    influence : DataFrame
        Units by cells: what each unit contributes to the error of each cell's estimate.
    groups : Series
        First treated period by unit; infinite for never.
    weights : Series
        By unit.
    data_used : DataFrame
        One row per row of the data: unit, period, whether it was kept, and why not.
    multipliers : ndarray, shape (B, units)
        Of the bootstrap for simultaneous bands.
    """

    outcome: str
    unit: str
    time: str
    start: str
    comparison: str
    anticipation: int
    cells: pd.DataFrame
    influence: pd.DataFrame = field(repr=False)
    groups: pd.Series = field(repr=False)
    weights: pd.Series = field(repr=False)
    data_used: pd.DataFrame = field(repr=False)
    multipliers: np.ndarray = field(repr=False)

    def tidy(self, kind: str = "event", level: float = 0.95) -> pd.DataFrame:
        """Return effects, aggregated.

        Groups count by their weight; the error of the group sizes is in the standard errors.

        Parameters
        ----------
        kind : {"event", "group", "calendar", "simple", "group_time"}
            By time since the start (and ``average after``, the mean over these); by group,
            averaged over its treated periods; by calendar period; one number over all treated
            cells; or the cells as they are.
        level : float
            Of the intervals, from the normal distribution.

        Returns
        -------
        DataFrame
            Indexed by ``term``: ``estimate, std_error, statistic, p_value, ci_low, ci_high``;
            ``period`` for events; with a bootstrap ``band_low, band_high``: bands that hold
            all effects of the table at once. Terms at the base period are not estimates and
            left out.

        Raises
        ------
        UnknownNameError
            If there is no such kind.
        """
        from scipy import stats

        if kind not in KINDS:
            raise UnknownNameError("kind", kind, KINDS)
        parts = self._parts(kind)
        found = {term: self._aggregate(hit, by_size) for term, (hit, by_size) in parts.items()}
        overall = self._overall(kind, found)
        found |= overall
        influence = np.column_stack([values for _, values in found.values()])
        n = len(influence)
        estimate = np.array([value for value, _ in found.values()])
        error = np.sqrt((influence**2).sum(axis=0)) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = estimate / error
        reach = stats.norm.ppf(0.5 + level / 2) * error
        table = pd.DataFrame(
            {
                "estimate": estimate,
                "std_error": error,
                "statistic": statistic,
                "p_value": 2 * stats.norm.sf(np.abs(statistic)),
                "ci_low": estimate - reach,
                "ci_high": estimate + reach,
            },
            index=pd.Index(list(found), name="term"),
        )
        if len(self.multipliers):
            some = (error > 0) & ~table.index.isin(list(overall))
            draws = np.abs(self.multipliers @ influence[:, some] / n / error[some])
            critical = float(np.quantile(draws.max(axis=1), level)) if some.any() else np.nan
            critical = max(critical, float(stats.norm.ppf(0.5 + level / 2)))
            inside = np.where(some, critical, np.nan)
            table["band_low"] = estimate - inside * error
            table["band_high"] = estimate + inside * error
        return table

    def term(self, name: str, kind: str = "event") -> pd.Series:
        """Return one row of `tidy`; an unknown name is refused with the nearest."""
        table = self.tidy(kind)
        if name not in table.index:
            raise UnknownNameError("term", name, table.index, kind)
        return table.loc[name]

    def profile(self, level: float = 0.95) -> pd.DataFrame:
        """Return the effects by time since the start, the base period (zero) among them."""
        table = self.tidy("event", level)
        table = table[table.index.str.startswith("rel ")]
        at = table.index.str[4:].astype(float)
        table.insert(0, "period", at)
        reference = float((self.cells["base"] - self.cells["group"]).max())
        table.insert(1, "phase", np.where(at <= reference, "before", "after"))
        held = table.iloc[:1].assign(period=reference, phase="reference")
        held = held.rename(index=lambda _: "reference")
        held[held.columns[2:]] = [0.0, 0.0] + [np.nan] * (len(held.columns) - 4)
        return pd.concat([table, held]).sort_values("period")

    def pre_trends(self) -> pd.Series:
        """Test that all event effects before the base period are zero: Wald, F(q, n - q).

        Times since the start that rest on fewer than five treated units are left out: their
        errors are understated (see `few`).

        Returns
        -------
        Series
            ``statistic``, ``p_value``, ``df_num``, ``df_den``; missing where the effects are as
            many as the treated units or more, or where none is left.
        """
        from scipy import stats

        parts = self._parts("event")
        before = [
            self._aggregate(hit, by_size)
            for term, (hit, by_size) in parts.items()
            if self._is_before(term) and self.cells["treated"][hit].sum() >= _FEW
        ]
        q = len(before)
        treated = int(np.isfinite(self.groups).sum())
        df = len(self.groups) - q
        statistic = p = np.nan
        if 0 < q < treated:
            b = np.array([value for value, _ in before])
            psi = np.column_stack([values for _, values in before])
            statistic = float(b @ np.linalg.lstsq(psi.T @ psi, b)[0]) * len(psi) ** 2
            statistic *= df / (len(psi) - 1) / q
            p = float(stats.f(q, df).sf(statistic))
        return pd.Series({"statistic": statistic, "p_value": p, "df_num": q, "df_den": df})

    def few(self) -> list[float]:
        """Return the groups with fewer than five units: their errors are understated.

        The error of a group is estimated from how its units differ, so a group of one adds
        none.
        """
        size = self.groups[np.isfinite(self.groups)].value_counts()
        return sorted(size.index[size < _FEW].tolist())

    def explain(self) -> str:
        """Return three plain sentences: the estimate and its doubt, what came before, why."""
        row, tests = self.term("average after"), self.pre_trends()
        low, high = row["ci_low"], row["ci_high"]
        sign = "the sign cannot be told" if low <= 0 <= high else "the interval excludes zero"
        times = self.profile()["period"]
        first = (
            f"Once treated, {self.outcome} differs by {low:+.3g} to {high:+.3g} (95% interval;"
            f" estimate {row['estimate']:+.3g}) on average over {int((times >= 0).sum())} times"
            f" since the start: {sign}."
        )
        second = (
            "No test of what came before is possible: too few periods or treated units."
            if np.isnan(tests["p_value"])
            else f"Effects before the start are jointly zero with p = {tests['p_value']:.2g}; not"
            " rejecting is no proof."
        )
        if self.few():
            listed = ", ".join(f"{group:g}" for group in self.few())
            second += (
                f" Groups {listed} have fewer than {_FEW} units, which understates the errors."
            )
        who = "never treated" if self.comparison == "never" else "not yet treated"
        third = (
            f"It is an effect only if units would, untreated, have moved like those {who}, did not"
            " act before, and do not affect one another."
        )
        return f"{first} {second} {third}"

    def summary(self) -> str:
        """Return effects by time since the start, what they rest on, and three sentences."""
        lost = self.data_used[~self.data_used["kept"]]
        never = int(np.isinf(self.groups).sum())
        sizes = self.groups[np.isfinite(self.groups)].value_counts().sort_index()
        said = ", ".join(f"{group:g} ({size})" for group, size in sizes.items())
        alone = [f"{group:g}" for group in sizes.index if group not in set(self.cells["group"])]
        lines = [
            f"ATT(g, t) of {self.outcome} by {self.start}, compared with {self.comparison} treated",
            f"{len(self.groups)} units, {never} never treated; groups (units): {said}",
            *([f"nobody to compare with for groups {', '.join(alone)}"] if alone else []),
            f"{len(lost)} rows dropped",
            *(f"  {reason}: {count}" for reason, count in lost["reason"].value_counts().items()),
            self.tidy().round(4).to_string(),
        ]
        return "\n".join([*lines, "", self.explain()])

    def plot(self) -> Figure:
        """Draw the effects by time since the start."""
        row, tests = self.term("average after"), self.pre_trends()
        low, high = row["ci_low"], row["ci_high"]
        found = "cannot tell the sign" if low <= 0 <= high else "clear of zero"
        before = (
            "what came before cannot be tested"
            if np.isnan(tests["p_value"])
            else f"before, jointly zero with p = {tests['p_value']:.2g}"
        )
        bands = " Thin grey: simultaneous band." if len(self.multipliers) else ""
        return draw_profile(
            self.profile(),
            title=f"{self.outcome} since {self.start}".replace("_", " ")
            + f": average after {low:+.3g} to {high:+.3g},"
            f" {found}; {before}",
            source=f"Group-time effects of {self.outcome} on {len(self.groups)} units, compared"
            f" with {self.comparison} treated (Callaway and Sant'Anna 2021), errors by unit. Bars:"
            f" 95% intervals.{bands}",
            x_label="periods since the start",
            y_label=self.outcome,
        )

    def _is_before(self, term: str) -> bool:
        return term.startswith("rel ") and float(term[4:]) < -self.anticipation

    def _parts(self, kind: str) -> dict[str, tuple[np.ndarray, bool]]:
        """Return, by term, which cells it averages, and whether by the size of their groups."""
        group, period = self.cells["group"].to_numpy(), self.cells["period"].to_numpy()
        since, real = period - group, period != self.cells["base"].to_numpy()
        treated = since >= 0
        if kind == "simple":
            return {"simple": (treated, True)}
        if kind == "group_time":
            return {
                f"{group[i]:g}, {period[i]:g}": (np.arange(len(group)) == i, True)
                for i in np.flatnonzero(real)
            }
        if kind == "group":
            return {
                f"group {g:g}": (treated & (group == g), False) for g in np.unique(group[treated])
            }
        if kind == "calendar":
            return {
                f"period {t:g}": (treated & (period == t), True) for t in np.unique(period[treated])
            }
        return {f"rel {e:g}": (real & (since == e), True) for e in np.unique(since[real])}

    def _aggregate(self, hit: np.ndarray, by_size: bool) -> tuple[float, np.ndarray]:
        """Return the mean of some cells and its influence, weights' own error included."""
        effect = self.cells["att"].to_numpy()[hit]
        influence = self.influence.to_numpy()[:, hit]
        if not by_size:
            return float(effect.mean()), influence.mean(axis=1)
        share, noise = self._sizes(self.cells["group"].to_numpy()[hit])
        return _weighted(effect, influence, share, noise)

    def _sizes(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return groups' shares of the units' weight, and the influence of these shares."""
        w = self.weights.to_numpy() / self.weights.mean()
        member = w[:, None] * (self.groups.to_numpy()[:, None] == groups)
        return member.mean(axis=0), member - member.mean(axis=0)

    def _overall(
        self, kind: str, found: dict[str, tuple[float, np.ndarray]]
    ) -> dict[str, tuple[float, np.ndarray]]:
        """Return the average over the terms after the start."""
        if kind not in ("event", "group", "calendar"):
            return {}
        some = {t: v for t, v in found.items() if kind != "event" or float(t[4:]) >= 0}
        effect = np.array([value for value, _ in some.values()])
        influence = np.column_stack([values for _, values in some.values()])
        if kind != "group":
            return {"average after": (float(effect.mean()), influence.mean(axis=1))}
        share, noise = self._sizes(np.array([float(term[6:]) for term in some]))
        return {"average after": _weighted(effect, influence, share, noise)}


def _weighted(
    effect: np.ndarray, influence: np.ndarray, share: np.ndarray, noise: np.ndarray
) -> tuple[float, np.ndarray]:
    total = share.sum()
    mean = float(effect @ share / total)
    return mean, influence @ share / total + noise @ (effect - mean) / total
