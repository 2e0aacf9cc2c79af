"""Panel regression with absorbed fixed effects: least squares, instruments, Poisson.

A thin, checked way into pyfixest. The formula is the field's own,
``y ~ x | fixed effects | endogenous ~ instrument``.

Small-sample factor
-------------------
Clustered errors are multiplied by ``G/(G-1) x (N-1)/(N-k)``, where ``k`` counts the slopes and
not the absorbed effects. pyfixest's default counts some absorbed effects, and with two of them
its count changes with PYTHONHASHSEED (seen in 0.60); the convention here cannot. Tests and
intervals use the t distribution with ``G - 1`` degrees of freedom (Cameron and Miller 2015).
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.models.fit import Fit

__all__ = ["fit_panel"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def fit_panel(
    formula: str,
    data: pd.DataFrame,
    *,
    cluster: str | None = None,
    weights: str | None = None,
    family: str = "ols",
    offset: str | None = None,
    keys: list[str] | None = None,
) -> Fit:
    """Estimate a panel regression.

    Parameters
    ----------
    formula : str
        ``y ~ x1 + x2 | fe1 + fe2 | endogenous ~ instrument``; the parts after the first are
        optional. Every name is a column of `data`; write ``1`` where there are no exogenous
        slopes.
    data : DataFrame
        One row a unit and period.
    cluster : str, optional
        Column whose groups' errors may be correlated; heteroskedasticity-robust errors if not
        given.
    weights : str, optional
        Column of positive analytic weights.
    family : {"ols", "poisson"}
        Poisson is the fixed-effects pseudo-maximum-likelihood estimator for counts.
    offset : str, optional
        Poisson only: column of the logarithm of the exposure.
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
        If a column is not numeric, holds infinities or only missing values, has no variation
        left, weights are not positive, or there are too few rows or clusters.

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
    outcome, slopes, effects, endogenous, instruments = _parts(formula)
    if family not in ("ols", "poisson"):
        raise UnknownNameError("family", family, ["ols", "poisson"])
    if family == "poisson" and endogenous:
        raise ModelError("instruments need family='ols'; Poisson takes none here")
    if offset and family != "poisson":
        raise ModelError("an offset needs family='poisson'")
    numeric = [outcome, *slopes, *endogenous, *instruments]
    numeric += [column for column in (weights, offset) if column]
    used = list(dict.fromkeys([*numeric, *effects, *([cluster] if cluster else [])]))
    for column in used:
        if column not in data.columns:
            raise UnknownNameError("column", column, map(str, data.columns), formula)
    kept = _complete(data, numeric, used, formula)
    rows = data.loc[kept, used].reset_index(drop=True)
    if weights and (rows[weights] <= 0).any():
        raise ModelError(f"weights {weights!r} must be positive; drop rows without weight")
    if family == "poisson" and (rows[outcome] < 0).any():
        raise ModelError(f"{outcome!r} has negative counts; Poisson takes none")
    groups = int(rows[cluster].nunique()) if cluster else 0
    if cluster and groups < 2:
        raise ModelError(f"{cluster!r} has {groups} group; clustered errors need two or more")
    if len(rows) <= len(slopes) + len(endogenous) + 1:
        raise ModelError(f"{len(rows)} complete rows are too few for {formula!r}")

    native = _estimate(formula, rows, cluster, weights, family, offset)
    terms = list(native._coefnames)
    missing = sorted(set(slopes + endogenous) - set(terms))
    if missing:
        raise ModelError(
            f"{missing} cannot be told apart from the other terms or fixed effects of {formula!r};"
            " leave them out"
        )
    clustered = f"clustered by {cluster}, {groups} groups" if cluster else "robust (HC1)"
    names = keys or effects or [column for column in ("force", "financial_year") if column in data]
    note = pd.Series(np.where(kept, "", "a value is missing"), index=data.index)
    separated = int(len(rows) - native._N)
    if separated:
        position = np.asarray(getattr(native, "_na_index", []), dtype=int)
        lost = data.index[kept][position] if len(position) == separated else []
        note.loc[lost] = "its fixed effect leaves nothing to explain"
    return Fit(
        formula=formula,
        family="iv" if endogenous else family,
        coefficients=pd.Series(np.asarray(native._beta_hat, dtype=np.float64), index=terms),
        covariance=pd.DataFrame(
            np.asarray(native._vcov, dtype=np.float64).reshape(len(terms), len(terms)),
            index=terms,
            columns=terms,
        ),
        vcov=clustered,
        degrees_of_freedom=float(groups - 1) if cluster else float("inf"),
        nobs=int(native._N),
        n_clusters=groups,
        data_used=data[names].assign(kept=note == "", reason=note),
        native=native,
    )


