"""What an interrupted series returns: the change, the course without it, and its doubts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas
from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.fit import Fit
from crime_analysis.models.newey_west import Memory
from crime_analysis.models.seasons import Calendar, Start

if TYPE_CHECKING:
    from crime_analysis.models.unknown_break import BreakTest

__all__ = ["InterruptedSeries"]


@dataclass(frozen=True, kw_only=True)
class InterruptedSeries(Fit):
    """An estimated interruption; `tidy` (on the scale of logarithms for counts) is its numbers.

    Attributes
    ----------
    outcome, control : str
        Names of the series; no control is None.
    start : Start
        Where the interruption falls.
    calendar : Calendar
        Months or quarters.
    periods : Index
        The periods used, in order, as text.
    dispersion : tuple of float
        By series: Pearson's (1 for Poisson), the residual variance (ols), or NB2's alpha.
    change : tuple of str
        The terms of the change: ``level_change`` and, if the slope may change, ``slope_change``.
    regressors : DataFrame
        One row a period used.
    observed, means, residuals, weights : ndarray, series by periods
        Counts, fitted means, Pearson residuals and the weights of the last step.
    position : ndarray of int
        The calendar's count of each period used.
    memory : Memory
        The residuals' autocorrelation, freed of the bias that the fitted terms give it.
    """

    outcome: str
    control: str | None
    start: Start
    calendar: Calendar = field(repr=False)
    periods: pd.Index = field(repr=False)
    dispersion: tuple[float, ...]
    change: tuple[str, ...]
    regressors: pd.DataFrame = field(repr=False, compare=False)
    observed: np.ndarray = field(repr=False, compare=False)
    means: np.ndarray = field(repr=False, compare=False)
    residuals: np.ndarray = field(repr=False, compare=False)
    weights: np.ndarray = field(repr=False, compare=False)
    position: np.ndarray = field(repr=False, compare=False)
    memory: Memory = field(repr=False, compare=False)

    def rate_ratios(self, level: float = 0.95) -> pd.DataFrame:
        """Return the estimates of a model of counts as rate ratios.

        Returns
        -------
        DataFrame
            Indexed by ``term`` (all but intercepts): ``estimate``, ``ci_low``, ``ci_high``,
            ``p_value``. That of a slope or trend is a ratio per period.

        Raises
        ------
        ModelError
            If the family is ``ols``: differences have no ratio.
        """
        if self.family == "ols":
            raise ModelError("family='ols' estimates differences, not ratios; see tidy()")
        table = self.tidy(level)
        table = table[~table.index.str.endswith("Intercept")]
        return np.exp(table[["estimate", "ci_low", "ci_high"]]).assign(p_value=table["p_value"])

    @property
    def fitted(self) -> pd.Series:
        """The model's mean in each period."""
        return pd.Series(self.means[0], index=self.periods, name="fitted")

    @property
    def counterfactual(self) -> pd.DataFrame:
        """The mean without the interruption, with its 95% interval.

        Before the interruption it is the fitted mean. With a control series the outcome is
        taken to have moved as the control did. The interval is that of the line, not of single
        periods about it, and holds only if the earlier course would have gone on.
        """
        mean, slopes = self._without()
        root = self._root(slopes if self.family == "ols" else slopes / mean[:, None])
        reach = self._quantile(0.95) * root
        low, high = (
            (mean - reach, mean + reach)
            if self.family == "ols"
            else (mean * np.exp(-reach), mean * np.exp(reach))
        )
        return pd.DataFrame({"estimate": mean, "ci_low": low, "ci_high": high}, index=self.periods)

    def effect(self, level: float = 0.95) -> pd.DataFrame:
        """Return what was observed after the interruption beside what was to be expected.

        Returns
        -------
        DataFrame
            Indexed by period, ``all`` (their sum) last: ``observed``, ``fitted``,
            ``counterfactual``; ``difference`` (fitted less counterfactual) with ``std_error``,
            ``ci_low``, ``ci_high``; for counts also ``relative`` (difference over
            counterfactual), ``relative_low``, ``relative_high``. Intervals by the delta method,
            for relative ones on the scale of logarithms.
        """
        after = np.flatnonzero(self.regressors["level_change"].to_numpy() > 0)
        sums = np.vstack([np.eye(len(self.periods))[after], np.zeros(len(self.periods))])
        sums[-1, after] = 1.0
        mean, slopes = self._with()
        other, others = self._without()
        fitted, without = sums @ mean, sums @ other
        error = self._root(sums @ (slopes - others))
        reach = self._quantile(level) * error
        table = pd.DataFrame(
            {
                "observed": sums @ self.observed[0],
                "fitted": fitted,
                "counterfactual": without,
                "difference": fitted - without,
                "std_error": error,
                "ci_low": fitted - without - reach,
                "ci_high": fitted - without + reach,
            },
            index=pd.Index([*self.periods[after], "all"], name=self.periods.name),
        )
        if self.family != "ols":
            ratio = fitted / without
            bend = (sums @ slopes) / fitted[:, None] - (sums @ others) / without[:, None]
            reach = self._quantile(level) * self._root(bend)
            table["relative"] = ratio - 1
            table["relative_low"] = ratio * np.exp(-reach) - 1
            table["relative_high"] = ratio * np.exp(reach) - 1
        return table

    def effect_at(self, period: str) -> pd.Series:
        """Return one row of `effect`: a period after the interruption, or ``all``.

        Raises
        ------
        UnknownNameError
            If the period is not one of those after; it offers the nearest.
        """
        table = self.effect()
        if str(period) not in table.index:
            raise UnknownNameError("period", period, table.index, f"those after {self.start.label}")
        return table.loc[str(period)]

    def residual_check(self, lags: int | None = None) -> pd.DataFrame:
        """Return Durbin-Watson's and Ljung-Box's statistics of the Pearson residuals.

        A small p-value says that errors remember the past: do not use ``errors="model"``. A large
        one does not say that they forget.

        Parameters
        ----------
        lags : int, optional
            Of Ljung-Box; a year, or a quarter of the series if that is less.

        Returns
        -------
        DataFrame
            Indexed by ``series`` and ``check``: ``statistic``, ``p_value`` (none for
            Durbin-Watson: 2 is no autocorrelation, 0 the most).
        """
        from scipy import stats

        length = len(self.periods)
        lags = min(self.calendar.period, length // 4) if lags is None else lags
        if not 1 <= lags < length:
            raise ParameterError(f"lags={lags}: from 1 to {length - 1}")
        rows = {}
        for name, residuals in zip(self._names, self.residuals, strict=True):
            # Periods that were left out keep their place, so that neighbours stay neighbours.
            line = np.full(int(self.position[-1] - self.position[0]) + 1, np.nan)
            line[self.position - self.position[0]] = residuals
            steps = np.diff(line)
            total = np.nansum(line**2)
            rows[name, "Durbin-Watson"] = (np.nansum(steps**2) / total, np.nan)
            past = [np.nansum(line[k:] * line[:-k]) / total for k in range(1, lags + 1)]
            weights = length * (length + 2) / (length - np.arange(1, lags + 1))
            box = float(weights @ np.square(past))
            rows[name, f"Ljung-Box, {lags} lags"] = (box, float(stats.chi2.sf(box, lags)))
        index = pd.MultiIndex.from_tuples(rows, names=["series", "check"])
        return pd.DataFrame(rows.values(), index=index, columns=["statistic", "p_value"])

    def unknown_break(
        self, *, trim: float = 0.15, draws: int = 999, rng: int | np.random.Generator = 0
    ) -> BreakTest:
        """Ask of the series alone whether it breaks, and whether it does so at this date.

        The sup-Wald test of Andrews (1993) over every date in the middle of the series, with
        its distribution simulated: see `unknown_break.unknown_break`.
        """
        from crime_analysis.models.unknown_break import unknown_break

        return unknown_break(self, trim=trim, draws=draws, rng=rng)

    @property
    def finding(self) -> str:
        """The effect over the whole period after, in a sentence that puts doubt first."""
        table = self.effect()
        last = table.loc["all"]
        against = f" beside {_words(self.control)}" if self.control else ""
        span = f"from {table.index[0]} to {self.periods[-1]}"
        if self.family == "ols":
            low, high, middle = (f"{last[c]:+,.4g}" for c in ("ci_low", "ci_high", "difference"))
        else:
            low, high, middle = (
                f"{last[c]:+.0%}" for c in ("relative_low", "relative_high", "relative")
            )
        known = last["ci_low" if self.family == "ols" else "relative_low"] > 0 or (
            last["ci_high" if self.family == "ols" else "relative_high"] < 0
        )
        head = "Off its earlier course" if known else "Cannot tell"
        return (
            (
                f"{head}: {_words(self.outcome)}{against} {span}, {middle} against what the course"
                f" before {self.start.label} gives (95% interval {low} to {high})"
            )
            .replace("-0%", "0%")
            .replace(" -", " −")
        )

    def summary(self) -> str:
        """Return the estimates and what they rest on, as text."""
        part = ""
        if self.start.part is not None:
            kept = self.calendar.label(self.start.part) in self.periods
            part = f"; {self.calendar.label(self.start.part)}, in part after, is " + (
                f"taken as {self.start.share:.0%} after" if kept else "left out"
            )
        return (
            f"{super().summary()}\nInterruption at {self.start.label}{part}; dispersion"
            f" {', '.join(f'{value:.3g}' for value in self.dispersion)}\n{self.finding}"
        )

    def explain(self, term: str | None = None) -> str:
        """Return three sentences for a student: estimate, uncertainty, assumption.

        Parameters
        ----------
        term : str, optional
            Which; the difference over the whole period after if not given.

        Raises
        ------
        UnknownNameError
            If the model has no such term.
        """
        ratio = self.family != "ols"
        if term is None:
            row = self.effect().loc["all"]
            names = ["difference", "ci_low", "ci_high"]
            names = ["relative", "relative_low", "relative_high"] if ratio else names
            middle, low, high = (float(row[name]) for name in names)
            what = f"Over the whole period after {self.start.label}, {_words(self.outcome)}"
        else:
            row = self.term(term)
            middle, low, high = (float(row[c]) for c in ("estimate", "ci_low", "ci_high"))
            if ratio:
                middle, low, high = (float(np.expm1(value)) for value in (middle, low, high))
            what = f"By the term {term}, {_words(self.outcome)}"
        size = (lambda value: f"{value:+.1%}") if ratio else (lambda value: f"{value:+,.4g}")
        doubt = (
            "zero is among them, so these data cannot tell whether there is a difference"
            if low <= 0 <= high
            else "zero is not among them, so a difference this large would be rare if there were"
            " none"
        )
        alike = f" or moved {_words(self.control)} just as much" if self.control else ""
        return _minus(
            f"{what} is {size(middle)} away from what the model gives without it. The 95%"
            f" interval, {size(low)} to {size(high)}, holds the values that sit well with the"
            f" data: {doubt}. It is an effect of the interruption only if the earlier trend and"
            f" season would have gone on without it, and whatever else happened then did not"
            f" move {_words(self.outcome)}{alike}."
        )

    def plot(self, terms: list[str] | None = None) -> Figure:
        """Draw the series, its fit and its course without the interruption.

        With `terms`, draw those estimates and their intervals instead.
        """
        if terms is not None:
            return super().plot(terms)
        years = self.position / self.calendar.period
        other = self.counterfactual
        after = self.regressors["level_change"].to_numpy() > 0
        # The line starts at the last period before, so that it is seen to leave the fit.
        drawn = after | np.roll(after, -1) & (np.arange(len(after)) < len(after) - 1)
        edge = self.start.first / self.calendar.period
        if self.start.part is not None:
            edge -= self.start.share / self.calendar.period
        edge -= 0.5 / self.calendar.period
        rows = len(self.observed)
        with canvas(rows, 1, height=3.4 * rows**0.7, sharex=True, squeeze=False) as (_, grid, out):
            for axis, name, seen, mean in zip(
                grid.flat, self._names, self.observed, self.means, strict=True
            ):
                axis.plot(years, seen, "o", color=GREY, ms=3, label="Recorded")
                # Two pieces, so that a step is seen as one.
                for piece, label in ((~after, "Fitted"), (after, None)):
                    axis.plot(years[piece], mean[piece], "-", color=BLUE, lw=1.6, label=label)
                axis.axvline(edge, color="black", lw=1, ls=":")
                axis.set_ylabel(f"{_words(name)}\nper {self.calendar.name}")
                axis.set_ylim(0, max(seen.max(), mean.max()) * 1.15)
                axis.yaxis.set_major_formatter("{x:,.0f}")
                axis.xaxis.get_major_locator().set_params(integer=True)
                axis.xaxis.set_major_formatter("{x:.0f}")
            top = grid.flat[0]
            line = np.where(drawn, other["estimate"], np.nan)
            top.plot(years, line, "--", color=ORANGE, lw=1.6, label="Without the interruption")
            top.fill_between(
                years, other["ci_low"], other["ci_high"], where=drawn, color=ORANGE, alpha=0.2,
                lw=0, label="its 95% interval",
            )  # fmt: skip
            ceiling = max(self.observed[0].max(), np.where(drawn, other["ci_high"], 0).max())
            floor = min(0.0, self.observed[0].min(), np.where(drawn, other["ci_low"], 0).min())
            top.set_ylim(floor * 1.1, min(ceiling, 2 * self.observed[0].max()) * 1.15)
            top.annotate(
                self.start.label, (edge, 0.99), xycoords=("data", "axes fraction"), va="top",
                xytext=(4, 0), textcoords="offset points", fontsize=9,
            )  # fmt: skip
            grid.flat[-1].legend(*top.get_legend_handles_labels(), loc="upper center",
                                 bbox_to_anchor=(0.5, -0.12), ncols=4)  # fmt: skip
        data = pd.DataFrame({self.periods.name: self.periods, "observed": self.observed[0]})
        data["fitted"] = self.means[0]
        for column in other:
            data[f"counterfactual_{column}"] = other[column].to_numpy()
        if self.control:
            data["control_observed"], data["control_fitted"] = self.observed[1], self.means[1]
        last = self.effect().loc["all"]
        return Figure(
            title=self.finding,
            alt=f"{_words(self.outcome, True)} by {self.calendar.name} from {self.periods[0]} to"
            f" {self.periods[-1]}, with the fitted line and, after {self.start.label}, the line"
            f" that the earlier course gives. In all {last['observed']:,.0f} were recorded after,"
            f" against {last['counterfactual']:,.0f} by that line."
            + (f" A second panel shows {_words(self.control)}." if self.control else ""),
            source=f"Interrupted series, {self.family.replace('_', ' ')}: {self.formula}."
            f" Errors: {self.vcov}. The interval is that of the line if the earlier course had"
            " gone on; that it would have is assumed. Dotted: the interruption.",
            svg=out.getvalue(),
            data=data,
        )  # fmt: skip

    @property
    def _names(self) -> list[str]:
        return [self.outcome, *([self.control] if self.control else [])]

    def _with(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the fitted means and how each moves with the coefficients."""
        columns = pd.DataFrame(0.0, self.regressors.index, self.coefficients.index)
        for term in self.regressors:
            own = term if term not in self.change else self.coefficients.index[
                self.change.index(term)
            ]  # fmt: skip
            columns[own] = self.regressors[term]
            if self.control and term in self.change:
                columns[f"control_{term}"] = self.regressors[term]
        means = self.means[0]
        slopes = columns.to_numpy()
        return means, slopes if self.family == "ols" else slopes * means[:, None]

    def _without(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the same without the change that is the interruption's."""
        first = len(self.change)
        means, slopes = self._with()
        moved = self.regressors[list(self.change)].to_numpy() @ self.coefficients.iloc[:first]
        slopes = slopes.copy()
        slopes[:, :first] = 0.0
        if self.family == "ols":
            return means - moved, slopes
        return means * np.exp(-moved), slopes * np.exp(-moved)[:, None]

    def _root(self, slopes: np.ndarray) -> np.ndarray:
        """Return the standard errors of linear combinations of the coefficients."""
        variance = np.einsum("ij,jk,ik->i", slopes, self.covariance.to_numpy(), slopes)
        return np.asarray(np.sqrt(np.maximum(variance, 0)))

    def _quantile(self, level: float) -> float:
        from scipy import stats

        law = stats.norm if np.isinf(self.degrees_of_freedom) else stats.t(self.degrees_of_freedom)
        return float(law.ppf(0.5 + level / 2))


def _words(name: str | None, capital: bool = False) -> str:
    text = str(name).replace("_", " ")
    return text[:1].upper() + text[1:] if capital else text


def _minus(text: str) -> str:
    """Return text with true minus signs before its figures, and no negative zeros."""
    return re.sub(r"(?<=\s)-(?=\d)", "−", re.sub(r"-(0(?:\.0)?%)", r"\1", text))
