"""The article's claims in the project's own words: what is claimed, of what, and where said.

The news article of September 2018 on the Met's Violent Crime Taskforce. What the package makes
of each claim is in `claims`; what others said of the same is in the table ``statements``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crime_analysis.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["REGISTER", "claimed", "of"]

_ARTICLE = "News article on the Violent Crime Taskforce, September 2018"
_MAYOR = "Mayor of London, press release of 9 January 2018, of general grant"

#: id, claim, topic, about, figures, said, statements, needed
REGISTER: tuple[tuple[str, ...], ...] = (
    (
        "officers-moved", "120 or 122 officers are moved from roads and transport policing to the"
        " Violent Crime Taskforce for three months from 17 September 2018.",
        "taskforce", "Metropolitan Police, from 17 September 2018",
        "officers_low=120;officers_high=122;months=3", _ARTICLE, "",
        "The Met's duty or posting records of the Roads and Transport Policing Command and of the"
        " taskforce, by week, September to December 2018.",
    ),
    (
        "government-share", "Government pays 70 per cent of the Met's budget.",
        "funding", "Metropolitan Police, 2018",
        "percent=70", f"{_ARTICLE}; London Assembly, 10 October 2017", "70 per cent",
        "The Met's audited income by source for 2018/19.",
    ),
    (
        "cut-since-2010", "Government has cut the Met's funding by £700 million since 2010.",
        "funding", "Metropolitan Police, since 2010",
        "gbp_m=700", f"{_ARTICLE}; {_MAYOR}",
        "£700m since 2010;£700m since 2010 (savings variant);£600m;£800m;£850m",
        "The Mayor's own workings: which grants, which years, which deflator.",
    ),
    (
        "under-30000", "The Met has fewer than 30,000 officers for the first time in 15 years.",
        "officers", "Metropolitan Police, 2018",
        "officers=30000;years=15", _ARTICLE,
        "below 30,000 first time in 15 years;below 30,000 (contradicting);available officers",
        "The Met's officers by month from 1998 to 2008, on one counting basis.",
    ),
    (
        "fewest-in-20-years", "The Met has its fewest officers in 20 years.",
        "officers", "Metropolitan Police, 2018",
        "years=20", f"{_ARTICLE}; City Hall, 27 June 2018, of officers per 1,000 Londoners",
        "lowest in 20 years;lowest in 20 years (rebuttal);historic officers",
        "The Met's officers on each 31 March from 1998 to 2004, on today's counting basis, and"
        " residents from 1998 to 2000.",
    ),
    (
        "taskforce-results", "Since April 2018 the taskforce counts 895 arrests, 1,400 sweeps,"
        " 212 knives and nearly 200 weapons.",
        "taskforce", "Metropolitan Police, April to September 2018",
        "arrests=895;sweeps=1400;knives=212;weapons=200", _ARTICLE, "",
        "The taskforce's own log of arrests, sweeps and seizures, and the same counts of the"
        " officers who would have done the work without it.",
    ),
    (
        "cuts-made-violence-worse", "Cuts to police and to youth services have made violence"
        " worse.",
        "causes", "London, since 2010",
        "", _ARTICLE, "causality",
        "Spending on youth services by council and year, back to 2010, beside violence that"
        " recording does not move (admissions, homicide) by council; and cuts whose size neither"
        " violence nor the councils chose.",
    ),
    (
        "cuts-have-consequences", "Cuts to the Met's funding have consequences.",
        "causes", "London, since 2010",
        "", _ARTICLE, "causality",
        "A measure of violence by force that recording does not move, and money that moved"
        " officers by more than the grants did, for the link from officers to violence.",
    ),
    (
        "violence-sky-high", "Violent crime is sky-high.",
        "violence", "London, 2018",
        "", _ARTICLE, "",
        "The Crime Survey's violence for London, and admissions and knife offences on one"
        " definition from before 2010.",
    ),
    (
        "knee-jerk", "The move is a knee-jerk reaction to one bad summer.",
        "taskforce", "London, summer 2018",
        "", _ARTICLE, "",
        "The Met's papers on why and when the move was decided.",
    ),
)  # fmt: skip


def of(register: pd.DataFrame, claim: str) -> pd.Series:
    """Return one claim's row of the shipped table ``claims``.

    Raises
    ------
    UnknownNameError
        If there is no such claim, with the nearest.
    """
    rows = register[register["id"] == claim]
    if rows.empty:
        raise UnknownNameError("claim", claim, register["id"])
    return rows.iloc[0]


def claimed(register: pd.DataFrame, claim: str) -> dict[str, float]:
    """Return the figures that a claim states, by name.

    Parameters
    ----------
    register : DataFrame
        The shipped table ``claims``.
    claim : str
        Its id.

    Raises
    ------
    UnknownNameError
        If there is no such claim, with the nearest.
    DataError
        If a figure is not written as ``name=number``.

    Examples
    --------
    >>> import pandas as pd
    >>> claimed(pd.DataFrame({"id": ["a"], "figures": ["arrests=895;sweeps=1400"]}), "a")
    {'arrests': 895.0, 'sweeps': 1400.0}
    """
    text = of(register, claim)["figures"]
    figures: dict[str, float] = {}
    for part in str(text).split(";") if isinstance(text, str) and text else []:
        name, _, value = part.partition("=")
        try:
            figures[name] = float(value)
        except ValueError:
            raise DataError(
                f"claims.csv, claim {claim}, column figures: {part!r} is not NAME=NUMBER; write"
                " figures as 'arrests=895;sweeps=1400'"
            ) from None
    return figures
