"""The checks themselves: each looks for one way in which an estimate could be wrong.

Every check takes a fit and a `Setting`, estimates something that ought to be nothing (or ought
not to change), and returns a `CheckResult` made from those numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.models.event_study import EventStudy, event_study
from crime_analysis.models.fit import Fit
from crime_analysis.models.formula import Parts, read

__all__ = ["BOOTSTRAPS", "CHECKS", "INFORMATIVE", "CheckResult", "Setting"]

#: Draws of the wild bootstrap in the check "few clusters". Who shows the same test elsewhere takes
#: these, and `checks.SEED`: other draws would give another p-value.
BOOTSTRAPS = 1999
#: An instrumented estimate should survive drift of this part of the largest step before.
DRIFT = 0.5
#: Checks that only inform: they neither pass nor fail.
INFORMATIVE = ("measurement error",)
#: A rise of recorded violence against admissions by more than this says that recording moved.
MOVED = 0.10


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    Attributes
    ----------
    name : str
    passed : bool or None
        None: for information only, or not to be run on this fit; the text says which.
    table : DataFrame
        The numbers.
    text : str
        A sentence made from them.
    ran : bool
        Whether it could be run.
    """

    name: str
    passed: bool | None
    table: pd.DataFrame = field(repr=False)
    text: str
    ran: bool = True

    def __str__(self) -> str:
        mark = {True: "passed", False: "FAILED", None: "for information"}[self.passed]
        return f"{self.name}: {mark if self.ran else 'not run'}. {self.text}"


@dataclass(frozen=True)
class Setting:
    """What the checks need to know beside the fit.

    Attributes
    ----------
    term : str
        The estimate in question.
    unit, time : str
        Columns of the panel; `time` in whole numbers.
    event : int
        The last period before the cuts.
    dose : str
        Column, constant in a unit: how hard the cuts would hit.
    placebo_outcomes : mapping
        Outcomes that the regressor should not move, to the family that models them; a column a
        name. Counts take the logarithm of residents as their offset.
    second_count : str
        Column with another measure of the regressor.
    rivals : sequence of str
        Columns, constant in a unit, whose part may have changed from `era` on.
    era : int
        First period of the rival explanation (the Welfare Reform Act 2012 took hold in 2013).
    tables : mapping
        Shipped tables by name; those not given are loaded.
    rng : int
        Seed of what is drawn.
    """

    term: str
    unit: str = "force"
    time: str = "fy_start"
    event: int = 2010
    dose: str = "share_all_grants"
    placebo_outcomes: Mapping[str, str] = field(
        default_factory=lambda: {"death_or_injury_driving": "poisson"}
    )
    second_count: str = "log_officers_end_per_1000"
    rivals: Sequence[str] = ("deprivation_2010",)
    era: int = 2013
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    rng: int = 0

    def load(self, name: str) -> pd.DataFrame:
        """Return a shipped table, or the one given in its place."""
        from crime_analysis import catalog

        return self.tables[name] if name in self.tables else catalog.load(name)


def _interval(fit: Fit, term: str) -> tuple[float, float, float]:
    """Return an estimate and its interval; for an instrument the Anderson-Rubin ends."""
    if fit.family == "iv":
        stage = fit.first_stage()
        low, high = (stage.ci_low, stage.ci_high) if stage.bounded else (-np.inf, np.inf)
        return stage.estimate, low, high
    row = fit.term(term)
    return float(row["estimate"]), float(row["ci_low"]), float(row["ci_high"])


def _says(low: float, high: float) -> str:
    return "above zero" if low > 0 else "below zero" if high < 0 else "cannot tell"


