"""Grants across forces shown: the share from government, prices, who lost most, per head."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, Figure, canvas, year_axis
from crime_analysis.funding import latest_shares
from crime_analysis.models.fit import Fit
from crime_analysis.prose import Text, named, percent, rose_or_fell, series_name
from crime_analysis.story.money_readings import draw_breaks, index_name
from crime_analysis.tables import Table

__all__ = [
    "across_forces",
    "dependence",
    "learnt",
    "path",
    "per_head",
    "ranking",
    "shares",
    "shares_table",
]

_MET = "Metropolitan Police"
_SAID = 0.70  # the share of the Met's money that government pays, as claimed
_HMIC = "Source: HMIC and HMICFRS Value for Money profiles (actuals to 2008/09, estimates after)"
_TOPS = {
    "all government grants": ("o", BLUE),
    "all grants but for council tax": ("s", GREEN),
    "core grant": ("D", ORANGE),
}


def shares(frame: pd.DataFrame, force: str, end: str) -> Figure:
    """Draw what government paid of a force's money, by numerator and denominator.

    Parameters
    ----------
    frame : DataFrame
        From `funding.shares`.
    force, end : str
        The force; each fraction is drawn in its last year up to `end`.
    """
    rows = latest_shares(frame, end)
    below = list(dict.fromkeys(frame["denominator"]))
    below = [name for name in below if name in set(rows["denominator"])]
    years = rows.groupby("denominator")["financial_year"].max()
    with canvas(height=1.6 + 0.55 * len(below)) as (_, axis, out):
        for (name, (marker, colour)), step in zip(_TOPS.items(), (-0.18, 0.0, 0.18), strict=True):
            mine = rows[rows["numerator"] == name]
            places = [below.index(d) + step for d in mine["denominator"]]
            axis.plot(mine["share"], places, marker, color=colour, ms=8, ls="none", label=name)
            for x, y in zip(mine["share"], places, strict=True):
                axis.annotate(
                    f"{x:.0%}", (x, y), xytext=(7, 0), textcoords="offset points", va="center",
                    fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
                )  # fmt: skip
        if force == _MET:  # the share that was said of the Met
            axis.axvline(_SAID, color=GREY, lw=1, ls=":")
        axis.set_yticks(range(len(below)), [f"{name},\n{years[name]}" for name in below])
        axis.set_ylim(len(below) - 0.5, -0.5)
        axis.set_xlim(rows["share"].min() - 0.04, rows["share"].max() + 0.06)
        axis.set_xlabel("share paid by government")
        # Whole percentages only: steps of 2.5 would be labelled wrongly.
        axis.xaxis.get_major_locator().set_params(steps=[1, 2, 5, 10])
        axis.xaxis.set_major_formatter("{x:.0%}")
        axis.figure.legend(loc="outside lower center", ncols=3)
    spoken = "; ".join(
        f"{r.numerator} over {r.denominator} ({r.financial_year}) {r.share:.1%}"
        for r in rows.itertuples()
    )
    return Figure(
        title=f"Government paid {_span(rows)} of the money of {named(force)}, by what counts as"
        " the money and as government's",
        alt=f"Dots of the share paid by government: {spoken}.",
        source=_HMIC
        + ("; a London Assembly committee (the budget)" if "budget, as quoted" in below else "")
        + ". Each fraction in the last year that has it."
        + (f" Dotted line: {_SAID:.0%}, the share that was said." if force == _MET else ""),
        svg=out.getvalue(),
        data=rows.reset_index(drop=True),
    )


def shares_table(frame: pd.DataFrame, end: str) -> Table:
    """Return what `shares` draws: numerators, denominators and shares as rows."""
    rows = latest_shares(frame, end).sort_values(["denominator", "share"], ascending=[True, False])
    columns = [
        "numerator", "denominator", "financial_year", "numerator_gbp_m", "denominator_gbp_m",
        "share",
    ]  # fmt: skip
    return Table(
        rows[columns],
        f"Each fraction in its last year up to {end}, £ million in cash",
        {"share": "{:.1%}"},
    )


def _span(rows: pd.DataFrame) -> str:
    low, high = rows["share"].min(), rows["share"].max()
    return percent(low) if high - low < 0.005 else f"between {low:.0%} and {high:.0%}"


_TERMS = {"cash": ("o", GREY), "gdp_deflator": ("s", BLUE), "cpih": ("^", GREEN)}


def path(
    money: pd.DataFrame, register: pd.DataFrame, force: str, start: str, end: str, base: str
) -> Figure:
    """Draw a force's grants, and grants with council tax, in cash and by each price index.

    Parameters
    ----------
    money, register : DataFrame
        From `funding.in_terms`, and the shipped table ``breaks``.
    force, start, end, base : str
        The place, the years that the title compares, and the prices.
    """
    shown = money[money["series"] != "outturn"]
    with canvas(1, 2, height=4.1, sharex=True) as (_, axes, out):
        for axis, source in zip(axes, ("government grants", "both together"), strict=True):
            for terms, (marker, colour) in _TERMS.items():
                rows = shown[(shown["terms"] == terms) & (shown["source_of_funding"] == source)]
                label: str | None = index_name("" if terms == "cash" else terms)
                for _series, group in rows.groupby("series"):
                    years = group["financial_year"].map(periods.start)
                    # A line joins years that follow each other in one series, and nothing else.
                    for _run, run in group.groupby((years.diff() != 1).cumsum()):
                        axis.plot(
                            run["financial_year"].map(periods.start), run["value_gbp_m"],
                            marker=marker, color=colour, ms=4.5, label=label,
                        )  # fmt: skip
                        label = None
            axis.set_title({"both together": "Grants and council tax"}.get(source, "Grants"))
            axis.set_ylim(0, shown.loc[shown["source_of_funding"] == source,
                                       "value_gbp_m"].max() * 1.12)  # fmt: skip
            axis.yaxis.set_major_formatter("{x:,.0f}")
            year_axis(axis, [2005, *shown["financial_year"].map(periods.start)], every=2)
            marks = draw_breaks(axis, register)
        axes[0].set_ylabel(f"£ million; real terms at {base} prices")
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center",
                              ncols=3)  # fmt: skip
    moved = _changes(money, start, end)
    said = ", ".join(
        f"{rose_or_fell(moved[terms])} {_by(terms)}"
        for terms in _TERMS
    )  # fmt: skip
    ends = shown[(shown["source_of_funding"] == "both together")].query("financial_year == @end")
    spoken = ", ".join(f"{_by(str(r.terms))} £{r.value_gbp_m:,.0f}m" for r in ends.itertuples())
    return Figure(
        title=f"Grants and council tax of {named(force)}, {start} to {end}: {said}",
        alt=f"Two line charts of {named(force)}, grants alone and with council tax, in cash and"
        f" real terms. From {start} to {end} together {said}. In {end}: {spoken or 'no figure'}.",
        source=f"{_HMIC}; ONS GDP deflator and CPIH. Lines join only years that follow each"
        f" other in one series. Dashed lines, breaks: {marks}",
        svg=out.getvalue(),
        data=shown.pivot(
            index=["source_of_funding", "series", "financial_year"], columns="terms",
            values="value_gbp_m",
        ).reset_index().assign(series=lambda d: d["series"].map(series_name)),
    )  # fmt: skip


def _by(terms: str) -> str:
    return "in cash" if terms == "cash" else f"by {index_name(terms)}"


def _changes(
    money: pd.DataFrame, start: str, end: str, source: str = "both together"
) -> dict[str, float]:
    """Return the proportional change of one source of funding in each kind of terms."""
    rows = money[(money["series"] == "hmic_estimates") & (money["source_of_funding"] == source)]
    wide = rows.pivot(index="financial_year", columns="terms", values="value_gbp_m")
    pair = wide.reindex([start, end])
    first = pair.loc[start].where(pair.loc[start] > 0)
    return {str(terms): float(value) for terms, value in (pair.loc[end] / first - 1).items()}


def dependence(lost: pd.DataFrame, fit: Fit, force: str, start: str, end: str) -> Figure:
    """Draw dependence on grant against money lost, with the fit and its 95% band.

    Parameters
    ----------
    lost, fit : DataFrame, Fit
        From `funding.losses` and `funding.dependence`.
    force, start, end : str
        The force to mark beside the Met, and the years compared.
    """
    from matplotlib.ticker import MultipleLocator
    from scipy import stats

    used = fit.data_used.loc[fit.data_used["kept"], "force"]
    rows = lost[lost["force"].isin(used)]
    line = np.linspace(rows["share_all_grants"].min(), rows["share_all_grants"].max(), 40)
    design = np.column_stack([np.ones_like(line), line])
    terms = ["Intercept", "share_all_grants"]
    middle = design @ fit.coefficients[terms].to_numpy()
    covariance = fit.covariance.loc[terms, terms].to_numpy()
    spread = np.sqrt(np.einsum("ij,jk,ik->i", design, covariance, design))
    reach = stats.t.ppf(0.975, fit.degrees_of_freedom) * spread
    with canvas(height=4.2) as (_, axis, out):
        axis.fill_between(line, middle - reach, middle + reach, color=BLUE, alpha=0.15, lw=0)
        axis.plot(line, middle, color=BLUE, lw=1.6)
        axis.scatter(rows["share_all_grants"], rows["funding_change"], s=26, c=GREY, alpha=0.8)
        marked = rows[rows["force"].isin([force, _MET])]
        axis.scatter(
            marked["share_all_grants"], marked["funding_change"], s=70, marker="D", c=ORANGE,
            zorder=3,
        )  # fmt: skip
        for row in marked.itertuples():
            # Two corners are empty, since the line falls: labels there hide no force.
            met = row.force == _MET
            axis.annotate(
                str(row.force), (row.share_all_grants, row.funding_change),
                xytext=(0.03, 0.05) if met else (0.98, 0.95), textcoords="axes fraction",
                ha="left" if met else "right", va="center", fontsize=9, fontweight="bold",
                color="#a34700", arrowprops={"arrowstyle": "-", "color": "#a34700", "lw": 0.7},
            )  # fmt: skip
        axis.yaxis.set_major_locator(MultipleLocator(0.05))
        axis.set_xlabel("government share of grants and council tax, 2009/10")
        axis.set_ylabel(f"change in real funding,\n{start} to {end}")
        axis.xaxis.set_major_formatter("{x:.0%}")
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
    spoken = "; ".join(
        f"{r.force}: share {r.share_all_grants:.0%}, change {r.funding_change:+.0%}"
        for r in marked.itertuples()
    )
    left_out = ", ".join(sorted(set(lost["force"]) - set(used)))
    return Figure(
        title=_slope_words(fit),
        alt=f"Scatter plot of {len(rows)} forces with a fitted line and its 95% band."
        f" {_slope_words(fit)}. {spoken}.",
        source=f"{_HMIC}; ONS. A force a dot, unweighted; band: 95% interval of the line, errors"
        f" robust to heteroskedasticity. Left out: {left_out or 'none'}. A share of the money is"
        " also a weight of its change: some of this is arithmetic.",
        svg=out.getvalue(),
        data=rows.sort_values("rank").reset_index(drop=True),
    )


def _slope_words(fit: Fit) -> str:
    """Return how change varies with a share ten points higher, the interval first."""
    row = fit.tidy().loc["share_all_grants"]
    low, high = 10 * row["ci_low"], 10 * row["ci_high"]
    if not np.isfinite([low, high]).all() or low <= 0 <= high:
        return "These forces cannot tell whether dependence on grant goes with money lost"
    verb = "lost" if high < 0 else "gained"
    small, large = sorted((abs(low), abs(high)))
    return (
        f"With 95% confidence, a share from government ten points higher is associated with"
        f" {small:.1f} to {large:.1f} points more of the money {verb}"
    )


def ranking(lost: pd.DataFrame, force: str, start: str, end: str, each: int = 7) -> Table:
    """Return the forces that lost most and least, with the chosen force and the Met."""
    rows = lost.dropna(subset=["rank"]).sort_values(["rank", "force"])
    keep = (
        rows["force"].isin([force, _MET, *rows["force"].head(each), *rows["force"].tail(each)])
    )  # fmt: skip
    shown = rows.loc[keep].drop(columns="share_at_start").reset_index(drop=True)
    shown["rank"] = shown["rank"].astype("int64")
    formats = {name: "{:+.1%}" for name in shown.columns if name.endswith("_change")}
    return Table(
        shown,
        f"Change in real terms, {start} to {end}: the {each} forces that lost most and least,"
        f" {named(force)} and the Met, of {len(rows)}. Expected: had only the share at the start"
        " set a force apart",
        formats | {"share_all_grants": "{:.0%}"},
    )


def per_head(
    heads: pd.DataFrame, register: pd.DataFrame, force: str, start: str, end: str, base: str
) -> Figure | Text:
    """Draw grants and council tax per resident, one force among the others.

    Parameters
    ----------
    heads, register : DataFrame
        From `funding.per_head`, and the shipped table ``breaks``.
    force, start, end, base : str
        The force; the years that the title compares; the prices.

    Returns
    -------
    Figure or Text
        A sentence for a force with too few residents for rates.
    """
    if force not in set(heads["force"]):
        return Text((_too_few(force),))
    rows = heads[heads["series"] != "outturn"]
    with canvas(height=3.9) as (_, axis, out):
        for (name, _series), group in rows.groupby(["force", "series"]):
            mine = name == force
            met = name == _MET and not mine
            years = group["financial_year"].map(periods.start)
            for _run, run in group.groupby((years.diff() != 1).cumsum()):
                axis.plot(
                    run["financial_year"].map(periods.start), run["funding_real_gbp"],
                    marker="D" if mine else "o", ms=5 if mine else 4 if met else 1.5,
                    lw=2.2 if mine else 1.6 if met else 0.6,
                    color=ORANGE if mine else BLUE if met else "#9a9a9a",
                    ls="--" if met else "-", zorder=3 if mine or met else 2,
                )  # fmt: skip
        axis.plot([], [], "D-", color=ORANGE, label=force)
        if force != _MET:
            axis.plot([], [], "o--", color=BLUE, label=_MET)
        axis.plot([], [], "-", color="#9a9a9a", lw=0.8, label="other forces")
        axis.set_ylim(0, rows["funding_real_gbp"].max() * 1.08)
        axis.set_ylabel(f"£ per resident, {base} prices")
        marks = draw_breaks(axis, register, (("population", "population"),))
        year_axis(axis, list(rows["financial_year"].map(periods.start)), every=1)
        axis.figure.legend(loc="outside lower center", ncols=3)
    wide = rows[rows["series"] == "hmic_estimates"].pivot(
        index="force", columns="financial_year", values="funding_real_gbp"
    )
    change = (wide[end] / wide[start] - 1).dropna()
    moved = float(change.get(force, np.nan))
    others = change.drop(force, errors="ignore")
    ends = wide.loc[force]
    return Figure(
        title=f"Real funding per resident of {named(force)} {rose_or_fell(moved)} from {start} to"
        f" {end}; {int((others < moved).sum()) or 'none'} of {len(others)} other forces lost more",
        alt=f"Lines of real grants and council tax per resident of {rows['force'].nunique()}"
        f" forces. {force}: £{ends[start]:,.0f} in {start}, £{ends[end]:,.0f} in {end}; median of"
        f" all: £{wide[start].median():,.0f} and £{wide[end].median():,.0f}.",
        source=f"{_HMIC}; ONS mid-year population (2012 to 2020 as estimated before the Census"
        " of 2021) and price index. Lines join only years that follow each other in one series."
        f" City of London left out: too few residents. Dashed line, break: {marks}",
        svg=out.getvalue(),
        data=rows[rows["force"] == force].assign(series=lambda d: d["series"].map(series_name)),
    )  # fmt: skip


def _too_few(force: str) -> str:
    return (
        f"{force} has too few residents for rates per resident: a few thousand people live there"
        " and far more come each day. None is given."
    )


def across_forces(lost: pd.DataFrame, fit: Fit, force: str, start: str, end: str) -> Text:
    """Return who lost most, and what dependence on grant has to do with it, doubt first."""
    rows = lost.dropna(subset=["funding_change"]).set_index("force")
    if force not in rows.index:
        return Text((f"{_slope_words(fit)}.", f"The change of {named(force)} is not known."))
    mine = rows.loc[force]
    gap = 100 * (mine["funding_change"] - mine["expected_change"])
    tax = rose_or_fell(mine["council_tax_change"])
    if not np.isfinite(mine["council_tax_change"]):
        tax = "has no figure of both years to compare"
    beside = (
        "about what"
        if abs(gap) < 0.5
        else f"{abs(gap):.1f} points {'less' if gap > 0 else 'more'} lost than"
    )
    return Text(
        (
            f"{_slope_words(fit)}. That describes {int(fit.nobs)} forces; it does not say why."
            " Forces that lean on grant differ in much else, and a share that weights two changes"
            " must show in their sum.",
            f"{_capital(named(force))} ranks {int(mine['rank'])} of {len(rows)} by money lost:"
            f" its grants and council tax together {rose_or_fell(mine['funding_change'])} from"
            f" {start} to {end} in real terms, its grants {rose_or_fell(mine['grants_change'])},"
            f" its council tax {tax}. That is {beside} its"
            f" share from government alone would give ({mine['expected_change']:+.1%}).",
        )
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def learnt(
    frame: pd.DataFrame, money: pd.DataFrame, fit: Fit, force: str, start: str, end: str
) -> Text:  # fmt: skip
    """Return what the parts about one force have shown: the share, the prices, the rank."""
    rows = latest_shares(frame, end)
    grants, every = _span(rows[rows["numerator"] == "all government grants"]), _span(rows)
    narrower = f", and with narrower meanings of grant {every}" if every != grants else ""
    moved = _changes(money, start, end)
    said = ", ".join(f"{rose_or_fell(moved[terms])} {_by(terms)}" for terms in _TERMS)
    return Text(
        (
            f"What government paid of the money of {named(force)} depends on the division:"
            f" all grants were {grants}{narrower}.",
            f"From {start} to {end} grants and council tax together {said}.",
            f"{_slope_words(fit)}.",
        )
    )
