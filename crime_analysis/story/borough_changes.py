"""How violence changed in each London borough, with how far chance alone reaches."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREY, Figure, canvas
from crime_analysis.findings.measures import BOROUGH_MEASURES
from crime_analysis.links import LONDON
from crime_analysis.prose import Text, named
from crime_analysis.story.axes import percent_axis
from crime_analysis.story.place_words import signed
from crime_analysis.tables import Folded, Table

__all__ = ["changes", "changes_table"]

_FOLDS = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)


def _absent(force: str, rows: pd.DataFrame) -> Text | None:
    if force != LONDON:
        return Text(
            (
                f"Monthly counts by district are published for London alone; none is on hand for"
                f" {named(force)}.",
            )
        )
    if rows.empty:
        first, last = rows.attrs["span"]
        return Text((f"Boroughs cannot be compared within one year ({first} and {last}).",))
    return None


def changes(rows: pd.DataFrame, force: str) -> Figure | Text:
    """Draw each borough's change in robbery and in homicide, with intervals.

    Parameters
    ----------
    rows : DataFrame
        From `measures.boroughs`.
    force : str
        Boroughs are the Met's; for another force a sentence says so.
    """
    absent = _absent(force, rows)
    if absent is not None:
        return absent
    wide = {name: part.set_index("borough") for name, part in rows.groupby("measure")}
    order = wide["robbery"]["change"].sort_values(kind="stable").index
    y = np.arange(len(order))
    first, last = rows.attrs["span"]
    with canvas(1, 2, height=7.6, sharey=True) as (_, (left, right), out):
        robbery, deaths = (wide[name].reindex(order) for name in ("robbery", "homicide"))
        left.hlines(y, robbery["ci_low"], robbery["ci_high"], color=GREY, lw=1.4)
        _dots(left, robbery["change"], y, _clear(robbery))
        left.axvline(0, color="black", lw=0.9)
        percent_axis(left, robbery["ci_low"].min() - 0.05, robbery["ci_high"].max() + 0.05)
        left.set_title("Robbery per resident", fontsize=10)
        left.set_xlabel(f"change, {first} to {last}")
        folds = 1 + deaths[["change", "ci_low", "ci_high"]]
        # Not judged, so not drawn; the words and the table say which.
        scaled = np.log2(folds.clip(_FOLDS[0], _FOLDS[-1])).mask(deaths["disputed"])
        right.hlines(y, scaled["ci_low"], scaled["ci_high"], color=GREY, lw=1.4)
        _dots(right, scaled["change"], y, _clear(deaths))
        right.axvline(0, color="black", lw=0.9)
        right.set_xticks(np.log2(_FOLDS), ["⅛", "¼", "½", "1", "2", "4", "8"])
        width = int(deaths["years"].iloc[0])
        right.set_title(f"Homicide per resident, {width} years each", fontsize=10)
        right.set_xlabel("times as many, doubling scale")
        left.set_yticks(y, list(order))
        left.tick_params(axis="y", labelsize=8.5)
        left.set_ylim(len(order) - 0.3, -0.7)
        for axis in (left, right):
            axis.grid(axis="y", visible=False)
    title = _words(wide, first, last)
    return Figure(
        title=title,
        alt=f"Dots with intervals for {len(order)} boroughs. {title}. Largest fall in robbery"
        f" {order[0]} ({signed(robbery['change'].iloc[0])}), largest rise {order[-1]}"
        f" ({signed(robbery['change'].iloc[-1])}).",
        source="Source: Met Police, Recorded Crime: Geographic Breakdown (new classes, from"
        " 2010/11); ONS population. Filled: clear of no change. Intervals: exact 95%, chance alone;"
        " robberies come in series, so theirs are too narrow. Homicides run off the axis beyond an"
        " eighth or eight times. Residents are not those who are there by day or night."
        + (
            " Not judged and not drawn: where the Met's old classes count far fewer or far more"
            " murders than the new ones count homicides"
            f" ({', '.join(_not_judged(wide['homicide']))})."
            if wide["homicide"]["disputed"].any()
            else ""
        ),
        svg=out.getvalue(),
        data=rows,
    )


def _clear(part: pd.DataFrame) -> np.ndarray:
    clear = (part["ci_low"] > 0) | (part["ci_high"] < 0)
    return (clear & ~part["disputed"]).to_numpy(dtype=bool)


def _dots(axis: object, x: pd.Series, y: np.ndarray, clear: np.ndarray) -> None:
    for keep, fill in ((clear, BLUE), (~clear, "white")):
        axis.plot(  # type: ignore[attr-defined]
            x.to_numpy()[keep], y[keep], "o", color=BLUE, mfc=fill, ms=5.5
        )


def _words(wide: dict[str, pd.DataFrame], first: str, last: str) -> str:
    robbery, deaths = wide["robbery"], wide["homicide"]
    up, down = int((robbery["ci_low"] > 0).sum()), int((robbery["ci_high"] < 0).sum())
    told, judged = int(_clear(deaths).sum()), int((~deaths["disputed"].astype(bool)).sum())
    text = (
        f"From {first} to {last} robbery per resident rose in {up or 'none'} of {len(robbery)}"
        f" boroughs and fell in {down or 'none'} by more than chance; homicide cannot be told from"
        f" no change in {judged - told}"
    )
    left = _not_judged(deaths)
    return f"{text}, and is not judged in {' and '.join(left)}" if left else text


def _not_judged(deaths: pd.DataFrame) -> list[str]:
    return sorted(str(name) for name in deaths.index[deaths["disputed"].astype(bool)])


def changes_table(rows: pd.DataFrame, force: str) -> Folded | Text:
    """Return every borough's counts and changes, recorded violence with injury too.

    Nothing where the chart has said why there are none.
    """
    if _absent(force, rows) is not None:
        return Text(())
    first, last = rows.attrs["span"]
    shown = rows.assign(measure=rows["measure"].map(BOROUGH_MEASURES))
    gone = ["change", "ci_low", "ci_high"]
    shown[gone] = shown[gone].astype(float).mask(shown.pop("disputed").astype(bool))
    signs = dict.fromkeys(("change", "ci_low", "ci_high"), "{:+.0%}")
    shown = shown.sort_values(["measure", "borough"], ignore_index=True)
    caption = (
        f"Boroughs, {first} and {last}: offences, and change per resident. Recording of violence"
        " with injury changed between them"
    )
    return Folded(Table(shown, caption, signs))
