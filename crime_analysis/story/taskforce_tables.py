"""The tables of the notebook on the taskforce."""

from __future__ import annotations

import pandas as pd

from crime_analysis import catalog
from crime_analysis.findings.taskforce import DESIGNS, FIRST, LONDON, MEASURES, Evaluation
from crime_analysis.findings.taskforce_chance import YEAR, Afterwards
from crime_analysis.links import verdict
from crime_analysis.prose import Text
from crime_analysis.story.dates import dated
from crime_analysis.story.taskforce_words import named, sized
from crime_analysis.tables import Folded, Table

__all__ = [
    "TABLES", "beside_earlier", "choices_table", "implied_table", "joined", "measures_table",
    "misled_table", "sources_table", "summers", "yields_table",
]  # fmt: skip

TABLES = (
    "claims", "met_strength_monthly", "borough_officers_monthly", "borough_crime_monthly",
    "hospital_admissions", "stop_and_search_monthly",
)  # fmt: skip


def implied_table(implied: pd.DataFrame) -> Table:
    """Show the changes that published elasticities imply."""
    frame = implied[["case", "study", "elasticity", "share", "change"]].rename(
        columns={"share": "officers added", "change": "change implied"}
    )
    frame["case"] = frame["case"].map(dated)
    return Table(
        frame,
        "Change in crime implied, had the officers been added; they were moved",
        {"officers added": "{:.2%}", "change implied": "{:+.2%}"},
    )


def measures_table(*evaluations: Evaluation) -> Table:
    """Show London and the place by every measure, each design beside the other."""
    parts = []
    for evaluation in evaluations:
        rows = evaluation.table
        keep = rows["place"].isin([LONDON, evaluation.place])
        keep &= (
            (rows["reason"] == "") | (rows["place"] == LONDON) | (rows["measure"] != "admissions")
        )
        parts.append(rows[keep].assign(months=evaluation.design.label))
    rows = pd.concat(parts, ignore_index=True)
    frame = pd.DataFrame(
        {
            "months": rows["months"],
            "measure": rows["measure"].map(named),
            "place": rows["place"],
            "change": rows["change"].map(sized).where(rows["reason"] == "", "–"),
            "95% from": rows["change_low"].map(sized).where(rows["reason"] == "", "–"),
            "95% to": rows["change_high"].map(sized).where(rows["reason"] == "", "–"),
            "p_value": rows["p_value"],
            "reading": [
                dated(r.reason) or _reading(r.change_low, r.change_high) for r in rows.itertuples()
            ],
        }
    )
    return Table(frame, "Against the course before; months of different length allowed for")


def _reading(low: float, high: float) -> str:
    if verdict(low, high) == "cannot tell":
        return "cannot tell"
    return "above its course" if low > 0 else "below its course"


def beside_earlier(found: dict[str, pd.DataFrame]) -> Table:
    """Show how many boroughs seem to have moved in each year, by design."""
    parts = [rows.reset_index().assign(months=name) for name, rows in found.items() if len(rows)]
    columns = ["months", "year", "estimated", "seem", "survive"]
    frame = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    frame["year"] = frame["year"].astype(str)
    return Table(
        frame.rename(columns={"estimated": "boroughs", "seem": "p under 5%",
                              "survive": "after Holm's correction"}),
        "Boroughs that seem to have moved, in years before there was a taskforce",
    )  # fmt: skip


def misled_table(found: dict[str, pd.DataFrame]) -> Table | Text:
    """Show how each significant estimate would mislead, were the effect the implied one."""
    rows = pd.concat([part.assign(months=name) for name, part in found.items()])
    rows = rows[rows["significant"]]
    if rows.empty:
        return Text(("No estimate is significant, so there is none to be too large.",))
    frame = pd.DataFrame(
        {
            "months": rows["months"],
            "place": rows["place"],
            "measure": rows["measure"].map(named),
            "estimate": rows["change"].map(sized),
            "p_value": rows["p_value"],
            "among boroughs, p": rows["p_holm"],
            "times the implied change": rows["times_implied"],
            "type M, times too large": rows["exaggeration"],
            "type S, wrong sign": rows["type_s"],
        }
    )
    formats = {"times the implied change": "{:,.0f}", "type M, times too large": "{:,.0f}",
               "type S, wrong sign": "{:.0%}"}  # fmt: skip
    return Table(frame, "Estimates with p under 5%, had the effect been the implied one", formats)


