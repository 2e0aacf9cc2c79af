"""Why "it fell afterwards" proves nothing: chance after a violent summer, and other years.

An action that answers a violent summer is followed by calmer months if nothing else happens:
part of what made the summer stand out was chance, and chance does not last. The season does the
rest. Simulated series without any effect show how much of it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis import breaks as register_of_breaks
from crime_analysis import places
from crime_analysis.errors import CrimeAnalysisError, ModelError, ParameterError, UnknownNameError
from crime_analysis.findings.taskforce import DESIGNS, Design, interrupted
from crime_analysis.inference.multiplicity import multiple_testing
from crime_analysis.models.interrupted_series import InterruptedSeries
from crime_analysis.randomness import generator

__all__ = [
    "YEAR", "Afterwards", "afterwards", "borough_placebos", "change_afterwards", "placebos",
    "simulate",
]  # fmt: skip

YEAR = 2018
#: The course before the taskforce, carried on to the end of the year without any effect.
_COURSE = Design("2018-04", "2018-12", "April to December 2018")
_LEAST = 50
_METROPOLITAN = "Metropolitan Police"


@dataclass(frozen=True)
class Afterwards:
    """What followed a summer in series without any effect, and what followed it in fact.

    Attributes
    ----------
    measure, place : str
    draws : DataFrame
        A row each simulated year: ``summer``, ``change`` (see `change_afterwards`), ``extreme``.
    table : DataFrame
        A row each group of draws (``all``, ``as_high``: a summer at least as high as 2018's,
        ``highest_tenth``): ``draws``, ``share``, ``fell`` (share in which it fell afterwards),
        ``fell_beyond_season`` (share that fell by more than all draws do on average),
        ``mean_change``, ``low``, ``high`` (middle 95%), ``beyond_season`` (mean change less that
        of all draws).
    years : DataFrame
        By year, those recorded: ``summer``, ``change``.
    memory, dispersion : float
        Of the noise: autocorrelation from month to month, variance over the mean.
    left_out : int
        Draws without an event in the year before, which have no ratio.
    reason : str
        Why there are no draws; nothing if there are.
    """

    measure: str
    place: str
    draws: pd.DataFrame = field(repr=False)
    table: pd.DataFrame
    years: pd.DataFrame
    memory: float
    dispersion: float
    left_out: int
    reason: str = ""

    @property
    def summer(self) -> float:
        """2018's summer over a quarter of the year before it, less one."""
        return float(self.years.at[YEAR, "summer"])

    @property
    def change(self) -> float:
        """What followed it in fact."""
        return float(self.years.at[YEAR, "change"])

    @property
    def enough(self) -> bool:
        """Whether enough draws had a summer as high as 2018's to say anything."""
        return bool(self.table.at["as_high", "draws"] >= _LEAST)


