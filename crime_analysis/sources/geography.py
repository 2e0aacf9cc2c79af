"""ONS, lookup of local authorities to police force areas (December 2016): codes of places.

Local authorities that were merged later (2019 to 2021) are mapped to the force of one of their
predecessors: none of these mergers crossed a force boundary.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import lines
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["PUBLICATION", "authorities", "read", "recognise"]

PUBLICATION = Publication(
    id="ons-lad-pfa-lookup-2016",
    publisher="Office for National Statistics",
    title="Local Authority District to Community Safety Partnership to Police Force Area, lookup",
    edition="December 2016",
)

# Later authority -> those of the 2016 lookup that were merged into it (Bournemouth, Christchurch
# and Poole 2019, Dorset 2019, Buckinghamshire 2020, Northamptonshire 2021, Suffolk 2019,
# Somerset 2019).
_SUCCESSORS = {
    "E06000058": ("E06000028", "E06000029", "E07000048"),
    "E06000059": ("E07000049", "E07000050", "E07000051", "E07000052", "E07000053"),
    "E06000060": ("E07000004", "E07000005", "E07000006", "E07000007"),
    "E06000061": ("E07000150", "E07000152", "E07000153", "E07000156"),
    "E06000062": ("E07000151", "E07000154", "E07000155"),
    "E07000244": ("E07000205", "E07000206"),
    "E07000245": ("E07000201", "E07000204"),
    "E07000246": ("E07000190", "E07000191"),
}


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this lookup, by its heading row."""
    return PUBLICATION if raw.head.startswith("LAD16CD,LAD16NM,CSP16CD") else None


def authorities(raw: RawFile) -> pd.DataFrame:
    """Return every local authority with its force.

    Returns
    -------
    DataFrame
        ``code``, ``name``, ``force_code``, ``force``; ``succeeded_by`` (the code of the later
        authority it was merged into, or empty); the 348 of 2016 and eight later ones.

    Raises
    ------
    SourceError
        If a code is repeated, a force has two codes or a code two forces, the forces are not
        exactly the 43, or an authority that was merged later is not there.
    """
    table = raw.table(["LAD16CD", "LAD16NM", "PFA16CD", "PFA16NM"])
    table.columns = pd.Index(["code", "name", "force_code", "force"])
    raw.require_unique(table[["code"]])
    table["force"] = raw.names(table["force"].rename("PFA16NM"), places.force)
    if set(table["force"]) != set(places.FORCES):
        missing = sorted(set(places.FORCES) - set(table["force"]))
        raise SourceError(f"no authority of {missing}", raw.name, column="PFA16NM")
    pairs = table[["force_code", "force"]].drop_duplicates()
    twice = pairs["force_code"].duplicated() | pairs["force"].duplicated()
    if twice.any():
        raise raw.error("a force with another code than before", twice.rename("PFA16CD"))
    successor = {old: new for new, merged in _SUCCESSORS.items() for old in merged}
    missing = sorted(set(successor) - set(table["code"]))
    if missing:
        raise SourceError(f"no authority {missing[:5]}", raw.name, column="LAD16CD")
    table["succeeded_by"] = table["code"].map(successor).fillna("")
    later = table[table["succeeded_by"] != ""].drop_duplicates("succeeded_by")
    later = later.assign(code=later["succeeded_by"], name="", succeeded_by="")
    return pd.concat([table, later])


def read(raw: RawFile) -> pd.DataFrame:
    """Return the 43 forces and 32 boroughs with their codes.

    Returns
    -------
    DataFrame
        ``place``, ``kind`` (force, borough), ``code`` (ONS), ``country``, ``part_of``.
    """
    table = authorities(raw)
    forces = table.drop_duplicates("force")[["force", "force_code"]].set_axis(
        ["place", "code"], axis=1
    )
    forces["origin"] = lines(forces.index, "PFA16CD")
    forces["kind"] = "force"
    forces["country"] = ["Wales" if c.startswith("W") else "England" for c in forces["code"]]
    forces["part_of"] = "England and Wales"
    london = table[table["code"].str.startswith("E09") & (table["force"] != "City of London")]
    boroughs = pd.DataFrame(
        {
            "place": raw.names(london["name"].rename("LAD16NM"), places.borough),
            "code": london["code"],
            "kind": "borough",
            "country": "England",
            "part_of": london["force"],
            "origin": lines(london.index, "LAD16CD"),
        }
    )
    if set(boroughs["place"]) != set(places.BOROUGHS):
        raise SourceError("the boroughs are not the 32", raw.name, column="LAD16NM")
    both = pd.concat([forces, boroughs])[["place", "kind", "code", "country", "part_of", "origin"]]
    return both.sort_values(["kind", "place"], ascending=[False, True], ignore_index=True)