def summers(found: Afterwards) -> Table:
    """Show what follows summers in series without any effect."""
    names = {"all": "any summer", "as_high": f"a summer at least as high as {YEAR}'s",
             "highest_tenth": "the highest tenth of summers"}  # fmt: skip
    frame = found.table.rename(index=names).reset_index()
    frame["draws"] = frame["draws"].astype("int64")
    columns = {"summers": "simulated years after", "fell": "fell afterwards",
               "fell_beyond_season": "fell beyond the season",
               "mean_change": "mean change, of a quarter", "low": "middle 95% from",
               "high": "middle 95% to", "beyond_season": "of it, not the season"}  # fmt: skip
    form = dict.fromkeys(list(columns.values())[3:], "{:+.1%}")
    form |= dict.fromkeys(("share", "fell afterwards", "fell beyond the season"), "{:.0%}")
    return Table(frame.rename(columns=columns), "Nothing was done in any of these years", form)


def yields_table(rows: pd.DataFrame) -> Table:
    """Show the reported results for each sweep."""
    frame = rows.rename(columns={
        "count": "reported", "per_sweep": "for each sweep", "per_sweep_low": "95% from",
        "per_sweep_high": "95% to", "sweeps_for_one": "sweeps for one",
    })  # fmt: skip
    return Table(frame, "As reported, April to September 2018", {"sweeps for one": "{:.1f}"})


def joined(counts: pd.DataFrame) -> Table:
    """Show what each measure covers, and which months of the analysis it lacks."""
    used = counts.loc[FIRST : DESIGNS["september"].end]
    rows = []
    for measure in MEASURES:
        mine, inside = counts[measure], used[measure]
        known = mine.index[mine.notna().all(axis=1)]
        rows.append(
            {
                "measure": named(measure),
                "boroughs": len(mine.columns.drop(LONDON)),
                "known from": known.min() if len(known) else None,
                "known to": known.max() if len(known) else None,
                "months used": len(inside),
                "of these missing": int(inside.isna().any(axis=1).sum()),
            }
        )
    return Table(pd.DataFrame(rows), "Months joined by name; London is the sum of its boroughs")


def choices_table() -> Table:
    """Show the choices made here, and what else could be chosen."""
    rows = [
        (
            f"Months begin in {FIRST}.",
            "The inspection of recording of November 2014 changed what is recorded.",
            "Begin earlier: a straight trend then bends, and the errors grow.",
        ),
        (
            "September 2018 is neither before nor after.",
            f"Officers moved on {DESIGNS['september'].at}.",
            "Count it as the share of its days that come after.",
        ),
        (
            f"April's months end in {DESIGNS['april'].end}.",
            "So that they hold the taskforce before officers were moved to it.",
            f"Go on to {DESIGNS['september'].end}: both together.",
        ),
        (
            "A step, no change of slope.",
            "Three or five months cannot tell a slope.",
            "Take a longer spell after, and with it more of what else changed.",
        ),
        (
            "Officers are taken as added, by an elasticity of all officers.",
            "No study held is of so few officers moved between duties.",
            "Take another elasticity: the table of implied changes has two.",
        ),
    ]
    frame = pd.DataFrame(rows, columns=["choice", "why", "alternative"]).map(dated)
    return Table(frame, "Choices made here")


def sources_table() -> Folded:
    """Show the publications used."""
    shown = catalog.sources_table(*TABLES)
    told = "Publications; copies from public mirrors, hashes of the files as obtained"
    return Folded(Table(shown, told))
