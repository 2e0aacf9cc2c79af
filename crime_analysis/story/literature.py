"""Other studies beside these figures: what they found, and what it would make of one force."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crime_analysis.drawing import Figure
from crime_analysis.findings import literature
from crime_analysis.links import OUTCOMES, Link, verdict
from crime_analysis.prose import Text, named, percent, rose_or_fell
from crime_analysis.story.forest import forest
from crime_analysis.tables import Table, minus

__all__ = [
    "beside_ours",
    "carried_over",
    "carried_over_table",
    "elasticities_table",
    "findings_table",
    "forest_plot",
    "marks",
]

_GROUPS = {
    "violent": "Others: violent crime or murder",
    "murder": "Others: violent crime or murder",
    "all": "Others: all crime, or crime weighted by its cost",
    "cost-weighted": "Others: all crime, or crime weighted by its cost",
    "property": "Others: property crime, for comparison",
}
_CRIMES = {
    "murder": "murder",
    "violent": "violent crime",
    "all": "all crime",
    "cost-weighted": "crime weighted by its cost",
}
_BASIS = {
    "published": "",
    "computed again from the authors' data": ", recomputed",
    "one published number divided by another": ", by division",
}
_CAVEAT = (
    "Other places, years and designs; some of the numbers were computed again or divided, as the"
    " table says. Ours are recorded crime per resident. Arrowheads: an interval goes on."
)


def marks(outcome: str) -> dict[str, float]:
    """Return the published elasticity nearest to zero, and the one farthest, by name.

    Parameters
    ----------
    outcome : str
        One of `links.OUTCOMES`; comparable crimes are read.
    """
    rows = literature.held(outcome, -np.inf, np.inf).dropna(subset=["elasticity"])
    rows = rows.sort_values("elasticity", key=lambda column: column.abs(), kind="stable")
    return {str(row.study): float(row.elasticity) for row in rows.iloc[[0, -1]].itertuples()}


def forest_plot(links: Mapping[str, Link], outcome: str) -> Figure:
    """Draw the published elasticities under the headline of each second link.

    Parameters
    ----------
    links : mapping
        By outcome, as from `links.fit_links`; the first link is passed over.
    outcome : str
        The one that the title is about.
    """
    ours = [
        {
            "label": link.outcome, "group": "These figures: England and Wales, by force",
            "estimate": row["estimate"], "ci_low": row["ci_low"], "ci_high": row["ci_high"],
            "kind": "chosen" if name == outcome else "estimate",
        }
        for name, link in links.items()
        if name in OUTCOMES
        for row in [link.table.loc[link.headline]]
    ]  # fmt: skip
    seen = literature.elasticities()
    ranged = seen["range_low"].notna()
    theirs = pd.DataFrame(
        {
            "label": seen["study"]
            + seen["basis"].map(_BASIS)
            + np.where(seen["crime"].isin(["murder", "cost-weighted"]), ", " + seen["crime"], ""),
            "group": seen["crime"].map(_GROUPS),
            "estimate": seen["elasticity"],
            "ci_low": seen["ci_low"].fillna(seen["range_low"]),
            "ci_high": seen["ci_high"].fillna(seen["range_high"]),
            "kind": np.where(
                ranged, "range", np.where(seen["std_error"].notna(), "estimate", "bare")
            ),
        }
    )
    order = list(dict.fromkeys(_GROUPS.values()))
    theirs = theirs.sort_values("group", key=lambda g: g.map(order.index), kind="stable")
    rows = pd.concat([pd.DataFrame(ours), theirs], ignore_index=True)
    mine = links[outcome].table.loc[links[outcome].headline]
    low, high = float(mine["ci_low"]), float(mine["ci_high"])
    held = literature.held(outcome, low, high)["held"]
    word = verdict(low, high)
    title = (
        f"The interval for {OUTCOMES[outcome][0]} holds {int(held.sum()) or 'none'} of"
        f" {len(held)} elasticities of other studies"
        + (", and zero: these figures cannot tell which" if word == "cannot tell" else
           ", and leaves zero out")
    )  # fmt: skip
    spoken = "; ".join(
        f"{r.group}, {r.label}: "
        + (
            f"{r.ci_low:.2f} to {r.ci_high:.2f}"
            if r.kind == "range"
            else f"{r.estimate:.2f}"
            + (f" ({r.ci_low:.2f} to {r.ci_high:.2f})" if np.isfinite(r.ci_low) else "")
        )
        for r in rows.itertuples()
    )
    unseen = [name for name in literature.findings()["study"] if name not in set(seen["study"])]
    return Figure(
        title=title,
        alt=f"Elasticities of crime to police, with 95% intervals where an error is known."
        f" {spoken}.",
        source=f"{_CAVEAT} Not drawn, as no elasticity was seen: {', '.join(unseen)}.",
        svg=forest(rows, "elasticity of crime: % change for 1% more police"),
        data=rows.drop(columns="kind"),
    )


def elasticities_table() -> Table:
    """Return the published elasticities with their sources, and what was not seen."""
    rows = literature.elasticities()
    given = (
        rows["range_low"].map("{:.1f}".format) + " to " + rows["range_high"].map("{:.1f}".format)
    )
    told = pd.DataFrame(
        {
            "study": rows["study"],
            "crime": rows["crime"],
            "elasticity": rows["elasticity"]
            .map("{:.2f}".format)
            .where(rows["range_low"].isna(), given)
            .str.replace("-", "−"),
            "std_error": rows["std_error"]
            .map("{:.3f}".format)
            .where(rows["std_error"].notna(), "–"),
            "where and how": rows["place"] + "; " + rows["design"],
            "seen in": rows["source"] + " (" + rows["basis"] + ")",
            "note": rows["note"].replace("", "–"),
        }
    )
    return Table(told, "Elasticities of crime to police in other studies, as they were seen")


def findings_table() -> Table:
    """Return what studies found that were not seen to give an elasticity."""
    return Table(literature.findings(), "What other studies found, in words")


def beside_ours(link: Link, outcome: str) -> Text:
    """Return whether these figures tell ours from theirs, and either from none."""
    row = link.table.loc[link.headline]
    low, high = float(row["ci_low"]), float(row["ci_high"])
    rows = literature.held(outcome, low, high)
    inside = int(rows["held"].sum())
    label = OUTCOMES[outcome][0]
    said = f"{low:.2f} to {high:.2f}".replace("-", "−") if low <= high else "without bound"
    if low <= 0 <= high or low > high:
        last = (
            "It holds zero too: these figures can tell the true elasticity neither from most of"
            " what others found nor from none."
            if inside > len(rows) / 2
            else "It holds zero too: these figures cannot tell the true elasticity from none,"
            " though they leave out most of what others found."
        )
    else:
        last = "It leaves zero out" + (
            ", and agrees with part of what others found." if inside else " and them too."
        )
    return Text(
        (
            f"The 95% interval of the elasticity of {label}, {said}, holds {inside or 'none'} of"
            f" the {len(rows)} elasticities that other studies give for comparable crime. {last}",
        )
    )


def _moved(implied: pd.DataFrame, outcome: str) -> tuple[float, float]:
    """Return a force's changes per resident, of officers and of the outcome, where known."""
    rows = implied[implied["outcome"] == OUTCOMES[outcome][0]].set_index("route")
    if "officers lost" not in rows.index:
        return float("nan"), float("nan")
    row = rows.loc["officers lost"]
    return float(row["cause_change"]), float(row["actual_change"])