def leave_one_out(fit: Fit, held: Setting) -> CheckResult:
    """Leave out each unit in turn, to see whether what is said hangs on one of them."""
    data = _data(fit, held.unit)
    rows = {}
    for name in sorted(data.loc[fit.data_used["kept"].to_numpy(), held.unit].unique()):
        without = fit.refit(data=data[data[held.unit] != name])
        rows[name] = _interval(without, held.term)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])
    table["says"] = [
        _says(lo, hi) for lo, hi in zip(table["ci_low"], table["ci_high"], strict=True)
    ]
    whole = _says(*_interval(fit, held.term)[1:])
    turned = table.index[table["says"] != whole].tolist()
    low, high = table["estimate"].min(), table["estimate"].max()
    told = f"Without any one {held.unit} the estimate lies between {low:.2f} and {high:.2f}"
    if turned:
        shown = ", ".join(map(str, turned[:4])) + (
            f" and {len(turned) - 4} more" if len(turned) > 4 else ""
        )
        told += f"; without {shown} it would say {table.loc[turned[0], 'says']!r} and not {whole!r}"
    return CheckResult("leave one out", not turned, table.rename_axis(held.unit), told + ".")


def few_clusters(fit: Fit, held: Setting) -> CheckResult:
    """Test zero again by the wild cluster bootstrap, which few or unequal clusters mislead less.

    For an instrument the reduced form is tested: outcome on instrument, whose zero is the
    effect's zero (Anderson and Rubin 1949; Cameron, Gelbach and Miller 2008). Seeded by
    ``rng`` of the setting.
    """
    from crime_analysis.inference.bootstrap import wild_bootstrap

    parts, tested, term = Parts.of(fit.formula), fit, held.term
    if fit.family == "iv":
        if len(parts.instruments) > 1:
            raise ModelError("the bootstrap tests one instrument at a time; give one")
        term = parts.instruments[0]
        slopes = [*parts.slopes, term]
        assert fit.data is not None  # `Setting` was made from it
        # Rows without the cause are in no instrumented estimate, and in none of its test.
        kept = fit.data[fit.data_used["kept"].to_numpy(dtype=bool)]
        tested = fit.refit(str(Parts(parts.outcome, slopes, parts.effects, [], [])), kept)
    usual = tested.term(term)
    result = wild_bootstrap(tested, term, B=BOOTSTRAPS, rng=held.rng, level=None)
    p = float(result.tidy()["p_value"].iloc[0])
    agree = bool((p < 0.05) == (usual["p_value"] < 0.05))
    table = pd.DataFrame({"p_value": {"t distribution": usual["p_value"], "wild bootstrap": p}})
    told = f"No effect has p = {usual['p_value']:.3f} by the t distribution and {p:.3f} by the wild"
    told += f" cluster bootstrap of {tested.n_clusters} clusters"
    return CheckResult("few clusters", agree, table.rename_axis("test"), told + ".")


def leads(fit: Fit, held: Setting) -> CheckResult:
    """Add next period's regressor (or instruments): the future cannot move the past.

    A lead that matters says that the regressor answers to the outcome, or that both follow
    something else (Granger 1969; Angrist and Pischke 2009, 5.2.1).
    """
    parts = Parts.of(fit.formula)
    tested = parts.instruments if fit.family == "iv" else [held.term]
    ahead = [f"lag({name}, -1)" for name in tested]
    now = [name for name in parts.slopes if name not in tested]
    formula = str(Parts(parts.outcome, [*now, *tested, *ahead], parts.effects, [], []))
    led = fit.refit(formula, unit=held.unit, time=held.time)
    table = led.tidy().loc[[*tested, *ahead]]
    future = table.loc[ahead]
    clear = (future["ci_low"] > 0) | (future["ci_high"] < 0)
    at = int(clear.to_numpy().argmax())  # the first that is clear, else the first
    row = future.iloc[at]
    told = (
        f"Next period's {tested[at]} has {row['estimate']:.2f} ({row['ci_low']:.2f} to"
        f" {row['ci_high']:.2f}) on this period's outcome"
    )
    told += ", which it cannot have moved" if clear.any() else "; zero is among these values"
    return CheckResult("leads", not clear.any(), table, told + ".")


def placebo_dates(fit: Fit, held: Setting) -> CheckResult:
    """Look for the later change's mark in the years before it began.

    The unit's change in the regressor from `event` to the end is the dose of an event study:
    each year before `event` is a date at which nothing had happened yet. Where the regressor
    is known in those years it is held: outcomes are compared with the period that the change
    starts from, so passing noise in the regressor there would tie the two on any panel.
    """
    values = _values(fit, held)
    late = values[(values[held.time] >= held.event) & values["_x"].notna()].sort_values(held.time)
    change = late.groupby(held.unit)["_x"].agg(lambda v: v.iloc[-1] - v.iloc[0])
    values["later_change"] = values[held.unit].map(change)
    known = values.loc[values[held.time] <= held.event, "_x"].notna().all()
    controls = ["_x"] if known else []
    return _before(fit, held, values, "later_change", "placebo dates", controls)


