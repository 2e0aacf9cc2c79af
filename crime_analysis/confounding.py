"""How strong an unobserved confounder would have to be to change a conclusion.

Partial R2, robustness values and benchmark bounds of least squares (Cinelli and Hazlett 2020).
They compare what is left out with what one can name; they do not prove that nothing is.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference.omitted import (
    bound,
    least_squares_rows,
    left_over,
    partial_r2,
    robustness,
)
from crime_analysis.models import absorb
from crime_analysis.models.fit import Design, Fit

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure

__all__ = ["Sensitivity", "sensitivity"]


@dataclass(frozen=True)
class Sensitivity:
    """What a confounder would have to explain to change an estimate.

    Attributes
    ----------
    formula, term : str
    q : float
        Share of the estimate whose loss would change the conclusion (1: all of it).
    alpha : float
        Level of the tests and intervals.
    statistics : Series
        ``estimate``; ``std_error`` (classical) and ``degrees_of_freedom``;
        ``std_error_reported`` (the fit's own) and ``critical_reported`` (of its t);
        ``partial_r2`` of the term with the outcome; ``rv``: share of what is left of both the
        term and the outcome that one confounder must explain to move the estimate by `q`;
        ``rv_alpha``: the same until the rest is not significant, by classical errors;
        ``rv_alpha_reported``: the same by the fit's own errors.
    bounds : DataFrame
        A row a benchmark and strength: ``benchmark``, ``kd``, ``ky``, ``r2dz_x`` and
        ``r2yz_dx`` (the most that such a confounder explains of the term and of the outcome);
        ``note`` says where a strength is impossible.
    vcov : str
        The fit's own errors, in words.
    """

    formula: str
    term: str
    q: float
    alpha: float
    statistics: pd.Series
    bounds: pd.DataFrame
    vcov: str

    def tidy(self) -> pd.DataFrame:
        """Return the estimate as it is, then adjusted by each benchmark.

        Returns
        -------
        DataFrame
            Indexed by ``term``: the columns of `adjusted`, then ``r2dz_x``, ``r2yz_dx``,
            ``note``.
        """
        strength = self.bounds[["r2dz_x", "r2yz_dx", "note"]]
        strength = pd.concat(
            [pd.DataFrame({"r2dz_x": [0.0], "r2yz_dx": [0.0], "note": [""]}), strength],
            ignore_index=True,
        )
        names = [f"{row.kd:g}x {row.benchmark}" for row in self.bounds.itertuples()]
        own = self._adjusted(np.zeros(1), np.zeros(1), unobserved=0)
        left = self._adjusted(*(strength[c].to_numpy(float)[1:] for c in ("r2dz_x", "r2yz_dx")))
        table = pd.concat([pd.concat([own, left], ignore_index=True), strength], axis=1)
        return table.set_axis(pd.Index([self.term, *names], name="term"))

    def adjusted(
        self, r2dz_x: float | np.ndarray, r2yz_dx: float | np.ndarray, *, increase: bool = False
    ) -> pd.DataFrame:
        """Return the estimate that confounders of a given strength would leave.

        Parameters
        ----------
        r2dz_x, r2yz_dx : float or array of the same shape
            Share of the leftover variance of the term (below 1) and of the outcome (at most 1)
            that the confounder explains.
        increase : bool
            Whether the confounder hid part of the effect rather than made it up.

        Returns
        -------
        DataFrame
            ``estimate``, ``std_error`` (classical), ``statistic`` and ``p_value`` (of the
            estimate less ``1 - q`` of the original), ``ci_low``, ``ci_high``;
            ``std_error_reported``, ``ci_low_reported``, ``ci_high_reported``: with the fit's
            own errors, changed by the confounder as classical ones are.
        """
        d, y = (np.atleast_1d(np.asarray(value, dtype=float)) for value in (r2dz_x, r2yz_dx))
        if not ((d >= 0) & (d < 1)).all() or not ((y >= 0) & (y <= 1)).all():
            raise ParameterError("r2dz_x must be in [0, 1) and r2yz_dx in [0, 1]")
        return self._adjusted(d, y, increase=increase)

    def _adjusted(
        self, d: np.ndarray, y: np.ndarray, unobserved: int = 1, increase: bool = False
    ) -> pd.DataFrame:
        from scipy import stats

        told = self.statistics
        dof = told["degrees_of_freedom"]
        bias = told["std_error"] * np.sqrt(dof * y * d / (1 - d)) * (-1 if increase else 1)
        law = stats.t(dof - unobserved)
        value = np.sign(told["estimate"]) * (abs(told["estimate"]) - bias)
        # Where all of the outcome is explained nothing is left to tell an error from.
        change = np.sqrt(np.where(y < 1, (1 - y) / (1 - d), np.nan))
        error = told["std_error"] * change * np.sqrt(dof / (dof - unobserved))
        statistic = (value - (1 - self.q) * told["estimate"]) / error
        reach = law.ppf(1 - self.alpha / 2) * error
        reported = told["std_error_reported"] * change
        reach_reported = told["critical_reported"] * reported
        return pd.DataFrame(
            {
                "estimate": value,
                "std_error": error,
                "statistic": statistic,
                "p_value": 2 * law.sf(np.abs(statistic)),
                "ci_low": value - reach,
                "ci_high": value + reach,
                "std_error_reported": reported,
                "ci_low_reported": value - reach_reported,
                "ci_high_reported": value + reach_reported,
            }
        )

    @property
    def _goal(self) -> str:
        # Adding zero makes of minus zero plain zero.
        return f"{(1 - self.q) * self.statistics['estimate'] + 0.0:.3g}"

    def summary(self) -> str:
        """Return the statistics and the bounds, as text."""
        told = self.statistics
        return "\n".join(
            [
                f"{self.formula}  [sensitivity of {self.term} to unobserved confounders]",
                f"robustness value {told['rv']:.4f} to bring the estimate to {self._goal};"
                f" {told['rv_alpha_reported']:.4f} to bring its interval there, errors"
                f" {self.vcov}; {told['rv_alpha']:.4f} by classical errors",
                f"partial R2 with the outcome {told['partial_r2']:.4f};"
                f" {told['degrees_of_freedom']:.0f} degrees of freedom (classical)",
                self.tidy().round(5).to_string(),
            ]
        )

    def explain(self) -> str:
        """Return three plain sentences for a student."""
        told, table = self.statistics, self.tidy().iloc[1:]
        robust = told["rv_alpha_reported"]
        estimate = f"the estimate of {told['estimate']:.3g} for {self.term}"
        if robust == 0:
            first = (
                f"Even without a confounder, {estimate} cannot be told from {self._goal} (errors"
                f" {self.vcov})."
            )
        else:
            first = (
                f"A confounder that explains {robust:.1%} of what is left of both {self.term} and"
                f" the outcome would bring the interval of {estimate} to {self._goal} (errors"
                f" {self.vcov})."
            )
        second = f"To bring the estimate itself there it must explain {told['rv']:.1%} of both."
        left = table.reset_index(drop=True).join(self.bounds[["benchmark", "kd"]])
        left = left.dropna(subset=["ci_low_reported"])
        if left.empty:
            third = "Without a benchmark nothing here says whether such a confounder is likely."
        else:
            # The mildest comparison of the benchmark that matters most.
            left = left[left["kd"] == left["kd"].min()]
            worst = left.loc[(left["estimate"] - told["estimate"]).abs().idxmax()]
            times = "" if worst["kd"] == 1 else f"{worst['kd']:g} times "
            third = (
                f"One {times}as strong as {worst['benchmark']} would leave"
                f" {worst['ci_low_reported']:.3g} to {worst['ci_high_reported']:.3g} (at"
                f" {1 - self.alpha:.0%}); whether there is one, these data cannot tell."
            )
        return " ".join([first, second, third])

    def plot(self) -> Figure:
        """Draw the adjusted estimate, and its t, over the strength of a confounder."""
        from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas

        told, table = self.statistics, self.tidy()
        known = self.bounds.dropna(subset=["r2yz_dx"])
        most = [min(0.99, 1.25 * max(told["rv"], 0.04, *known[c], 0)) for c in _STRENGTH]
        across, up = np.meshgrid(np.linspace(0, most[0], 81), np.linspace(0, most[1], 81))
        grid = self._adjusted(across.ravel(), up.ravel())
        goal = (1 - self.q) * told["estimate"]
        edge = np.copysign(told["critical_reported"], told["estimate"])
        panels = [
            ("Adjusted estimate", grid["estimate"], goal, told["rv"]),
            (
                "Adjusted t (the fit's errors)",
                (grid["estimate"] - goal) / grid["std_error_reported"],
                edge,
                told["rv_alpha_reported"],
            ),
        ]
        with canvas(1, 2, height=4.4, sharey=True) as (drawing, axes, out):
            for axis, (title, surface, line, robust) in zip(axes, panels, strict=True):
                values = surface.to_numpy().reshape(across.shape)
                thin = axis.contour(across, up, values, levels=8, colors=GREY, linewidths=0.8)
                # Not the ones that hug the axes, nor those that the bold one nearly covers.
                inside = abs(values[6, 6] - values[0, 0])
                apart = [
                    v
                    for v in thin.levels
                    if abs(v - line) > 0.1 * np.diff(thin.levels[:2])[0]
                    and abs(v - values[0, 0]) > inside
                ]
                axis.clabel(thin, apart, fontsize=8, fmt=_level)
                if values.min() < line < values.max():
                    bold = axis.contour(
                        across, up, values, levels=[line], colors=ORANGE, linestyles="--",
                        linewidths=2,
                    )  # fmt: skip
                    axis.clabel(bold, fontsize=9, fmt=_level(line), manual=[(robust, robust)])
                axis.plot([0], [0], "^", color="black", ms=8, clip_on=False, label="as estimated")
                for number, (name, rows) in enumerate(known.groupby("benchmark", sort=False)):
                    axis.plot(
                        rows["r2dz_x"], rows["r2yz_dx"], f"{_MARKS[number % len(_MARKS)]}-",
                        color=BLUE, ms=5, lw=0.8, clip_on=False,
                        label=f"{', '.join(f'{k:g}' for k in rows['kd'])} times {name}",
                    )  # fmt: skip
                axis.set_title(title)
                axis.set_xlabel(f"share of {self.term}\nthat a confounder explains")
                axis.grid(visible=False)
                axis.set_xlim(0, most[0])
                axis.set_ylim(0, most[1])
            axes[0].set_ylabel("share of the outcome that it explains")
            drawing.legend(
                *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3
            )
        robust = told["rv_alpha_reported"]
        start = (
            f"{self.term} cannot be told from {self._goal} even without a confounder"
            if robust == 0
            else f"A confounder explaining {robust:.1%} of {self.term} and of the outcome would"
            f" make it indistinct from {self._goal}"
        )
        spoken = "; ".join(
            f"{name} leaves {row['estimate']:.3g} ({row['ci_low_reported']:.3g} to"
            f" {row['ci_high_reported']:.3g})"
            for name, row in table.dropna(subset=["estimate"]).iterrows()
        )
        return Figure(
            title=f"{start}; one explaining {told['rv']:.1%} of both would bring the estimate"
            " itself there",
            alt=f"Two contour charts of what is left of the estimate, and of its t, by the share"
            f" of {self.term} (across) and of the outcome (up) that a confounder explains. The"
            f" triangle is the estimate as it is; at the dashed lines the conclusion changes."
            f" {spoken}.",
            source=f"{self.formula}; errors {self.vcov}. Shares are of what controls and fixed"
            " effects leave over. Method: Cinelli and Hazlett (2020).",
            svg=out.getvalue(),
            data=table.reset_index(),
        )


_STRENGTH = ("r2dz_x", "r2yz_dx")
_MARKS = "Dosv^<>Ph*"


def sensitivity(
    fit: Fit,
    term: str,
    *,
    benchmarks: Sequence[str | Sequence[str]] = (),
    kd: Sequence[float] = (1, 2, 3),
    ky: Sequence[float] | None = None,
    q: float = 1.0,
    alpha: float = 0.05,
) -> Sensitivity:
    """Ask how strong an unobserved confounder must be to change an estimate.

    It makes no estimate causal. It says what one must believe to hold on to one: that nothing
    left out explains more than the robustness value of what controls and fixed effects leave
    over of both the term and the outcome. Benchmarks make that concrete: a confounder `kd`
    times as strong as a control that one knows.

    The algebra is that of least squares with classical errors. ``rv``, ``partial_r2``, the
    benchmarks' strengths and the adjusted estimates hold under any errors; ``std_error``,
    ``rv_alpha``, ``ci_low`` and ``ci_high`` are classical whatever the fit reports, with every
    fixed effect counted as a parameter. Where errors are clustered, classical ones are usually
    too small: read what ends in ``_reported``, which takes the fit's own error, and supposes
    that a confounder would change it as it changes the classical one.

    Do not use it against reverse causality or errors of measurement, which are no omitted
    variables, nor with a benchmark that the term itself moves.

    Parameters
    ----------
    fit : Fit
        Of least squares, from `fit_panel`.
    term : str
        The term of interest.
    benchmarks : sequence of str or of sequences of str
        Controls, absorbed fixed effects, or groups of them that count as one. All levels of a
        fixed effect together are seldom a useful benchmark: few confounders can be as strong.
    kd, ky : sequence of float
        How many times as strong as the benchmark a confounder is, in explaining the term and
        the outcome; `ky` is `kd` if not given.
    q : float
        Share of the estimate whose loss would change the conclusion.
    alpha : float
        Level of the tests and intervals.

    Returns
    -------
    Sensitivity

    Raises
    ------
    UnknownNameError
        If the term or a benchmark is not in the model, with the nearest ones.
    ModelError
        For other than least squares, with what to do instead; for a perfect fit.
    ParameterError
        If `q`, `alpha`, `kd` or `ky` are out of range, or a benchmark is the term itself.

    References
    ----------
    Cinelli and Hazlett (2020), "Making sense of sensitivity: extending omitted variable bias",
    Journal of the Royal Statistical Society B 82(1), 39-67.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crime_analysis.models.panel_regression import fit_panel
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"unit": np.repeat(range(20), 5), "z": rng.normal(size=100)})
    >>> rows["x"] = 0.3 * rows["z"] + rng.normal(size=100)
    >>> rows["y"] = rows["x"] + rows["z"] + rng.normal(size=100)
    >>> fit = fit_panel("y ~ x + z | unit", rows, cluster="unit")
    >>> found = sensitivity(fit, "x", benchmarks=["z"], kd=[1])
    >>> round(float(found.statistics["rv"]), 2)
    0.59
    >>> found.tidy()["estimate"].round(2).to_dict()
    {'x': 1.1, '1x z': 0.76}
    """
    from scipy import stats

    design = least_squares_rows(fit, term, "sensitivity")
    groups = [_benchmark(entry, term, design, fit.formula) for entry in _listed(benchmarks)]
    pairs = _strengths(kd, ky)
    if not _number(q) or not 0 < q < np.inf:
        raise ParameterError(f"q = {q!r} is not a share of the estimate; 1 is all of it")
    if not _number(alpha) or not 0 < alpha < 1:
        raise ParameterError(f"alpha = {alpha!r} is not between 0 and 1; give one such as 0.05")
    others = [name for name in design.slopes if name != term]
    x, y = left_over(design, [design.slopes[term], design.outcome], others)
    dof = len(y) - absorb.parameters(design.slopes.shape[1], design.effects, None, "all")
    if dof < 2:
        raise ModelError(f"{fit.formula!r} leaves {dof} degrees of freedom; sensitivity needs 2")
    estimate = float(x @ y / (x @ x))
    unexplained = float(np.sum((y - estimate * x) ** 2))
    if unexplained <= 1e-20 * float(y @ y):
        raise ModelError(f"{fit.formula!r} fits perfectly; nothing is left for a confounder")
    error = float(np.sqrt(unexplained / dof / (x @ x)))
    reported = float(np.sqrt(fit.covariance.loc[term, term]))
    law = stats.norm() if np.isinf(fit.degrees_of_freedom) else stats.t(fit.degrees_of_freedom)
    critical = float(law.ppf(1 - alpha / 2))
    f = abs(estimate) / error / np.sqrt(dof)
    classical_edge = stats.t(dof - 1).ppf(1 - alpha / 2) / np.sqrt(dof - 1)
    told = pd.Series(
        {
            "estimate": estimate,
            "std_error": error,
            "degrees_of_freedom": float(dof),
            "std_error_reported": reported,
            "critical_reported": critical,
            "partial_r2": f**2 / (1 + f**2),
            "rv": robustness(q * f, 0.0),
            "rv_alpha": robustness(q * f, classical_edge),
            "rv_alpha_reported": robustness(q * f, critical * reported / error / np.sqrt(dof)),
        }
    )
    records = []
    for label, terms, effects in groups:
        with_term, with_outcome = partial_r2(design, term, terms, effects, unexplained)
        for k, ky_ in pairs:
            records.append((label, k, ky_, *bound(with_term, with_outcome, k, ky_)))
    bounds = pd.DataFrame(records, columns=["benchmark", "kd", "ky", *_STRENGTH, "note"])
    bounds = bounds.astype(dict.fromkeys(["kd", "ky", *_STRENGTH], float))
    return Sensitivity(fit.formula, term, float(q), float(alpha), told, bounds, fit.vcov)


def _level(value: float) -> str:
    """Return a contour's level; nought from below has no sign."""
    return f"{value + 0.0:.3g}".replace("-", "−")


