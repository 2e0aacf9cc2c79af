"""How much selection on unobservables would explain an estimate away (Oster 2019)."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference.omitted import least_squares_rows, left_over
from crime_analysis.models.fit import Fit

__all__ = ["Oster", "oster"]


@dataclass(frozen=True)
class Oster:
    """An estimate under selection on unobservables in proportion to that on observables.

    Attributes
    ----------
    formula, term : str
    beta : float
        The effect asked about.
    delta : float
        Selection on unobservables relative to observables at which the effect is `beta`.
    adjusted : float
        The effect at a delta of 1.
    r_max : float
        R2 if the unobservables were controlled for too.
    table : DataFrame
        Regressions ``without controls`` and ``with controls``: ``estimate``, ``r_squared``.
    """

    formula: str
    term: str
    beta: float
    delta: float
    adjusted: float
    r_max: float
    table: pd.DataFrame = field(repr=False)

    def tidy(self) -> pd.DataFrame:
        """Return the estimates without controls, with them, and at delta 1, with their R2.

        They carry no errors: the method has none of its own.
        """
        bound = pd.DataFrame(
            {"estimate": [self.adjusted], "r_squared": [self.r_max]}, index=["delta = 1"]
        )
        return pd.concat([self.table, bound]).rename_axis("term")

    def summary(self) -> str:
        """Return the estimates and delta, as text."""
        return "\n".join(
            [
                f"{self.formula}  [Oster's delta of {self.term}]",
                self.tidy().round(4).to_string(),
                f"delta {self.delta:.4g} for an effect of {self.beta:g}",
                "sampling error is left out of these numbers",
            ]
        )

    def explain(self) -> str:
        """Return three plain sentences for a student."""
        without, with_ = self.table["estimate"]
        if self.delta > 0:
            second = (
                f"For the effect to be {self.beta:g}, what is left out would have to be"
                f" {self.delta:.2g} times as related to {self.term} as the controls are."
            )
        else:
            second = (
                f"No unobservables related to {self.term} as the controls are, in the same"
                f" direction, would make the effect {self.beta:g}: delta is {self.delta:.2g}."
            )
        return (
            f"With the controls the estimate of {self.term} goes from {without:.3g} to"
            f" {with_:.3g}. {second} Just as related (delta 1) they would make it"
            f" {self.adjusted:.3g}; the sampling error of all of this comes on top."
        )


def oster(
    fit: Fit,
    term: str,
    *,
    controls: Sequence[str] | None = None,
    r_max: float | None = None,
    beta: float = 0.0,
) -> Oster:
    """Ask how much selection on unobservables would explain an estimate away.

    If what is left out is related to the term as the observed controls are, times delta, then
    the move of estimate and R2 when the controls come in tells what the rest would do. That
    assumes the controls to be a fair sample of all causes: with controls that hardly raise R2
    it says little, and it is no help against reverse causality. `sensitivity` assumes less.

    Choices: fixed effects, and slopes that are not among `controls`, are taken out of all
    columns first, so both R2 and `r_max` are shares of what those leave over. Delta is exact,
    not the linear rule of thumb. At a delta of 1 the effect solves a quadratic. One of its
    roots lies beyond the controlled estimate as seen from the uncontrolled one; the other would
    turn round how the controls are related to the term, which Oster's assumption 3 excludes.

    Parameters
    ----------
    fit : Fit
        Of least squares, from `fit_panel`, with the controls.
    term : str
        The term of interest.
    controls : sequence of str, optional
        The observed controls; all other slopes if not given.
    r_max : float, optional
        R2 with the unobservables; 1.3 times that with the controls, at most 1, if not given.
    beta : float
        The effect to ask about.

    Returns
    -------
    Oster

    Raises
    ------
    UnknownNameError
        If the term or a control is not in the model, with the nearest ones.
    ModelError
        For other than least squares, or if there are no controls.
    ParameterError
        If `r_max` is not above the R2 with controls, or above 1.

    References
    ----------
    Oster (2019), "Unobservable selection and coefficient stability: theory and evidence",
    Journal of Business and Economic Statistics 37(2), 187-204.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crime_analysis.models.panel_regression import fit_panel
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"unit": np.repeat(range(20), 5), "z": rng.normal(size=100)})
    >>> rows["x"] = 0.3 * rows["z"] + rng.normal(size=100)
    >>> rows["y"] = rows["x"] + rows["z"] + rng.normal(size=100)
    >>> round(oster(fit_panel("y ~ x + z | unit", rows), "x").delta, 1)
    2.2
    """
    design = least_squares_rows(fit, term, "Oster's delta")
    possible = [name for name in design.slopes if name not in (term, "Intercept")]
    named = [controls] if isinstance(controls, str) else controls
    chosen = possible if named is None else list(dict.fromkeys(named))
    for name in chosen:
        if name not in possible:
            raise UnknownNameError("control", name, possible, fit.formula)
    if not chosen:
        raise ModelError(
            f"Oster's delta compares {term!r} without and with controls, and {fit.formula!r} has"
            " none here; add controls to the formula, or use sensitivity"
        )
    for name, value in (("beta", beta), ("r_max", r_max)):
        if not isinstance(value, numbers.Real | None) or (
            value is not None and not np.isfinite(value)
        ):
            raise ParameterError(f"{name} = {value!r} is not a finite number")
    columns = [design.slopes[term], design.outcome]
    x0, y0 = left_over(design, columns, [n for n in design.slopes if n not in (term, *chosen)])
    x1, y1 = left_over(design, columns, [n for n in design.slopes if n != term])
    b0, b1 = float(x0 @ y0 / (x0 @ x0)), float(x1 @ y1 / (x1 @ x1))
    r0 = 1 - float(np.sum((y0 - b0 * x0) ** 2)) / float(y0 @ y0)
    r1 = 1 - float(np.sum((y1 - b1 * x1) ** 2)) / float(y0 @ y0)
    top = min(1.3 * r1, 1.0) if r_max is None else float(r_max)
    if not r1 < top <= 1:
        raise ParameterError(
            f"r_max = {top:.6g} must be above the R2 with controls ({r1:.6g}) and at most 1"
        )
    # Oster's proposition 3 with v, the controlled estimate less the effect:
    # delta (a v^3 + b v^2 + c v + d) = a v^3 + 2 b v^2 + e v.
    var_y, var_x, tau = (float(column @ column) / len(column) for column in (y0, x0, x1))
    a = tau * (var_x - tau)
    b = tau * (b0 - b1) * var_x
    c = (top - r1) * var_y * (var_x - tau)
    d = (top - r1) * var_y * (b0 - b1) * var_x
    e = (r1 - r0) * var_y * tau + var_x * tau * (b0 - b1) ** 2
    v = b1 - beta
    below = a * v**3 + b * v**2 + c * v + d
    above = a * v**3 + 2 * b * v**2 + e * v
    with np.errstate(divide="ignore", invalid="ignore"):  # no delta at all gives that effect
        delta = float(np.divide(above, below))
    # At delta 1 the cubes cancel: b v^2 + (e - c) v - d = 0. The product of the roots, -d/b, is
    # negative; assumption 3 holds for the one with the sign of b0 - b1, and so of b and d.
    root = float(np.sqrt((e - c) ** 2 + 4 * b * d))
    if e > c:  # the same root, written so that nothing nearly equal is subtracted
        further = 2 * d / (e - c + root)
    elif b:
        further = (c - e + root) / (2 * b)
    else:  # the controls move nothing, nor would more of their kind
        further = 0.0
    table = pd.DataFrame(
        {"estimate": [b0, b1], "r_squared": [r0, r1]}, index=["without controls", "with controls"]
    )
    return Oster(fit.formula, term, float(beta), delta, b1 - further, top, table)
