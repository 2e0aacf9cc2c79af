"""Panel regression with absorbed fixed effects: least squares, instruments, counts.

A checked way into well-kept estimators: pyfixest for least squares and Poisson, linearmodels for
two-stage least squares, statsmodels for the negative binomial. The formula is the field's own,
``y ~ x | fixed effects | endogenous ~ instrument`` (see `models.formula`).

Small-sample factor
-------------------
Clustered errors are multiplied by ``G/(G-1) x (N-1)/(N-K)``. By default ``K`` counts the slopes, a
constant, and the absorbed effects that do not lie within clusters (``small_sample="nested"``), as
Stata's reghdfe and R's fixest do. The count is this package's own: pyfixest's changes with
PYTHONHASHSEED where two effects are absorbed (seen in 0.60). Tests and intervals use the t
distribution with ``G - 1`` degrees of freedom (Cameron and Miller 2015). Errors that are not
clustered are multiplied by ``N/(N-K)``, where ``K`` counts every absorbed effect, and use
``N - K`` degrees of freedom; counts use the normal distribution there.

Rows that are alone in a fixed effect, and for counts those in one that holds only zeros, say
nothing of the slopes; they are set aside here (Correia 2015) and named in ``Fit.data_used``.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.models import absorb, estimators
from crime_analysis.models import formula as formulas
from crime_analysis.models.fit import Design, Fit

__all__ = ["estimate", "fit_panel"]

FAMILIES = ("ols", "poisson", "negative_binomial")
ERRORS = ("robust", "classical")


def fit_panel(
    formula: str,
    data: pd.DataFrame,
    *,
    cluster: str | None = None,
    weights: str | None = None,
    family: str = "ols",
    small_sample: str = "nested",
    offset: str | None = None,
    errors: str = "robust",
    unit: str | None = None,
    time: str | None = None,
    keys: list[str] | None = None,
) -> Fit:
    """Estimate a panel regression: how an outcome moves with others, effects held constant.

    With unit and period effects the slope compares how units' changes differ. It is an effect
    only if, beyond what is constant in a unit and common to a period, nothing that moves the
    outcome also moves the regressor, and the outcome does not move it back (strict exogeneity);
    with an instrument, only if the instrument moves the outcome through the endogenous variable
    alone. Not for regressors that one period's units choose in answer to the outcome, and not
    for few clusters without `wild_bootstrap` beside it.

    Parameters
    ----------
    formula : str
        ``y ~ x1 + x2 | fe1 + fe2 | endogenous ~ instruments``; the parts after the first are
        optional. Terms are columns, ``log(x)``, ``lag(x, k)``, ``diff(x)``, ``i(x, ref=level)``,
        ``a:b``; write ``1`` where there are no exogenous slopes.
    data : DataFrame
        One row a unit and period.
    cluster : str, optional
        Column whose groups' errors may be correlated.
    weights : str, optional
        Column of positive analytic weights.
    family : {"ols", "poisson", "negative_binomial"}
        Poisson is the fixed-effects pseudo-maximum-likelihood estimator for counts; the
        negative binomial (NB2) estimates its effects as dummies, its dispersion with them.
    small_sample : {"nested", "all", "slopes", "none"}
        Which absorbed effects the small-sample factor counts (see above).
    offset : str, optional
        Counts only: column of the logarithm of the exposure.
    errors : {"robust", "classical"}
        Without `cluster`: robust to heteroskedasticity (HC1; White 1980), or classical.
    unit, time : str, optional
        What ``lag`` and ``diff`` go by; ``force`` and ``fy_start`` if the data have them, else
        the two fixed effects.
    keys : list of str, optional
        Columns that name a row in `Fit.data_used`; the fixed effects if not given.

    Returns
    -------
    Fit

    Raises
    ------
    UnknownNameError
        If the formula or an argument names no column, with the nearest ones.
    ModelError
        If the formula cannot be read; a column is not numeric, holds infinities or only missing
        values, or cannot be told apart from the others; weights are not positive; or there are
        too few rows or clusters.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> panel = pd.DataFrame({"unit": np.repeat(range(20), 5), "year": np.tile(range(5), 20)})
    >>> panel["x"] = rng.normal(size=100)
    >>> panel["y"] = 2 * panel["x"] + panel["unit"] + rng.normal(scale=0.1, size=100)
    >>> fit = fit_panel("y ~ x | unit + year", panel, cluster="unit")
    >>> round(float(fit.term("x")["estimate"]), 1)
    2.0
    """
    formula = " ".join(formula.split())
    design, names = prepare(formula, data, cluster, weights, offset, unit, time, keys)
    fit = estimate(formula, design, names, family=family, errors=errors, small_sample=small_sample)
    options = {
        "cluster": cluster, "weights": weights, "family": family, "small_sample": small_sample,
        "offset": offset, "errors": errors, "unit": unit, "time": time, "keys": keys,
    }  # fmt: skip
    return dataclasses.replace(fit, data=data, options=options)


def prepare(
    formula: str,
    data: pd.DataFrame,
    cluster: str | None,
    weights: str | None,
    offset: str | None,
    unit: str | None = None,
    time: str | None = None,
    keys: list[str] | None = None,
) -> tuple[Design, pd.DataFrame]:
    """Return the columns of a formula for every row of the data, and the names of the rows."""
    design = formulas.read(formula, data, unit, time)
    effects = [e for name in design.effects for e in name.replace(" ", "").split("^")]
    named = keys or list(dict.fromkeys(effects))
    named = named or [column for column in ("force", "financial_year") if column in data]
    for column in [*named, *(c for c in (cluster, weights, offset) if c)]:
        if column not in data.columns:
            raise UnknownNameError("column", column, map(str, data.columns), formula)
    extra = {
        role: data[column].reset_index(drop=True)
        for role, column in (("cluster", cluster), ("weights", weights), ("offset", offset))
        if column
    }
    return dataclasses.replace(design, **extra), data[named]


def estimate(
    formula: str, design: Design, names: pd.DataFrame, *, family: str, errors: str,
    small_sample: str,
) -> Fit:  # fmt: skip
    """Estimate from columns that are already made: the way of every design with slopes.

    Parameters
    ----------
    formula : str
        For messages, and kept.
    design : Design
        One row a row of the data, missing values and all.
    names : DataFrame
        The names of the rows, with the data's own index.
    family, errors, small_sample : str
        As in `fit_panel`.
    """
    for kind, value, valid in (("family", family, FAMILIES), ("errors", errors, ERRORS)):
        if value not in valid:
            raise UnknownNameError(kind, value, valid)
    if small_sample not in absorb.CONVENTIONS:
        raise UnknownNameError("small_sample", small_sample, absorb.CONVENTIONS)
    counts = family != "ols"
    if counts and design.endogenous.shape[1]:
        raise ModelError("instruments need family='ols'; counts take none here")
    if design.offset is not None and not counts:
        raise ModelError("an offset needs family='poisson' or 'negative_binomial'")
    numeric = _numeric(design)
    _refuse(numeric, names, formula)
    coded = _coded(design)
    kept, why = _incomplete(numeric, coded)
    _set_aside(design, coded, kept, why, counts)
    rows = _rows(design, coded, kept)
    _check(rows, family, formula)
    slopes = rows.slopes.shape[1] + rows.endogenous.shape[1]
    levels = [int(rows.effects[name].max()) + 1 for name in rows.effects if kept.any()]
    if len(rows.outcome) <= slopes + max(levels, default=0):
        lost = int((~kept).sum())
        raise ModelError(
            f"{len(rows.outcome)} usable rows are too few for {formula!r}"
            + (f"; {lost} rows were dropped, the first because: {why[~kept][0]}" if lost else "")
        )
    rows = dataclasses.replace(rows, slopes=_informed_dummies(rows.slopes))

    if errors == "classical" and family == "poisson":
        raise ModelError("errors='classical' holds only for truly Poisson counts; leave it out")
    result = estimators.of(rows, family)(rows, formula, family, errors)
    groups = 0 if rows.cluster is None else int(rows.cluster.max()) + 1
    counted = absorb.parameters(len(result.terms), rows.effects, rows.cluster, small_sample)
    if family == "negative_binomial":  # by maximum likelihood, for which Stata puts on G/(G-1)
        counted = 1
    size = absorb.factor(len(rows.outcome), groups, counted, small_sample)
    label = str(design.cluster.name) if design.cluster is not None else ""
    normal = counts and not groups
    return Fit(
        formula=formula,
        family="iv" if rows.endogenous.shape[1] else family,
        coefficients=pd.Series(result.estimates, index=result.terms),
        covariance=pd.DataFrame(result.covariance * size, result.terms, result.terms),
        vcov=f"clustered by {label}, {groups} groups"
        if groups
        else {"robust": "robust (HC1)", "classical": "classical"}[errors],
        degrees_of_freedom=float(groups - 1)
        if groups
        else float("inf")
        if normal
        else float(len(rows.outcome) - counted),
        nobs=len(rows.outcome),
        n_clusters=groups,
        data_used=names.assign(kept=kept, reason=why),
        native=result.native,
        design=rows,
        small_sample=small_sample,
        fixed_effects=tuple(design.effects),
        outcome=str(design.outcome.name),
    )


def _numeric(design: Design) -> pd.DataFrame:
    """Return every numeric column once, whatever parts it plays."""
    parts = [design.outcome.to_frame(), design.slopes, design.endogenous, design.instruments]
    parts += [s.to_frame() for s in (design.weights, design.offset) if s is not None]
    frame = pd.concat(parts, axis=1)
    return frame.loc[:, ~frame.columns.duplicated()]


def _coded(design: Design) -> dict[str, np.ndarray]:
    """Return effects and clusters as codes in the order of their names, -1 where missing."""
    groups = {str(name): design.effects[name] for name in design.effects}
    if design.cluster is not None:
        groups.setdefault(str(design.cluster.name), design.cluster)  # often an effect too
    return {name: pd.factorize(values, sort=True)[0] for name, values in groups.items()}


def _rows(design: Design, coded: dict[str, np.ndarray], kept: np.ndarray) -> Design:
    """Return the rows kept, as numbers: groups as codes, none left out."""
    at = np.flatnonzero(kept)
    whole = len(at) == len(kept)

    def codes(name: str) -> np.ndarray:
        here = coded[name] if whole else coded[name][at]
        present = np.bincount(here) > 0
        return here if present.all() else (np.cumsum(present) - 1)[here]

    def numbers(frame: pd.DataFrame) -> pd.DataFrame:
        return (frame if whole else frame.iloc[at]).set_axis(at).astype("float64")

    def column(values: pd.Series | None) -> pd.Series | None:
        return None if values is None else numbers(values.to_frame()).iloc[:, 0]

    effects = pd.DataFrame({str(name): codes(str(name)) for name in design.effects}, index=at)
    cluster = None
    if design.cluster is not None:
        name = str(design.cluster.name)
        cluster = pd.Series(
            effects[name] if name in effects else codes(name), index=at, name=design.cluster.name
        )
    return Design(
        outcome=numbers(design.outcome.to_frame()).iloc[:, 0],
        slopes=numbers(design.slopes),
        endogenous=numbers(design.endogenous),
        instruments=numbers(design.instruments),
        effects=effects,
        cluster=cluster,
        weights=column(design.weights),
        offset=column(design.offset),
    )


def _informed_dummies(slopes: pd.DataFrame) -> pd.DataFrame:
    """Leave out dummies (``column=level``) of levels that no usable row has."""
    empty = [c for c in slopes if "=" in str(c) and not slopes[c].any()]
    return slopes.drop(columns=empty)


def _refuse(numeric: pd.DataFrame, names: pd.DataFrame, formula: str) -> None:
    """Refuse columns that no estimator should see."""
    for column in numeric:
        values = numeric[column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise ModelError(f"column {column!r} of {formula!r} is not numeric")
        if values.isna().all():
            raise ModelError(f"column {column!r} of {formula!r} has only missing values")
        infinite = np.isinf(values.to_numpy(dtype=float, na_value=np.nan))
        if infinite.any():
            named = names.loc[infinite].head(5).itertuples(index=False)
            rows = [" ".join(map(str, row)) for row in named]
            rows = rows if len(names.columns) else [str(i) for i in names.index[infinite][:5]]
            raise ModelError(
                f"column {column!r} is infinite in {int(infinite.sum())} rows ({', '.join(rows)}):"
                " the logarithm of a zero? Model the count itself with family='poisson'"
            )


def _incomplete(
    numeric: pd.DataFrame, coded: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows are whole and, for the others, which values are missing, in words."""
    kept = np.ones(len(numeric), dtype=bool)
    why = np.full(len(numeric), "", dtype=object)
    absent = {str(column): numeric[column].isna().to_numpy() for column in numeric}
    for name, codes in coded.items():
        absent.setdefault(name, codes < 0)
    for column, missing in absent.items():
        if missing.any():
            why[missing] = [f"{w}, {column}" if w else f"no {column}" for w in why[missing]]
            kept &= ~missing
    if not kept.any():
        raise ModelError(f"no row has all of {list(absent)}")
    return kept, why


