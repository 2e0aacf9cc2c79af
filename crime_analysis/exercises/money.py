"""Exercises of 02-funding: the cut unpacked."""

from __future__ import annotations

from crime_analysis import places
from crime_analysis.exercises.exercise import CANNOT_TELL, Choices, Exercise, close, wrong
from crime_analysis.exercises.shipped import Shipped

__all__ = ["EXERCISES"]

_BEFORE, _AFTER = "2009/10", "2017/18"


def _cash_fall(shipped: Shipped) -> float:
    cash = shipped.fall.parts["value_gbp_m"]
    return float(cash.iloc[:-1].sum() - cash.iloc[-1])


def _as_printed(shipped: Shipped, component: str) -> float:
    """Return the real fall of one printed component, whatever was folded into it."""
    before = shipped.money(component, _BEFORE) * shipped.prices(_BEFORE, _AFTER)
    return before - shipped.money(component, _AFTER)


def _share(shipped: Shipped, above: str, year: str, below: str = "grants_and_council_tax") -> float:
    return 100 * shipped.money(above, year) / shipped.money(below, year)


def _change(shipped: Shipped, force: str, component: str = "grants_and_council_tax") -> float:
    """Return a real change in per cent."""
    before = shipped.money(component, _BEFORE, force) * shipped.prices(_BEFORE, _AFTER)
    return 100 * (shipped.money(component, _AFTER, force) / before - 1)


def _cash_change(shipped: Shipped, force: str) -> float:
    after, before = (
        shipped.money("grants_and_council_tax", year, force) for year in (_AFTER, _BEFORE)
    )
    return 100 * (after / before - 1)


def _forces(shipped: Shipped) -> Choices:
    return {name: (name,) for name in places.FORCES}


def _most(shipped: Shipped, column: str) -> str:
    """Return the force of the lowest value among those that lost."""
    from crime_analysis.funding import losses

    lost = losses(shipped.table("funding"), shipped.table("prices"), _BEFORE, _AFTER)
    return str(lost.set_index("force")[column].idxmin())


def _dependence(shipped: Shipped) -> str:
    """Return what the slope of loss on the share from government allows, without the Met."""
    from crime_analysis.funding import dependence, losses
    from crime_analysis.links import verdict

    lost = losses(shipped.table("funding"), shipped.table("prices"), _BEFORE, _AFTER)
    row = dependence(lost, ("City of London", "Metropolitan Police")).tidy().iloc[-1]
    return verdict(row["ci_low"], row["ci_high"])


