"""Panel regression with absorbed fixed effects: least squares, instruments, Poisson.

A thin, checked way into pyfixest. The formula is the field's own,
``y ~ x | fixed effects | endogenous ~ instrument``.

Small-sample factor
-------------------
Clustered errors are multiplied by ``G/(G-1) x (N-1)/(N-k)``, where ``k`` counts the slopes and
not the absorbed effects. pyfixest's default counts some absorbed effects, and with two of them
its count changes with PYTHONHASHSEED (seen in 0.60); the convention here cannot. Tests and
intervals use the t distribution with ``G - 1`` degrees of freedom (Cameron and Miller 2015).
Errors that are not clustered (HC1) are multiplied by ``N/(N-k)``, where ``k`` counts the
absorbed effects too.

Rows that are alone in a fixed effect, and for counts those in one that holds only zeros, say
nothing of the slopes; they are set aside here (Correia 2015) and named in ``Fit.data_used``.
"""

from __future__ import annotations

import keyword
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
    names = keys or effects or [column for column in ("force", "financial_year") if column in data]
    for column in [*used, *names]:
        if column not in data.columns:
            raise UnknownNameError("column", column, map(str, data.columns), formula)
    _refuse(data, list(dict.fromkeys(numeric)), names, formula)
    why = _incomplete(data, used)
    why = _uninformative(data, why, effects, outcome if family == "poisson" else None)
    kept = why == ""
    rows = data.loc[kept, used].reset_index(drop=True)
    rows = rows.astype(dict.fromkeys(numeric, "float64"))
    _check(rows, outcome, cluster, weights, family, formula)
    levels = [rows[effect].nunique() for effect in effects]
    if len(rows) <= len(slopes) + len(endogenous) + max(levels, default=1):
        lost = int((~kept).sum())
        raise ModelError(
            f"{len(rows)} usable rows are too few for {formula!r}"
            + (f"; {lost} rows were dropped, the first because: {why[~kept][0]}" if lost else "")
        )

    native, scale = _estimate(
        formula, rows, slopes + endogenous, instruments, effects, cluster, weights, family, offset
    )
    terms = [str(term) for term in native._coefnames]
    size = np.array([scale.get(term, 1.0) for term in terms])
    groups = int(rows[cluster].nunique()) if cluster else 0
    return Fit(
        formula=formula,
        family="iv" if endogenous else family,
        coefficients=pd.Series(np.asarray(native._beta_hat, dtype=float) / size, index=terms),
        covariance=pd.DataFrame(
            np.asarray(native._vcov, dtype=float).reshape(len(terms), len(terms))
            / np.outer(size, size),
            index=terms,
            columns=terms,
        ),
        vcov=f"clustered by {cluster}, {groups} groups" if cluster else "robust (HC1)",
        degrees_of_freedom=float(groups - 1) if cluster else float("inf"),
        nobs=int(native._N),
        n_clusters=groups,
        data_used=data[names].assign(kept=kept, reason=why),
        native=native,
    )


def _parts(formula: str) -> tuple[str, list[str], list[str], list[str], list[str]]:
    """Split a formula into outcome, slopes, fixed effects, endogenous and instruments."""
    first, *pieces = (piece.strip() for piece in formula.split("|"))
    left, _, right = first.partition("~")
    last = pieces.pop() if pieces and "~" in pieces[-1] else ""
    effects = _names(pieces[0], formula) if len(pieces) == 1 else []
    before, _, after = last.partition("~")
    endogenous, instruments = _names(before, formula), _names(after, formula)
    whole = right.strip() and bool(effects) == bool(pieces) and bool(endogenous) == bool(last)
    if not whole or len(pieces) > 1 or len(_names(left, formula)) != 1:
        raise ModelError(
            f"{formula!r} is not a formula; write 'y ~ x | fixed effects | endogenous ~ instrument'"
        )
    if len(instruments) < len(endogenous):
        raise ModelError(f"{formula!r} has fewer instruments than endogenous terms")
    slopes = _names(right, formula)
    every = [left.strip(), *slopes, *effects, *endogenous, *instruments]
    twice = sorted({name for name in every if every.count(name) > 1})
    if twice:
        raise ModelError(f"{twice} stand twice in {formula!r}; each column has one part to play")
    return left.strip(), slopes, effects, endogenous, instruments


def _names(text: str, formula: str) -> list[str]:
    names = [name.strip() for name in text.split("+")]
    names = [name for name in names if name not in ("", "0", "1")]
    for name in names:
        if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name == "Intercept":
            raise ModelError(f"{name!r} in {formula!r} is not a column; make it one, or rename it")
    return names


