"""One unit against a weighted average of others: synthetic control and synthetic DiD."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models import placebos
from crime_analysis.models.balanced_panel import balanced
from crime_analysis.models.synthetic_control_result import METHODS, SyntheticControl, listed, spelt
from crime_analysis.models.synthetic_weights import Comparison, compare, noise_level
from crime_analysis.randomness import generator

__all__ = ["SyntheticControl", "synthetic_control"]

_SOLVERS = {"sc": "exact", "sdid": "frank_wolfe", "did": "exact"}


def synthetic_control(
    data: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    treated: Any,
    start: Any,
    method: str = "sc",
    *,
    donors: Iterable[Any] | None = None,
    solver: str | None = None,
    draws: int = 999,
    rng: int | np.random.Generator | None = None,
) -> SyntheticControl:
    """Estimate what an event did to a unit from a weighted average of units it spared.

    ``sc`` chooses weights (not negative, summing to one) with which donors come closest to
    the treated unit's whole path before the event, in levels (Abadie, Diamond and Hainmueller,
    2010), from outcomes alone: with every earlier outcome matched, predictors would hardly
    matter, and choosing among them is a search for a specification (Ferman, Pinto and
    Possebom, 2020). ``sdid`` lets the level differ, spreads the weights, and weighs the
    periods before as well (Arkhangelsky, Athey, Hirshberg, Imbens and Wager, 2021). ``did`` is
    the plain comparison with equal weights.

    **The assumption** under which the gap is the effect: without the event the weighted donors
    would have gone on as the treated unit did. That needs donors untouched by the event and by
    its spillovers, no shock after it that falls on one side only, no change ahead of it
    (anticipation), and, for ``sc``, a treated unit inside the range of its donors.

    **Do not use it** where there are no untreated donors. Grants to police forces in England
    and Wales were cut everywhere in the same years: every donor is treated too, and the gap
    compares a larger dose with smaller ones, at most. London has no peer for robbery: it is above
    every donor, no average of donors meets it, and `outside_hull` says so. Nor with few
    periods before: many mixtures then fit equally, and a close fit means little.

    The test treats each donor as if it were the treated unit. It holds if the units could as
    well have been treated in each other's place; it can not give a p-value below one over the
    number of units.

    Parameters
    ----------
    data : DataFrame
        One row a unit and period, every unit in every period.
    outcome, unit, time : str
        Its columns. Periods are put in their sorting order (or that of an ordered category).
    treated : object or list of objects
        The treated unit; ``sdid`` and ``did`` take several, treated from the same period on.
    start : object
        The first period of the event, one of the periods; at least two come before it.
    method : {"sc", "sdid", "did"}
        Which estimator.
    donors : iterable, optional
        The units to compare with; all that are not treated if not given.
    solver : {"exact", "frank_wolfe"}, optional
        How weights are found: at their optimum (the default for ``sc``), or by the steps of
        the authors' program for ``sdid``, which printed results rest on (its default there).
        Placebos are always worked out at the optimum.
    draws : int
        How many placebo sets to draw where several units are treated and the sets are more.
    rng : int or numpy Generator, optional
        For drawing them; seed 0 if not given. With one treated unit nothing is drawn.

    Returns
    -------
    SyntheticControl
        Weights, gaps, placebos in space and time, the effect without each donor.

    Raises
    ------
    UnknownNameError
        For a column, unit, period, method or solver that there is not, with the nearest.
    ModelError
        If units lack periods, rows repeat, values are missing, infinite or not numbers,
        donors do not outnumber the treated, or nothing moves before the event.
    ParameterError
        If a unit is both treated and donor, ``sc`` is given several treated units, or fewer
        than two periods come before `start`.

    References
    ----------
    Abadie, A., Diamond, A. and Hainmueller, J. (2010), "Synthetic control methods for
    comparative case studies", JASA 105, 493-505. Arkhangelsky, D., Athey, S., Hirshberg, D.
    A., Imbens, G. W. and Wager, S. (2021), "Synthetic difference-in-differences", AER 111,
    4088-4118. Ferman, B., Pinto, C. and Possebom, V. (2020), "Cherry picking with synthetic
    controls", Journal of Policy Analysis and Management 39, 510-532. Firpo, S. and Possebom,
    V. (2018), "Synthetic control method: inference, sensitivity analysis and confidence sets",
    Journal of Causal Inference 6(2).

    Examples
    --------
    Thirty made-up towns over twelve years; the first gains 3 from 2008 on:

    >>> rng = np.random.default_rng(2)
    >>> years = np.arange(2000, 2012)
    >>> trend = rng.normal(size=(30, 1)) * (years - 2000) / 4
    >>> values = 10 + trend + rng.normal(scale=0.3, size=trend.shape)
    >>> values[0, years >= 2008] += 3
    >>> panel = pd.DataFrame(values, columns=years).rename_axis("town").reset_index()
    >>> panel["town"] = [f"town {n}" for n in panel["town"]]
    >>> panel = panel.melt("town", var_name="year", value_name="rate")
    >>> fit = synthetic_control(panel, "rate", "town", "year", "town 0", 2008)
    >>> fit.tidy().loc["effect", ["estimate", "p_value", "ci_low", "ci_high"]].round(2).tolist()
    [2.82, 0.03, 2.12, 3.52]
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    solver = _SOLVERS[method] if solver is None else solver
    if solver not in ("exact", "frank_wolfe"):
        raise UnknownNameError("solver", solver, ["exact", "frank_wolfe"])
    if method == "did" and solver != "exact":
        raise ParameterError("method 'did' has equal weights and solves for none; leave solver out")
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        raise ParameterError(f"draws is {draws!r}; give a whole number of at least 1, as 999")
    try:
        draw = generator(rng)
    except (TypeError, ValueError):
        raise ParameterError(f"rng is {rng!r}; give a whole number or a numpy Generator") from None
    wide = balanced(data, outcome, unit, time)
    names = _known(treated, unit, wide.index, "treated")
    if method == "sc" and len(names) > 1:
        raise ParameterError(
            f"treated names {len(names)} units and method 'sc' takes one; use method='sdid', or"
            " run 'sc' for each of them"
        )
    pool = _pool(donors, names, unit, wide.index)
    before = _before(start, wide.columns, time)
    if len(pool) <= max(len(names), 1):
        raise ModelError(
            f"donors: {len(pool)}, treated: {len(names)} of column {unit!r}; placebos need at least"
            " two donors, and more than are treated: add units that were not treated"
        )
    kept = wide.loc[[*names, *pool]]
    if np.ptp(kept.iloc[:, :before].to_numpy()) == 0:
        raise ModelError(
            f"column {outcome!r} has one value, {kept.iloc[0, 0]:g}, for every unit before"
            f" {spelt(start)}: there is no path to match; choose an outcome that varies"
        )
    return _estimate(data, kept, names, before, (outcome, unit, time), method, solver, draws, draw)


