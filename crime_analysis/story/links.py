"""Pictures and tables of one link: made for readers who do not know the columns' names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from crime_analysis.checks import CheckResult
from crime_analysis.confounding import sensitivity
from crime_analysis.curve import SpecificationCurve
from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas
from crime_analysis.errors import CrimeAnalysisError
from crime_analysis.inference.detectable import DesignAnalysis, DetectableEffect
from crime_analysis.instrument_report import InstrumentReport
from crime_analysis.link_evidence import Evidence, left_out
from crime_analysis.links import OUTCOMES, WEAK, Link
from crime_analysis.models.event_study import EventStudy
from crime_analysis.models.fit import Fit
from crime_analysis.prose import Text
from crime_analysis.selection import oster
from crime_analysis.story.forest import forest
from crime_analysis.story.link_words import concerning, in_words, spelt
from crime_analysis.tables import Table

__all__ = [
    "checks_table",
    "curve",
    "detectable",
    "event_study",
    "few_clusters",
    "few_clusters_table",
    "hidden",
    "instrument_ways",
    "leave_one_out",
    "levels_and_changes",
    "pre_trends",
    "ways",
]

_STRENGTHS = (0.5, 1, 2)  # times a benchmark
_ELASTICITY = "elasticity: % change for 1% more of the cause"


def _touched(series: str) -> tuple[tuple[str, str], ...]:
    """Return the tables and series behind a rate, as the register of breaks names them."""
    people = ("population", "population")
    if series == "officers":
        return (("officers", "officers_fte"), people)
    return (("recorded_crime", series), people)


def _correlated(rows: pd.DataFrame, x: str, y: str) -> tuple[float, float, float]:
    """Return a correlation across forces with its 95% interval (Fisher 1921)."""
    pair = rows[[x, y]].replace([np.inf, -np.inf], np.nan).dropna()
    r = float(pair[x].corr(pair[y]))
    reach = 1.96 / np.sqrt(max(len(pair) - 3, 1))
    return r, float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))


def levels_and_changes(rows: pd.DataFrame, outcome: str, force: str) -> Figure:
    """Draw officers against violence across forces: as they stand, and as they changed.

    Parameters
    ----------
    rows : DataFrame
        From `link_evidence.ends`.
    outcome, force : str
        The offence group, and the force to mark.
    """
    label = OUTCOMES[outcome][0]
    level = f"{outcome}_per_1000"
    scale = 1000 if outcome == "homicide" else 1
    shown = rows.assign(**{level: rows[level] * scale})
    per = "million" if scale == 1000 else "1,000"
    pairs = (
        ("officers_per_1000", level, "officers per 1,000 residents",
         f"{label} per {per} residents", f"As they stand, {rows.attrs['last']}"),
        ("officers_change", "outcome_change", "change in officers per resident",
         f"change in {label} per resident", "As they changed"),
    )  # fmt: skip
    with canvas(1, 2, height=4.1) as (_, axes, out):
        for axis, (x, y, x_label, y_label, title) in zip(axes, pairs, strict=True):
            size = 12 + 130 * shown["population"] / shown["population"].max()
            axis.scatter(shown[x], shown[y], s=size, color=BLUE, alpha=0.55, lw=0)
            mine = shown[shown["force"] == force]
            axis.scatter(mine[x], mine[y], s=70, facecolor="none", edgecolor=ORANGE, lw=2, zorder=3)
            for row in mine.itertuples():
                right = getattr(row, x) > shown[x].median()
                axis.annotate(
                    force, (getattr(row, x), getattr(row, y)), textcoords="offset points",
                    xytext=(-9 if right else 9, 9), ha="right" if right else "left",
                    fontsize=9, fontweight="bold", color="#a34700",
                )  # fmt: skip
            axis.margins(0.1)
            axis.set_xlabel(x_label)
            axis.set_ylabel(y_label)
            axis.set_title(title, fontsize=10)
        for side in (axes[1].xaxis, axes[1].yaxis):
            side.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
    found = [_correlated(shown, x, y) for x, y, *_ in pairs]
    said = [f"{r:.2f} ({low:.2f} to {high:.2f})" for r, low, high in found]
    clear = [name for name, (_, low, high) in zip(("levels", "changes"), found, strict=True)
             if not low <= 0 <= high]  # fmt: skip
    doubt = f"only {clear[0]} can" if len(clear) == 1 else "both can" if clear else "neither can"
    missing = "" if len(mine) else f" {force} is left out: too few residents for rates."
    ringed = f" {force} is ringed." if len(mine) else ""
    columns = ["force", "officers_per_1000", level, "officers_change", "outcome_change"]
    return Figure(
        title=f"Across forces officers and {label} correlate at {said[0]} as they stand and at"
        f" {said[1]} as they changed: {doubt} be told from none",
        alt=f"Two scatter plots of {len(shown)} forces. Officers and {label} per resident"
        f" correlate at {said[0]} as they stand, at {said[1]} as they changed.{ringed}",
        source=f"Source: Home Office workforce and recorded crime data; ONS. Changes from"
        f" {rows.attrs['first']} to {rows.attrs['last']}, three years pooled at each end. Area"
        f" shows residents. Intervals are of correlations that count every force alike.{missing}",
        svg=out.getvalue(),
        data=rows[columns],
    )


def ways(link: Link) -> Figure:
    """Draw every way in which a link was estimated, the headline marked."""
    rows = link.table.reset_index().rename(columns={"specification": "label"})
    weak = rows["f_statistic"] < WEAK
    kinds = np.where(rows["label"] == link.headline, "chosen", np.where(weak, "weak", "estimate"))
    rows = rows.assign(kind=kinds, group="")
    clear = (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
    bounded = np.isfinite(rows[["ci_low", "ci_high"]]).all(axis=1)
    clear &= bounded & (rows["ci_low"] <= rows["ci_high"])
    above = int((clear & (rows["ci_low"] > 0)).sum())
    unclear = len(rows) - int(clear.sum())
    below = int(clear.sum()) - above
    count = (
        f"None of {len(rows)} ways can"
        if unclear == len(rows)
        else (f"{unclear or 'None'} of {len(rows)} ways cannot")
    )
    move = "move" if link.outcome == "officers" else "moves"
    first = f"{count} tell how {link.outcome} {move} with {link.cause}"
    sides = [f"{n} find {word}" for n, word in ((above, "a positive"), (below, "a negative")) if n]
    return Figure(
        title=f"{first}{'; ' + ', '.join(sides) + ' elasticity' if sides else ''}",
        alt="Estimates with 95% intervals. " + _spoken(rows),
        source="Instruments have Anderson-Rubin sets, other estimates t intervals clustered by"
        " force; arrowheads go on. Weak: F under 10.",
        svg=forest(rows, _ELASTICITY),
        data=link.table.reset_index(),
    )


def _spoken(rows: pd.DataFrame) -> str:
    said = []
    for row in rows.itertuples():
        low, high = (
            "no bound" if np.isinf(end) else f"{end:.2f}" for end in (row.ci_low, row.ci_high)
        )
        said.append(f"{row.label}: {row.estimate:.2f} ({low} to {high})".replace("\n", " "))
    return "; ".join(said) + "."


def instrument_ways(report: InstrumentReport, outcome: str) -> Figure | Text:
    """Draw the Anderson-Rubin sets of one outcome, a row a way of building the instrument.

    Returns
    -------
    Figure or Text
        A sentence where the outcome takes no instrument.
    """
    if outcome not in report.effects.index.unique("outcome"):
        return Text((f"There is no instrumented estimate of {outcome} to draw.",))
    frame = report.shown("effects")
    frame = frame[frame["outcome"] == outcome].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "label": frame["way"],
            "group": np.where(
                frame["way"].str.contains("with London"), "With London", "Without London"
            ),
            "estimate": frame["estimate"],
            "ci_low": frame["ci_low"],
            "ci_high": frame["ci_high"],
            "kind": np.where(frame["effective_f"] >= WEAK, "estimate", "weak"),
        }
    ).sort_values("group", kind="stable")
    rows["label"] = rows["label"].str.replace(r", with(out)? London", "", regex=True)
    clear = np.isfinite(rows[["ci_low", "ci_high"]]).all(axis=1)
    clear &= (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
    weak = int((rows["kind"] == "weak").sum())
    return Figure(
        title=f"{outcome.capitalize()}: of {len(rows)} ways to build the instrument"
        f" {int(clear.sum()) or 'none'} {'has' if clear.sum() == 1 else 'have'} a bounded set"
        f" without zero; {weak or 'none'} {'is' if weak == 1 else 'are'} too weak to lean on",
        alt="Two-stage elasticities with Anderson-Rubin 95% sets. "
        + _spoken(rows.assign(label=rows["group"] + ", " + rows["label"])),
        source="Share of 2009/10 times the national fall in grants; force and year effects,"
        " clustered by force. Weak: effective F under 10 (Montiel Olea and Pflueger 2013). Sets"
        " with arrowheads go on; Anderson and Rubin (1949).",
        svg=forest(rows, f"{_ELASTICITY}, Anderson-Rubin 95% set"),
        data=frame[["way", "estimate", "set", "effective_f", "p_value", "reading"]],
    )


def event_study(study: EventStudy, register: pd.DataFrame, series: str) -> Figure:
    """Draw a series by dose, year by year, with the breaks that concern it.

    Parameters
    ----------
    study : EventStudy
        From `link_evidence.by_dose`.
    register : DataFrame
        The shipped table ``breaks``.
    series : str
        ``officers``, or an outcome.
    """
    figure = in_words(study).plot(breaks=concerning(register, _touched(series)))
    mean, tests, sd = study.average(), study.pre_trends(), study.dose_sd
    low, high = (float(np.expm1(mean[end] * sd)) for end in ("ci_low", "ci_high"))
    after = "cannot tell the sign" if low <= 0 <= high else "clear of zero"
    chances = tests["p_value"].reindex(["joint", "linear"])
    before = "already parting" if (chances < 0.05).any() else "not seen to part"
    label = series if series == "officers" else OUTCOMES[series][0]
    return replace(
        figure,
        title=f"{label.capitalize()} per resident, for each standard deviation of government's"
        f" share: {low:+.1%} to {high:+.1%} on average after {study.reference}, {after}; before,"
        f" {before} (p {chances['joint']:.2g} jointly, {chances['linear']:.2g} of a slope)",
        data=figure.data.drop(columns="term"),
    )


def pre_trends(report: InstrumentReport, outcome: str) -> Table:
    """Return, way by way, whether an outcome was parting by dose before the cuts."""
    frame = report.shown("pre_trends")
    columns = ["way", "joint_p", "slope", "ci_low", "ci_high", "slope_p", "after", "after_low",
               "after_high"]  # fmt: skip
    return Table(
        frame.loc[frame["outcome"] == outcome, columns],
        f"{outcome.capitalize()} by dose: before {report.reference}, a joint test and the slope a"
        " year; after it, the average; for one standard deviation of the share",
        {name: "{:+.1%}" for name in columns if not name.endswith("_p") and name != "way"},
    )


def few_clusters(table: pd.DataFrame) -> Figure:
    """Draw the same coefficients with the intervals of each way of testing them.

    Parameters
    ----------
    table : DataFrame
        From `link_evidence.few_clusters`.
    """
    models = list(dict.fromkeys(table["model"]))
    agree = table.groupby("model", sort=False)["p_value"].agg(lambda p: (p < 0.05).nunique() == 1)
    clear = table.groupby("model", sort=False)["p_value"].agg(lambda p: bool((p < 0.05).all()))
    said = [
        f"{name}: "
        + ("clear of zero by every test" if clear[name] else "cannot tell from zero"
           if agree[name] else "the tests disagree, so cannot tell")
        for name in models
    ]  # fmt: skip
    with canvas(1, len(models), height=2.6, squeeze=False) as (_, axes, out):
        for axis, name in zip(axes[0], models, strict=True):
            part = table[table["model"] == name].reset_index(drop=True)
            axis.axvline(0, color="black", lw=0.9)
            for y, row in enumerate(part.itertuples()):
                if np.isfinite(row.ci_low):
                    axis.hlines(y, row.ci_low, row.ci_high, color=BLUE, lw=2)
                axis.plot(row.estimate, y, "o" if y == 0 else "s" if y == 1 else "D", color=BLUE)
                axis.annotate(
                    f"p {'< 0.001' if row.p_value < 0.001 else f'= {row.p_value:.3f}'}",
                    (row.estimate, y), xytext=(0, 6), textcoords="offset points", ha="center",
                    fontsize=9,
                )  # fmt: skip
            axis.set_yticks(range(len(part)), part["way"].str.replace(" cluster", "\ncluster"))
            axis.set_ylim(len(part) - 0.5, -0.7)
            axis.margins(x=0.08)
            axis.set_title(name.capitalize(), fontsize=10)
            axis.set_xlabel("coefficient with 95% interval")
            axis.grid(axis="y", visible=False)
            axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
        for axis in axes[0][1:]:
            axis.set_yticklabels([])
    spoken = "; ".join(
        f"{r.model}, {r.way}: {r.estimate:.2f} ({r.ci_low:.2f} to {r.ci_high:.2f}), p"
        f" {r.p_value:.3f}"
        for r in table.itertuples()
    ).replace("nan to nan", "no interval")
    return Figure(
        title="; ".join(said).capitalize(),
        alt=f"The same coefficients tested in several ways: {spoken}.",
        source="Wild cluster bootstrap with the null imposed; forces exchanged: whole courses of"
        " the cause given to other forces at random. Reduced form: outcome on the instrument.",
        svg=out.getvalue(),
        data=table,
    )


def few_clusters_table(table: pd.DataFrame) -> Table:
    """Return what `few_clusters` draws, as rows."""
    return Table(table, "The same coefficients, tested with and without leaning on many forces")


def checks_table(results: tuple[CheckResult, ...]) -> Table:
    """Return what each check found, in words."""
    mark = {True: "passed", False: "failed", None: "for information"}
    rows = [
        {
            "check": r.name,
            "result": mark[r.passed] if r.ran else "not run",
            "what it found": spelt(r.text.removeprefix("Not run: ")),
        }
        for r in results
    ]
    return Table(pd.DataFrame(rows), "Ways of being wrong that these figures could show")


def leave_one_out(evidence: Evidence, force: str) -> Figure | Text:
    """Draw the headline without each force in turn, one force marked.

    Returns
    -------
    Figure or Text
        A sentence where the check could not be run.
    """
    table = left_out(evidence)
    if table.empty:
        return Text(("The estimate cannot be made without each force in turn.",))
    table = table.sort_values("estimate").reset_index()
    whole = float(evidence.link.table.loc[evidence.link.headline, "estimate"])
    finite = table[["ci_low", "ci_high"]].replace([np.inf, -np.inf], np.nan)
    low, high = finite.min().min(), finite.max().max()
    mine = (table["force"] == force).to_numpy()
    x = np.arange(len(table))
    bottom, top = (table[c].clip(low, high) for c in ("ci_low", "ci_high"))
    with canvas(height=3.3) as (_, axis, out):
        axis.axhline(0, color="black", lw=0.9)
        axis.axhline(whole, color=ORANGE, ls="--", lw=1.2, label="with every force")
        axis.vlines(x[~mine], bottom[~mine], top[~mine], color=BLUE, lw=1.1)
        axis.plot(x[~mine], table["estimate"][~mine], "o", color=BLUE, ms=4.5, label="without one")
        if mine.any():
            axis.vlines(x[mine], bottom[mine], top[mine], color=ORANGE, lw=2.6)
            axis.plot(x[mine], table["estimate"][mine], "D", color=ORANGE, ms=7,
                      label=f"without {force}")  # fmt: skip
        for at, side in ((0, "left"), (len(table) - 1, "right")):
            axis.annotate(
                f"without {table['force'][at]}", (at, table["estimate"][at]), ha=side, fontsize=9,
                xytext=(8 if side == "left" else -8, -3), textcoords="offset points",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip
        axis.set_xticks([])
        axis.set_xlabel("a force left out at a time, in order of the estimate")
        axis.set_ylabel("elasticity")
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
        axis.figure.legend(loc="outside lower center", ncols=3)
    says = table["says"].value_counts()
    told = ", ".join(f"{n} times {word}" for word, n in says.items())
    ends = f"{table['estimate'].iloc[0]:.2f} to {table['estimate'].iloc[-1]:.2f}"
    ours = table.loc[mine]
    about = "".join(
        f" Without {force}: {r.estimate:.2f} ({r.ci_low:.2f} to {r.ci_high:.2f})."
        for r in ours.itertuples()
    )
    return Figure(
        title=f"Without one force at a time the intervals say: {told}; the estimate runs from"
        f" {ends}",
        alt=f"The estimate without each force in turn, from {ends}; with all it is {whole:.2f}."
        f" Lowest without {table['force'].iloc[0]}, highest without"
        f" {table['force'].iloc[-1]}.{about}",
        source=f"{evidence.link.headline.capitalize()}; 95% intervals, of an instrument"
        " Anderson-Rubin sets.",
        svg=out.getvalue(),
        data=table,
    )


def hidden(fit: Fit, term: str, benchmark: str = "deprivation_later") -> tuple[Figure | Text, Text]:
    """Return how strong something left out would have to be: a chart, and sentences.

    Parameters
    ----------
    fit : Fit
        From `fit_panel`; its data hold the benchmark.
    term, benchmark : str
        The coefficient in question, and the control by whose measure a confounder is judged.

    Returns
    -------
    (Figure or Text, Text)
        Where the methods do not apply (they take least squares), sentences that say so.
    """
    left, held = fit.formula.split(" | ", 1)
    try:
        controlled = fit.refit(f"{left} + {benchmark} | {held}")
        found = in_words(sensitivity(controlled, term, benchmarks=[benchmark], kd=_STRENGTHS))
        selected = in_words(oster(controlled, term))
    except CrimeAnalysisError as problem:
        return Text((f"No chart of confounders here: {spelt(str(problem))}.",)), Text(
            ("What a confounder would have to be is not computed for this model.",)
        )
    noted = found.bounds[found.bounds["note"] != ""]
    limits = [
        f"A confounder {row.kd:g} times as strong as {row.benchmark} is {row.note}."
        for row in noted.head(1).itertuples()
    ]
    return found.plot(), Text((found.explain(), *limits, selected.explain()))


def detectable(
    effect: DetectableEffect, designed: DesignAnalysis, marks: dict[str, float]
) -> tuple[Figure, Figure]:
    """Return the charts of what a headline could have found, and how it would mislead.

    Parameters
    ----------
    effect, designed : DetectableEffect, DesignAnalysis
    marks : dict of str to float
        Elasticities to point out, by name.
    """
    return in_words(effect).plot(marks), in_words(designed).plot()


def curve(
    found: SpecificationCurve, register: pd.DataFrame, series: tuple[str, ...]
) -> tuple[Figure, Table]:
    """Return the specification curve, and its estimates by choice, in plain words.

    Parameters
    ----------
    found : SpecificationCurve
    register : DataFrame
        The shipped table ``breaks``: what concerns the series is told below the chart.
    series : tuple of str
        The offence groups in the universe.
    """
    told = in_words(found)
    touched = tuple(pair for name in series for pair in _touched(name))
    years = concerning(register, touched)
    notes = "".join(f" Break, {year:.0f}: {what}" for year, what in years.items() if year >= 2007)
    figure = told.plot()
    table = told.by_choice().reset_index()
    table["choice"] = table["choice"].str.replace("_", " ")
    return replace(figure, source=figure.source + notes), Table(
        table, "Median estimate, and intervals wholly above or below zero, by choice"
    )
