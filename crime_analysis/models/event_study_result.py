"""What an event study returns, and what the periods before the event say of it.

Tests of what came before are of two kinds because they answer differently:

- ``joint``: all coefficients before the event are zero. A score test with the null imposed,
  clusters' scores compared with their own spread, referred to Hotelling's F(q, G - q). With a
  dose and correlated errors it rejects a true null in 2 to 8% of samples at the 5% level
  (simulated, 8 to 43 clusters, 2 to 8 coefficients).
- ``joint (Wald)``: the same hypothesis as most programs test it, F(q, G - 1). In the same
  simulations it rejects a true null in 10% (43 clusters, 3 coefficients) to 64% (20 and 8).
- ``linear``: the slope of a straight line through the coefficients before the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crime_analysis.drawing import Figure
from crime_analysis.models.fit import Fit
from crime_analysis.models.parallel_trends import score_statistic, steps_before, trend_before
from crime_analysis.models.profile import draw_profile

__all__ = ["EventStudy"]

AVERAGE = "average after"


@dataclass(frozen=True, kw_only=True)
class EventStudy(Fit):
    """A regression with a coefficient for each period but the reference.

    Attributes
    ----------
    time, by : str
        Columns: the period, and the dose or the start of treatment.
    relative : bool
        Whether periods count from the start of treatment.
    reference : int
        The period whose coefficient is zero: the last before the event.
    periods : Series
        The period of each event term; of pooled periods, their mean over rows.
    dose_sd : float
        Standard deviation of the dose over units; 1 where periods are relative.
    """

    time: str
    by: str
    relative: bool
    reference: int
    periods: pd.Series
    dose_sd: float

    @property
    def before(self) -> list[str]:
        """Terms of the periods before the reference."""
        return self.periods.index[self.periods < self.reference].tolist()

    @property
    def after(self) -> list[str]:
        """Terms of the periods after the reference."""
        return self.periods.index[self.periods > self.reference].tolist()

    def profile(self, level: float = 0.95) -> pd.DataFrame:
        """Return the event's coefficients in order of time, the reference among them.

        Returns
        -------
        DataFrame
            As `tidy`, with ``period`` and ``phase`` (before, reference, after) first.
        """
        table = self.tidy(level).loc[self.periods.index]
        table.insert(0, "period", self.periods.to_numpy(float))
        table.insert(1, "phase", np.where(self.periods < self.reference, "before", "after"))
        held = table.iloc[:1].assign(period=float(self.reference), phase="reference")
        held = held.rename(index=lambda _: "reference")
        held[held.columns[2:]] = [0.0, 0.0] + [np.nan] * (len(held.columns) - 4)
        return pd.concat([table, held]).sort_values("period")

    def average(self, level: float = 0.95) -> pd.Series:
        """Return the mean of the coefficients after the reference, as a row of `tidy`."""
        return self._combined(self._post().loc[[AVERAGE]], level).iloc[0]

    def pre_trends(self, level: float = 0.95) -> pd.DataFrame:
        """Test what came before the event (the module says how).

        Not rejecting is no proof: such tests often miss trends that matter (Roth 2022).

        Returns
        -------
        DataFrame
            Indexed by ``test``: ``statistic`` (F, or t of the slope), ``p_value``, ``df_num``,
            ``df_den``; of the line also ``estimate`` (slope a period), ``std_error``,
            ``ci_low``, ``ci_high``. Missing where there are as many coefficients as clusters;
            no rows where nothing came before.
        """
        from scipy import stats

        columns = ["estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]
        rows: dict[str, dict[str, float]] = {}
        if self.before:
            q, groups = len(self.before), self.n_clusters
            score = score_statistic(self, self.before) if q < groups else np.nan
            hotelling = (groups - q) / q * score / max(groups - score, 1e-12)
            b = self.coefficients[self.before].to_numpy()
            v = self.covariance.loc[self.before, self.before].to_numpy()
            wald = float(b @ np.linalg.lstsq(v, b)[0]) / q if q < groups else np.nan
            for name, statistic, df in (
                ("joint", hotelling, groups - q),
                ("joint (Wald)", wald, groups - 1),
            ):
                p = float(stats.f(q, max(df, 1)).sf(statistic))
                rows[name] = {"statistic": statistic, "p_value": p, "df_num": q, "df_den": df}
            slope = self._combined(
                pd.DataFrame([trend_before(self.periods, self.reference)[1]]), level
            ).iloc[0]
            rows["linear"] = {**slope, "df_num": 1, "df_den": self.degrees_of_freedom}
        table = pd.DataFrame.from_dict(rows, orient="index")
        table = table.reindex(columns=[*columns, "df_num", "df_den"]).astype(float)
        return table.rename_axis("test")

    def net_of_trend(self, level: float = 0.95) -> pd.DataFrame:
        """Return the coefficients after the event less the line through those before it.

        In a balanced panel this is the regression with a linear trend by dose. The line is
        least squares through the coefficients before and the zero of the reference.

        Returns
        -------
        DataFrame
            As `tidy`, for each period after and their average, with ``trend``: what the line
            extrapolates to.
        """
        post = self._post()
        start, slope = trend_before(self.periods, self.reference)
        trend = start + np.outer(self._distance(post), slope)
        table = self._combined(post - trend, level)
        table["trend"] = trend @ self.coefficients[self.periods.index].to_numpy()
        return table

    def sensitivity(
        self, mbar: Sequence[float] = (0.0, 0.5, 1.0, 2.0), level: float = 0.95
    ) -> pd.DataFrame:
        """Return intervals that allow the parallel trends to fail as much as they did before.

        From one period to the next after the reference, units may drift apart by `mbar` times
        the largest such step before it (relative magnitudes; Rambachan and Roth 2023). For
        each step before, both ends of what is then possible get an interval at `level`, the
        error of the step included; the interval given holds all of these. It covers at least
        as often as `level` and is wider than Rambachan and Roth's own, which also uses that
        the step must be the largest.

        Parameters
        ----------
        mbar : sequence of float
            Zero is exactly parallel trends.
        level : float

        Returns
        -------
        DataFrame
            Indexed by ``term`` and ``mbar``: ``estimate``, ``ci_low``, ``ci_high``.

        Raises
        ------
        ModelError
            If no period lies before the reference.
        """
        post = self._post()
        estimates = post.to_numpy() @ self.coefficients[self.periods.index].to_numpy()
        found = [
            (term, m, estimate, *self._range(post.loc[term], m, level))
            for term, estimate in zip(post.index, estimates, strict=True)
            for m in mbar
        ]
        table = pd.DataFrame(found, columns=["term", "mbar", "estimate", "ci_low", "ci_high"])
        return table.set_index(["term", "mbar"])

    def breakdown(self, level: float = 0.95) -> pd.Series:
        """Return, by term after the event, the largest `mbar` whose interval excludes zero.

        Zero means that the term is not clear of zero even under exactly parallel trends.
        """
        from scipy.optimize import brentq

        found = {}
        for term, row in self._post().iterrows():

            def margin(m: float, row: pd.Series = row) -> float:
                low, high = self._range(row, m, level)
                return max(low, -high)

            top = 1.0
            while margin(top) > 0 and top < 1e6:
                top *= 2
            found[term] = brentq(margin, 0.0, top) if margin(0.0) > 0 > margin(top) else 0.0
        return pd.Series(found, name="breakdown_mbar", dtype=float).rename_axis("term")

    def explain(self, term: str | None = None) -> str:
        """Return three sentences: the average after and its doubt, what came before, why.

        With `term`, those of one coefficient (see `Fit.explain`).
        """
        if term is not None:
            return super().explain(term)
        mean, sd = self.average(), self.dose_sd
        unit = (
            f"After treatment starts, {self.outcome} differs"
            if self.relative
            else f"After {self.reference}, {self.outcome} differs, for each standard deviation of"
            f" {self.by} ({sd:.3g}),"
        )
        low, high = sorted([mean["ci_low"] * sd, mean["ci_high"] * sd])
        sign = "the sign cannot be told" if low <= 0 <= high else "the interval excludes zero"
        first = (
            f"{unit} by {low:+.3g} to {high:+.3g} (95% interval; estimate"
            f" {mean['estimate'] * sd:+.3g}) on average over {len(self.after)} coefficients:"
            f" {sign}."
        )
        tests = self.pre_trends()
        if tests.empty:
            second = (
                "No period before the reference is seen, so nothing speaks for parallel trends."
            )
        else:
            net = self.net_of_trend().loc[AVERAGE]
            joint = tests.loc["joint", "p_value"]
            held = self.breakdown()[AVERAGE]
            stays = (
                f"with steps off parallel trends up to {held:.2g} times the largest before, the"
                " average still is clear of zero"
                if held > 0
                else "the average is not clear of zero even under parallel trends"
            )
            found = (
                "are too many to be tested jointly with so few clusters"
                if np.isnan(joint)
                else f"are jointly zero with p {_small(joint)}, and without slope with"
                f" p {_small(tests.loc['linear', 'p_value'])}"
            )
            second = (
                f"Before it the coefficients {found}; less a straight"
                f" line through them the average is {net['ci_low'] * sd:+.3g} to"
                f" {net['ci_high'] * sd:+.3g}; {stays}."
            )
        third = (
            "It is an effect only if, without the event, units would have moved alike whatever"
            + (" their start, and effects are alike across starts." if self.relative else
               f" their {self.by}, and units would respond alike to the same {self.by} (strong"
               " parallel trends).")
        )  # fmt: skip
        return f"{first} {second} {third}"

    def summary(self) -> str:
        """Return coefficients, tests of what came before and the three sentences, as text."""
        tests = self.pre_trends()
        said = tests.round(4).to_string() if len(tests) else "no period before the reference"
        return "\n".join([super().summary(), "", said, "", self.explain()])

    def plot(
        self, terms: list[str] | None = None, *, breaks: Mapping[float, str] | None = None
    ) -> Figure:
        """Draw the coefficients with their intervals, and the line through those before.

        With `terms`, those alone and without time (see `Fit.plot`). `breaks` says by period
        what made the figures themselves jump; they are drawn and told.
        """
        if terms is not None:
            return super().plot(terms)
        line = None
        if self.before:
            start, slope = trend_before(self.periods, self.reference)
            b = self.coefficients[self.periods.index].to_numpy()
            line = (float(start @ b), float(slope @ b), self.reference)
        mean, tests = self.average(), self.pre_trends()
        low, high = mean["ci_low"], mean["ci_high"]
        found = "cannot tell the sign" if low <= 0 <= high else "clear of zero"
        title = (
            f"{self.outcome} by {'time since ' if self.relative else ''}{self.by}: average after"
            f" {low:+.3g} to {high:+.3g}, {found}; "
        )
        title += (
            "nothing seen before"
            if tests.empty
            else "what came before cannot be tested jointly"
            if np.isnan(tests.loc["joint", "p_value"])
            else f"before, jointly zero with p {_small(tests.loc['joint', 'p_value'])}, without"
            f" slope with p {_small(tests.loc['linear', 'p_value'])}"
        )
        return draw_profile(
            self.profile(),
            title=title,
            source=f"{self.formula}; {self.family}, {self.nobs} rows, {self.vcov}. Bars: 95%"
            " intervals, period by period. Dashed: line through the periods before.",
            x_label="periods since the start" if self.relative else self.time,
            y_label=f"{self.outcome}" if self.relative else f"{self.outcome},\nper 1 of {self.by}",
            line=line,
            breaks=breaks,
        )

    def _combined(self, weights: pd.DataFrame, level: float) -> pd.DataFrame:
        """Return linear combinations of event terms, a row each, as `tidy` would."""
        terms, w = self.periods.index, weights.to_numpy()
        between = w @ self.covariance.loc[terms, terms].to_numpy() @ w.T
        estimate = pd.Series(w @ self.coefficients[terms].to_numpy(), index=weights.index)
        return Fit.tidy(replace(self, coefficients=estimate, covariance=between), level)

    def _post(self) -> pd.DataFrame:
        """Return the weights on event terms of each term after, and of their average."""
        terms = self.periods.index
        rows = pd.DataFrame(np.eye(len(terms)), index=terms, columns=terms).loc[self.after]
        rows.loc[AVERAGE] = rows.mean()
        return rows

    def _distance(self, post: pd.DataFrame) -> np.ndarray:
        return post.to_numpy() @ (self.periods - self.reference).to_numpy(float)

    def _range(self, post: pd.Series, mbar: float, level: float) -> tuple[float, float]:
        """Return the ends of the interval of one combination under relative magnitudes."""
        steps = steps_before(self.periods, self.reference)
        reach = mbar * float(self._distance(post.to_frame().T)[0])
        ends = np.vstack([post.to_numpy() + reach * steps, post.to_numpy() - reach * steps])
        table = self._combined(pd.DataFrame(ends), level)
        return float(table["ci_low"].min()), float(table["ci_high"].max())


def _small(p_value: float) -> str:
    """Return a p-value to be read after the letter."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.2g}"
