"""What other studies say of police numbers and crime, as read, with what was not seen said so.

An elasticity is the percentage change of crime for one per cent more police. Every number was
seen where `source` says, in excerpt; an error that was not seen is missing, never made up.
Numbers that were divided out of two published ones, or computed again from the authors' own
data, say so under ``basis``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.errors import UnknownNameError

__all__ = ["COMPARABLE", "elasticities", "findings", "held", "implied"]

#: Which published crimes speak to which outcome here; property crime speaks to none.
COMPARABLE: dict[str, tuple[str, ...]] = {
    "violence_with_injury": ("violent", "all", "cost-weighted"),
    "robbery": ("violent", "all", "cost-weighted"),
    "homicide": ("murder", "violent", "all", "cost-weighted"),
}

_SEEN, _DIVIDED = "published", "one published number divided by another"
_AGAIN = "computed again from the authors' data"
_NO_ERROR = "no standard error was seen"
_DMW, _DMW_PLACE = "Draca, Machin and Witt (2011)", "London, boroughs by week, 2005"
_DMW_DESIGN = "the redeployment of July 2005; difference in differences, instrument"
_CM, _CM_DESIGN = "Chalfin and McCrary (2018)", "two counts of police, each correcting the other"
_ELSEWHERE = "outside Britain"
_UNSEEN = "not described where it was seen"
_COURSE = "FutureLearn, step 118199"

# study, place, design, crime, elasticity, std_error, range_low, range_high, basis, source, note
_ELASTICITIES: tuple[tuple[object, ...], ...] = (
    (_DMW, _DMW_PLACE, _DMW_DESIGN, "all", None, None, -0.4, -0.3, _SEEN,
     "American Economic Review 101(5) and IZA DP 3410, abstracts",
     f"a range, said to be approximate; {_NO_ERROR}"),
    (_DMW, _DMW_PLACE, _DMW_DESIGN, "all", -0.327, 0.092, None, None, _AGAIN,
     "the authors' data", ""),
    (_CM, _ELSEWHERE, _CM_DESIGN, "violent", -0.35, None, None, None, _SEEN, _COURSE,
     _NO_ERROR),
    (_CM, _ELSEWHERE, _CM_DESIGN, "violent", -0.344, 0.088, None, None, _AGAIN,
     "the authors' data", "least squares, with errors of counting left in, give about a third"),
    (_CM, _ELSEWHERE, _CM_DESIGN, "murder", -0.666, 0.218, None, None, _AGAIN,
     "the authors' data", ""),
    (_CM, _ELSEWHERE, _CM_DESIGN, "property", -0.17, None, None, None, _SEEN, _COURSE,
     _NO_ERROR),
    (_CM, _ELSEWHERE, _CM_DESIGN, "property", -0.174, 0.057, None, None, _AGAIN,
     "the authors' data", ""),
    ("Chalfin and McCrary (2013)", _ELSEWHERE, _UNSEEN, "cost-weighted", -0.5, None, None,
     None, _SEEN, "NBER 18815, abstract and a register of claims",
     f"said to be about that; {_NO_ERROR}"),
    ("Evans and Owens (2007)", _ELSEWHERE, _UNSEEN, "violent", -0.99, None, None, None, _SEEN,
     _COURSE, _NO_ERROR),
    ("Evans and Owens (2007)", _ELSEWHERE, _UNSEEN, "property", -0.26, None, None, None, _SEEN,
     _COURSE, _NO_ERROR),
    ("Mello (2019)", _ELSEWHERE, _UNSEEN, "cost-weighted", -3.5 / 3.2, None, None, None,
     _DIVIDED, "RePEc, abstract: police +3.2%, crime −3.5%", _NO_ERROR),
    ("Mello (draft of 2017)", _ELSEWHERE, _UNSEEN, "violent", -4.8 / 3.6, None, None, None,
     _DIVIDED, "a copy of the draft: police +3.6%, violent crime −4.8%", _NO_ERROR),
    ("Mello (draft of 2017)", _ELSEWHERE, _UNSEEN, "property", -3.0 / 3.6, None, None, None,
     _DIVIDED, "a copy of the draft: police +3.6%, property crime −3%", _NO_ERROR),
    ("MacDonald, Klick and Grunwald", _ELSEWHERE, _UNSEEN, "violent", -0.30, None, None, None,
     _SEEN, "a note on the study at SciBlogs", _NO_ERROR),
    ("MacDonald, Klick and Grunwald", _ELSEWHERE, _UNSEEN, "property", -0.30, None, None, None,
     _SEEN, "a note on the study at SciBlogs", _NO_ERROR),
    ("Bradford (2011), a review for HMIC", "13 studies", "review", "property", -0.3, None, None,
     None, _SEEN, "the author's summary", f"said to be about that; {_NO_ERROR}"),
)  # fmt: skip
_COLUMNS = [
    "study", "place", "design", "crime", "elasticity", "std_error", "range_low", "range_high",
    "basis", "source", "note",
]  # fmt: skip

#: study, place, what was found, source: results that were not seen as an elasticity
_FINDINGS: tuple[tuple[str, str, str, str], ...] = (
    ("Vollaard and Hamed (2012)", "England and Wales, 21 areas, 2001 to 2008",
     "More police raise the share of violence that is recorded, so recorded violence hides what"
     " police do; for property crime recorded figures and victims agree. Coefficients not seen.",
     "Journal of Law and Economics, abstract"),
    ("Draca and Langella (2020)", "England and Wales, 2006 to 2019",
     "Officers fell by a seventh, more where crime was high, and violence rose from 2013; a link"
     " is “hard to establish conclusively with the available data”.",
     "CAGE, Advantage magazine (the rest of the article was not seen)"),
    ("Lee, Eck and Corsaro (2016)", "62 studies, 229 findings",
     "The effect of police numbers is “negative, small, and not statistically significant”.",
     "abstract at the publisher"),
    ("Bradford (2011), a review for HMIC", "13 studies",
     "For violent crime the evidence is “weaker and sometimes contradictory”.",
     "the author's summary"),
    ("Blanes i Vidal and Mastrobuoni (2018)", "Essex, patrols by satellite, over 6,000 areas",
     "Patrols deter while present and crime returns at once; day by day the elasticity is"
     " “close to zero”, and its errors reject relatively small ones.",
     "CEPR DP 12266 and a seminar's abstract"),
    ("Machin and Marie (2011)", "England and Wales, the Street Crime Initiative of 2002",
     "Robberies fell significantly in the forces that were given money for it, without"
     " displacement. Coefficients not seen.",
     "Journal of the European Economic Association 9(4), abstract"),
    ("Facchetti (2024)", "London, 160 police stations in 2008, 45 in 2018",
     "Assaults and murders were 11% more near stations that closed; reporting fell, and with it"
     " recorded crime.",
     "quotations of the paper in the press and at CEPR"),
    ("Tura, Hunter, Thompson and Tseloni (2023)", "England, 1991 to 2001",
     "Officer strength mattered only for theft of and from vehicles, and from the person.",
     "abstract"),
    ("Chalfin, Hansen, Weisburst and Williams (2022)", "242 cities, 38 years",
     "Each officer prevents 0.06 to 0.1 homicides a year.", "abstract and a review in the press"),
    ("Giulietti and McConnell (2020)", "England and Wales, districts, 2011 to 2015",
     "A rival: welfare reform raised crime by 3.7%, violent crime above all.",
     "arXiv 2012.08133, abstract; the figure from a summary"),
)  # fmt: skip


def elasticities() -> pd.DataFrame:
    """Return the published elasticities of crime to police.

    Returns
    -------
    DataFrame
        ``study``, ``place``, ``design``, ``crime`` (all, violent, murder, property,
        cost-weighted), ``elasticity`` (missing where only a range was given), ``std_error``
        (missing where none was seen), ``range_low`` and ``range_high`` (as given by the
        authors: no confidence interval), ``basis``, ``source``, ``note``, and ``ci_low``,
        ``ci_high``: 1.96 errors each way where an error is known.

    Examples
    --------
    >>> seen = elasticities()
    >>> bool((seen["ci_low"].notna() == seen["std_error"].notna()).all())
    True
    """
    table = pd.DataFrame(list(_ELASTICITIES), columns=_COLUMNS)
    numbers = ["elasticity", "std_error", "range_low", "range_high"]
    table[numbers] = table[numbers].astype(float)
    reach = 1.96 * table["std_error"]
    return table.assign(ci_low=table["elasticity"] - reach, ci_high=table["elasticity"] + reach)


def findings() -> pd.DataFrame:
    """Return what studies found that were not seen to give an elasticity, in words.

    Returns
    -------
    DataFrame
        ``study``, ``place``, ``found``, ``source``.
    """
    return pd.DataFrame(list(_FINDINGS), columns=["study", "place", "found", "source"])


def _comparable(outcome: str) -> pd.DataFrame:
    """Return the published elasticities that speak to an outcome of this package."""
    if outcome not in COMPARABLE:
        raise UnknownNameError("outcome", outcome, COMPARABLE)
    table = elasticities()
    return table[table["crime"].isin(COMPARABLE[outcome])].reset_index(drop=True)


def held(outcome: str, low: float, high: float) -> pd.DataFrame:
    """Say which comparable elasticities of other studies an interval holds.

    A number that was computed again is passed over where the study's own is known: no study
    counts twice.

    Parameters
    ----------
    outcome : str
        A key of `COMPARABLE`.
    low, high : float
        The interval's ends; infinite where it has no bound.

    Returns
    -------
    DataFrame
        The comparable rows of `elasticities` with ``held``: True if the number, or any part of
        the range given, lies within.

    Raises
    ------
    UnknownNameError
        If no published crime is known to speak to the outcome.

    Examples
    --------
    >>> held("homicide", -0.7, 0.1)["held"].value_counts().to_dict()
    {True: 5, False: 3}
    """
    rows = _comparable(outcome)
    # Stable: a study's own numbers come before those computed again.
    order = rows.assign(again=rows["basis"] == _AGAIN).sort_values("again", kind="stable")
    rows = rows.loc[order.drop_duplicates(["study", "crime"]).index.sort_values()]
    least = rows["range_low"].fillna(rows["elasticity"])
    most = rows["range_high"].fillna(rows["elasticity"])
    return rows.assign(held=(most >= low) & (least <= high))


def implied(outcome: str, officers_change: float) -> pd.DataFrame:
    """Return what each comparable published elasticity makes of a change in officers.

    A calculation, not an estimate: it carries an average from another place, time and design
    over to one force, and holds all else equal.

    Parameters
    ----------
    outcome : str
        A key of `COMPARABLE`.
    officers_change : float
        Proportional change of officers per resident, above -1.

    Returns
    -------
    DataFrame
        ``study``, ``crime``, ``basis``, ``elasticity``, ``implied_change`` with its
        ``ci_low`` and ``ci_high`` (of the study's own error; missing where none was seen; of a
        range the range's ends).

    Examples
    --------
    >>> rows = implied("homicide", -0.14)  # at -0.35, crime rises by
    >>> round(float(rows.loc[rows["elasticity"] == -0.35, "implied_change"].iloc[0]), 3)
    0.054
    """
    rows = _comparable(outcome)
    step = np.log1p(officers_change)
    ends = np.sort(
        np.expm1(
            step
            * np.column_stack(
                [
                    rows["ci_low"].fillna(rows["range_low"]),
                    rows["ci_high"].fillna(rows["range_high"]),
                ]
            )
        ),
        axis=1,
    )
    return rows[["study", "crime", "basis", "elasticity"]].assign(
        implied_change=np.expm1(step * rows["elasticity"]), ci_low=ends[:, 0], ci_high=ends[:, 1]
    )