def change_afterwards(months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how a summer stood out from the year before, and how it changed by the autumn.

    Both in units of a quarter of the year before, so that a low count can be divided by.

    Parameters
    ----------
    months : ndarray, (..., 19)
        Counts from June of the year before to December.

    Returns
    -------
    tuple of ndarray
        June to August less one quarter, over a quarter; October to December less June to August,
        over a quarter. Not a number where the year before is zero or unknown.

    Examples
    --------
    >>> quiet = np.full(19, 10.0)
    >>> quiet[12:15] = 12.0
    >>> [round(float(part), 3) for part in change_afterwards(quiet)]
    [0.2, -0.2]
    """
    year, summer, autumn = (
        months[..., part].sum(axis=-1) for part in (slice(0, 12), slice(12, 15), slice(16, 19))
    )
    quarter = np.where(year > 0, year, np.nan) / 4
    return summer / quarter - 1, (autumn - summer) / quarter


def simulate(
    fit: InterruptedSeries, draws: int, rng: int | np.random.Generator | None = None
) -> pd.DataFrame:
    """Draw series without any effect, with a fit's own season, trend and noise.

    The mean is the course before the interruption, carried on. Chance is Poisson, and what the
    counts vary beyond it is a lognormal shock that remembers its past, so that variance over mean
    and autocorrelation are those of the fit's residuals, corrected for the terms fitted.

    Parameters
    ----------
    fit : InterruptedSeries
    draws : int
    rng : int or Generator, optional

    Returns
    -------
    DataFrame
        A row a draw, a column a month.

    Raises
    ------
    ParameterError
        If `draws` is not a whole number above 0.
    """
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws < 1:
        raise ParameterError(f"draws = {draws!r} is not a whole number above 0")
    chance = generator(rng)
    mean = fit.counterfactual["estimate"]
    spread, memory = _noise(fit)
    # Poisson noise forgets: the shock must remember more for the whole to remember as much.
    rho = min(memory * spread / (spread - 1), 0.98) if spread > 1 else 0.0
    shock = np.empty((int(draws), len(mean)))
    shock[:, 0] = chance.standard_normal(int(draws))
    for month in range(1, len(mean)):
        fresh = chance.standard_normal(int(draws))
        shock[:, month] = rho * shock[:, month - 1] + np.sqrt(1 - rho**2) * fresh
    scale = np.sqrt(np.log1p(max(spread - 1, 0) / mean.to_numpy()))
    level = mean.to_numpy() * np.exp(scale * shock - scale**2 / 2)
    return pd.DataFrame(chance.poisson(level), columns=mean.index)


def _noise(fit: InterruptedSeries) -> tuple[float, float]:
    """Return the variance over the mean, and the autocorrelation, of a fit's residuals."""
    return float(fit.memory.scale[0, 0]), float(fit.memory.rho)


def afterwards(
    table: pd.DataFrame,
    measure: str,
    place: str,
    draws: int,
    rng: int | np.random.Generator | None = None,
) -> Afterwards:
    """Ask what follows a summer like that of 2018 if nothing is done.

    Parameters
    ----------
    table : DataFrame
        From `taskforce.counts`.
    measure, place : str
        From `taskforce.place_of`.
    draws : int
        Simulated years.
    rng : int or Generator, optional
        Seed, 0 if not given.

    Returns
    -------
    Afterwards
        With a reason and no draws if the series cannot carry a course with a season.

    Raises
    ------
    ParameterError
        If `draws` is not a whole number above 0.
    """
    years, reason = _recorded(table[measure, place]), ""
    try:
        fit = interrupted(table, measure, place, _COURSE)
        series = simulate(fit, draws, rng)
        spread, memory = _noise(fit)
    except ModelError as problem:
        reason = str(problem).split(";")[0]
        series, spread, memory = pd.DataFrame(columns=_span(YEAR)), np.nan, np.nan
    summer, change = change_afterwards(series[_span(YEAR)].to_numpy(dtype=float))
    drawn = pd.DataFrame({"summer": summer, "change": change}).dropna()
    drawn["extreme"] = drawn["summer"] >= years.at[YEAR, "summer"]
    groups = {
        "all": drawn,
        "as_high": drawn[drawn["extreme"]],
        "highest_tenth": drawn[drawn["summer"] >= drawn["summer"].quantile(0.9)],
    }
    usual = float(drawn["change"].mean())
    rows = {name: _group(part["change"], len(drawn), usual) for name, part in groups.items()}
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("summers")
    left_out = len(series) - len(drawn)
    return Afterwards(measure, place, drawn, found, years, memory, spread, left_out, reason)


def _span(year: int) -> list[str]:
    """Return the months that `change_afterwards` takes."""
    return [str(m) for m in pd.period_range(f"{year - 1}-06", f"{year}-12", freq="M")]


def _recorded(series: pd.Series) -> pd.DataFrame:
    """Return every year to 2018 whose months, and the year before's, are all known."""
    rows = {}
    for year in range(int(series.index.min()[:4]), YEAR + 1):
        months = series.reindex(_span(year)).to_numpy(dtype=float)
        known = np.isfinite(months).all() or year == YEAR
        if known:
            summer, change = change_afterwards(months)
            rows[year] = {"summer": float(summer), "change": float(change)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")


def _group(change: pd.Series, out_of: int, usual: float) -> dict[str, float]:
    if change.empty:
        nothing = dict.fromkeys(("fell", "fell_beyond_season", "mean_change", "low", "high",
                                 "beyond_season"), np.nan)  # fmt: skip
        return {"draws": 0, "share": 0.0, **nothing}
    low, high = np.quantile(change, [0.025, 0.975])
    return {
        "draws": len(change),
        "share": len(change) / out_of,
        "fell": float((change < 0).mean()),
        "fell_beyond_season": float((change < usual).mean()),
        "mean_change": float(change.mean()),
        "low": float(low),
        "high": float(high),
        "beyond_season": float(change.mean() - usual),
    }


def placebos(
    table: pd.DataFrame, measure: str, place: str, register: pd.DataFrame, last: int = YEAR
) -> pd.DataFrame:
    """Make September's comparison in every year: in all but the last nothing was done.

    Each year has as many months before as 2018 has: from April three years earlier.

    Parameters
    ----------
    table : DataFrame
        From `taskforce.counts`.
    measure, place : str
        From `taskforce.place_of`.
    register : DataFrame
        The shipped table ``breaks``.
    last : int
        The last year.

    Returns
    -------
    DataFrame
        Indexed by ``year``: ``naive`` (October to December over June to August, less one),
        ``change``, ``change_low``, ``change_high``, ``p_value`` of the interrupted series,
        ``crosses`` (registered changes in recording inside its months), ``reason`` (why there
        is no estimate).
    """
    series = table[measure, place]
    rows = {}
    for year in range(int(table.index.min()[:4]), last + 1):
        months = series.reindex(_span(year)[12:]).to_numpy(dtype=float)
        summer, autumn = months[:3].sum(), months[4:].sum()
        row: dict[str, object] = {"naive": autumn / summer - 1 if summer > 0 else np.nan}
        first, design = f"{year - 3}-04", Design(f"{year}-09-17", f"{year}-12", str(year))
        reason = f"the months from {first} are not held"
        if series.loc[first:].first_valid_index() == first:
            try:
                term = interrupted(table, measure, place, design, first).term("level_change")
                ends = np.expm1(term[["estimate", "ci_low", "ci_high"]].to_numpy(dtype=float))
                row |= dict(zip(("change", "change_low", "change_high"), ends, strict=True))
                row["p_value"], reason = float(term["p_value"]), ""
            except CrimeAnalysisError as problem:
                reason = str(problem).split(";")[0]
        row["crosses"] = ";".join(_crossed(register, measure, f"{first}-01", f"{year}-12-31"))
        rows[year] = row | {"reason": reason}
    columns = ["naive", "change", "change_low", "change_high", "p_value", "crosses", "reason"]
    found = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
    return found.rename_axis("year")


def borough_placebos(
    table: pd.DataFrame, measure: str, design: str, last: int = YEAR - 1
) -> pd.DataFrame:
    """Count the boroughs that seem to have moved in each year before there was a taskforce.

    The comparison of `taskforce.DESIGNS`, moved to other years with as many months before.

    Parameters
    ----------
    table : DataFrame
        From `taskforce.counts`.
    measure : str
        One that boroughs have.
    design : str
        ``april`` or ``september``.
    last : int
        The last year.

    Returns
    -------
    DataFrame
        Indexed by ``year``, those whose months are held: ``estimated`` boroughs, ``seem`` (p under
        5%), ``survive`` (Holm's p under 5%).

    Raises
    ------
    UnknownNameError
        If there is no such design.
    """
    if design not in DESIGNS:
        raise UnknownNameError("design", design, DESIGNS)
    model, rows = DESIGNS[design], {}
    if measure not in table or not set(places.BOROUGHS) & set(table[measure]):
        return pd.DataFrame(columns=["estimated", "seem", "survive"]).rename_axis("year")
    for year in range(int(table.index.min()[:4]) + 3, last + 1):
        first = f"{year - 3}-04"
        moved = Design(f"{year}{model.at[4:]}", f"{year}{model.end[4:]}", str(year))
        fits = {}
        for borough in places.BOROUGHS:
            with contextlib.suppress(CrimeAnalysisError):  # no estimate: it is not counted
                fits[borough] = interrupted(table, measure, borough, moved, first)
        row = {"estimated": len(fits), "seem": 0, "survive": 0}
        if fits:
            told = multiple_testing(fits, "level_change", "holm")
            row["seem"] = int((told["p_value"] < 0.05).sum())
            row["survive"] = int((told["p_adjusted"] < 0.05).sum())
        rows[year] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")


def _crossed(register: pd.DataFrame, measure: str, since: str, until: str) -> list[str]:
    """Return the registered changes in recording of a measure between two days."""
    found = register_of_breaks.affecting(register, "recorded_crime", measure, _METROPOLITAN)
    moving = found["kind"].isin(["recording", "definition", "system"])
    return list(found.loc[moving & found["date"].between(since, until), "id"])
