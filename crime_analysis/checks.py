"""Checks that a fit must survive before it is called more than an association.

Each check looks for one way in which the estimate could be wrong, and returns a `CheckResult`
whose numbers, sentence and verdict come from the same table. `verdict` then puts them together
by rule. Passing is not proof: a check can miss what it looks for, and says how much it could
have missed where that can be computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from crime_analysis.errors import CrimeAnalysisError, ModelError, UnknownNameError
from crime_analysis.falsification import BOOTSTRAPS, CHECKS, INFORMATIVE, CheckResult, Setting
from crime_analysis.models.fit import Fit

__all__ = [
    "BOOTSTRAPS",
    "SEED",
    "SUITES",
    "CheckResult",
    "Setting",
    "Verdict",
    "run",
    "verdict",
]

#: Below this an instrument is too weak to lean on (Staiger and Stock 1997).
WEAK = 10.0
#: Seed of what checks draw.
SEED = 0
#: Named suites of checks.
SUITES: dict[str, tuple[str, ...]] = {
    "default": tuple(CHECKS),
    "quick": ("leave one out", "leads", "placebo dates"),
}


def run(
    fit: Fit, suite: str | Sequence[str] = "default", *, term: str | None = None,
    **setting: object,
) -> list[CheckResult]:  # fmt: skip
    """Run a suite of checks on a fit of a panel with unit and period effects.

    Parameters
    ----------
    fit : Fit
        From `fit_panel`.
    suite : str or sequence of str
        ``default``: all; ``quick``: those that need nothing but the fit's own data and few
        estimates; or names from `SUITES["default"]`.
    term : str, optional
        The estimate in question; the instrumented one, else the last, if not given.
    **setting
        Fields of `Setting` that differ from the English and Welsh force panel's.

    Returns
    -------
    list of CheckResult
        In the suite's order. A check that this fit does not allow is returned as not run, with
        the reason: nothing is left out silently.

    Raises
    ------
    UnknownNameError
        If the suite, a check, the term or a setting is not known.
    ModelError
        If the fit did not come from `fit_panel`, or `term` is a control beside an instrumented
        one, which the instrument says nothing about.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> panel = ca.force_panel("2007/08", "2012/13")
    >>> fit = ca.fit_panel(
    ...     "log_robbery_per_1000 ~ log_officers_per_1000 | force + financial_year", panel,
    ...     cluster="force")
    >>> [result.name for result in run(fit, "quick")]
    ['leave one out', 'leads', 'placebo dates']
    """
    if fit.data is None or fit.design is None:
        raise ModelError(f"{fit.formula!r} did not come from fit_panel; checks fit it again")
    names = SUITES.get(suite) if isinstance(suite, str) else tuple(suite)
    if names is None:
        raise UnknownNameError("suite", suite, SUITES)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise UnknownNameError("check", unknown[0], CHECKS)
    wrong = [name for name in setting if name not in Setting.__dataclass_fields__]
    if wrong:
        raise UnknownNameError("setting", wrong[0], Setting.__dataclass_fields__)
    last = fit.design.endogenous.columns if fit.family == "iv" else fit.coefficients.index
    chosen = str(last[-1]) if term is None else term
    _told(fit, chosen)
    held = Setting(term=chosen, **setting)  # type: ignore[arg-type]
    results = []
    for name in names:
        try:
            results.append(CHECKS[name](fit, held))
        except CrimeAnalysisError as problem:
            results.append(CheckResult(name, None, pd.DataFrame(), f"Not run: {problem}", False))
    return results


@dataclass(frozen=True)
class Verdict:
    """What may be said of an estimate: the word, and the reasons that led to it."""

    word: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.word}: {'; '.join(self.reasons)}"


def verdict(fit: Fit, results: Sequence[CheckResult], term: str | None = None) -> Verdict:
    """Return what may be said of an estimate, by rule.

    The rule. An estimate whose 95% interval (for an instrument the Anderson-Rubin set) holds
    zero or has no bound is "cannot tell". Else it begins as an "effect" if it is instrumented
    with an effective F of 10 or more, and as an "association" if not; an instrument weaker
    than that begins at "cannot tell". Every failed check takes it one step down, and a check
    that could not be run, or is not among the results, keeps it from being an "effect". Nothing
    moves it up, and the order of the results does not matter.

    Parameters
    ----------
    fit : Fit
    results : sequence of CheckResult
        From `run`.
    term : str, optional
        As in `run`.

    Raises
    ------
    UnknownNameError, ModelError
        As in `run`, for the term.
    """
    if term is not None:
        _told(fit, term)
    words = ["cannot tell", "association", "effect"]
    if fit.family == "iv":
        stage = fit.first_stage()
        low, high, bounded = stage.ci_low, stage.ci_high, stage.bounded
        step = 2 if stage.effective_f >= WEAK else 0
        strong = f"effective F of {stage.effective_f:.1f}"
        reasons = [strong if step else f"{strong}, too weak an instrument to lean on"]
    else:
        row = fit.term(str(fit.coefficients.index[-1]) if term is None else term)
        low, high, bounded = float(row["ci_low"]), float(row["ci_high"]), True
        step, reasons = 1, ["no instrument"]
    if not bounded:
        why = "the confidence set has no bound" if stage.region else "no value fits the instruments"
        step, reasons = 0, [*reasons, why]
    elif not (low > 0 or high < 0):
        step, reasons = 0, [*reasons, f"the interval {low:.3g} to {high:.3g} holds zero"]
    ran = {result.name: result.ran for result in results}
    lacking = [name for name in CHECKS if not ran.get(name) and name not in INFORMATIVE]
    failed = [result.name for result in results if result.passed is not None and not result.passed]
    most = 1 if step == 2 and lacking else step
    if most < step:
        reasons += [f"{'could not be' if n in ran else 'not'} checked: {n}" for n in lacking]
    reasons += [f"failed: {name}" for name in failed]
    return Verdict(words[max(min(step - len(failed), most), 0)], tuple(reasons))


def _told(fit: Fit, term: str) -> None:
    """Refuse a term that the fit does not have, or whose instruments are another's."""
    fit.term(term)
    if fit.family == "iv" and fit.design is not None and term not in fit.design.endogenous:
        raise ModelError(
            f"{term!r} is a control in {fit.formula!r}; what is checked is the instrumented"
            f" {fit.design.endogenous.columns[-1]!r}"
        )
