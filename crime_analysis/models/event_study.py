"""Event study: how outcomes part by dose, or by time since treatment, period by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.event_study_result import EventStudy
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_checks import constant_in_unit, panel_rows, starts
from crime_analysis.models.panel_regression import estimate, prepare

__all__ = ["EventStudy", "event_study"]

FAMILIES = ("ols", "poisson")


def event_study(
    data: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    dose: str | None = None,
    reference: int | None = None,
    *,
    start: str | None = None,
    controls: Sequence[str] = (),
    weights: str | None = None,
    cluster: str | None = None,
    family: str = "ols",
    offset: str | None = None,
    binned: tuple[int | None, int | None] | None = None,
) -> EventStudy:
    """Estimate how outcomes part, period by period, by dose or by time since treatment.

    With `dose`, one event hits all units at once and the dose says how hard: unit and period
    effects, and the dose times each period but the reference. Each coefficient compares how
    much more the outcome has moved since the reference where the dose is higher by one.

    With `start`, units are treated from a time of their own: unit and period effects, and a
    dummy for each time since the start but the reference (-1 if not given). Units whose start
    is missing are never treated.

    **When it is causal.** Before the event nothing acted on it, and without it all units would
    have moved alike. For a continuous dose that gives effects *of* each dose against none only
    where some units have no dose; comparing doses, as here, needs more: that units of
    different doses would have responded alike to the same dose (strong parallel trends).
    Without it the coefficient mixes the effect of more dose with differences in response; and
    it is a variance-weighted mean of slopes, not the effect at a level of dose (Callaway,
    Goodman-Bacon and Sant'Anna 2024).

    **When not to use it.** With `start`, where effects differ between early and late starters:
    coefficients then mix effects of other periods (Sun and Abraham 2021); use
    `group_time_effects`. With a dose that the event itself changed.

    Parameters
    ----------
    data : DataFrame
        One row a unit and period.
    outcome, unit, time : str
        Columns; `time` in whole numbers.
    dose : str, optional
        Column, constant within a unit, set before the event. Give it or `start`.
    reference : int
        Last period before the event; a period of `time`, or with `start` periods since it.
    start : str, optional
        Column of the first treated period, constant within a unit; missing for never.
    controls : sequence of str
        Further terms of the formula, that the event does not change.
    weights, family, offset : str
        As in `fit_panel`.
    cluster : str, optional
        Column; the unit if not given.
    binned : (low, high), optional
        Pool the periods up to `low`, and those from `high` on, into one coefficient each;
        None leaves an end as it is.

    Returns
    -------
    EventStudy
        Terms ``dose:time=period``, or ``rel k``. Units treated from their first period on, and
        rows without dose, are set aside and named in ``data_used``.

    Raises
    ------
    UnknownNameError
        If a column is not there.
    ParameterError
        If the reference is not among the periods, or arguments are at odds.
    ModelError
        If the panel cannot carry the design: a dose that varies within a unit, a unit twice in
        a period, one period, no unit never treated; or as in `fit_panel`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> years = np.tile(range(2008, 2014), 30)
    >>> panel = pd.DataFrame({"force": np.repeat(range(30), 6), "year": years})
    >>> panel["share"] = np.repeat(rng.uniform(0.5, 0.9, 30), 6)
    >>> panel["y"] = rng.normal(scale=0.01, size=180) - 2 * panel["share"] * (years > 2010)
    >>> study = event_study(panel, "y", "force", "year", "share", 2010)
    >>> study.tidy().index[-1], round(float(study.average()["estimate"]), 1)
    ('share:year=2013', -2.0)
    """
    if (dose is None) == (start is None):
        raise ParameterError(
            "give either dose= (constant in a unit) or start= (first treated period)"
        )
    if reference is None and start is None:
        raise ParameterError("reference= is missing: the last period before the event")
    by = dose if dose is not None else str(start)
    reference = -1 if reference is None else reference
    if family not in FAMILIES:
        raise UnknownNameError("family", family, FAMILIES)
    extra = [column for column in (weights, offset, cluster) if column]
    why = panel_rows(data, [outcome, unit, time, by, *extra], unit, time)
    constant_in_unit(data, by, unit)
    seen = ~data[[outcome, *extra]].isna().any(axis=1).to_numpy()
    clock = data[time].to_numpy(float, na_value=np.nan)
    if dose is not None:
        why[data[by].isna().to_numpy() & (why == "")] = f"no {by}"
        size = data[by].to_numpy(float, na_value=np.nan)
        treated = np.ones(len(data), dtype=bool)
    else:
        begun = starts(data[by], by)
        first = data[time].where(why == "").groupby(data[unit], observed=True).transform("min")
        always = (begun <= first).to_numpy() & (why == "")
        why[always] = f"{unit} treated from its first period on"
        clock = clock - begun.to_numpy()
        size = np.ones(len(data))
        treated = np.isfinite(clock)
    kept = why == ""
    shown = np.unique(clock[kept & treated & seen]).astype(int)
    _check_design(data[kept], shown, reference, by, unit, outcome, binned, relative=bool(start))

    clock = np.where(treated, clock, np.nan)
    label = "rel {}" if start else f"{by}:{time}={{}}"
    low, high = binned or (None, None)
    groups: dict[str, np.ndarray] = {}
    for period in shown.tolist():
        if low is not None and period <= low:
            name = label.replace("=", "<=").format(low) if dose else f"rel <= {low}"
            groups[name] = clock <= low
        elif high is not None and period >= high:
            name = label.replace("=", ">=").format(high) if dose else f"rel >= {high}"
            groups[name] = clock >= high
        elif period != reference:
            groups[label.format(period)] = clock == period
    slopes = pd.DataFrame({n: np.where(kept, size * hit, np.nan) for n, hit in groups.items()})
    shape = f"i(time since {by}, ref={reference})" if start else f"{by}:i({time}, ref={reference})"
    held = f"| {unit} + {time}"
    design, keys = prepare(
        f"{outcome} ~ {' + '.join(controls) or 1} {held}", data, cluster or unit, weights, offset,
        keys=[unit, time],
    )  # fmt: skip
    fit = estimate(
        f"{outcome} ~ {' + '.join([shape, *controls])} {held}",
        replace(design, slopes=pd.concat([slopes, design.slopes], axis=1)), keys,
        family=family, errors="robust", small_sample="nested",
    )  # fmt: skip
    reason = fit.data_used["reason"].to_numpy(dtype=object)
    reason[~kept] = why[~kept]
    fit = replace(fit, data_used=fit.data_used.assign(reason=reason))
    used = fit.data_used["kept"].to_numpy()
    found = [name for name in groups if name in fit.coefficients.index]
    middle = {name: float(np.mean(clock[used & groups[name]])) for name in found}
    units = data.loc[used, [unit, by]].drop_duplicates(unit) if dose else None
    return EventStudy(
        **{f.name: getattr(fit, f.name) for f in fields(Fit)},
        time=time, by=by, relative=bool(start), reference=int(reference),
        periods=pd.Series(middle, dtype=float).rename_axis("term"),
        dose_sd=1.0 if units is None else float(units[by].astype(float).std()),
    )  # fmt: skip


def _check_design(
    rows: pd.DataFrame, shown: np.ndarray, reference: int, by: str, unit: str, outcome: str,
    binned: tuple[int | None, int | None] | None, *, relative: bool,
) -> None:  # fmt: skip
    """Refuse a reference, bins or doses that leave nothing to compare."""
    if not len(rows):
        raise ModelError(f"no row has a known {unit}, period and {by}, with time before {by}")
    if not len(shown):
        raise ModelError(f"no unit is ever treated, or {outcome!r} is missing wherever one is")
    if isinstance(reference, bool) or reference not in shown.tolist():
        listed = ", ".join(map(str, shown[:30].tolist()))
        raise ParameterError(f"reference={reference!r} is not among the periods: {listed}")
    if reference == shown.max():
        raise ParameterError(f"reference={reference!r} is the last period; nothing comes after it")
    if binned is not None and not (isinstance(binned, tuple) and len(binned) == 2):
        raise ParameterError(f"binned={binned!r} must be a pair (low, high); None leaves an end")
    low, high = binned or (None, None)
    if (low is not None and low >= reference) or (high is not None and high <= reference):
        raise ParameterError(f"binned={binned!r} must leave the reference {reference} out")
    if relative and binned is None and np.isfinite(starts(rows[by], by)).all():
        raise ModelError(
            f"every {unit} is treated in the end, so time since {by} cannot be told apart from"
            " unit and period effects; pool the ends with binned=(low, high), or use"
            " group_time_effects(comparison='not_yet')"
        )
    if not relative and rows[by].nunique() < 2:
        raise ModelError(f"dose {by!r} is the same in every {unit}; there is nothing to compare")
