"""The fact-check as people see it: the table of verdicts, a strip a claim, the sentences.

Every word of a verdict comes from `claims_verdict.judge`; other figures give other sentences.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from crime_analysis import catalog
from crime_analysis.findings.claims import Claims
from crime_analysis.findings.claims_verdict import (
    HOLDS,
    MISLEADING,
    NO_FIGURE,
    ONE,
    SCALE,
    UNCHECKED,
    UNSUPPORTED,
    definitions,
    figure,
    near,
    threshold,
    written,
)
from crime_analysis.prose import Text
from crime_analysis.story.claims_charts import MARKS, officers, strip, upper
from crime_analysis.story.dates import dated
from crime_analysis.tables import Folded, Table

__all__ = [
    "figures", "learnt", "numbers", "officers", "opening", "records", "scale", "sentence",
    "statements", "strip", "verdicts",
]  # fmt: skip

_RULES = {
    HOLDS: "the plain reading agrees, no definition that can be tested contradicts it, and not all"
    " that agree need a caution",
    ONE: "one definition alone agrees, without a caution; others do not or cannot be tested",
    MISLEADING: "every definition that agrees needs a caution, or several agree and others do not"
    " or cannot be tested",
    UNSUPPORTED: "no definition agrees, and the figures contradict the plain reading",
    UNCHECKED: "no definition agrees, and the tables cannot tell of the plain reading",
}


def opening(found: Claims) -> Text:
    """Return how many claims came to each verdict, in words."""
    tally = found.table["verdict"].value_counts()
    each = [f"{verdict}: {tally.get(verdict, 0)}" for verdict in SCALE if verdict != UNCHECKED]
    unclear = tally.get(UNCHECKED, 0)
    return Text(
        (
            f"Of {len(found.table)} claims, {unclear} cannot be checked with these data. Of the"
            f" others: {'; '.join(each)}.",
        )
    )


def scale() -> Table:
    """Return the scale of verdicts with the rule for each."""
    frame = pd.DataFrame({"verdict": list(SCALE), "given_if": [_RULES[v] for v in SCALE]})
    return Table(frame, "The scale: a verdict is worked out from the figures by this rule")


def verdicts(found: Claims) -> Table:
    """Return the table of verdicts: the claim, what it rests on, and the rival beside it."""
    shown = [
        {
            "claim": row.claim,
            "verdict": upper(row.verdict),
            "by_this_definition": _told(found, str(row.Index), row.definition, row.figure),
            "by_a_rival_definition": _told(found, str(row.Index), row.rival, row.rival_figure),
        }
        for row in found.table.itertuples()
    ]
    return Table(pd.DataFrame(shown), "The verdicts, each with the definition that rivals it")


def _told(found: Claims, claim: str, definition: str, shown: str) -> str:
    """Return a definition with its figures and the thresholds within which these agree."""
    if not definition:
        return "none"
    readings = found.of(claim)
    parts = readings[(readings["definition"] == definition) & (readings["role"] != "beside")]
    # Of the parts that the answer rests on, as in the figures.
    answer = definitions(readings).at[definition, "agrees"]
    rests_on = [row for row in parts.itertuples() if row.agrees is answer]
    bands = [threshold(row.low, row.high, row.unit) for row in rests_on]
    known = "; ".join(dict.fromkeys(band for band in bands if band != "–"))
    return dated(f"{upper(definition)}: {shown}") + (f" (agrees if {known})" if known else "")


def _near(found: Claims, claim: str) -> str:
    """Return in words the figures that only just lie on their side of a threshold."""
    told = [
        f"“{row['definition']}” ({figure(row)}) is {row['away']:.1%} from the threshold of"
        f" {written(row['edge'], row['unit'])}"
        for _, row in near(found.of(claim)).iterrows()
    ]
    return (
        f"{'Near things' if len(told) > 1 else 'A near thing'}: {'; '.join(told)}." if told else ""
    )


def sentence(found: Claims, claim: str) -> Text:
    """Return a claim, its verdict and the figures that it rests on, in words."""
    row = found.row(claim)
    ways = definitions(found.of(claim))
    answers = list(ways["agrees"])
    counted = (
        f"Definitions that agree: {_count(answers, True)}; that do not: {_count(answers, False)};"
        f" that cannot be tested: {_count(answers, None)}."
    )
    told = f"{_told(found, claim, row['definition'], row['figure'])}."
    if row["rival"]:
        rival = _told(found, claim, row["rival"], row["rival_figure"])
        told += f" Beside it, {row['rival'][:1]}{rival[1:]}."
    shown = (row["definition"], row["rival"])
    untested = [
        f"{way.Index}: {way.figure}"
        for way in ways.itertuples()
        if way.agrees is None and way.figure != NO_FIGURE and way.Index not in shown
    ]
    if untested:
        told += f" Not to be tested: {'; '.join(untested)}."
    close = _near(found, claim)
    return Text(
        (
            f"The claim: {row['claim']}",
            f"Verdict: {row['verdict']}. {upper(row['because'])}.",
            f"{counted} {told}",
            *([close] if close else []),
            f"What would be needed to check it better: {row['needed']}",
        )
    )


def _count(answers: list[object], wanted: bool | None) -> int:
    return sum(answer is wanted for answer in answers)


def figures(found: Claims, claim: str) -> Folded:
    """Return every figure that bears on a claim, with its threshold and its rows."""
    shown = []
    for _, reading in found.of(claim).iterrows():
        beside = reading["role"] == "beside"
        shown.append(
            {
                "definition": upper(reading["definition"]),
                "part": dated(reading["part"]),
                "figure": figure(reading),
                "agrees_if": threshold(reading["low"], reading["high"], reading["unit"]),
                "answer": "shown beside" if beside else MARKS[reading["agrees"]],
                "note": upper("; ".join(t for t in (reading["note"], reading["caution"]) if t)),
                "rows": reading["origin"],
            }
        )
    return Folded(
        Table(pd.DataFrame(shown).replace("", "–"), "Every figure, its threshold and its rows")
    )


def statements(
    found: Claims, claim: str, load: Callable[[str], pd.DataFrame] = catalog.load
) -> Folded:
    """Return what others said of the same, where and when, from the table ``statements``."""
    found.row(claim)
    labels = load("claims").set_index("id")["statements"][claim]
    wanted = str(labels).split(";") if isinstance(labels, str) else []
    said = load("statements")
    bearing = said.loc[
        said["claim"].isin(wanted), ["date", "said_by", "wording", "definition", "address"]
    ]
    told = "What was said, by whom and where: evidence of the words, not of the fact"
    return Folded(Table(bearing.fillna("–"), told))


def learnt(found: Claims) -> Text:
    """Return what the fact-check found, claim by claim, doubt first."""
    order = [UNCHECKED, UNSUPPORTED, MISLEADING, ONE, HOLDS]
    said = {
        UNCHECKED: "These data cannot tell whether this is so",
        UNSUPPORTED: "The figures do not support this",
        MISLEADING: "This misleads unless more is said",
        ONE: "This depends on the definition",
        HOLDS: "The figures bear this out",
    }
    paragraphs = []
    for verdict in order:
        alike = found.table[found.table["verdict"] == verdict]
        told = " ".join(f"{row.claim} ({upper(row.because)}.)" for row in alike.itertuples())
        if told:
            paragraphs.append(f"{said[verdict]}: {told}")
    return Text(tuple(paragraphs))


def numbers(found: Claims) -> dict[str, int]:
    """Return how many claims came to each verdict, for a report's record."""
    tally = found.table["verdict"].value_counts()
    return {verdict: int(tally.get(verdict, 0)) for verdict in SCALE}


def records(found: Claims) -> list[str]:
    """Return one line a claim: its id and verdict."""
    return [f"{claim}: {row['verdict']}" for claim, row in found.table.iterrows()]