def pre_trends(fit: Fit, held: Setting) -> CheckResult:
    """Test whether outcomes already parted by dose in the years before the cuts."""
    values = _values(fit, held)
    if held.dose not in values:
        raise UnknownNameError("column", held.dose, map(str, values.columns))
    return _before(fit, held, values, held.dose, "pre-trends")


def drift(fit: Fit, held: Setting) -> CheckResult:
    """Ask how far outcomes could have drifted apart by dose before nothing is left to see.

    The average after the event, allowing each step of drift to be up to a multiple of the
    largest before it (relative magnitudes; Rambachan and Roth 2023). An instrumented estimate
    fails if less than half such a step leaves nothing; others are only informed.
    """
    values = _values(fit, held)
    if held.dose not in values:
        raise UnknownNameError("column", held.dose, map(str, values.columns))
    study = _study(fit, held, values, held.dose)
    margin = float(study.breakdown().iloc[-1])
    row = study.average()
    told = f"By {held.dose.replace('_', ' ')} the average after {held.event} is"
    told += f" {row['estimate']:.2f} ({row['ci_low']:.2f} to {row['ci_high']:.2f})"
    told += (
        f"; clear of zero unless each step drifts by {margin:.2f} of the largest before"
        if margin > 0
        else "; zero is among these values without any drift"
    )
    passed = margin >= DRIFT if fit.family == "iv" else None
    return CheckResult("drift", passed, study.profile(), told + ".")


def _study(
    fit: Fit, held: Setting, values: pd.DataFrame, dose: str, controls: Sequence[str] = ()
) -> EventStudy:
    return event_study(
        values[values[dose].notna()], "_y", held.unit, held.time, dose, held.event,
        controls=controls,
        weights="_w" if "_w" in values else None,
        family="poisson" if fit.family == "poisson" else "ols",
        offset="_o" if "_o" in values else None,
    )  # fmt: skip


def _before(
    fit: Fit, held: Setting, values: pd.DataFrame, dose: str, name: str,
    controls: Sequence[str] = (),
) -> CheckResult:  # fmt: skip
    study = _study(fit, held, values, dose, controls)
    tests = study.pre_trends()
    if "joint" not in tests.index:
        raise ModelError(f"{name}: no period before {held.event}; begin the panel earlier")
    joint, line = tests.loc["joint"], tests.loc["linear"]
    parted = bool(joint["p_value"] < 0.05 or line["p_value"] < 0.05)
    told = (
        f"Before {held.event} outcomes {'already parted' if parted else 'cannot be seen to part'}"
        f" by {dose.replace('_', ' ')}: jointly p = {joint['p_value']:.2f}, slope a year"
        f" {line['estimate']:.3f} ({line['ci_low']:.3f} to {line['ci_high']:.3f})"
    )
    table = pd.concat({"period": study.profile(), "test": tests}, names=["kind", "term"])
    return CheckResult(name, not parted, table, told + ".")


