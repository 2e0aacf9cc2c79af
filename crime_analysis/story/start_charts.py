"""The first page in pictures: the chain with what is known of each link, and how to read one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas
from crime_analysis.findings.link_evidence import Evidence
from crime_analysis.findings.place_report import MEASURES, ForceReport
from crime_analysis.links import OUTCOMES, verdict
from crime_analysis.prose import listed, named
from crime_analysis.story.place_words import signed

__all__ = ["chain", "intervals"]

_VIOLENCE = "violence_with_injury"
_LABEL = OUTCOMES[_VIOLENCE][0]


def chain(report: ForceReport, found: Mapping[str, Evidence]) -> Figure:
    """Draw the chain: what moved, and what is known of each link.

    Parameters
    ----------
    report : ForceReport
        From `place_report.force_report`.
    found : mapping
        From `link_evidence.every_link`.
    """
    moved = report.standing.loc[report.force]
    boxes = (
        ("Money", signed(moved["funding"]), "real grants and council tax"),
        ("Officers", signed(moved["officers"]), "in number"),
        ("Violence", _reach(report), "by measure" + (", per resident" if report.rates else "")),
    )  # fmt: skip
    shown = [found[name] for name in ("officers", _VIOLENCE)]
    words = [evidence.verdict.word for evidence in shown]
    with canvas(height=2.7) as (drawing, axis, out):
        drawing.set_layout_engine("none")
        axis.set_position([0, 0, 1, 1])
        axis.set_axis_off()
        axis.set_xlim(0, 8)
        axis.set_ylim(0, 2.7)
        for place, (head, figure, what) in enumerate(boxes):
            x = 1.13 + 2.87 * place
            _box(axis, x, head, figure, what)
        for place, evidence in enumerate(shown):
            row = evidence.link.table.loc[evidence.link.headline]
            _arrow(axis, 2.13 + 2.87 * place, evidence.verdict.word, row)
    ends = f"{report.start} to {report.end}"
    names = ("money to officers", f"officers to {_LABEL}")
    said = "; ".join(f"{name}: {word}" for name, word in zip(names, words, strict=True))
    return Figure(
        title=_chain_title(words),
        alt=f"Three boxes joined by arrows, {named(report.force)}, {ends}. "
        + ", ".join(f"{head} {figure} ({what})" for head, figure, what in boxes)
        + f". The arrows: {said}.",
        source=f"{named(report.force)[0].upper()}{named(report.force)[1:]}, {ends}. Arrows: the"
        " % change across forces for 1% more, dashed where these data cannot tell"
        f"{_failed(shown)}. Violence:"
        f" {_named_measures(report)}. Recorded violence also moves with recording. Source: HMIC"
        " estimates, ONS GDP deflator and population, Home Office workforce and recorded crime.",
        svg=out.getvalue(),
        small=True,
        data=pd.DataFrame(boxes, columns=["part", "change", "of"]).assign(
            link_to_the_next=[*words, ""]
        ),
    )


def _failed(shown: Sequence[Evidence]) -> str:
    """Return why a link whose interval is clear of zero is not told, in words."""
    told = []
    for evidence in shown:
        row = evidence.link.table.loc[evidence.link.headline]
        clear = verdict(row["ci_low"], row["ci_high"]) == "association"
        if clear and evidence.verdict.word == "cannot tell":
            failed = [result.name for result in evidence.results if result.passed is False]
            told.append(
                f" ({evidence.link.cause} to {evidence.link.outcome}: clear of zero, but failed its"
                f" checks of {listed(failed)})"
            )
    return "".join(told)


def _reach(report: ForceReport) -> str:
    """Return the least and the most that the measures of violence moved."""
    moved = report.violence.moved
    if moved.empty:
        return "not known"
    low, high = signed(moved.min()), signed(moved.max())
    return low if low == high else f"{low} to {high}"


def _named_measures(report: ForceReport) -> str:
    moved = report.violence.moved
    told = (f"{MEASURES[str(name)]} {signed(x)}" for name, x in moved.items())
    return ", ".join(told) or "no measure is known"


def _box(axis: Any, x: float, head: str, figure: str, what: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    box = FancyBboxPatch((x - 0.97, 0.66), 1.94, 1.56, boxstyle="round,pad=0,rounding_size=0.12",
                         fc="#f2f5f9", ec=BLUE, lw=1.6)  # fmt: skip
    axis.add_patch(box)
    # Letters that can be read on a phone, where the chart is half as wide.
    axis.text(x, 1.98, head, ha="center", va="center", fontsize=14, fontweight="bold")
    axis.text(x, 1.55, figure, ha="center", va="center", fontsize=21 if len(figure) < 9 else 15.5)
    for line, part in enumerate(_halves(what)):
        axis.text(x, 1.12 - 0.24 * line, part, ha="center", va="center", fontsize=12.5)


def _halves(text: str) -> list[str]:
    """Return a text in at most two lines, broken at a comma or a blank near its middle."""
    if len(text) <= 22:
        return [text]
    blanks = [i for i, letter in enumerate(text) if letter == " "]
    at = min(blanks, key=lambda i: abs(i - len(text) / 2) - 4 * (text[i - 1] == ","))
    return [text[:at], text[at + 1 :]]


def _arrow(axis: Any, x: float, word: str, row: pd.Series) -> None:
    clear = word != "cannot tell"
    colour = BLUE if clear else ORANGE
    axis.annotate(
        "", (x + 0.84, 1.44), (x + 0.02, 1.44),
        arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2.6, "mutation_scale": 18,
                    "linestyle": "-" if clear else (0, (3, 2))},
    )  # fmt: skip
    axis.text(x + 0.43, 2.4, word, ha="center", fontsize=13.5, fontweight="bold", color=colour)
    ends = [f"{row[c]:+.2f}".replace("-", "−") for c in ("estimate", "ci_low", "ci_high")]
    axis.text(x + 0.43, 0.34, f"for 1% more: {ends[0]}%", ha="center", fontsize=12.5)
    axis.text(x + 0.43, 0.08, f"(95%: {ends[1]} to {ends[2]})", ha="center", fontsize=12.5)


def _chain_title(words: Sequence[str]) -> str:
    first, second = (word != "cannot tell" for word in words)
    if second:
        then = f"Fewer officers and more {_LABEL}: {words[1]}" if first else ""
        return then or f"These data cannot tell how money moved officers; officers and {_LABEL}:" \
            f" {words[1]}"  # fmt: skip
    doubt = "These data cannot tell whether losing officers raised violence"
    if first:
        return f"{doubt}; they do tie money to officers"
    return f"{doubt}, nor how far money moved officers"


def intervals(found: Mapping[str, Evidence]) -> Figure:
    """Draw the headline estimates with their intervals, and how to read them.

    Parameters
    ----------
    found : mapping
        From `link_evidence.every_link`: each link, and what its checks leave of it.
    """
    links = [evidence.link for evidence in found.values()]
    rows = pd.DataFrame(
        [
            {"link": f"{link.cause} → {link.outcome}", **link.table.loc[link.headline]}
            for link in links
        ]
    )
    rows["verdict"] = [verdict(r.ci_low, r.ci_high) for r in rows.itertuples()]
    rows["after_the_checks"] = [evidence.verdict.word for evidence in found.values()]
    edge = 3.0
    y = np.arange(len(rows))
    with canvas(height=1.3 + 0.4 * len(rows)) as (_, axis, out):
        for place, row in zip(y, rows.itertuples(), strict=True):
            clear = row.verdict == "association"
            bounded = np.isfinite([row.ci_low, row.ci_high]).all() and row.ci_low <= row.ci_high
            low, high = (row.ci_low, row.ci_high) if bounded else (-edge, edge)
            low, high = max(low, -edge), min(high, edge)
            colour = BLUE if clear else ORANGE
            axis.plot([low, high], [place, place], color=colour, lw=3)
            axis.plot([row.estimate], [place], "D" if clear else "o", color=colour, ms=8)
            told = "zero is within it: cannot tell"
            if clear:
                left = f"after the checks: {row.after_the_checks}"
                told = f"clear of zero;\n{left}"
            axis.annotate(told, (high, place), xytext=(8, 0), textcoords="offset points",
                          va="center", fontsize=9)  # fmt: skip
        axis.axvline(0, color="black", lw=1)
        first = rows.iloc[0]
        axis.annotate(
            "the estimate", (first["estimate"], 0), xytext=(0, 17), textcoords="offset points",
            ha="center", fontsize=8.5, color=GREY,
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.8},
        )  # fmt: skip
        axis.annotate("no relation", (0, -0.85), xytext=(-5, 0), textcoords="offset points",
                      ha="right", va="center", fontsize=8.5, color=GREY)  # fmt: skip
        axis.set_yticks(y, rows["link"])
        axis.set_ylim(len(rows) - 0.5, -1.1)
        axis.set_xlim(-edge, edge)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("elasticity: % change for 1% more of the cause, with 95% interval")
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
    clear = rows.loc[rows["verdict"] == "association", "link"]
    count = f"{len(clear) or 'None'} of {len(rows)} intervals {'is' if len(clear) == 1 else 'are'}"
    return Figure(
        title=f"{count} clear of zero" + (f": {', '.join(clear)}" if len(clear) else ""),
        alt="Estimates with 95% intervals. "
        + "; ".join(
            f"{r.link} {r.estimate:.2f} ({r.ci_low:.2f} to {r.ci_high:.2f}),"
            f" {'clear of zero' if r.verdict == 'association' else 'zero within it'}; after the"
            f" checks: {r.after_the_checks}"
            for r in rows.itertuples()
        )
        + ".",
        source="The headline of each link, chosen by rule, across 42 forces; the notebooks on the"
        " links show every other way of estimating it. Source: HMIC estimates, Home Office"
        " workforce and recorded crime, ONS population.",
        svg=out.getvalue(),
        data=rows[["link", "estimate", "ci_low", "ci_high", "after_the_checks"]],
    )
