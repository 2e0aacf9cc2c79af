"""What the explorer can be asked, and the model that a choice asks for."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import catalog, checks, periods, places
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.findings import borough_panel
from crime_analysis.links import without_events
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.models.transformed import between, first_differences
from crime_analysis.panel import TOO_FEW_RESIDENTS, force_panel

__all__ = [
    "CHECKED", "MEASURES", "PLACES", "SPECIFICATIONS", "YEARS", "Choice", "audited",
    "boroughs", "checked", "fitted", "interval", "panel", "place_of", "reach", "tables",
]  # fmt: skip

#: The places that may be looked at: forces, then London's boroughs.
PLACES = (*places.FORCES, *places.BOROUGHS)
#: What may be asked of, and how it is called; officers are asked of money, the rest of officers.
MEASURES = {
    "officers": "officers",
    "violence_with_injury": "violence with injury",
    "violence_without_injury": "violence without injury",
    "robbery": "robbery",
    "homicide": "homicide",
}
#: Ways of estimating, in words.
SPECIFICATIONS = {
    "fixed_effects": "forces and years held constant",
    "changes": "changes from one year to the next",
    "across": "forces' means compared",
    "instrument": "moved by the share of all grants",
}
#: Years that may begin or end the period: those of the panel's officers, offences and residents.
YEARS = tuple(periods.span("2005/06", "2018/19"))
_LEAST_YEARS = 4
_BEFORE_THE_CUTS = ("placebo dates", "pre-trends", "drift")
#: Specifications that the checks can put through again: with forces and years held constant.
CHECKED = ("fixed_effects", "instrument")
#: Checks that need nothing which boroughs do not have.
_CHECKS_OF_BOROUGHS = ("leave one out", "few clusters", "recording", "rival explanations")
_FORCE_TABLES = ("officers", "recorded_crime", "funding", "population", "prices")


@dataclass(frozen=True)
class Choice:
    """What is looked at.

    Attributes
    ----------
    place : str
        One of `PLACES`; the chart is its own, the estimate is across forces, or boroughs.
    measure : str
        One of `MEASURES`.
    start, end : str
        First and last financial year, of `YEARS`; an estimate needs four or more. Of a borough
        only the years are looked at that boroughs have, from 2010/11.
    price_base : str
        The year whose prices money is shown at. It scales the chart and leaves the estimate; a
        borough has no money of its own.
    specification : str
        One of `SPECIFICATIONS`.
    """

    place: str = "Metropolitan Police"
    measure: str = "violence_with_injury"
    start: str = "2007/08"
    end: str = "2018/19"
    price_base: str = "2017/18"
    specification: str = "fixed_effects"

    def __post_init__(self) -> None:
        bases = catalog.load("prices")["financial_year"]
        for kind, value, known in (
            ("place", self.place, PLACES),
            ("measure", self.measure, MEASURES),
            ("specification", self.specification, SPECIFICATIONS),
            ("financial year", self.start, YEARS),
            ("financial year", self.end, YEARS),
            ("price base", self.price_base, list(bases)),
        ):
            if value not in known:
                raise UnknownNameError(kind, value, known)
        if YEARS.index(self.end) <= YEARS.index(self.start):
            raise ParameterError(
                f"the period {self.start} to {self.end} does not run forwards; give an end after"
                " the start"
            )
        if len(self.years) < 2:
            raise ParameterError(
                f"boroughs have offences on one definition and residents from"
                f" {borough_panel.YEARS[0]}, and {self.start} to {self.end} holds no two such"
                " years; give a later end"
            )

    @property
    def borough(self) -> bool:
        """Whether the place is a London borough and not a force."""
        return self.place in places.BOROUGHS

    @property
    def years(self) -> tuple[str, ...]:
        """The financial years of the period that the place can have."""
        asked = periods.span(self.start, self.end)
        return tuple(y for y in asked if not self.borough or y in borough_panel.YEARS)


def place_of(name: str) -> str:
    """Return a place's official name from that or another spelling; forces come first.

    Raises
    ------
    UnknownNameError
        If no force and no borough is called that, with the nearest.
    """
    for known in (places.force, places.borough):
        try:
            return known(name)
        except UnknownNameError:
            continue
    raise UnknownNameError("place", name, PLACES)


def tables(choice: Choice) -> tuple[str, ...]:
    """Return the names of the shipped tables that a choice is looked at in."""
    return borough_panel.TABLES if choice.borough else _FORCE_TABLES


def reach(choice: Choice) -> str:
    """Return up to when the figures of a choice go, in words."""
    shown = {"officers": "officers", "recorded_crime": "recorded_crime", "funding": "funding"}
    if choice.borough:
        shown = {"officers": "borough_officers_monthly", "recorded_crime": "borough_crime_monthly"}
    return catalog.reach(**{name: catalog.load(table) for name, table in shown.items()})


@functools.lru_cache(maxsize=8)
def panel(start: str, end: str, base: str, everyone: bool = False) -> pd.DataFrame:
    """Return the panel of a period, with or without the force that has too few residents."""
    return force_panel(start, end, price_base=base, exclude=() if everyone else TOO_FEW_RESIDENTS)


@functools.lru_cache(maxsize=8)
def boroughs(start: str, end: str) -> pd.DataFrame:
    """Return the boroughs' panel of a period."""
    return borough_panel.borough_panel(start, end)


def audited(choice: Choice) -> pd.DataFrame:
    """Return the panel of the choice's period, for the audits of its joins."""
    if choice.borough:
        return boroughs(choice.years[0], choice.years[-1])
    return panel(choice.start, choice.end, choice.price_base)