def placebo_outcomes(fit: Fit, held: Setting) -> CheckResult:
    """Put in outcomes that the regressor should leave alone."""
    data, parts = _data(fit, held.unit), Parts.of(fit.formula)
    if not held.placebo_outcomes:
        raise ModelError("there is no placebo outcome; give placebo_outcomes={column: family}")
    rows = {}
    for outcome, family in held.placebo_outcomes.items():
        if family not in ("ols", "poisson"):
            raise UnknownNameError("family", family, ("ols", "poisson"), "placebo_outcomes")
        if outcome not in data:
            raise UnknownNameError("column", outcome, map(str, data.columns))
        if family == "poisson":
            terms = [*parts.slopes, *(parts.instruments if fit.family == "iv" else [])]
            offset = "log_population" if "log_population" in data else None
            terms = [term for term in terms if term != offset]
            other = fit.refit(
                str(Parts(outcome, terms, parts.effects, [], [])), family="poisson",
                offset=offset, weights=None,
            )  # fmt: skip
            term = parts.instruments[0] if fit.family == "iv" else held.term
            rows[outcome] = other.term(term)[["estimate", "ci_low", "ci_high"]].to_numpy(float)
        else:
            written = str(Parts(outcome, parts.slopes, parts.effects, parts.endogenous,
                                parts.instruments))  # fmt: skip
            again = fit.refit(written, family="ols", offset=None)
            rows[outcome] = np.array(_interval(again, held.term))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])
    clear = (table["ci_low"] > 0) | (table["ci_high"] < 0)
    at = int(clear.to_numpy().argmax())  # the first that moves, else the first
    first = table.iloc[at]
    told = (
        f"{str(table.index[at]).replace('_', ' ')}: {first['estimate']:.2f}"
        f" ({first['ci_low']:.2f} to {first['ci_high']:.2f})"
    )
    told += ", though nothing should move it" if clear.any() else "; zero is among these values"
    return CheckResult(
        "placebo outcomes", not clear.any(), table.rename_axis("outcome"), told + "."
    )


def recording(fit: Fit, held: Setting) -> CheckResult:
    """Set recorded violence beside hospital admissions, which police recording cannot move.

    Home Office recorded violence with injury in England against NHS admissions for assault by
    sharp object (X99): a ratio that rises between 2013/14 and 2015/16, when inspectors found
    violence unrecorded (HMIC 2014), says that recording moved. Two outcomes of different
    gravity could part for other reasons too.
    """
    if "violence" not in fit.outcome:
        told = f"{fit.outcome} is not recorded violence; hospital admissions have no counterpart"
        return CheckResult("recording", None, pd.DataFrame(), told + ".")
    table = recorded_against_admitted(held)
    lacking = [year for year in ("2013/14", "2015/16") if year not in table.index]
    if lacking:
        raise ModelError(f"no recorded violence beside admissions in {', '.join(lacking)}")
    moved = float(table["ratio"]["2015/16"] / table["ratio"]["2013/14"] - 1)
    told = (
        f"From 2013/14 to 2015/16 recorded violence with injury in England rose"
        f" {_percent(table, 'recorded')}, admissions for assault by sharp object"
        f" {_percent(table, 'admissions')}: {moved:+.0%} against them"
    )
    told += "; recording moved, and with it the outcome" if abs(moved) > MOVED else ""
    return CheckResult("recording", abs(moved) <= MOVED, table, told + ".")


def recorded_against_admitted(held: Setting) -> pd.DataFrame:
    """Return recorded violence with injury, admissions and their ratio, by financial year."""
    places = held.load("places")
    english = places.loc[(places["kind"] == "force") & (places["country"] == "England"), "place"]
    crime = held.load("recorded_crime")
    chosen = (crime["offence_group"] == "violence_with_injury") & crime["force"].isin(english)
    recorded = crime[chosen].groupby("financial_year")["offences"].sum()
    nhs = held.load("hospital_admissions")
    nhs = nhs[~nhs["region"].isin(["England", "Wales", "Unknown"])]
    year = nhs["month"].str[:4].astype(int) - (nhs["month"].str[5:7].astype(int) < 4)
    admitted = nhs["admissions"].groupby(year.map(lambda y: f"{y}/{(y + 1) % 100:02d}")).sum()
    table = pd.concat({"recorded": recorded, "admissions": admitted}, axis=1, join="inner")
    return table.assign(ratio=table["recorded"] / table["admissions"]).rename_axis("financial_year")


def _percent(table: pd.DataFrame, column: str) -> str:
    return f"{table[column]['2015/16'] / table[column]['2013/14'] - 1:+.0%}"


