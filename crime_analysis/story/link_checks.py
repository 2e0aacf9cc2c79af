"""Pictures and tables of what could be wrong with a link, and of what it could have found."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from crime_analysis.checks import CheckResult
from crime_analysis.confounding import Sensitivity, sensitivity
from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas
from crime_analysis.errors import CrimeAnalysisError
from crime_analysis.findings.link_evidence import Evidence, left_out
from crime_analysis.inference.detectable import DesignAnalysis, DetectableEffect
from crime_analysis.models.fit import Fit
from crime_analysis.prose import Text
from crime_analysis.selection import oster
from crime_analysis.story.link_words import chance, in_words, spelt
from crime_analysis.tables import Table, minus

__all__ = [
    "checks_table",
    "confounders",
    "confounders_table",
    "detectable",
    "few_clusters",
    "few_clusters_table",
    "hidden",
    "leave_one_out",
    "plainly",
]

_STRENGTHS = (0.5, 1, 2)  # times a benchmark
#: Columns of what a confounder would leave, as a reader says them.
_HIDDEN = {
    "term": "what is left out",
    "std_error_reported": "std error, clustered",
    "ci_low_reported": "95% from, clustered",
    "ci_high_reported": "95% to, clustered",
    "r2dz_x": "explains of the cause",
    "r2yz_dx": "explains of the outcome",
}


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
                    chance(row.p_value), (row.estimate, y), xytext=(0, 6),
                    textcoords="offset points", ha="center", fontsize=9,
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
        f"{r.model}, {r.way}: {r.estimate:.2f} ({r.ci_low:.2f} to {r.ci_high:.2f}),"
        f" {chance(r.p_value)}"
        for r in table.itertuples()
    ).replace("nan to nan", "no interval")
    return Figure(
        title="; ".join(said).capitalize(),
        alt=f"The same coefficients tested in several ways: {spoken}.",
        source=_tests(table),
        svg=out.getvalue(),
        data=table,
    )


def _tests(table: pd.DataFrame) -> str:
    """Return what the tests of a chart are."""
    told = {
        "wild cluster bootstrap": "Wild cluster bootstrap: with the null imposed.",
        "forces exchanged": "Forces exchanged: whole courses of the cause given to other forces at"
        " random (randomisation inference; Fisher 1935, Young 2019).",
    }
    said = [words for way, words in told.items() if (table["way"] == way).any()]
    if (table["model"] == "reduced form").any():
        said.append("Reduced form: outcome on the instrument.")
    return " ".join(said)


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
            "what it found": minus(spelt(r.text.removeprefix("Not run: "))),
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
                f"without {table['force'][at]}", (at, top.max()), ha=side, fontsize=9,
                xytext=(-4 if side == "left" else 4, 5), textcoords="offset points",
            )  # fmt: skip
        axis.margins(y=0.12)
        axis.set_xticks([])
        axis.set_xlabel("a force left out at a time, in order of the estimate")
        axis.set_ylabel("elasticity")
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
        axis.figure.legend(loc="outside lower center", ncols=3)
    says = table["says"].value_counts()
    told = ", ".join(f"{n} times {word}" for word, n in says.items())
    told = f"every time {says.index[0]}" if len(says) == 1 else told
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
    if fit.family != "ols":
        why = "they take least squares, and this is a model of counts"
        return Text((f"Charts of confounders are left out: {why}.",)), Text(
            ("How strong something left out must be, these methods do not say here.",)
        )
    left, held = fit.formula.split(" | ", 1)
    try:
        controlled = fit.refit(f"{left} + {benchmark} | {held}")
        found = in_words(sensitivity(controlled, term, benchmarks=[benchmark], kd=_STRENGTHS))
        selected = in_words(oster(controlled, term))
    except CrimeAnalysisError as problem:
        return Text((f"Charts of confounders are left out: {spelt(str(problem))}.",)), Text(
            ("How strong something left out must be, these methods do not say here.",)
        )
    noted = found.bounds[found.bounds["note"] != ""]
    limits = [
        f"A confounder {_times(row.kd)} as strong as {row.benchmark} is {row.note}."
        for row in noted.head(1).itertuples()
    ]
    told = (found.explain(), *limits, selected.explain())
    return confounders(found), Text(tuple(map(plainly, told)))


def confounders(found: Sensitivity) -> Figure:
    """Draw how strong something left out would have to be, its benchmarks in plain words."""
    figure = in_words(found).plot()
    title = figure.title[:1].upper() + figure.title[1:]
    return replace(figure, title=title, alt=plainly(figure.alt), data=_hidden(figure.data))


def confounders_table(found: Sensitivity) -> Table:
    """Return what confounders as strong as the benchmarks would leave, errors as reported."""
    columns = ["estimate", "ci_low_reported", "ci_high_reported", "r2dz_x", "r2yz_dx"]
    rows = in_words(found).tidy()[columns].reset_index()
    rows.iloc[:, 0] = rows.iloc[:, 0].map(spelt)
    shares = dict.fromkeys((_HIDDEN["r2dz_x"], _HIDDEN["r2yz_dx"]), "{:.1%}")
    return Table(
        _hidden(rows),
        "What a confounder would leave, by the measure of a control; errors as reported",
        shares,
    )


def _hidden(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what confounders leave, in plain words."""
    named = rows.rename(columns=_HIDDEN)
    named.iloc[:, 0] = named.iloc[:, 0].map(plainly)
    return named


def _times(number: float) -> str:
    """Return how many times as strong, as people say it.

    Examples
    --------
    >>> _times(1), _times(0.5), _times(2), _times(1.4)
    ('just', 'half', 'twice', '1.4 times')
    """
    return {1.0: "just", 0.5: "half", 2.0: "twice"}.get(float(number), f"{number:g} times")


def plainly(text: str) -> str:
    """Return a sentence with its “1 times as” and “1x” as people say them."""
    text = re.sub(r"(?<![\d.−-])1 times as related", "about as related", text)  # it is rounded
    text = re.sub(r"(?<![\d.−-])([\d.]+) times as ", lambda m: f"{_times(float(m[1]))} as ", text)
    return re.sub(
        r"(?<![\d.])([\d.]+)x (?=[a-z])", lambda m: f"{_times(float(m[1]))} as strong as ", text
    )


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
