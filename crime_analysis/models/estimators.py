"""The libraries behind `fit_panel`: each gets clean columns, and gives plain arrays back.

Covariances come without a small-sample factor, which is put on in one place.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError
from crime_analysis.models import absorb
from crime_analysis.models.fit import Design

__all__ = ["Estimates", "of"]


@dataclass(frozen=True)
class Estimates:
    """Terms with their estimates and covariance, before any small-sample factor."""

    terms: list[str]
    estimates: np.ndarray
    covariance: np.ndarray
    native: Any


def of(rows: Design, family: str) -> Callable[[Design, str, str, str], Estimates]:
    """Return the estimator for a design and family."""
    if rows.endogenous.shape[1]:
        return _two_stage
    return _negative_binomial if family == "negative_binomial" else _absorbing


def _scaled(columns: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return columns divided by powers of two near their spread, and those powers.

    Libraries call a column collinear by an absolute tolerance, so that a rate of one in a
    million would be; a power of two scales without rounding.
    """
    spread = columns.std(ddof=0).to_numpy()
    with np.errstate(divide="ignore"):
        size = np.where(spread > 0, 2.0 ** np.round(np.log2(spread)), 1.0)
    return columns / size, size


def _absorbing(rows: Design, formula: str, family: str, errors: str) -> Estimates:
    """Estimate by least squares or Poisson with pyfixest; its own result knows no clusters."""
    import pyfixest as pf

    terms = [str(c) for c in rows.slopes]
    if not terms:
        raise ModelError(f"{formula!r} has no term to estimate; write one after '~'")
    scaled, size = _scaled(rows.slopes)
    # Names of their own, so that nothing is parsed again and nothing plays two parts.
    slopes = [f"x{place}" for place in range(len(terms))]
    effects = [f"f{place}" for place in range(rows.effects.shape[1])]
    coded = scaled.set_axis(slopes, axis=1).assign(y=rows.outcome)
    shown = list(slopes)
    # pyfixest orders several effects by hash, so that last digits change with PYTHONHASHSEED
    # (0.60). In panels of places they are taken out exactly before, and counts keep one.
    if family == "ols" and absorb.is_small(rows.effects):
        coded = _without_effects(coded, rows, dict(zip(slopes, terms, strict=True)), formula)
        effects = []
    else:
        held = rows.effects.set_axis(effects, axis=1)
        if family == "poisson" and len(effects) > 1 and absorb.is_small(held):
            effects, dummies = _one_effect(held)
            slopes = [*slopes, *dummies]
            coded = pd.concat([coded, dummies], axis=1)
        coded = pd.concat([coded, held[effects]], axis=1)
    extra = {"w": rows.weights, "o": rows.offset}
    for name, values in extra.items():
        if values is not None:
            coded[name] = values
    coded = coded.reset_index(drop=True)
    written = f"y ~ {' + '.join(slopes)} - 1" + (f" | {' + '.join(effects)}" if effects else "")
    same: dict[str, Any] = {
        "ssc": pf.ssc(k_adj=False, k_fixef="none", G_adj=False),
        # Clusters are summed below: pyfixest's way takes as long as the rest of its work.
        "vcov": "iid" if rows.cluster is not None or errors == "classical" else "hetero",
        "weights": "w" if rows.weights is not None else None,
        "fixef_rm": "none",
        # The default stops at an absolute 1e-6, too early for small outcomes.
        "demeaner": pf.LsmrDemeaner(fixef_atol=1e-12, fixef_btol=1e-12),
        "copy_data": False,
        "store_data": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # collinear columns are an error here, raised below
        try:
            if family == "poisson":
                native: Any = pf.fepois(
                    written, coded, offset="o" if rows.offset is not None else None,
                    iwls_tol=1e-12, iwls_maxiter=100, **same,
                )  # fmt: skip
            else:
                native = pf.feols(written, coded, **same)
        except (ValueError, np.linalg.LinAlgError, IndexError) as problem:
            text = " ".join(str(problem).split())
            if "collinear" in text:
                raise ModelError(_collinear(terms, formula)) from None
            raise ModelError(f"{formula!r} cannot be estimated: {text}") from None
    estimated = list(native._coefnames)
    missing = [t for t, name in zip(terms, shown, strict=True) if name not in estimated]
    if missing:
        raise ModelError(_collinear(missing, formula))
    if family == "poisson" and not native.convergence:
        raise ModelError(f"{formula!r} did not converge; a term may explain all zeros by itself")
    covariance = np.asarray(native._vcov, dtype=float).reshape(len(estimated), len(estimated))
    if rows.cluster is not None:
        covariance = _clustered(native._scores, native._hessian, rows.cluster.to_numpy())
    elif same["vcov"] == "iid":  # pyfixest divides the residual sum of squares by N - 1 (0.60)
        covariance = covariance * (len(coded) - 1) / len(coded)
    at = [estimated.index(name) for name in shown]
    return Estimates(
        terms,
        np.asarray(native._beta_hat, dtype=float)[at] / size,
        covariance[np.ix_(at, at)] / np.outer(size, size),
        native,
    )


def _one_effect(effects: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Return the effect with the most levels, and dummies of the others less what repeats."""
    largest = str(effects.nunique().idxmax())
    rest = effects.drop(columns=largest).astype("str")
    dummies = pd.get_dummies(rest, drop_first=True, dtype=float)
    dummies.columns = pd.Index([f"d{place}" for place in range(dummies.shape[1])])
    both = np.column_stack([pd.get_dummies(effects[largest], dtype=float), dummies])
    adds = np.abs(np.diag(np.linalg.qr(both, mode="r")))[-dummies.shape[1] :]
    return [largest], dummies.loc[:, adds > 1e-9 * adds.max()]


def _without_effects(
    columns: pd.DataFrame, rows: Design, terms: dict[str, str], formula: str
) -> pd.DataFrame:
    """Return columns less their fixed effects; refuse those of which only rounding is left."""
    if not rows.effects.shape[1]:
        return columns
    values = columns.to_numpy()
    weights = None if rows.weights is None else rows.weights.to_numpy()
    left = absorb.residualise(values, rows.effects, weights)
    gone = np.sqrt((left**2).mean(axis=0)) <= 1e-9 * np.sqrt((values**2).mean(axis=0))
    flat = [terms[c] for c, lost in zip(columns, gone, strict=True) if lost and c in terms]
    if flat:
        raise ModelError(_collinear(flat, formula))
    return pd.DataFrame(left, columns.index, columns.columns)


def _clustered(scores: np.ndarray, hessian: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return the sandwich of the scores' sums by cluster (Liang and Zeger 1986)."""
    sums = np.column_stack([np.bincount(clusters, column) for column in scores.T])
    half = np.linalg.solve(hessian, sums.T)
    return half @ half.T


def _two_stage(rows: Design, formula: str, family: str, errors: str) -> Estimates:
    """Estimate by two-stage least squares with linearmodels, effects taken out before."""
    from linearmodels.iv import IV2SLS

    names = [[str(c) for c in f] for f in (rows.slopes, rows.endogenous, rows.instruments)]
    every, size = _scaled(pd.concat([rows.slopes, rows.endogenous, rows.instruments], axis=1))
    weights = None if rows.weights is None else rows.weights.to_numpy()
    columns = every.assign(**{rows.outcome.name: rows.outcome})[[rows.outcome.name, *every]]
    left = _without_effects(columns, rows, {c: c for c in map(str, every)}, formula).to_numpy()
    y, x, d, z = np.split(left, np.cumsum([1, *map(len, names[:2])]), axis=1)
    together = np.linalg.matrix_rank(np.column_stack([x, z]), tol=None)
    if together < x.shape[1] + z.shape[1]:
        raise ModelError(_collinear([*names[0], *names[2]], formula))
    options: dict[str, Any] = {"cov_type": "unadjusted" if errors == "classical" else "robust"}
    if rows.cluster is not None:
        options = {"cov_type": "clustered", "clusters": rows.cluster.to_numpy()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            native: Any = IV2SLS(y, x if x.shape[1] else None, d, z, weights=weights).fit(
                debiased=False, **options
            )
    except (ValueError, np.linalg.LinAlgError):
        raise ModelError(_collinear([*names[0], *names[1], *names[2]], formula)) from None
    size = size[: len(names[0]) + len(names[1])]
    return Estimates(
        names[0] + names[1],
        native.params.to_numpy() / size,
        native.cov.to_numpy() / np.outer(size, size),
        native,
    )


def _negative_binomial(rows: Design, formula: str, family: str, errors: str) -> Estimates:
    """Estimate the NB2 model with statsmodels, a dummy for every absorbed effect."""
    import statsmodels.api as sm
    from scipy.optimize import minimize_scalar

    terms = [str(c) for c in rows.slopes]
    scaled, size = _scaled(rows.slopes)
    coded = np.empty((len(rows.outcome), 0))
    if rows.effects.shape[1]:
        coded = pd.get_dummies(rows.effects.astype("str"), dtype=float).to_numpy()
        # The effects' dummies add up to one another: those that add nothing go.
        adds = np.abs(np.diag(np.linalg.qr(coded, mode="r")))
        coded = coded[:, adds > 1e-9 * adds.max()]
    x = np.column_stack([scaled.to_numpy(), coded])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ModelError(_collinear(terms, formula))
    offset = None if rows.offset is None else rows.offset.to_numpy()
    y = rows.outcome.to_numpy()

    def given(log_dispersion: float) -> Any:
        family = sm.families.NegativeBinomial(alpha=float(np.exp(log_dispersion)))
        return sm.GLM(y, x, family=family, offset=offset).fit(tol=1e-10, maxiter=200)

    options: dict[str, Any] = {"cov_type": "nonrobust" if errors == "classical" else "HC0"}
    if rows.cluster is not None:
        options = {
            "cov_type": "cluster",
            "cov_kwds": {"groups": rows.cluster.to_numpy(), "use_correction": False},
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The dispersion first, by its profile: far from it Newton's steps go astray.
        best = minimize_scalar(lambda a: -given(a).llf, bounds=(-18.0, 4.0), method="bounded")
        start = np.r_[given(best.x).params, np.exp(best.x)]
        native: Any = sm.NegativeBinomial(y, x, offset=offset).fit(
            start_params=start, method="newton", maxiter=50, tol=1e-12, disp=0, **options
        )
    if not native.mle_retvals["converged"] or not np.isfinite(native.params).all():
        raise ModelError(f"{formula!r} did not converge as a negative binomial; try 'poisson'")
    k = len(terms)
    return Estimates(
        terms, native.params[:k] / size, native.cov_params()[:k, :k] / np.outer(size, size), native
    )


def _collinear(terms: list[str], formula: str) -> str:
    which = f"one of {terms}" if len(terms) > 1 else repr(terms[0])
    return (
        f"{which} does not vary, or cannot be told apart from the other terms or fixed effects of"
        f" {formula!r}; leave it out"
    )