def fitted(choice: Choice, register: pd.DataFrame) -> Fit:
    """Return the choice's model, fitted.

    It is an effect only if nothing else that differs between forces over time moved both; with
    the instrument only if the share of grants moved the outcome through its cause alone. Across
    forces' means it is hardly ever one, and across boroughs hardly in any way: officers are
    posted to where violence is.

    Parameters
    ----------
    choice : Choice
    register : DataFrame
        The shipped table ``breaks``: years that one event dominates are left out of homicide.

    Raises
    ------
    ParameterError
        If the specification does not fit the measure, or the period is too short.
    ModelError
        If the period leaves too few rows.
    """
    if choice.borough:
        return _fitted_to_boroughs(choice)
    if len(periods.span(choice.start, choice.end)) < _LEAST_YEARS:
        raise ParameterError(
            f"{choice.start} to {choice.end} is too short a period to compare forces' changes;"
            f" give at least {_LEAST_YEARS} years"
        )
    rows = panel(choice.start, choice.end, choice.price_base)
    officers = choice.measure == "officers"
    if officers:
        left, cause, share = "log_officers_end", "log_funding_real", "exposure_all_grants"
        control = "log_population"
        rows = rows.dropna(subset=["log_funding_real"])
    else:
        left, cause = f"log({choice.measure}_per_1000)", "log_officers_per_1000"
        share, control = "exposure_all_grants_lagged", ""
    slopes = " + ".join(filter(None, [control, cause]))
    if choice.measure == "homicide":
        _only_counted(choice)
        rows = without_events(rows, register, "homicide")
        return fit_panel(f"homicide ~ {cause} | force + financial_year", rows, cluster="force",
                         family="poisson", offset="log_population")  # fmt: skip
    if choice.specification == "changes":
        return first_differences(
            f"{left} ~ {slopes} | financial_year", rows, unit="force", time="fy_start",
            cluster="force", weights="population",
        )  # fmt: skip
    if choice.specification == "across":
        return between(f"{left} ~ {slopes}", rows, unit="force", weights="population")
    if choice.specification == "instrument":
        rows = rows.dropna(subset=[share])
        formula = f"{left} ~ {control or 1} | force + financial_year | {cause} ~ {share}"
        return fit_panel(formula, rows, cluster="force", weights="population")
    return fit_panel(
        f"{left} ~ {slopes} | force + financial_year", rows, cluster="force", weights="population"
    )


def _only_counted(choice: Choice) -> None:
    if choice.specification != "fixed_effects":
        raise ParameterError(
            "homicides are few, so their counts are modelled with"
            f" {'boroughs' if choice.borough else 'forces'} and years held constant and in no"
            " other way here; choose that specification"
        )


def _fitted_to_boroughs(choice: Choice) -> Fit:
    """Fit the model of officers and an offence across boroughs.

    Each borough has a level of its own before the restructure of March 2012 and after it, and
    no change is read across it.
    """
    if choice.measure == "officers":
        raise ParameterError(
            "a borough has no police funding of its own, as the Met's is one fund, so its"
            " officers cannot be asked of money; choose a force or another measure"
        )
    if choice.specification == "instrument":
        raise ParameterError(
            "the share of all grants is a force's, the same for every borough of the Met, and"
            " tells none of them from another; choose a force or another specification"
        )
    rows = boroughs(choice.years[0], choice.years[-1]).dropna(subset=["officers_start_fte"])
    if rows["fy_start"].nunique() < _LEAST_YEARS:
        held = catalog.load("borough_officers_monthly")["month"]
        raise ParameterError(
            f"officers by borough are published from {held.min()} to {held.max()}, and fewer than"
            f" {_LEAST_YEARS} years from {choice.years[0]} to {choice.years[-1]} have them on the"
            " 31 March before; give a longer or an earlier period"
        )
    cause, effects = "log_officers_per_1000", "borough_era + financial_year"
    if choice.measure == "homicide":
        _only_counted(choice)
        return fit_panel(f"homicide ~ {cause} | {effects}", rows, cluster="borough",
                         family="poisson", offset="log_population")  # fmt: skip
    formula = f"log({choice.measure}_per_1000) ~ {cause}"
    if choice.specification == "changes":
        return first_differences(
            f"{formula} | financial_year", rows, unit="borough_era", time="fy_start",
            cluster="borough", weights="population",
        )  # fmt: skip
    if choice.specification == "across":
        return between(formula, rows, unit="borough", weights="population")
    return fit_panel(f"{formula} | {effects}", rows, cluster="borough", weights="population")


def interval(fit: Fit) -> tuple[float, float, float]:
    """Return the estimate with its interval: of an instrument the Anderson-Rubin set's ends."""
    if fit.family == "iv":
        stage = fit.first_stage()
        low, high = (stage.ci_low, stage.ci_high) if stage.bounded else (-np.inf, np.inf)
        return float(stage.estimate), float(low), float(high)
    row = fit.tidy().iloc[-1]
    return float(row["estimate"]), float(row["ci_low"]), float(row["ci_high"])


def checked(choice: Choice, fit: Fit) -> tuple[list[checks.CheckResult], checks.Verdict | None]:
    """Return the checks of a fit with the verdict by rule; none where they cannot be run."""
    if choice.specification not in CHECKED:
        return [], None
    if choice.borough:
        results = checks.run(fit, _CHECKS_OF_BOROUGHS, unit="borough")
        # The next year's officers stand on the same side of the restructure.
        results += checks.run(fit, ["leads"], unit="borough_era")
        return results, checks.verdict(fit, results)
    late = periods.start(choice.start) >= checks.Setting(term="").event
    # Nothing lies before the cuts to be looked at.
    names = [n for n in checks.SUITES["default"] if not (late and n in _BEFORE_THE_CUTS)]
    results = checks.run(fit, names)
    return results, checks.verdict(fit, results)