def carried_over(implied: pd.DataFrame, force: str, outcome: str) -> Text:
    """Return what the published elasticities would make of a force's officers lost.

    Parameters
    ----------
    implied : DataFrame
        From `implied.chain`; without rows where the force has too few residents for rates.
    force, outcome : str
        The place, and one of `links.OUTCOMES`.
    """
    label = OUTCOMES[outcome][0]
    officers, recorded = _moved(implied, outcome)
    if not np.isfinite([officers, recorded]).all():
        return Text(
            (
                f"Nothing is carried over to {named(force)}: rates per resident are not known for"
                " both years.",
            )
        )
    changes = literature.implied(outcome, officers)["implied_change"].dropna()
    least, most = sorted([float(changes.min()), float(changes.max())], key=abs)
    kinds = [_CRIMES[name] for name in literature.COMPARABLE[outcome]]
    told = (
        f"Officers per resident {rose_or_fell(officers)} in {named(force)}'s area. Were the"
        f" published elasticities true there, that alone would go with {percent(abs(least))} to"
        f" {percent(abs(most))} {'more' if most > 0 else 'less'} crime (they are of different"
        f" things: {', '.join(kinds[:-1])} and {kinds[-1]}); recorded {label} per resident"
        f" {rose_or_fell(recorded)}."
    )
    if recorded > 0 and most > 0:
        shares = [float(np.log1p(value) / np.log1p(recorded)) for value in (least, most)]
        told += f" That is {_shares(*shares)}."
    else:
        told += " The two do not both rise, so there is no share of a rise to give."
    return Text(
        (
            f"{told} It is a calculation with other people's averages, not a finding about this"
            " force.",
        )
    )


def _shares(low: float, high: float) -> str:
    """Return what part of a rise some elasticities would make up, from the least to the most."""
    if low >= 1:
        return "the whole recorded rise or more"
    if high >= 1:
        return f"from {percent(low)} of the recorded rise to more than the whole of it"
    return f"{percent(low)} to {percent(high)} of the recorded rise"


def carried_over_table(implied: pd.DataFrame, outcome: str) -> Table | Text:
    """Return what each published elasticity makes of a force's change in officers.

    Returns
    -------
    Table or Text
        A sentence where the change is not known.
    """
    officers, _ = _moved(implied, outcome)
    if not np.isfinite(officers):
        return Text(("The change in officers per resident is not known, so none is carried over.",))
    return Table(
        _crimes_named(literature.implied(outcome, officers)),
        minus(
            "What each published elasticity, of the crime named, makes of a change of"
            f" {officers:+.1%} in officers per resident; a range's ends where only a range was"
            " given"
        ),
        dict.fromkeys(("implied_change", "ci_low", "ci_high"), "{:+.1%}"),
    )


def _crimes_named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(crime=rows["crime"].map(_CRIMES))
