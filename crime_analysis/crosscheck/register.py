"""What is compared with what, how far apart the two may be, why, and what is known to differ.

Everything here is a statement about the publications, measured on them; `crosscheck` judges by
it. A new edition that breaks one of these tolerances has changed its meaning, or is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from crime_analysis.crosscheck import pairs
from crime_analysis.crosscheck.pairs import Load

__all__ = ["COMPARISONS", "Comparison"]


@dataclass(frozen=True)
class Comparison:
    """Two publications of one thing, and how far apart they may be.

    Attributes
    ----------
    name : str
        Short and fixed.
    first, second : str
        Publisher and publication of each.
    pairs : callable
        From `pairs`: gives places, periods and the two figures.
    tolerance : (float, float)
        The least and the most that second over first may be, less 1.
    why : str
        The reason for this tolerance.
    at_most : float
        A difference that is no larger than this, in the figures' own unit, is within the
        tolerance whatever its ratio.
    exceptions : mapping
        By (place, period), the reason for a known difference.
    """

    name: str
    first: str
    second: str
    pairs: Callable[[Load], pd.DataFrame]
    tolerance: tuple[float, float]
    why: str
    at_most: float = 0.0
    exceptions: dict[tuple[str, str], str] = field(default_factory=dict)


_OPEN = "Home Office, police workforce open data (2022)"
_RECORDED = "Home Office, recorded crime"
_WORKBOOK = "MOPAC, MPS figures (December 2015)"
_BOROUGHS = "Met Police, boroughs added up"
_HMIC = "HMIC, Value for Money profiles (estimates)"
_OUTTURN = "DCLG, revenue outturn"
_P5, _P5_LATE = (
    "selected offences, definition to March 2019",
    "selected offences, as revised to December 2019",
)
_CURRENT = "Home Office, current definition (quoted)"
_MET = pairs.MET
_COLLECTED = (
    "council tax as budgeted is the precept; the outturn nets off the collection fund and, in"
    " 2013/14, books council tax support on either side"
)
_DORSET = (
    "the outturn's specific grants are £10m to £27m above HMIC's, its net revenue expenditure is"
    " not: Dorset seems to have booked other income as grants"
)


def _officers() -> tuple[Comparison, ...]:
    same = (
        "two extracts of one return, twelve years apart; most figures are the same to the hundredth"
    )
    return (
        Comparison(
            "officers-mopac-2009-2015", _OPEN, _WORKBOOK,
            partial(pairs.met_officers, table="met_strength_earlier"), (-0.010, 0.0),
            "MOPAC's count has been 0.1 to 1.0% below the Home Office's on every 31 March; no file"
            " says why, so any other gap is a change of basis",
        ),
        Comparison(
            "officers-mopac-2014-2022", _OPEN, "MOPAC, police force strength",
            partial(pairs.met_officers, table="met_strength_monthly"), (-0.016, -0.006),
            "the same count as above, 0.7 to 1.5% below since 2014",
        ),
        Comparison(
            "officers-mopac-editions", _WORKBOOK, "MOPAC, police force strength",
            pairs.met_officers_editions, (-0.0001, 0.0001),
            "one series in two editions, the later rounded to whole officers",
        ),
        Comparison(
            "officers-bulletins", "Home Office, workforce bulletins 2015 to 2019", _OPEN,
            pairs.bulletins, (-0.002, 0.002),
            "corrections of a few officers are ordinary; a larger one is a revision to know of."
            " Only counts that differ are listed",
            exceptions={
                ("Bedfordshire", "2019-03-31"): "17 officers more in the later edition",
                (_MET, "2015-03-31"): "31,877.24 as first published, 32,251.61 since",
            },
        ),
        Comparison(
            "officers-hmic-2010", _OPEN, "HMIC, Value for Money profiles 2010",
            partial(pairs.hmic_people, measure="officers"), (-0.012, 0.012), same,
            exceptions={
                ("Essex", "2008-03-31"): "exactly 700 too few in the open data, a slip: HMIC's"
                " is used",
                ("Cumbria", "2008-03-31"): "48 fewer at HMIC; the open data is nearer to the years"
                " beside it",
                ("Wiltshire", "2009-03-31"): "58 more at HMIC; the open data is nearer to the years"
                " beside it",
            },
        ),
        Comparison(
            "pcsos-hmic-2010", _OPEN, "HMIC, Value for Money profiles 2010",
            partial(pairs.hmic_people, measure="pcsos"), (-0.02, 0.02), same,
            exceptions={
                ("Dorset", "2008-03-31"): "HMIC prints none",
                ("Wiltshire", "2009-03-31"): "3 fewer at HMIC, as its officers differ",
            },
        ),
        Comparison(
            "officers-national", "Home Office, national strength", "forces added up",
            pairs.national_officers, (-0.001, 0.001),
            "the national series is the sum of the forces; 2005 and 2006 are HMIC's counts, up to"
            " 84 officers away",
            exceptions={
                ("England and Wales", "2008-03-31"): "the national series holds the open data's"
                " slip for Essex, exactly 700",
            },
        ),
    )  # fmt: skip


def _crime() -> tuple[Comparison, ...]:
    left_out = (
        "the boroughs leave out airports and offences in no borough, and the two are extracts of"
        " different dates"
    )
    meet = tuple(
        Comparison(
            f"rolling-quarterly-{group}", "Home Office/ONS, rolling years",
            "Home Office, quarters added up",
            partial(pairs.rolling_and_quarterly, group=group), (0.0, 0.0),
            "in 2012/13 both files count the same offences under the same rules; the shipped table"
            " passes from one to the other there",
        )
        for group in (
            "homicide", "robbery", "violence_against_the_person", "sexual_offences",
            "possession_of_weapons", "total_excluding_fraud",
        )
    )  # fmt: skip
    boroughs = tuple(
        Comparison(
            f"met-boroughs-{group}", _RECORDED, _BOROUGHS,
            partial(pairs.met_boroughs, group=group), tolerance, why, at_most,
        )
        for group, tolerance, why, at_most in (
            ("violence_against_the_person", (-0.035, 0.005), left_out, 0.0),
            ("violence_with_injury", (-0.03, 0.0), left_out, 0.0),
            (
                "violence_without_injury", (-0.05, 0.04),
                left_out + "; before 2012/13 the new classes were fitted to old records", 0.0,
            ),
            ("stalking_and_harassment", (-0.045, 0.005), left_out, 0.0),
            ("robbery", (-0.05, 0.0), left_out, 0.0),
            ("homicide", (-0.05, 0.05), "few in number: nine a year either way", 9.0),
            (
                "sexual_offences", (-0.12, -0.07),
                "the Met's class is 8 to 11% smaller than the Home Office's group in every year;"
                " the files do not say which offences it lacks", 0.0,
            ),
            ("possession_of_weapons", (-0.035, 0.045), left_out, 0.0),
        )
    )  # fmt: skip
    workbook = tuple(
        Comparison(
            f"met-workbook-{column}", _RECORDED, _WORKBOOK,
            partial(pairs.met_workbook, column=column, group=column), tolerance, why, at_most,
        )
        for column, tolerance, why, at_most in (
            (
                "violence_with_injury", (0.0, 0.01),
                "the same offences, counted by the Met before later corrections", 0.0,
            ),
            ("homicide", (-0.01, 0.01), "few in number: three a year either way", 3.0),
            (
                "violence_against_the_person", (0.19, 0.26),
                "the Met's old class is a fifth to a quarter larger: another definition, never to"
                " be joined", 0.0,
            ),
        )
    )  # fmt: skip
    live = "two extracts of one system, the Met's nine months later"
    latest = tuple(
        Comparison(
            f"partnerships-{group}", "ONS, Table C2", "Met Police, borough file",
            partial(pairs.partnerships, group=group), tolerance, why, at_most,
        )
        for group, tolerance, why, at_most in (
            ("violence_against_the_person", (-0.02, 0.02), live, 0.0),
            ("violence_with_injury", (-0.02, 0.03), live, 0.0),
            ("violence_without_injury", (-0.02, 0.02), live, 0.0),
            ("robbery", (0.0, 0.04), live, 0.0),
            ("homicide", (-0.05, 0.05), "few in number: two a borough either way", 2.0),
            ("sexual_offences", (-0.09, 0.09), live + "; about 800 a borough", 0.0),
            (
                "possession_of_weapons", (0.02, 0.15),
                "the Met's file is above ONS in every borough, 9% in London; no file says why",
                0.0,
            ),
        )
    )  # fmt: skip
    return (*meet, *boroughs, *workbook, *latest)


def _knife() -> tuple[Comparison, ...]:
    return (
        Comparison(
            "knife-mopac", "ONS, Table P5 (March 2019)", _WORKBOOK,
            partial(pairs.met_workbook, column="knife_crime", group="knife_offences"),
            (-0.002, 0.002), "one collection, sent by the Met to both",
        ),
        Comparison(
            "knife-editions-met", "ONS, Table P5 (March 2019)", "ONS, Table P5 (December 2019)",
            partial(pairs.knife_editions, first=_P5, second=_P5_LATE), (-0.0005, 0.0005),
            "one definition; the Met corrects an offence or two",
        ),
        Comparison(
            "knife-editions-country", "ONS, Table P5 (March 2019)",
            "ONS, Table P5 (December 2019)",
            partial(pairs.knife_country, first=_P5, second=_P5_LATE), (-0.001, 0.005),
            "one definition; Norfolk and Suffolk revised 2018/19 upwards by 39 and 55%, Dyfed-Powys"
            " downwards by 22% (see knife_revisions)",
        ),
        Comparison(
            "knife-current-definition", "ONS, Table P5 (March 2019)",
            "Home Office, current definition, quoted",
            partial(pairs.knife_editions, first=_P5, second=_CURRENT), (-0.075, -0.06),
            "the current definition counts 6 to 7% fewer in London in every year quoted; never"
            " join the two",
        ),
        Comparison(
            "knife-older-basis", "Home Office, older basis, quoted",
            "Home Office, current definition, quoted",
            partial(
                pairs.knife_editions, first="Home Office, older basis (quoted)", second=_CURRENT
            ),
            (-0.08, -0.06), "the same two definitions in 2019/20: 15,928 and 14,680",
        ),
        Comparison(
            "knife-dashboard", "Home Office, as first published, quoted",
            "Met Police, dashboard, boroughs",
            partial(pairs.knife_dashboard, quoted="Home Office, as first published (quoted)"),
            (-0.03, 0.0),
            "the whole dashboard is 3% above the Home Office's count; what it puts in no borough is"
            " left out here",
        ),
    )  # fmt: skip


def _money() -> tuple[Comparison, ...]:
    return (
        Comparison(
            "grants-all", _HMIC, _OUTTURN,
            partial(pairs.estimates_and_outturn, component="government_grants"), (-0.1, 0.1),
            "budgets against what came in: specific grants are won during the year, and forces"
            " book shared grants differently",
            exceptions={
                ("Dorset", "2012/13"): _DORSET,
                ("Dorset", "2013/14"): _DORSET,
                ("Bedfordshire", "2014/15"): "£10m more specific grants came in than"
                " budgeted",
            },
        ),
        Comparison(
            "formula-funding", _HMIC, _OUTTURN,
            lambda load: _only(
                pairs.estimates_and_outturn(load, component="formula_funding"), "2012/13"
            ),
            (-0.03, 0.03),
            "formula funding is settled before the year begins and paid as settled; a few forces"
            " book a council tax grant with it",
        ),
        Comparison(
            "formula-and-legacy", _HMIC, _OUTTURN, pairs.formula_and_legacy, (-0.02, 0.02),
            "both are settled before the year begins; from 2014/15 the outturn prints them as one",
        ),
        Comparison(
            "council-tax", _HMIC, _OUTTURN,
            partial(pairs.estimates_and_outturn, component="council_tax"), (-0.06, 0.06),
            _COLLECTED,
            exceptions={
                (force, "2013/14"): _COLLECTED
                for force in ("Cleveland", "Essex", "Humberside", "Sussex")
            },
        ),
        Comparison(
            "grants-and-council-tax", _HMIC, _OUTTURN,
            partial(pairs.estimates_and_outturn, component="grants_and_council_tax"),
            (-0.1, 0.1), "as for all grants; council tax support cancels out here",
            exceptions={("Dorset", "2013/14"): _DORSET},
        ),
        Comparison(
            "met-grant-gla", _HMIC, "DCLG, revenue outturn of the Greater London Authority",
            pairs.met_police_grant, (-0.0001, 0.0001),
            "one grant, settled before the year begins. Later years are not like for like: the"
            " outturn's line holds some council tax grants",
        ),
        Comparison(
            "met-settlement", "HMIC, Value for Money profiles 2010",
            "Metropolitan Police Authority, papers of December 2008", pairs.met_settlement,
            (-0.00001, 0.00001), "one grant, rounded to £1,000 by HMIC",
        ),
    )  # fmt: skip


def _people() -> tuple[Comparison, ...]:
    def nhs(place: str, measure: str, column: str) -> Callable[[Load], pd.DataFrame]:
        return partial(pairs.hospital, place=place, measure=measure, column=column)

    return (
        Comparison(
            "population-national", "Home Office, national strength (ONS population)",
            "ONS (Nomis), local authorities added up", pairs.national_population, (0.0, 0.0),
            "one set of estimates; the first is rounded to 100, in 2020 to 1,000", 500.0,
        ),
        Comparison(
            "population-forces", "ONS, Police Force Area tables (Table P3)",
            "ONS (Nomis), local authorities added up", pairs.force_population, (0.0, 0.0),
            "one set of estimates, rounded to 100: it checks that every authority is in its force",
            50.0,
        ),
        Comparison(
            "census-2001", "GLA, census", "ONS (Nomis), mid-year estimates",
            partial(pairs.census, year=2001), (-0.001, 0.03),
            "three months of growth, and people whom the census missed and later estimates hold",
            exceptions={
                (place, "2001"): "the estimate, made later, is 4 to 12% above the census:"
                " people whom the census missed"
                for place in ("Southwark", "Wandsworth", "Westminster")
            },
        ),
        Comparison(
            "census-2011", "GLA, census", "ONS (Nomis), mid-year estimates",
            partial(pairs.census, year=2011), (-0.003, 0.01),
            "three months of births, deaths and moves. 2021 is not compared: the estimates held end"
            " in 2020 and were not yet revised to it",
        ),
        Comparison(
            "hospital-admissions-england", "NHS England and press, quoted",
            "NHS Digital, knife crime workbook", nhs("England", "admissions X99", "admissions"),
            (0.0, 0.0), "one count",
        ),
        Comparison(
            "hospital-episodes-england", "NHS Digital, quoted",
            "NHS Digital, knife crime workbook", nhs("England", "FCE X99", "episodes"),
            (0.0, 0.0), "one count",
        ),
        Comparison(
            "hospital-admissions-london", "ONS, quoted", "NHS Digital, knife crime workbook",
            nhs("London", "admissions X99 (ONS)", "admissions"), (-0.01, 0.01),
            "the workbook's regional months are rounded to 5",
        ),
    )  # fmt: skip


def _only(frame: pd.DataFrame, period: str) -> pd.DataFrame:
    return frame[frame["period"] == period].reset_index(drop=True)


COMPARISONS: tuple[Comparison, ...] = (
    *_officers(), *_crime(), *_knife(), *_money(), *_people(),
)  # fmt: skip