def _set_aside(
    design: Design, coded: dict[str, np.ndarray], kept: np.ndarray, why: np.ndarray, counts: bool
) -> None:
    """Set aside, in `kept` and `why`, rows whose effect leaves nothing to explain, until none is.

    pyfixest would drop them itself, but then says which by a name that changes with versions,
    fails on counts of zero (0.60), and ends the whole process where no row is left.
    """
    outcome = design.outcome.to_numpy(dtype=float, na_value=np.nan)
    left = np.flatnonzero(kept)
    found = True
    while found and len(left):
        found = False
        for name in map(str, design.effects):
            here = coded[name][left]
            alone = np.bincount(here)[here] == 1
            reasons = [(alone, f"the only row of its {name}")]
            if counts:
                empty = np.bincount(here, outcome[left])[here] == 0
                reasons.append((empty & ~alone, f"no {design.outcome.name} at all in its {name}"))
            gone = np.zeros(len(left), dtype=bool)
            for hit, reason in reasons:
                why[left[hit]] = reason
                gone |= hit
            if gone.any():
                kept[left[gone]] = False
                left, found = left[~gone], True


def _check(rows: Design, family: str, formula: str) -> None:
    """Refuse rows that are complete but cannot be estimated from."""
    if rows.weights is not None and (rows.weights <= 0).any():
        raise ModelError(
            f"weights {rows.weights.name!r} must be positive; drop rows without weight"
        )
    if family != "ols" and (rows.outcome < 0).any():
        raise ModelError(f"{rows.outcome.name!r} has negative counts; {family} takes none")
    if family == "negative_binomial" and (rows.outcome % 1 != 0).any():
        raise ModelError(f"{rows.outcome.name!r} is not a count; family='poisson' takes rates")
    if family == "negative_binomial" and rows.weights is not None:
        raise ModelError("family='negative_binomial' takes no weights; use 'poisson'")
    if len(rows.outcome) > 1 and rows.outcome.min() == rows.outcome.max():
        raise ModelError(f"{rows.outcome.name!r} does not vary in the rows of {formula!r}")
    if rows.cluster is not None and len(rows.cluster) and not rows.cluster.any():
        raise ModelError(f"{rows.cluster.name!r} has 1 group; clustered errors need two or more")
