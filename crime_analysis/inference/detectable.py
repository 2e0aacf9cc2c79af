"""Results of power analyses: their numbers, words and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure

__all__ = ["DesignAnalysis", "DetectableEffect"]

_MARKS = "Ds^vP*"


@dataclass(frozen=True)
class DetectableEffect:
    """The smallest effect that a design would detect.

    Attributes
    ----------
    effect : float
        In units of the coefficient; of either sign.
    effect_low, effect_high : float
        Its 95% Monte Carlo interval; `effect` itself by formula.
    bloom : float
        Bloom's approximation: ``(t of 1 - alpha/2 plus t of power) x standard error``.
    std_error, degrees_of_freedom, power, alpha : float
    size : float
        How often the ordinary t test rejects if there is no effect; by formula it is `alpha`.
    method, term, formula, vcov : str
    curve : DataFrame
        ``true_effect``, ``power``.
    """

    effect: float
    effect_low: float
    effect_high: float
    bloom: float
    std_error: float
    degrees_of_freedom: float
    power: float
    alpha: float
    size: float
    method: str
    term: str
    formula: str
    vcov: str
    curve: pd.DataFrame = field(repr=False)

    def tidy(self) -> pd.DataFrame:
        """Return the numbers as one row, indexed by ``term``."""
        names = ["effect", "effect_low", "effect_high", "bloom", "std_error"]
        names += ["degrees_of_freedom", "power", "alpha", "size", "method"]
        row = {name: [getattr(self, name)] for name in names}
        return pd.DataFrame(row, index=pd.Index([self.term], name="term")).rename(
            columns={"effect": "minimum_detectable_effect"}
        )

    def summary(self) -> str:
        """Return what the design can and cannot detect, as text."""
        return "\n".join(
            [
                f"{self.formula}  [minimum detectable effect of {self.term}, by {self.method}]",
                f"an effect of {self.effect:.4g}, up or down, is found significant at"
                f" {self.alpha:g} in {self.power:.0%} of such studies"
                + (
                    f" (Monte Carlo interval {self.effect_low:.4g} to {self.effect_high:.4g})"
                    if self.method == "simulation"
                    else ""
                ),
                f"standard error {self.std_error:.4g} ({self.vcov});"
                f" {self.degrees_of_freedom:g} degrees of freedom; Bloom's approximation"
                f" {self.bloom:.4g}; the t test rejects {self.size:.1%} if there is no effect",
            ]
        )

    def plot(self, marks: Mapping[str, float] | None = None) -> Figure:
        """Draw power by true effect.

        Parameters
        ----------
        marks : mapping of str to float, optional
            Effects to point out, by name: those of other studies.
        """
        from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas

        named = dict(marks or {})
        at = np.interp([abs(e) for e in named.values()], *self.curve.to_numpy().T)
        with canvas(height=3.8) as (_, axis, out):
            axis.plot(self.curve["true_effect"], self.curve["power"], color=BLUE, lw=1.8)
            axis.axhline(self.power, color=GREY, ls=":", lw=1.2)
            axis.plot([self.effect], [self.power], "o", color=ORANGE, ms=7)
            axis.annotate(
                f"{self.effect:.3g}", (self.effect, self.power), textcoords="offset points",
                xytext=(8, -14), fontsize=9,
            )  # fmt: skip
            for number, (name, effect) in enumerate(named.items()):
                axis.plot(
                    [abs(effect)], [at[number]], _MARKS[number % len(_MARKS)], color="black", ms=6,
                    ls="none", label=f"{name} ({effect:.3g}): {at[number]:.0%}".replace("-", "−"),
                )  # fmt: skip
            if named:
                axis.legend(loc="lower right")
            axis.set_xlim(0, None)
            axis.set_ylim(0, 1.02)
            axis.set_xlabel(f"true effect of {self.term}, up or down")
            axis.set_ylabel("chance of a significant estimate")
        spoken = "".join(
            f" At {effect:.3g} ({name}) the chance is {height:.0%}."
            for (name, effect), height in zip(named.items(), at, strict=True)
        )
        return Figure(
            title=f"Effects of {self.term} smaller than {self.effect:.3g} would mostly be missed:"
            f" that one is found in {self.power:.0%} of such studies",
            alt=f"Curve of the chance of a significant estimate by the size of the true effect:"
            f" {self.power:.0%} at {self.effect:.3g}.{spoken}",
            source=f"{self.formula}; errors {self.vcov}; by {self.method}, two-sided tests at"
            f" {self.alpha:g}.",
            svg=out.getvalue(),
            data=self.curve,
        )


@dataclass(frozen=True)
class DesignAnalysis:
    """How a design would inform or mislead if the effect were of a given size.

    Attributes
    ----------
    table : DataFrame
        A row a true effect: see `tidy`.
    curve : DataFrame
        The same over a range of effects.
    std_error, degrees_of_freedom, alpha : float
    method, term, formula, vcov : str
    """

    table: pd.DataFrame
    curve: pd.DataFrame = field(repr=False)
    std_error: float
    degrees_of_freedom: float
    alpha: float
    method: str
    term: str
    formula: str
    vcov: str

    def tidy(self) -> pd.DataFrame:
        """Return the analysis.

        Returns
        -------
        DataFrame
            Indexed by ``true_effect``: ``power``; ``type_s``, the chance that a significant
            estimate has the wrong sign; ``exaggeration`` (type M), its average size relative
            to the true one; ``power_error``, the Monte Carlo error of the power.
        """
        return self.table

    def summary(self) -> str:
        """Return the analysis as text."""
        return "\n".join(
            [
                f"{self.formula}  [design analysis of {self.term}, by {self.method}]",
                f"standard error {self.std_error:.4g} ({self.vcov});"
                f" {self.degrees_of_freedom:g} degrees of freedom; two-sided tests at"
                f" {self.alpha:g}",
                self.table.round(4).to_string(),
            ]
        )

    def plot(self) -> Figure:
        """Draw power, type S error and exaggeration by true effect."""
        from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas

        own = self.table.reset_index()
        size = own["true_effect"].abs()
        with canvas(1, 2, height=3.9) as (drawing, (left, right), out):
            for column, line, mark, colour, label in (
                ("power", "-", "o", BLUE, "significant (power)"),
                ("type_s", "--", "s", ORANGE, "wrong sign, if significant (type S)"),
            ):
                left.plot(self.curve["true_effect"], self.curve[column], line, color=colour,
                          lw=1.8, label=label)  # fmt: skip
                left.plot(size, own[column], mark, color=colour, ms=6)
            left.set_ylim(0, 1.02)
            left.set_title("Chances")
            drawing.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
            right.plot(self.curve["true_effect"], self.curve["exaggeration"], color=BLUE, lw=1.8)
            right.plot(size, own["exaggeration"], "o", color=ORANGE, ms=6)
            right.set_yscale("log")
            most = self.curve["exaggeration"].max()
            steps = [s * 10.0**p for p in range(7) for s in (1, 2, 5) if s * 10.0**p <= most]
            right.set_yticks(steps)
            right.yaxis.set_major_formatter("{x:g}")
            right.minorticks_off()
            right.set_title("Exaggeration, if significant")
            right.set_ylabel("times the true effect")
            for axis in (left, right):
                axis.set_xlabel("true effect, up or down")
        first = own.iloc[0]
        said = [
            f"{row.true_effect:.3g}: power {row.power:.0%}, wrong sign {row.type_s:.1%},"
            f" exaggeration {row.exaggeration:.2g}"
            for row in own.itertuples()
        ]
        return Figure(
            title=f"If the effect of {self.term} is {first['true_effect']:g}, it is found in"
            f" {first['power']:.0%} of such studies, and then {first['exaggeration']:.2g} times"
            " too large on average".replace("-", "−"),
            alt=f"Two charts by true effect of {self.term}: chances of significance and of a wrong"
            f" sign, and exaggeration. Marked: {'; '.join(said)}.",
            source=f"{self.formula}; errors {self.vcov}; by {self.method}, two-sided tests at"
            f" {self.alpha:g}. Method: Gelman and Carlin (2014).",
            svg=out.getvalue(),
            data=self.curve,
        )
