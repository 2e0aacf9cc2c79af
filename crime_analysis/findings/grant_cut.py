"""The £700m: what the Met's grant lost by one reconstruction, and by every rival reading.

On 9 January 2018 the Mayor of London said that the Met's general grant had fallen since 2010-11
"by more than £700 million or nearly 40 per cent in real terms on a like for like basis" (first
row of the table ``statements``). No workings were found. The reconstruction here is one that the
shipped tables allow; it is a test of the sentence, not its proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from crime_analysis import periods, prices
from crime_analysis.errors import DataError, ParameterError, UnknownNameError
from crime_analysis.findings.grant_levels import FOLDED_IN, MET, QUANTITIES, levels

__all__ = [
    "AMOUNT_TOLERANCE",
    "CLAIMED_GBP_M",
    "CLAIMED_SHARE",
    "ROUNDED_GBP_M",
    "SHARE_TOLERANCE",
    "GrantFall",
    "absent",
    "needed",
    "readings",
    "reconstruction",
]

CLAIMED_GBP_M = 700.0
CLAIMED_SHARE = 0.40
#: A round sum is met by what would be rounded to it, £ million either way.
ROUNDED_GBP_M = 50.0
#: How near a reading must come: as a proportion of the amount, and as a distance of the share.
AMOUNT_TOLERANCE, SHARE_TOLERANCE = ROUNDED_GBP_M / CLAIMED_GBP_M, 0.025

#: Savings that circulate beside the claim: row of the table statements, £ million, of what.
_SAVINGS = (
    (1, 600, "savings", "cuts found by the Met, said beside the claim"),
    (2, 400, "savings", "further savings to come by 2021"),
    (5, 720, "savings", "savings delivered by the Met since 2010"),
    (6, 700, "savings", "cuts made so far, according to the Met"),
    (7, 700, "savings", "taken out of the Met's budget in four years"),
    (8, 600, "savings", "savings of the Met over four years"),
    (9, 850, "grant", "funding cut since 2010, as said in December 2018"),
    (10, 800, "grant", "funding lost over eight years, as said in March 2019"),
)
#: Readings that the shipped tables do not allow: which, why.
_ABSENT = (
    (
        "City Hall's own workings",
        "None were found: which grants, years, index and prices it took is not known.",
    ),
    (
        "Like for like from 2010/11, with that year's own specific grants",
        "The Met's specific grants of 2010/11 are not shipped; those of 2009/10 stand in, in"
        " cash, and the rows say so.",
    ),
    (
        "From 2011/12, like for like",
        "Neither the Met's core grant nor its specific grants of that year are shipped.",
    ),
    (
        "To 2018/19, the grant announced in December 2017",
        "HMIC's estimates end with 2017/18.",
    ),
    (
        "Real terms by the retail or the consumer price index",
        "The table prices holds the GDP deflator and CPIH only, in the editions published last,"
        " not the forecasts of January 2018.",
    ),
    (
        "Capital grants, and business rates kept by City Hall",
        "The table funding holds revenue financing only.",
    ),
)
_COLUMNS = (
    "quantity", "kind", "like_for_like", "terms", "index", "price_base", "start", "end", "series",
    "assumed", "earlier_gbp_m", "later_gbp_m", "fall_gbp_m", "share_of_earlier", "share_of_later",
    "near_amount", "near_share", "matches", "note",
)  # fmt: skip


@dataclass(frozen=True)
class GrantFall:
    """How far a grant fell between two years, with the parts it was made from.

    Attributes
    ----------
    earlier_gbp_m, later_gbp_m, fall_gbp_m : float
        £ million at the prices of `price_base`; a fall is positive.
    share_of_earlier, share_of_later : float
        The fall over the earlier and over the later amount. The claim says "nearly 40 per
        cent" without saying of which.
    start, end, price_base, index : str
        The years compared, and the prices used.
    parts : DataFrame
        ``part``, ``financial_year``, ``value_gbp_m`` (nominal), ``value_real_gbp_m``.
    """

    earlier_gbp_m: float
    later_gbp_m: float
    fall_gbp_m: float
    share_of_earlier: float
    share_of_later: float
    start: str
    end: str
    price_base: str
    index: str
    parts: pd.DataFrame


def reconstruction(
    money: pd.DataFrame,
    price_table: pd.DataFrame,
    *,
    price_base: str = "2017/18",
    index: str = "gdp_deflator",
    end: str = "2017/18",
) -> GrantFall:
    """Return the fall of the Met's core grant since 2009/10, like for like, in real terms.

    The earlier figure is formula funding of 2009/10 and the Crime Fighting Fund, Rule 2 and
    community support officer grants of that year, which were later folded into it; the later
    one is formula funding of `end`.

    Parameters
    ----------
    money, price_table : DataFrame
        The shipped tables ``funding`` and ``prices``.
    price_base, index : str
        The year whose prices to use, and which index (see `prices.to_real`).
    end : str
        From 2015/16 on: in the two years before, the printed core grant seems to hold the
        council tax grants too.

    Raises
    ------
    UnknownNameError
        If a table lacks a year, an index or a grant.
    ParameterError
        If `end` is before 2015/16.

    Notes
    -----
    £2,509.8m, the earlier figure at the prices of 2017/18, is by chance within £0.1m of all the
    Met's grants of 2009/10 in cash (£2,509.7m). They are different quantities.

    Source: HMIC, Value for Money profiles 2010 and 2017, funding sheets.
    """
    if periods.start(end) < 2015:
        raise ParameterError(f"end is {end!r}; take 2015/16 or later, see `reconstruction`")
    rows = money[(money["force"] == MET) & (money["series"] == "hmic_estimates")]
    wanted = [("2009/10", part) for part in ("formula_funding", *FOLDED_IN)]
    wanted.append((end, "formula_funding"))
    held = rows.set_index(["financial_year", "component"])["value_gbp_m"]
    for key in wanted:
        if key not in held.index:
            known = [f"{year} {part}" for year, part in held.index]
            raise UnknownNameError("year and grant", " ".join(key), known, "the table funding")
    parts = pd.DataFrame(
        [(part, year, float(held[year, part])) for year, part in wanted],
        columns=["part", "financial_year", "value_gbp_m"],
    )
    parts["value_real_gbp_m"] = prices.to_real(
        parts["value_gbp_m"], parts["financial_year"], price_base, price_table, index
    )
    later = float(parts["value_real_gbp_m"].iloc[-1])
    earlier = float(parts["value_real_gbp_m"].iloc[:-1].sum())
    fall = earlier - later
    return GrantFall(
        earlier, later, fall, fall / earlier, fall / later, "2009/10", end, price_base, index, parts
    )  # fmt: skip


def readings(
    money: pd.DataFrame,
    price_table: pd.DataFrame,
    statements: pd.DataFrame,
    *,
    ends: Sequence[str] = ("2015/16", "2016/17", "2017/18"),
    indices: Sequence[str] = prices.INDICES,
    price_bases: Sequence[str] = ("2009/10", "2010/11", "2017/18", "2018/19"),
    amount: float = CLAIMED_GBP_M,
    share: float = CLAIMED_SHARE,
    amount_tolerance: float = AMOUNT_TOLERANCE,
    share_tolerance: float = SHARE_TOLERANCE,
) -> pd.DataFrame:
    """Return every reading of "£700 million, nearly 40 per cent", and which ones fit.

    Each quantity of `levels`, from each earlier year to each of `ends`, in cash and in real
    terms by each index at each price base; then the savings and later sums that circulate
    beside it, as said.

    Parameters
    ----------
    money, price_table, statements : DataFrame
        The shipped tables ``funding``, ``prices`` and ``statements``.
    ends : sequence of str
        Later years to compare with.
    indices, price_bases : sequence of str
        Deflators, and the years whose prices to use. A percentage does not depend on the base.
    amount, share : float
        What was claimed: £ million, and a proportion.
    amount_tolerance, share_tolerance : float
        A reading is near if its fall is within this proportion of `amount`, and its proportion
        within this distance of `share`, on either side.

    Returns
    -------
    DataFrame
        ``quantity``, ``kind`` ("grant", "total" or "savings"), ``like_for_like``, ``terms``
        ("cash", "real" or "as said"), ``index``, ``price_base``, ``start``, ``end``,
        ``series``, ``assumed``, ``earlier_gbp_m``, ``later_gbp_m``, ``fall_gbp_m``,
        ``share_of_earlier``, ``share_of_later``, ``near_amount``, ``near_share`` ("earlier",
        "later", "both" or "neither": of which amount the proportion is near), ``matches`` (near
        in both respects) and ``note``. Sums as said have neither an earlier nor a later amount.

    Raises
    ------
    UnknownNameError
        If an index or a year is not in the table ``prices``.
    ParameterError
        If the claimed amount or share is not positive, or a tolerance is negative.
    DataError
        If the table ``statements`` does not hold a sum where it was read.
    """
    if not (amount > 0 and share > 0):
        raise ParameterError(f"amount is {amount} and share {share}; both must be above 0")
    if not (amount_tolerance >= 0 and share_tolerance >= 0):
        raise ParameterError(
            f"amount_tolerance is {amount_tolerance} and share_tolerance {share_tolerance};"
            " both must be proportions of 0 or more"
        )
    pairs = _pairs(levels(money), [periods.label(periods.start(year)) for year in ends])
    frames = [pairs.assign(terms="cash", index="", price_base="")]
    for index, base in product(indices, dict.fromkeys(price_bases)):
        real = pairs.assign(terms="real", index=index, price_base=base)
        for side, year in (("earlier", "start"), ("later", "end")):
            real[f"{side}_gbp_m"] = prices.to_real(
                pairs[f"{side}_gbp_m"], pairs[year], base, price_table, index
            )
        frames.append(real)
    frame = pd.concat(frames, ignore_index=True)
    frame["fall_gbp_m"] = frame["earlier_gbp_m"] - frame["later_gbp_m"]
    frame = pd.concat([frame, _said(statements)], ignore_index=True)
    near = {}
    for side in ("earlier", "later"):
        frame[f"share_of_{side}"] = frame["fall_gbp_m"] / frame[f"{side}_gbp_m"]
        near[side] = (frame[f"share_of_{side}"] - share).abs() <= share_tolerance
    frame["near_amount"] = (frame["fall_gbp_m"] - amount).abs() <= amount_tolerance * amount
    frame["near_share"] = np.select(
        [near["earlier"] & near["later"], near["earlier"], near["later"]],
        ["both", "earlier", "later"],
        "neither",
    )
    frame["matches"] = frame["near_amount"] & (frame["near_share"] != "neither")
    return frame[list(_COLUMNS)]


def _pairs(amounts: pd.DataFrame, ends: Sequence[str]) -> pd.DataFrame:
    """Return every earlier amount of a quantity beside every later one, in cash."""
    before = amounts[amounts["side"] != "end"]
    after = amounts[(amounts["side"] != "start") & amounts["financial_year"].isin(ends)]
    both = before.merge(after, on="quantity", suffixes=("", "_end"))
    both = both[both["financial_year"] < both["financial_year_end"]].reset_index(drop=True)
    kind = both["quantity"].map(QUANTITIES)
    # What holds for both years alike does not move the comparison.
    notes = [
        () if old == new else dict.fromkeys(filter(None, (old, new)))
        for old, new in zip(both["note"], both["note_end"], strict=True)
    ]
    series = zip(both["series"], both["series_end"], strict=True)
    return pd.DataFrame(
        {
            "quantity": both["quantity"],
            "kind": kind.str[0],
            "like_for_like": kind.str[1].astype(bool),
            "start": both["financial_year"],
            "end": both["financial_year_end"],
            "series": [" to ".join(dict.fromkeys(pair)) for pair in series],
            "assumed": both["assumed"],
            "earlier_gbp_m": both["value_gbp_m"],
            "later_gbp_m": both["value_gbp_m_end"],
            "note": [" ".join(texts) for texts in notes],
        }
    )


def _said(statements: pd.DataFrame) -> pd.DataFrame:
    """Return the sums that were said without amounts of two years, each held to its wording."""
    wording = statements.set_index("number")["wording"]
    rows = []
    for number, amount, kind, what in _SAVINGS:
        said = str(wording.get(number, ""))
        if not any(f"£{amount}{unit}" in said for unit in ("m", " million")):
            raise DataError(
                f"statements, number {number}: the wording does not hold £{amount}m; restore the"
                " table or mend _SAVINGS in grant_cut"
            )
        who = statements.loc[statements["number"] == number, "said_by"].iloc[0]
        rows.append((what, kind, False, "as said", "", "", float(amount), f"Said by: {who}."))
    frame = pd.DataFrame(
        rows,
        columns=[
            "quantity", "kind", "like_for_like", "terms", "index", "price_base", "fall_gbp_m",
            "note",
        ],
    )  # fmt: skip
    blank = {"start": "", "end": "", "series": "statements", "assumed": False}
    return frame.assign(**blank, earlier_gbp_m=np.nan, later_gbp_m=np.nan)


def needed(amount: float = CLAIMED_GBP_M, share: float = CLAIMED_SHARE) -> pd.DataFrame:
    """Return the grants that a fall of this amount and this proportion would need.

    Two numbers fix both grants, by arithmetic: a check of a claim that needs no workings.

    Returns
    -------
    DataFrame
        ``share_of`` ("earlier", "later"), ``earlier_gbp_m``, ``later_gbp_m``.

    Raises
    ------
    ParameterError
        If the amount is not positive or the share not between 0 and 1.

    Examples
    --------
    >>> needed(700, 0.4)["later_gbp_m"].round().tolist()
    [1050.0, 1750.0]
    """
    if not (amount > 0 and 0 < share < 1):
        raise ParameterError(
            f"amount is {amount} and share {share}; give an amount above 0 and a share between"
            " 0 and 1"
        )
    whole = amount / share
    return pd.DataFrame(
        {
            "share_of": ["earlier", "later"],
            "earlier_gbp_m": [whole, whole + amount],
            "later_gbp_m": [whole - amount, whole],
        }
    )


def absent() -> pd.DataFrame:
    """Return the readings that the shipped tables do not allow, and why.

    Returns
    -------
    DataFrame
        ``reading``, ``why``.
    """
    return pd.DataFrame(_ABSENT, columns=["reading", "why"])