def measurement(fit: Fit, held: Setting) -> CheckResult:
    """Let two counts of the regressor instrument each other (Chalfin and McCrary 2018).

    If both measure the same with errors of their own, each instrumented by the other is free
    of attenuation. The counts here are of two dates: officers on the 31 March before and after
    the year; the later one may answer to the year's crime, so this only informs.
    """
    data, parts = _data(fit, held.unit), Parts.of(fit.formula)
    if fit.family != "ols":
        raise ModelError(f"two counts instrument each other in least squares, not in {fit.family}")
    if held.second_count not in data:
        raise UnknownNameError("column", held.second_count, map(str, data.columns))
    rest = [term for term in parts.slopes if term != held.term]
    rows = {"as estimated": _interval(fit, held.term)}
    for label, one, other in (
        ("instrumented by the second count", held.term, held.second_count),
        ("second count, instrumented by the first", held.second_count, held.term),
    ):
        again = fit.refit(str(Parts(parts.outcome, rest, parts.effects, [one], [other])))
        rows[label] = _interval(again, one)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])
    plain, freed = table["estimate"].iloc[0], table["estimate"].iloc[1]
    told = (
        f"Instrumented by the second count the estimate is {freed:.2f} and not {plain:.2f}; if"
        f" only errors of counting differ, {plain / freed:.0%} of the size is left without it"
        if plain / freed > 0
        else f"Instrumented by the second count the sign changes: {freed:.2f} for {plain:.2f}"
    )
    return CheckResult("measurement error", None, table.rename_axis("estimate of"), told + ".")


def rivals(fit: Fit, held: Setting) -> CheckResult:
    """Let the rival explanations of the era in, to see whether the estimate is theirs.

    Each rival, constant in a unit, may matter more from `era` on: deprivation stands for the
    reach of welfare reform, which raised violent crime where it bit (Giulietti and McConnell
    2020).
    """
    data, parts = _data(fit, held.unit, held.time), Parts.of(fit.formula)
    missing = [name for name in held.rivals if name not in data]
    if missing or not held.rivals:
        raise UnknownNameError("column", (missing or ["none"])[0], map(str, data.columns))
    after = (data[held.time] >= held.era).astype(float)
    added = {f"{name}_from_{held.era}": data[name] * after for name in held.rivals}
    more = data.assign(**added)
    formula = str(Parts(parts.outcome, [*added, *parts.slopes], parts.effects, parts.endogenous,
                        parts.instruments))  # fmt: skip
    known = more[list(held.rivals)].notna().all(axis=1)
    rows = {
        "same rows, without rivals": _interval(fit.refit(data=more[known]), held.term),
        "with rivals": _interval(fit.refit(formula, more[known]), held.term),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])
    before, after_ = (_says(r["ci_low"], r["ci_high"]) for _, r in table.iterrows())
    one, two = table["estimate"]
    lost = int(data.loc[~known, held.unit].nunique())
    told = f"With {', '.join(held.rivals)} from {held.era} on, {one:.2f} becomes {two:.2f}"
    told += f" ({before!r} to {after_!r})" if before != after_ else f", and still says {before!r}"
    told += f"; {lost} {held.unit}s have no figure" if lost else ""
    return CheckResult(
        "rival explanations", before == after_, table.rename_axis("model"), told + "."
    )


def _data(fit: Fit, *columns: str) -> pd.DataFrame:
    assert fit.data is not None  # `run` has seen to it
    for column in columns:
        if column not in fit.data:
            raise UnknownNameError("column", column, map(str, fit.data.columns))
    return fit.data


def _values(fit: Fit, held: Setting) -> pd.DataFrame:
    """Return the data with outcome, regressor, weights and offset as columns.

    Rows that lack the regressor stay: what came before the event needs only the outcome.
    """
    data, options = _data(fit, held.unit, held.time), fit.options
    made = read(f"{Parts.of(fit.formula).outcome} ~ 0 + {held.term}", data, held.unit, held.time)
    rows = data.reset_index(drop=True).assign(_y=made.outcome, _x=made.slopes[held.term])
    if options["weights"]:
        rows["_w"] = rows[options["weights"]]
    if options["offset"]:
        rows["_o"] = rows[options["offset"]]
    return rows[rows["_y"].notna()].reset_index(drop=True)


#: Every check by name, in the order they are told.
CHECKS: dict[str, Callable[[Fit, Setting], CheckResult]] = {
    "leave one out": leave_one_out,
    "few clusters": few_clusters,
    "leads": leads,
    "placebo dates": placebo_dates,
    "pre-trends": pre_trends,
    "drift": drift,
    "placebo outcomes": placebo_outcomes,
    "recording": recording,
    "measurement error": measurement,
    "rival explanations": rivals,
}
