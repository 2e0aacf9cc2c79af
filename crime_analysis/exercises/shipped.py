"""The shipped tables as exercises ask for them: each loaded once, figures by their keys."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from crime_analysis import catalog, periods

if TYPE_CHECKING:
    import pandas as pd

    from crime_analysis.findings.claims import Claims
    from crime_analysis.findings.grant_cut import GrantFall
    from crime_analysis.links import Link

__all__ = ["MET", "Shipped"]

MET = "Metropolitan Police"


class Shipped:
    """What a worked answer is worked out from.

    Parameters
    ----------
    load : callable
        Gives a shipped table by name; other tables give other answers.

    Examples
    --------
    >>> Shipped().officers("2010-03-31")
    33366.55
    """

    def __init__(self, load: Callable[[str], pd.DataFrame] = catalog.load) -> None:
        self.table = functools.cache(load)
        self._links: dict[str, Link] = {}

    @functools.cached_property
    def panel(self) -> pd.DataFrame:
        """The panel of the links: 42 forces, 2007/08 to 2018/19."""
        from crime_analysis.panel import force_panel

        names = ("officers", "recorded_crime", "population", "funding", "prices")
        tables = {name: self.table(name) for name in (*names, "deprivation_force")}
        return force_panel("2007/08", "2018/19", tables=tables)

    def link(self, name: str) -> Link:
        """Return the first link (``officers``), or the second for an outcome."""
        from crime_analysis import links

        if name not in self._links:
            self._links[name] = (
                links.funding_to_officers(self.panel)
                if name == "officers"
                else links.officers_to_violence(self.panel, name, self.table("breaks"))
            )
        return self._links[name]

    @functools.cached_property
    def fall(self) -> GrantFall:
        """The reconstruction of what the Met's grant lost."""
        from crime_analysis.findings.grant_cut import reconstruction

        return reconstruction(self.table("funding"), self.table("prices"))

    def claim(self, name: str, least_years: int = 10) -> Claims:
        """Return one claim of the article, checked; not one that rests on the links."""
        from crime_analysis.findings.claims import check_claims

        return check_claims(self.table, only=name, least_years=least_years)

    def officers(self, date: str, force: str = MET, column: str = "officers_fte") -> float:
        """Return a force's strength on a 31 March, as the Home Office counts it."""
        rows = self.table("officers").set_index(["force", "date"])
        return float(rows.at[(force, date), column])

    def mopac(self, month: str, column: str = "officers_fte") -> float:
        """Return the Met's strength in a month, as MOPAC counts it."""
        return float(self.table("met_strength_monthly").set_index("month").at[month, column])

    def people(self, year: int, force: str = MET) -> float:
        """Return the residents of a force's area on 30 June."""
        rows = self.table("population").query("kind == 'force'").set_index(["place", "year"])
        return float(rows.at[(force, year), "population"])

    def offences(self, group: str, year: str, force: str = MET) -> float:
        """Return the offences that a force recorded in a financial year."""
        rows = self.table("recorded_crime").set_index(["force", "financial_year", "offence_group"])
        return float(rows.at[(force, year, group), "offences"])

    def money(self, component: str, year: str, force: str = MET) -> float:
        """Return £ million in cash, from HMIC's estimates."""
        rows = self.table("funding").query("series == 'hmic_estimates'")
        rows = rows.set_index(["force", "financial_year", "component"])
        return float(rows.at[(force, year, component), "value_gbp_m"])

    def prices(self, year: str, base: str, index: str = "gdp_deflator") -> float:
        """Return what a pound of `year` is at the prices of `base`."""
        level = self.table("prices").set_index("financial_year")[index]
        return float(level[periods.label(periods.start(base))] / level[year])

    def claimed(self, claim: str, figure: str) -> float:
        """Return a figure that the article states."""
        told = self.table("claims").set_index("id").at[claim, "figures"]
        return float(dict(pair.split("=") for pair in str(told).split(";"))[figure])