def _number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _listed(benchmarks: Sequence[str | Sequence[str]]) -> list[str | Sequence[str]]:
    return [benchmarks] if isinstance(benchmarks, str) else list(benchmarks)


def _strengths(kd: Sequence[float], ky: Sequence[float] | None) -> list[tuple[float, float]]:
    try:
        first = np.atleast_1d(np.asarray(kd, dtype=float))
        second = first if ky is None else np.atleast_1d(np.asarray(ky, dtype=float))
    except (TypeError, ValueError):
        first = second = np.empty(0)
    both = np.concatenate([first, second])
    if not first.size or len(first) != len(second) or not (np.isfinite(both) & (both > 0)).all():
        raise ParameterError("kd and ky must be positive numbers, as many of one as of the other")
    return [(float(one), float(other)) for one, other in zip(first, second, strict=True)]


def _benchmark(
    entry: str | Sequence[str], term: str, design: Design, formula: str
) -> tuple[str, list[str], list[str]]:
    """Return a benchmark's label, and which slopes and which absorbed effects it is."""
    names = [entry] if isinstance(entry, str) else list(dict.fromkeys(entry))
    slopes = [name for name in design.slopes if name not in ("Intercept", term)]
    if term in names:
        raise ParameterError(f"{term!r} is the term itself; a benchmark is another control")
    if not names:
        raise ParameterError("a group of benchmarks is empty; name its controls")
    for name in names:
        if name not in slopes and name not in design.effects:
            raise UnknownNameError("benchmark", name, [*slopes, *design.effects], formula)
    chosen = [name for name in names if name in slopes]
    return " + ".join(names), chosen, [name for name in names if name not in slopes]
