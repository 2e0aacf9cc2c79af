"""What a design can find out: the smallest effect it would detect, and how far it would mislead.

By formula from a standard error, or by simulation on a fit's own residuals. Both say what
could have been known before an estimate is read; neither is a reason to doubt or to believe an
estimate after the fact.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference import operating
from crime_analysis.inference.detectable import DesignAnalysis, DetectableEffect
from crime_analysis.models.fit import Fit

__all__ = [
    "DesignAnalysis",
    "DetectableEffect",
    "design_analysis",
    "minimum_detectable_effect",
]

_METHODS = ("formula", "simulation")


def minimum_detectable_effect(
    fit_or_std_error: Fit | float,
    term: str | None = None,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    degrees_of_freedom: float | None = None,
    method: str = "formula",
    size_corrected: bool = True,
    residuals: str = "estimated",
    draws: int = 9999,
    weights: str = "rademacher",
    rng: int | np.random.Generator | None = None,
) -> DetectableEffect:
    """Return the smallest true effect that would be found significant with a given power.

    Report it beside a null result: "cannot tell" from a design that detects only effects
    larger than anyone expects is no evidence of none. It supposes that the estimator is
    unbiased; it is not the power "observed", and says nothing about a given estimate.

    By formula the test is exact for normal errors whose variance is estimated with the given
    degrees of freedom (noncentral t). By simulation nothing is supposed normal or alike across
    clusters: the fit's residuals are multiplied by a random weight a cluster (wild cluster
    bootstrap) and scaled by the fit's own small-sample factor, the effect is added, and the
    regression and its clustered t are taken again. Where the ordinary t test rejects too often
    without an effect (``size``), its power is in part false alarm: the critical value is that
    of the draws without an effect, as in `wild_bootstrap`, unless `size_corrected` is False.
    Residuals with no effect imposed, the ones for testing that there is none, hold the effect
    where there is one, and then understate power. Use the simulation where clusters are few or
    unequal; do not use it where one or two clusters hold all variation of the term.

    Parameters
    ----------
    fit_or_std_error : Fit or float
        A fit, or a standard error.
    term : str, optional
        The fit's term; needed unless it has only one.
    power, alpha : float
        The chance wished, and the level of the two-sided test.
    degrees_of_freedom : float, optional
        Of the t test: the fit's (clusters less one) if not given; infinite for a number.
    method : {"formula", "simulation"}
        The simulation needs a least-squares fit with clusters.
    size_corrected : bool
        Of the simulation; False for the ordinary t test, false alarms and all.
    residuals : {"estimated", "null"}
        Of the simulation: those of the fit, or those with no effect imposed.
    draws : int
        Of the simulation; all patterns of signs if they are no more.
    weights : {"rademacher", "webb"}
        Of the simulation; Webb's six points for fewer than about a dozen clusters.
    rng : int or Generator, optional
        Seed of the simulation, 0 if not given.

    Returns
    -------
    DetectableEffect

    Raises
    ------
    ParameterError
        If a number is out of range, or `term` is missing.
    UnknownNameError
        If the fit has no such term, or there is no such method.
    ModelError
        If the simulation is asked of other than clustered least squares.

    References
    ----------
    Bloom (1995), "Minimum detectable effects", Evaluation Review 19(5), 547-556.

    Examples
    --------
    >>> round(minimum_detectable_effect(0.1).effect, 4)
    0.2802
    >>> round(minimum_detectable_effect(0.1, degrees_of_freedom=7).effect, 4)
    0.327
    """
    law, told = _design(
        fit_or_std_error,
        term,
        alpha,
        degrees_of_freedom,
        method,
        size_corrected,
        residuals,
        draws,
        weights,
        rng,
    )
    if not _number(power) or not alpha < power < 1:
        raise ParameterError(f"power = {power!r} is not between alpha = {alpha:g} and 1")
    effect = operating.needed(law, power, told["std_error"])
    low = high = effect
    if method == "simulation":
        error = 1.96 * np.sqrt(power * (1 - power) / told["draws"])
        low, high = (
            operating.needed(law, float(np.clip(power + step, 0, 1)), told["std_error"])
            for step in (-error, error)
        )
    grid = np.linspace(0, max(1.6 * effect, 5 * told["std_error"]), 161)
    curve = law(grid)["power"].reset_index()
    quantiles = operating.central(told["degrees_of_freedom"]).ppf([1 - alpha / 2, power])
    return DetectableEffect(
        effect=effect,
        effect_low=low,
        effect_high=high,
        bloom=float(quantiles.sum() * told["std_error"]),
        power=float(power),
        size=told["size"],
        curve=curve,
        **_kept(told),
    )


def design_analysis(
    true_effect: float | Sequence[float],
    fit_or_std_error: Fit | float,
    term: str | None = None,
    *,
    alpha: float = 0.05,
    degrees_of_freedom: float | None = None,
    method: str = "formula",
    size_corrected: bool = True,
    residuals: str = "estimated",
    draws: int = 9999,
    weights: str = "rademacher",
    rng: int | np.random.Generator | None = None,
) -> DesignAnalysis:
    """Ask how often a design would find an effect of a given size, and how it would mislead.

    Where power is low, the estimates that reach significance are too large (type M error) and
    may have the wrong sign (type S). Take the true effect from other studies or from theory,
    never from the estimate at hand: that makes a circle.

    By formula the estimate is normal, its error estimated with the given degrees of freedom
    and independent of it; with infinite ones this is the closed form of Lu, Qiu and Deng, with
    finite ones it is integrated over the estimated error. (Gelman and Carlin's own program
    draws the estimate itself from a t distribution, which differs with few degrees of freedom.)
    By simulation, see `minimum_detectable_effect`.

    Parameters
    ----------
    true_effect : float or sequence of float
        Supposed effects, none of them zero, in units of the coefficient.
    fit_or_std_error, term, alpha, degrees_of_freedom, method : optional
    size_corrected, residuals, draws, weights, rng : optional
        As in `minimum_detectable_effect`.

    Returns
    -------
    DesignAnalysis

    Raises
    ------
    ParameterError
        If a true effect is zero, a number is out of range, or `term` is missing.
    UnknownNameError, ModelError
        As in `minimum_detectable_effect`.

    References
    ----------
    Gelman and Carlin (2014), "Beyond power calculations: assessing type S (sign) and type M
    (magnitude) errors", Perspectives on Psychological Science 9(6), 641-651. Lu, Qiu and Deng
    (2019), "A note on type S/M errors in hypothesis testing", British Journal of Mathematical
    and Statistical Psychology 72(1), 1-17.

    Examples
    --------
    >>> found = design_analysis(0.1, 3.28).tidy()
    >>> [round(float(found[name].iloc[0]), 2) for name in ("power", "type_s")]
    [0.05, 0.46]
    """
    try:
        effects = np.atleast_1d(np.asarray(true_effect, dtype=float))
    except (TypeError, ValueError):
        effects = np.empty(0)
    allowed = effects.ndim == 1 and effects.size and np.isfinite(effects).all() and effects.all()
    if not allowed:
        raise ParameterError(
            f"true_effect = {true_effect!r} must be numbers other than zero: without an effect"
            " power is alpha, and there is no sign to get wrong"
        )
    law, told = _design(
        fit_or_std_error,
        term,
        alpha,
        degrees_of_freedom,
        method,
        size_corrected,
        residuals,
        draws,
        weights,
        rng,
    )
    table = law(np.abs(effects)).set_axis(pd.Index(effects, name="true_effect"))
    chance = table["power"]
    table["power_error"] = (
        np.sqrt(chance * (1 - chance) / told["draws"]) if method == "simulation" else 0.0
    )
    far = max(4 * told["std_error"], 1.2 * np.abs(effects).max())
    near = min(0.2 * told["std_error"], np.abs(effects).min())
    curve = law(np.linspace(near, far, 120)).reset_index()
    return DesignAnalysis(table=table, curve=curve, **_kept(told))


def _kept(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in ("draws", "size")}


def _number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _design(
    fit_or_std_error: Fit | float,
    term: str | None,
    alpha: float,
    degrees_of_freedom: float | None,
    method: str,
    size_corrected: bool,
    residuals: str,
    draws: int,
    weights: str,
    rng: int | np.random.Generator | None,
) -> tuple[operating.Operating, dict[str, Any]]:
    """Check what was asked; return how the design operates, and what it is."""
    if method not in _METHODS:
        raise UnknownNameError("method", method, _METHODS)
    if not _number(alpha) or not 0 < alpha < 1:
        raise ParameterError(f"alpha = {alpha!r} is not between 0 and 1; give one such as 0.05")
    dof = degrees_of_freedom
    if dof is not None and (not _number(dof) or not dof >= 1):
        raise ParameterError(f"degrees_of_freedom = {dof!r} is not 1 or more; clusters less one?")
    told: dict[str, Any] = {"alpha": float(alpha), "method": method, "draws": 0, "size": alpha}
    if isinstance(fit_or_std_error, Fit):
        fit = fit_or_std_error
        if term is None:
            slopes = [name for name in fit.coefficients.index if name != "Intercept"]
            if len(slopes) != 1:
                raise ParameterError(f"say which term of {fit.formula!r}: term= one of {slopes}")
            term = str(slopes[0])
        error = float(fit.term(term)["std_error"])
        dof = fit.degrees_of_freedom if dof is None else dof
        told |= {"term": term, "formula": fit.formula, "vcov": fit.vcov}
    else:
        if method == "simulation":
            raise ModelError("a simulation resamples residuals: give a fit, not a standard error")
        if not _number(fit_or_std_error):
            raise ParameterError(f"{fit_or_std_error!r} is neither a fit nor a standard error")
        error, dof = float(fit_or_std_error), np.inf if dof is None else dof
        told |= {"term": term or "the effect", "formula": "a design", "vcov": "as given"}
    if not 0 < error < np.inf:
        raise ParameterError(f"the standard error is {error!r}; it must be above 0 and finite")
    told |= {"std_error": error, "degrees_of_freedom": float(dof)}
    critical = float(operating.central(dof).ppf(1 - alpha / 2))
    if method == "formula":
        return operating.by_formula(error, float(dof), critical), told
    if isinstance(draws, bool) or not isinstance(draws, numbers.Integral) or draws < 100:
        raise ParameterError(f"draws = {draws!r} is not a whole number of 100 or more")
    if weights not in ("rademacher", "webb"):
        raise UnknownNameError("weights", weights, ["rademacher", "webb"])
    if residuals not in ("estimated", "null"):
        raise UnknownNameError("residuals", residuals, ["estimated", "null"])
    noise, errors = operating.resampled(fit, str(term), int(draws), weights, rng, residuals)
    with np.errstate(divide="ignore"):  # a pattern that leaves no residuals has an infinite t
        statistics = np.abs(noise) / errors
    told |= {"draws": len(noise), "size": float(np.mean(statistics > critical))}
    if size_corrected:
        critical = float(np.quantile(statistics, 1 - alpha, method="higher"))
    return operating.by_draws(noise, critical * errors), told