EXERCISES = (
    Exercise(
        id="02-funding/1",
        title="The fall of the grant, like for like",
        outcome="Build a like-for-like comparison: the same grants, at the same prices",
        level="compute",
        minutes=15,
        answer=lambda f: f.fall.fall_gbp_m,
        unit="£ million at the prices of 2017/18",
        tolerance=2,
        start="Core grant of 2009/10 and the grants later folded into it, at the prices of"
        " 2017/18, less the core grant of 2017/18; or grant_cut.reconstruction.",
        mistakes=(
            close("That is in cash: bring 2009/10 to the prices of 2017/18 first.", _cash_fall),
            close("That is at the prices of 2009/10.",
                  lambda f: f.fall.fall_gbp_m / f.prices(_BEFORE, _AFTER)),
            wrong("Not like for like: grants were folded into the core grant after 2009/10, and"
                  " have to be added to the earlier figure.",
                  lambda f: _as_printed(f, "formula_funding")),
            wrong("Those are all government grants; the claim is of the general grant.",
                  lambda f: _as_printed(f, "government_grants")),
            wrong("That is grants and council tax together; government does not set the second.",
                  lambda f: _as_printed(f, "grants_and_council_tax")),
        ),
    ),
    Exercise(
        id="02-funding/2",
        title="Nearly forty per cent of what?",
        outcome="Say which base a percentage has, and what another would give",
        level="compute",
        minutes=10,
        answer=lambda f: 100 * f.fall.share_of_earlier,
        unit="per cent",
        tolerance=0.3,
        start="A fall is a share of what there was before; see the reconstruction's amounts.",
        mistakes=(
            wrong("The base is the wrong one: that divides by what was left, and a fall is a"
                  " share of what there was.", lambda f: 100 * f.fall.share_of_later),
            close("That is in cash.",
                  lambda f: 100 * _cash_fall(f) / f.fall.parts["value_gbp_m"].iloc[:-1].sum()),
            close("That is a fall in real terms over an amount in cash: two prices in one"
                  " fraction.",
                  lambda f: 100 * f.fall.fall_gbp_m
                  / f.fall.parts["value_gbp_m"].iloc[:-1].sum()),
            wrong("That is what is left, not what was lost.",
                  lambda f: 100 * (1 - f.fall.share_of_earlier)),
        ),
    ),
    Exercise(
        id="02-funding/3",
        title="How much of the money is government's?",
        outcome="Choose a numerator and a denominator, and say so",
        level="compute",
        minutes=10,
        answer=lambda f: _share(f, "government_grants", _BEFORE),
        unit="per cent",
        tolerance=0.2,
        start="government_grants over grants_and_council_tax, hmic_estimates, 2009/10; or"
        " ca.government_share.",
        mistakes=(
            close("That is 2017/18, after the cuts.",
                  lambda f: _share(f, "government_grants", _AFTER)),
            close("That is 2012/13.", lambda f: _share(f, "government_grants", "2012/13")),
            wrong("That is the core grant alone; all grants are asked for.",
                  lambda f: _share(f, "formula_funding", _BEFORE)),
            wrong("That leaves special grants out above and below the line; all grants are asked"
                  " for.",
                  lambda f: 100 * f.money("formula_funding", _BEFORE)
                  / (f.money("formula_funding", _BEFORE) + f.money("council_tax", _BEFORE))),
            wrong("That is the council tax payer's share.",
                  lambda f: _share(f, "council_tax", _BEFORE)),
            wrong("That is grants as a multiple of council tax; divide by their sum.",
                  lambda f: _share(f, "government_grants", _BEFORE, "council_tax")),
        ),
    ),
    Exercise(
        id="02-funding/4",
        title="West Midlands and Surrey",
        outcome="Compare two changes in percentage points, in real terms",
        level="compute",
        minutes=10,
        answer=lambda f: _change(f, "West Midlands") - _change(f, "Surrey"),
        unit="percentage points",
        tolerance=0.15,
        start="funding.losses gives each force's real change; subtract Surrey's.",
        mistakes=(
            close("That is in cash.",
                  lambda f: _cash_change(f, "West Midlands") - _cash_change(f, "Surrey")),
            close("Those are grants alone; grants and council tax are asked for.",
                  lambda f: _change(f, "West Midlands", "government_grants")
                  - _change(f, "Surrey", "government_grants")),
            wrong("That is one change over the other; subtract, for percentage points.",
                  lambda f: _change(f, "West Midlands") / _change(f, "Surrey")),
            wrong("That is West Midlands' change by itself.",
                  lambda f: _change(f, "West Midlands")),
        ),
    ),
    Exercise(
        id="02-funding/5",
        title="Who lost most?",
        outcome="Rank by the change that the question is about",
        level="read",
        minutes=5,
        answer=lambda f: _most(f, "funding_change"),
        choices=_forces,
        start="Sort the column funding_change of funding.losses.",
        mistakes=(
            close("That force's grants fell most; ask of grants and council tax together.",
                  lambda f: _most(f, "grants_change")),
            wrong("The largest force lost the largest sum; in per cent others lost more.",
                  lambda f: "Metropolitan Police"),
        ),
    ),
    Exercise(
        id="02-funding/6",
        title="Does the pattern rest on London?",
        outcome="Check whether an association survives without its most unusual unit",
        level="judge",
        minutes=15,
        answer=_dependence,
        choices=lambda f: CANNOT_TELL,
        start="funding.dependence(lost, exclude) with the City of London and the Met left out:"
        " does the interval of the slope hold zero?",
        mistakes=(
            wrong("Look at the interval, not at how London is special: does it hold zero?",
                  lambda f: "cannot tell"),
            wrong("Look at both ends of the interval: it holds zero.", lambda f: "association"),
        ),
    ),
)  # fmt: skip