def _known(chosen: Any, unit: str, units: pd.Index, what: str) -> list[Any]:
    """Return the units named, once each, as the data spell them."""
    named = list(chosen) if pd.api.types.is_list_like(chosen) else [chosen]
    if not named:
        raise ParameterError(f"{what} is empty; name at least one value of column {unit!r}")
    for name in named:
        if name not in units:
            raise UnknownNameError(f"{what} unit", name, map(str, units), f"column {unit!r}")
    repeated = [name for place, name in enumerate(named) if name in named[:place]]
    if repeated:
        raise ParameterError(f"{what} names {repeated[0]!r} twice; name each unit once")
    return named


def _pool(
    donors: Iterable[Any] | None, treated: list[Any], unit: str, units: pd.Index
) -> list[Any]:
    if donors is None:
        return [name for name in units if name not in treated]
    named = set(_known(donors, unit, units, "donors"))
    both = [name for name in treated if name in named]
    if both:
        raise ParameterError(
            f"{listed(both)} is treated and among the donors; take it out of one of them"
        )
    return [name for name in units if name in named]


def _before(start: Any, periods: pd.Index, time: str) -> int:
    """Return how many periods come before the event."""
    if pd.api.types.is_list_like(start) or start not in periods:
        raise UnknownNameError("start", start, map(str, periods), f"column {time!r}")
    before = int(periods.get_loc(start))
    if before < placebos.MIN_BEFORE:
        raise ParameterError(
            f"{before} periods come before start {spelt(start)}, and a path needs at least"
            f" {placebos.MIN_BEFORE}; give earlier periods, or a start no earlier than"
            f" {spelt(periods[min(placebos.MIN_BEFORE, len(periods) - 1)])}"
        )
    return before


def _estimate(
    data: pd.DataFrame,
    kept: pd.DataFrame,
    names: list[Any],
    before: int,
    columns: tuple[str, str, str],
    method: str,
    solver: str,
    draws: int,
    rng: np.random.Generator,
) -> SyntheticControl:
    outcome, unit, time = columns
    periods = kept.columns
    pool = kept.index[len(names) :]
    others = kept.loc[pool].to_numpy()
    own = kept.loc[names].to_numpy().mean(axis=0)
    noise = noise_level(others, before)
    if (method == "sdid" or solver == "frank_wolfe") and noise <= 1e-12 * np.abs(others).max():
        raise ModelError(
            f"all donors move by the same steps before {spelt(periods[before])}, so nothing tells"
            " how strongly to spread the weights; use method='did', or 'sc' with solver='exact'"
        )
    settings: dict[str, Any] = {"n_treated": len(names), "noise": noise}
    best = compare(others, own, before, method, **settings)
    found: Comparison = (
        best
        if solver == "exact"
        else compare(others, own, before, method, solver=solver, **settings)
    )
    table, gaps = placebos.in_space(
        others, pool, before, method,
        draws=draws, rng=rng, **settings,
    )  # fmt: skip
    low, high = others[:, :before].min(axis=0), others[:, :before].max(axis=0)
    outside = (own[:before] < low) | (own[:before] > high)
    return SyntheticControl(
        outcome=outcome,
        method=method,
        solver=solver,
        treated=tuple(names),
        start=periods[before],
        unit_weights=pd.Series(found.unit_weights, index=pool, name="weight"),
        time_weights=pd.Series(found.time_weights, index=periods[:before], name="weight"),
        paths=pd.DataFrame(
            {"treated": own, "synthetic": own - found.gap, "gap": found.gap}, index=periods
        ),
        effect=found.effect,
        effect_at_optimum=best.effect,
        rmspe_before=found.rmspe_before,
        rmspe_after=found.rmspe_after,
        ratio=placebos.ratio(found, placebos.spread(others, before)),
        outside_hull=tuple(periods[:before][outside]),
        placebos_in_space=table,
        placebo_gaps=pd.DataFrame(gaps.T, index=periods, columns=table.index),
        placebos_in_time=placebos.in_time(others, own, periods, before, method, len(names)),
        leave_one_out=placebos.leave_one_out(others, own, pool, before, method, **settings),
        data_used=_used(data, unit, time, {*names, *pool}),
    )


def _used(data: pd.DataFrame, unit: str, time: str, units: set[Any]) -> pd.DataFrame:
    kept = data[unit].isin(units)
    return data[[unit, time]].assign(
        kept=kept, reason=np.where(kept, "", "neither treated nor among the donors named")
    )
