"""Exercises of 07-the-chain: links put together, and put beside the literature."""

from __future__ import annotations

import math

from crime_analysis.exercises.exercise import CANNOT_TELL, Exercise, close, wrong
from crime_analysis.exercises.shipped import MET, Shipped

__all__ = ["EXERCISES"]

_INJURY = "violence_with_injury"
_START, _END = "2009/10", "2017/18"
#: Chalfin and McCrary (2018), Review of Economics and Statistics: violent crime, US cities.
PUBLISHED = -0.35


def _links(shipped: Shipped) -> tuple[float, float]:
    """Return the headline elasticities of the first and the second link."""
    first, second = shipped.link("officers"), shipped.link(_INJURY)
    return tuple(  # type: ignore[return-value]
        float(link.table.at[link.headline, "estimate"]) for link in (first, second)
    )


def _change(shipped: Shipped, column: str, start: str = _START, end: str = _END) -> float:
    from crime_analysis.panel import change

    return change(shipped.panel, MET, column, start, end)


def _implied(shipped: Shipped) -> float:
    first, second = _links(shipped)
    return 100 * first * second * math.log1p(_change(shipped, "funding_real_gbp_m"))


def _route(shipped: Shipped) -> str:
    """Return what the chain's interval for violence with injury allows, from funding lost."""
    from crime_analysis import implied, links

    chained = implied.chain(
        shipped.panel,
        {name: shipped.link(name) for name in ("officers", _INJURY)},
        MET, _START, _END, rng=2018,
    )  # fmt: skip
    row = chained.set_index("route").loc["funding lost"]
    return links.verdict(row["ci_low"], row["ci_high"])


def _share(
    shipped: Shipped, officers: str = "officers_per_1000", violence: str = f"{_INJURY}_per_1000",
    start: str = "2010/11", end: str = "2018/19",
) -> float:  # fmt: skip
    """Return how much of the rise in violence the published elasticity would account for."""
    lost = math.log1p(_change(shipped, officers, start, end))
    return 100 * PUBLISHED * lost / math.log1p(_change(shipped, violence, start, end))


EXERCISES = (
    Exercise(
        id="07-the-chain/1",
        title="Two links, one chain",
        outcome="Multiply elasticities along a chain, in logarithms",
        level="compute",
        minutes=15,
        answer=_implied,
        unit="per cent more violence with injury",
        tolerance=0.08,
        start="The headline elasticity of either link times the logarithm of one plus the Met's"
        " change in real funding, 2009/10 to 2017/18, times a hundred.",
        mistakes=(
            wrong("Elasticities along a chain multiply; that adds them.",
                  lambda f: 100 * sum(_links(f)) * math.log1p(_change(f, "funding_real_gbp_m"))),
            close("That takes the change itself; elasticities belong to logarithms, and a large"
                  " fall is larger in them.",
                  lambda f: 100 * math.prod(_links(f)) * _change(f, "funding_real_gbp_m")),
            close("That is funding in cash.",
                  lambda f: 100 * math.prod(_links(f)) * math.log1p(_change(f, "funding_gbp_m"))),
            wrong("That leaves the first link out: money is not officers.",
                  lambda f: 100 * _links(f)[1] * math.log1p(_change(f, "funding_real_gbp_m"))),
            close("Those are grants alone.",
                  lambda f: 100 * math.prod(_links(f))
                  * math.log1p(_change(f, "grants_real_gbp_m"))),
        ),
    ),
    Exercise(
        id="07-the-chain/2",
        title="And how sure?",
        outcome="Carry both links' uncertainty through, and let the interval speak",
        level="judge",
        minutes=10,
        answer=_route,
        choices=lambda f: CANNOT_TELL,
        start="ca.chain(panel, links, 'Metropolitan Police', '2009/10', '2017/18', rng=2018):"
        " does the interval for violence with injury, from the funding lost, hold zero?",
        mistakes=(
            wrong("Not the first link's interval, but the chain's: it is as wide as the weaker link"
                  " makes it.",
                  lambda f: "association"),
            wrong("The chain's interval is clear of zero.",
                  lambda f: "cannot tell"),
        ),
    ),
    Exercise(
        id="07-the-chain/3",
        title="If others are right",
        outcome="Ask what a published elasticity would account for, and of which measure",
        level="compute",
        minutes=15,
        answer=_share,
        unit="per cent of the rise",
        tolerance=0.4,
        start="The elasticity times the logarithm of one plus the Met's change in officers per"
        " resident, over the logarithm of one plus its change in violence with injury per"
        " resident, 2010/11 to 2018/19, times a hundred.",
        mistakes=(
            close("Those are officers, not officers per resident: London grew.",
                  lambda f: _share(f, "officers_start_fte")),
            close("Neither is per resident: London grew.",
                  lambda f: _share(f, "officers_start_fte", _INJURY)),
            close("That ends a year too early.", lambda f: _share(f, end="2017/18")),
            close("That takes changes in place of their logarithms.",
                  lambda f: 100 * PUBLISHED
                  * _change(f, "officers_per_1000", "2010/11", "2018/19")
                  / _change(f, f"{_INJURY}_per_1000", "2010/11", "2018/19")),
            wrong("That is the share of violence against the person, most of whose rise came"
                  " when recording changed.",
                  lambda f: _share(f, violence="violence_against_the_person_per_1000")),
            wrong("That is the rise that it implies, not its share of the rise there was.",
                  lambda f: 100 * PUBLISHED
                  * math.log1p(_change(f, "officers_per_1000", "2010/11", "2018/19"))),
        ),
    ),
)  # fmt: skip