def _parts(formula: str) -> tuple[str, list[str], list[str], list[str], list[str]]:
    """Split a formula into outcome, slopes, fixed effects, endogenous and instruments."""
    pieces = [piece.strip() for piece in formula.split("|")]
    left, tilde, right = pieces[0].partition("~")
    if not tilde or not _NAME.fullmatch(left.strip()) or len(pieces) > 3:
        raise ModelError(
            f"{formula!r} is not a formula; write 'y ~ x | fixed effects | endogenous ~ instrument'"
        )
    slopes = _names(right, formula)
    effects: list[str] = []
    endogenous: list[str] = []
    instruments: list[str] = []
    for piece in pieces[1:]:
        if "~" in piece:
            before, _, after = piece.partition("~")
            endogenous, instruments = _names(before, formula), _names(after, formula)
        else:
            effects = _names(piece, formula)
    if endogenous and len(instruments) < len(endogenous):
        raise ModelError(f"{formula!r} has fewer instruments than endogenous terms")
    return left.strip(), slopes, effects, endogenous, instruments


def _names(text: str, formula: str) -> list[str]:
    names = [name.strip() for name in text.split("+")]
    names = [name for name in names if name not in ("", "0", "1")]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ModelError(f"{name!r} in {formula!r} is not a column; make it one first")
    return names


def _complete(data: pd.DataFrame, numeric: list[str], used: list[str], formula: str) -> pd.Series:
    """Return which rows have every value; refuse what no estimator should see."""
    for column in dict.fromkeys(numeric):
        values = data[column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise ModelError(f"column {column!r} of {formula!r} is not numeric")
        if values.isna().all():
            raise ModelError(f"column {column!r} of {formula!r} has only missing values")
        infinite = np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            rows = list(data.index[infinite][:5])
            raise ModelError(
                f"column {column!r} is infinite in rows {rows}: the logarithm of a zero? Model the"
                " count itself with family='poisson'"
            )
    kept = data[used].notna().all(axis=1)
    if not kept.any():
        raise ModelError(f"no row has all of {used}")
    for column in dict.fromkeys(numeric[:1]):
        if data.loc[kept, column].nunique() < 2:
            raise ModelError(f"{column!r} does not vary in the rows of {formula!r}")
    return kept


def _estimate(
    formula: str,
    rows: pd.DataFrame,
    cluster: str | None,
    weights: str | None,
    family: str,
    offset: str | None,
) -> Any:
    import pyfixest as pf

    ssc = pf.ssc(k_adj=True, k_fixef="none", G_adj=True, G_df="min")
    vcov: Any = {"CRV1": cluster} if cluster else "HC1"
    # A column may be cluster and fixed effect at once; text keys are turned into integers so
    # that nothing depends on how strings are hashed.
    coded = rows.copy()
    for column in coded.columns:
        if not pd.api.types.is_numeric_dtype(coded[column]):
            coded[column] = pd.factorize(coded[column], sort=True)[0]
    with warnings.catch_warnings():
        # pyfixest warns of dropped singletons and collinear columns; both are reported here,
        # the first in data_used, the second as an error.
        warnings.simplefilter("ignore")
        try:
            if family == "poisson":
                return pf.fepois(
                    formula, coded, vcov=vcov, weights=weights, ssc=ssc, offset=offset,
                    iwls_tol=1e-10, iwls_maxiter=100,
                )  # fmt: skip
            return pf.feols(formula, coded, vcov=vcov, weights=weights, ssc=ssc)
        except (ValueError, np.linalg.LinAlgError, IndexError) as problem:
            raise ModelError(f"{formula!r} cannot be estimated: {problem}") from None
