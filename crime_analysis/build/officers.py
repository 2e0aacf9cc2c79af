"""The tables of people in post: forces, the nation, the Met and its boroughs."""

from __future__ import annotations

import pandas as pd

from crime_analysis.build.books import spread
from crime_analysis.build.recognised import Recognised
from crime_analysis.sources import (
    hmic_2010,
    met_strength,
    mps_master,
    police_strength,
    workforce,
    workforce_bulletins,
)

__all__ = [
    "make_borough_officers_monthly",
    "make_met_strength_earlier",
    "make_met_strength_monthly",
    "make_officers_and_overlap",
    "make_officers_national",
    "make_officers_revisions",
]

# Two counts of the same people that differ by more than this cannot both be right.
_OVERLAP_TOLERANCE = 0.1


def make_officers_and_overlap(found: Recognised) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join HMIC's 2005 and 2006 to the open data, and compare the years that both have."""
    keys = ["force", "date", "measure"]
    recent = found.every(workforce).set_index(keys)
    early = _early_officers(found).set_index(keys)
    both = recent.merge(
        early, how="outer", left_index=True, right_index=True, suffixes=("_open", "_hmic")
    ).sort_index()
    value = both["fte_open"].fillna(both["fte_hmic"])
    use_hmic = both["fte_open"].isna()
    overlap = both.dropna(subset=["fte_open", "fte_hmic"])
    gap = (overlap["fte_open"] - overlap["fte_hmic"]).abs()
    suspect = gap > _OVERLAP_TOLERANCE * overlap[["fte_open", "fte_hmic"]].max(axis=1)
    for key in overlap.index[suspect]:
        force, date, measure = key
        beside = [(force, f"{int(date[:4]) + step}-03-31", measure) for step in (-1, 1)]
        typical = sum(value[k] for k in beside) / 2
        pair = overlap.loc[key]
        use_hmic[key] = abs(pair["fte_hmic"] - typical) < abs(pair["fte_open"] - typical)
    chosen = pd.DataFrame(
        {
            name: both[f"{name}_hmic"].where(use_hmic, both[f"{name}_open"])
            for name in ("fte", "origin", "source")
        }
    ).reset_index()
    wide = spread(chosen, ["force", "date"], "measure", "fte", "_fte")
    sources = wide[[c for c in wide.columns if c.endswith("@source")]]
    wide["source"] = [";".join(sorted(set(row))) for row in sources.itertuples(index=False)]

    used = use_hmic[overlap.index].map({True: "hmic", False: "open_data"})
    compared = overlap.rename(
        columns={
            "fte_open": "open_data_fte",
            "origin_open": "open_data_fte@origin",
            "source_open": "open_data_fte@source",
            "fte_hmic": "hmic_fte",
            "origin_hmic": "hmic_fte@origin",
            "source_hmic": "hmic_fte@source",
        }
    ).assign(used=used)
    return wide, compared.reset_index()


def _early_officers(found: Recognised) -> pd.DataFrame:
    """Return HMIC's count of people in post, from its workbook or the tables that hold it."""
    own = hmic_2010.PUBLICATION.id
    if found.earlier is None or found.has(hmic_2010.PUBLICATION):
        return hmic_2010.read_workforce(found.one(hmic_2010)).assign(source=own)
    columns = ["force", "date", "measure", "fte", "origin", "source"]
    overlap = found.earlier.frame("officers_overlap").rename(
        columns={"hmic_fte": "fte", "hmic_fte@origin": "origin", "hmic_fte@source": "source"}
    )
    officers = found.earlier.frame("officers").drop(columns="source")
    parts = [overlap[columns]]
    for measure in overlap["measure"].unique():
        name = f"{measure}_fte"
        part = officers.rename(
            columns={name: "fte", f"{name}@origin": "origin", f"{name}@source": "source"}
        )
        parts.append(part.assign(measure=measure)[columns].query("source == @own"))
    return pd.concat(parts).drop_duplicates(columns[:3])


def make_officers_national(found: Recognised) -> pd.DataFrame:
    """Set national strength and residents side by side."""
    facts = found.every(police_strength)
    facts["measure"] = facts["measure"].replace({"officers": "officers_fte"})
    return spread(facts, ["date"], "measure", "value")


def make_officers_revisions(found: Recognised) -> pd.DataFrame:
    """List the counts of officers that two editions print differently; the later is used."""
    keys = ["force", "date", "measure"]
    later = found.every(workforce).set_index(keys)
    first = found.every(workforce_bulletins)
    # Several bulletins print the same March; the first of them was first.
    first = first.sort_values([*keys, "source"]).drop_duplicates(keys).set_index(keys)
    both = first.merge(
        later, left_index=True, right_index=True, suffixes=("_first", "_later")
    ).reset_index()
    both = both[(both["fte_first"] - both["fte_later"]).abs() > 0.005]
    return both.rename(
        columns={
            "fte_first": "first_fte",
            "origin_first": "first_fte@origin",
            "source_first": "first_fte@source",
            "fte_later": "later_fte",
            "origin_later": "later_fte@origin",
            "source_later": "later_fte@source",
        }
    )


def make_met_strength_monthly(found: Recognised) -> pd.DataFrame:
    """Take MOPAC's count of the Met's officers and staff."""
    facts = found.every(met_strength)
    return spread(facts, ["month"], "measure", "fte", "_fte").assign(source=facts["source"].iat[0])


def make_met_strength_earlier(found: Recognised) -> pd.DataFrame:
    """Take the same series as MOPAC published it to 2015."""
    facts = found.every(mps_master, mps_master.read_met_monthly)
    facts = facts[facts["unit"].isin(["fte", "headcount"]) & (facts["measure"] != "sergeants")]
    # Specials are counted in heads.
    facts["measure"] = facts["measure"].map(lambda m: m if m == "specials" else f"{m}_fte")
    return spread(facts, ["month"], "measure", "value")


def make_borough_officers_monthly(found: Recognised) -> pd.DataFrame:
    """Take each borough's officers, staff and specials."""
    facts = found.every(mps_master, mps_master.read_borough_officers)
    # The row as the workbook's own headings have it: specials are counted in heads.
    facts["measure"] = facts["measure"].map(lambda m: m if m == "specials" else f"{m}_fte")
    return spread(facts, ["place", "month"], "measure", "value")