def _refuse(data: pd.DataFrame, numeric: list[str], names: list[str], formula: str) -> None:
    """Refuse columns that no estimator should see."""
    if data.empty:
        raise ModelError(f"there are no rows to estimate {formula!r} from")
    for column in numeric:
        values = data[column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise ModelError(f"column {column!r} of {formula!r} is not numeric")
        if values.isna().all():
            raise ModelError(f"column {column!r} of {formula!r} has only missing values")
        infinite = np.isinf(values.to_numpy(dtype=float, na_value=np.nan))
        if infinite.any():
            named = data.loc[infinite, names].head(5).itertuples(index=False)
            rows = [" ".join(map(str, row)) for row in named]
            rows = rows if names else [str(label) for label in data.index[infinite][:5]]
            raise ModelError(
                f"column {column!r} is infinite in {int(infinite.sum())} rows ({', '.join(rows)}):"
                " the logarithm of a zero? Model the count itself with family='poisson'"
            )


def _incomplete(data: pd.DataFrame, used: list[str]) -> np.ndarray:
    """Return, by row, which values are missing, in words; empty where none is."""
    why = np.full(len(data), "", dtype=object)
    for column in used:
        missing = data[column].isna().to_numpy()
        why[missing] = [f"{text}, {column}" if text else f"no {column}" for text in why[missing]]
    if not (why == "").any():
        raise ModelError(f"no row has all of {used}")
    return why


def _uninformative(
    data: pd.DataFrame, why: np.ndarray, effects: list[str], count: str | None
) -> np.ndarray:
    """Add the rows whose fixed effect leaves nothing to explain, until none is left.

    pyfixest would drop them itself, but then says which by a name that changes with versions,
    fails on counts of zero (0.60), and ends the whole process where no row is left.
    """
    why = why.copy()
    found = True
    while found:
        found = False
        for effect in effects:
            left = np.flatnonzero(why == "")
            groups = data[effect].iloc[left].reset_index(drop=True)
            alone = groups.map(groups.value_counts()).to_numpy(dtype=float) == 1
            reasons = [(alone, f"the only row of its {effect}")]
            if count:
                total = data[count].iloc[left].reset_index(drop=True).groupby(groups).sum()
                empty = groups.map(total).to_numpy(dtype=float) == 0
                reasons.append((empty & ~alone, f"no {count} at all in its {effect}"))
            for hit, reason in reasons:
                why[left[hit]] = reason
                found |= bool(hit.any())
    return why


def _check(
    rows: pd.DataFrame,
    outcome: str,
    cluster: str | None,
    weights: str | None,
    family: str,
    formula: str,
) -> None:
    """Refuse rows that are complete but cannot be estimated from."""
    if weights and (rows[weights] <= 0).any():
        raise ModelError(f"weights {weights!r} must be positive; drop rows without weight")
    if family == "poisson" and (rows[outcome] < 0).any():
        raise ModelError(f"{outcome!r} has negative counts; Poisson takes none")
    if len(rows) > 1 and rows[outcome].nunique() < 2:
        raise ModelError(f"{outcome!r} does not vary in the rows of {formula!r}")
    groups = rows[cluster].nunique() if cluster else 2
    if len(rows) and groups < 2:
        raise ModelError(f"{cluster!r} has {groups} group; clustered errors need two or more")


def _estimate(
    formula: str,
    rows: pd.DataFrame,
    slopes: list[str],
    instruments: list[str],
    effects: list[str],
    cluster: str | None,
    weights: str | None,
    family: str,
    offset: str | None,
) -> tuple[Any, dict[str, float]]:
    """Return pyfixest's result, and by what each regressor was divided before."""
    import pyfixest as pf

    # What plays two parts (an offset that is also a slope) gets a column for each; text keys
    # are turned into integers so that nothing depends on how strings are hashed.
    coded = rows.copy()
    extra = {"weights": weights, "offset": offset, "cluster": cluster}
    roles = {role: f"_{role}_" for role, column in extra.items() if column}
    for role, name in roles.items():
        coded[name] = rows[str(extra[role])]
    for column in [*effects, *([roles["cluster"]] if cluster else [])]:
        coded[column] = pd.factorize(coded[column], sort=True)[0]
    # pyfixest calls a regressor collinear by an absolute tolerance, so that a rate of one in a
    # million would be; a power of two scales without rounding.
    spread = coded[[*slopes, *instruments]].std(ddof=0)
    scale = {str(c): 2.0 ** np.round(np.log2(s)) if s > 0 else 1.0 for c, s in spread.items()}
    for column, size in scale.items():
        coded[column] /= size
    same = {
        # With clusters, absorbed effects are not counted (see above).
        "ssc": pf.ssc(k_adj=True, k_fixef="none" if cluster else "full", G_adj=True, G_df="min"),
        "vcov": {"CRV1": roles["cluster"]} if cluster else "HC1",
        "weights": roles.get("weights"),
        "fixef_rm": "none",
        # The default stops at an absolute 1e-6, too early for small outcomes.
        "demeaner": pf.LsmrDemeaner(fixef_atol=1e-12, fixef_btol=1e-12),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # collinear columns are an error here, raised below
        try:
            if family == "poisson":
                native: Any = pf.fepois(
                    formula, coded, offset=roles.get("offset"), iwls_tol=1e-12, iwls_maxiter=100,
                    **same,
                )  # fmt: skip
            else:
                native = pf.feols(formula, coded, **same)
        except (ValueError, np.linalg.LinAlgError, IndexError) as problem:
            text = " ".join(str(problem).split())
            if "collinear" in text or instruments:
                raise ModelError(_collinear([*slopes, *instruments], formula)) from None
            raise ModelError(f"{formula!r} cannot be estimated: {text}") from None
    missing = sorted(set(slopes) - set(native._coefnames))
    if instruments:
        missing += sorted(set(instruments) - set(native._coefnames_z))
    if missing:
        raise ModelError(_collinear(missing, formula))
    if family == "poisson" and not native.convergence:
        raise ModelError(f"{formula!r} did not converge; a term may explain all zeros by itself")
    return native, scale


def _collinear(terms: list[str], formula: str) -> str:
    which = f"one of {terms}" if len(terms) > 1 else repr(terms[0])
    return (
        f"{which} does not vary, or cannot be told apart from the other terms or fixed effects of"
        f" {formula!r}; leave it out"
    )
