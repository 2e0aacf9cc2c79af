"""Group-time effects: staggered treatment without forbidden comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.group_time_result import GroupTime
from crime_analysis.models.panel_checks import constant_in_unit, panel_rows, starts
from crime_analysis.randomness import generator

__all__ = ["GroupTime", "group_time_effects"]

COMPARISONS = ("never", "not_yet")


def group_time_effects(
    data: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    start: str,
    *,
    comparison: str = "never",
    weights: str | None = None,
    anticipation: int = 0,
    rng: int | np.random.Generator | None = None,
    B: int = 0,
) -> GroupTime:
    """Estimate effects of staggered treatment by group and period, without covariates.

    ATT(g, t), the average effect in period t on the units first treated in g, is how much more
    their outcome moved since the last period before g than that of units never (or not yet)
    treated. Every comparison is of two groups and two periods, so none uses the already treated
    as a control, which two-way fixed effects do (Callaway and Sant'Anna 2021). Standard errors
    come from influence functions, clustered by unit.

    **When it is causal.** Untreated, each group would have moved like its comparison, from the
    base period on; nobody acts on treatment more than `anticipation` periods before it; one
    unit's treatment does not reach another.

    **When not to use it.** One event that hits everyone at once (`event_study` with a dose);
    treatment that ends again; groups of one or two units, whose own noise is not counted.

    Parameters
    ----------
    data : DataFrame
        One row a unit and period.
    outcome, unit, time : str
        Columns; `time` in whole numbers.
    start : str
        Column of the first treated period, constant within a unit; missing for never.
    comparison : {"never", "not_yet"}
        ``not_yet`` adds units that start later than both periods compared.
    weights : str, optional
        Column of positive weights, one number a unit.
    anticipation : int
        Periods before the start in which treatment may act; the base period moves before.
    rng : int or Generator, optional
        Seed of the bootstrap, 0 if not given.
    B : int
        Multiplier bootstrap draws (Mammen's two points) for simultaneous bands; 0 for none.

    Returns
    -------
    GroupTime
        Every period is compared with the group's one base period. Units treated from the first
        period on, or without an outcome in some period, are set aside and named.

    Raises
    ------
    UnknownNameError
        If a column or the comparison is not known.
    ParameterError
        If `anticipation` or `B` is out of range.
    ModelError
        If the panel cannot carry the design: a start or weight that varies within a unit, a
        unit twice in a period, one period, nobody treated, or nobody to compare with.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> panel = pd.DataFrame({"force": np.repeat(range(60), 5), "year": np.tile(range(5), 60)})
    >>> panel["began"] = np.repeat(rng.choice([2.0, 3.0, np.nan], 60), 5)
    >>> panel["y"] = (panel["year"] >= panel["began"]) + rng.normal(scale=0.1, size=300)
    >>> effects = group_time_effects(panel, "y", "force", "year", "began")
    >>> effects.tidy("simple")["estimate"].round(1).to_dict()
    {'simple': 1.0}
    """
    if comparison not in COMPARISONS:
        raise UnknownNameError("comparison", comparison, COMPARISONS)
    for name, value in (("anticipation", anticipation), ("B", B)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ParameterError(f"{name}={value!r} must be a whole number, zero or more")
    columns = [outcome, unit, time, start, *([weights] if weights else [])]
    why = panel_rows(data, columns, unit, time)
    values = data[outcome]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        raise ModelError(f"column {outcome!r} is not numeric")
    if np.isinf(values.to_numpy(float, na_value=np.nan)).any():
        raise ModelError(f"column {outcome!r} is infinite in places: the logarithm of a zero?")
    for column in (start, *([weights] if weights else [])):
        constant_in_unit(data, column, unit)

    rows = data[why == ""]
    wide = rows.pivot(index=unit, columns=time, values=outcome).astype(float)
    wide = wide.loc[:, wide.notna().any()]
    firsts = rows.drop_duplicates(unit).set_index(unit)
    begun = starts(firsts[start], start).reindex(wide.index)
    weight = pd.Series(1.0, wide.index) if not weights else firsts[weights].reindex(wide.index)
    if (weight <= 0).any():
        raise ModelError(f"weights {weights!r} must be positive; drop units without weight")
    if wide.shape[1] < 2:
        raise ModelError(f"{outcome!r} is seen in {wide.shape[1]} period; two or more are needed")
    reason = pd.Series("", wide.index, dtype=object)
    reason[weight.isna()] = f"no {weights}"
    reason[wide.isna().any(axis=1)] = f"{unit} without {outcome} in some {time}"
    reason[begun - anticipation <= wide.columns.min()] = f"{unit} treated from the first period on"
    later = np.isfinite(begun) & (begun - anticipation > wide.columns.max())
    why = np.where(why == "", data[unit].map(reason).fillna("").to_numpy(dtype=object), why)
    outside = ~data[time].isin(wide.columns).to_numpy() & (why == "")
    why[outside] = f"no {outcome} in this {time}"
    kept = reason == ""
    # One that starts after the last period is, in these data, never treated.
    begun = begun.where(~later, np.inf)[kept]
    wide, weight = wide[kept], weight[kept].astype(float)
    _check_groups(begun, comparison, start, unit, reason)

    cells, influence = _cells(wide, begun, weight, comparison, anticipation)
    draws = np.empty((0, len(begun)))
    if B:
        golden = (1 + 5**0.5) / 2
        coin = generator(rng).random((B, len(begun))) < golden / 5**0.5
        draws = np.where(coin, 1 - golden, golden)
    return GroupTime(
        outcome=outcome, unit=unit, time=time, start=start, comparison=comparison,
        anticipation=anticipation, cells=cells, influence=influence, groups=begun, weights=weight,
        data_used=data[[unit, time]].assign(kept=why == "", reason=why), multipliers=draws,
    )  # fmt: skip


def _check_groups(
    begun: pd.Series, comparison: str, start: str, unit: str, reason: pd.Series
) -> None:
    """Refuse panels in which nobody is treated, or nobody is left to compare with."""
    lost = "; ".join(
        f"{count} set aside: {why}" for why, count in reason[reason != ""].value_counts().items()
    )
    if not np.isfinite(begun).any():
        raise ModelError(f"no {unit} starts treatment within the periods. {lost}".rstrip())
    if comparison == "never" and not np.isinf(begun).any():
        raise ModelError(
            f"no {unit} is never treated (a missing {start!r} means never); use"
            f" comparison='not_yet'. {lost}".rstrip()
        )
    if begun.nunique() < 2:
        raise ModelError(f"all {unit}s start treatment at once; there is nobody to compare with")


def _cells(
    wide: pd.DataFrame, begun: pd.Series, weight: pd.Series, comparison: str, anticipation: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ATT(g, t) and the influence of units on it."""
    start, w = begun.to_numpy(), weight.to_numpy() / weight.mean()
    periods = wide.columns.to_numpy(dtype=float)
    found, columns = [], []
    for group in np.unique(start[np.isfinite(start)]):
        mine = start == group
        base = periods[periods < group - anticipation].max()
        for period in periods:
            other = np.isinf(start)
            if comparison == "not_yet":
                other = (start > max(period, base) + anticipation) & ~mine
            if not other.any():
                continue
            moved = (wide[period] - wide[base]).to_numpy()
            treated, compared = w * mine, w * other
            one, two = treated @ moved / treated.sum(), compared @ moved / compared.sum()
            columns.append(
                treated * (moved - one) / treated.mean()
                - compared * (moved - two) / compared.mean()
            )
            found.append((group, period, base, one - two, int(mine.sum()), int(other.sum())))
    if not any(period >= group for group, period, *_ in found):
        raise ModelError(
            "no treated period has anybody to compare with: those who start later do so within"
            f" anticipation={anticipation} periods; lower it, or add units never treated"
        )
    names = ["group", "period", "base", "att", "treated", "compared"]
    cells = pd.DataFrame(found, columns=names)
    labels = pd.MultiIndex.from_frame(cells[["group", "period"]])
    return cells, pd.DataFrame(np.column_stack(columns), index=wide.index, columns=labels)
