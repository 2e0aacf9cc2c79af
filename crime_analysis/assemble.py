"""Publications to tables: joins what the readers give into every table that is shipped.

A maker returns a frame with the columns of the codebook and, for each column of figures, two
more: ``FIELD@origin``, the cells that each figure was made from, and ``FIELD@source``, the
publication that holds them. `build` takes those off and keeps them beside the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import pandas as pd

from crime_analysis import assumptions, breaks, codebook, funding, periods, places
from crime_analysis.errors import DataError, ParameterError
from crime_analysis.sources import (
    crime_severity,
    csp_table_c2,
    deprivation,
    force_area_tables,
    geography,
    hmic_2010,
    hmic_value_for_money,
    hospital_admissions,
    met_strength,
    mps_borough_crime,
    mps_borough_crime_old,
    mps_knife_dashboard,
    mps_master,
    ons_series,
    police_strength,
    population,
    quoted,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    revenue_outturn,
    stop_and_search,
    unemployment,
    workforce,
    workforce_bulletins,
)
from crime_analysis.sources.origin import combine, scale, under
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["MAKERS", "READERS", "Recognised"]

READERS: tuple[ModuleType, ...] = (
    crime_severity,
    csp_table_c2,
    deprivation,
    force_area_tables,
    geography,
    hmic_2010,
    hmic_value_for_money,
    hospital_admissions,
    met_strength,
    mps_borough_crime,
    mps_borough_crime_old,
    mps_knife_dashboard,
    mps_master,
    ons_series,
    police_strength,
    population,
    quoted,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    revenue_outturn,
    stop_and_search,
    unemployment,
    workforce,
    workforce_bulletins,
)
# Years to 2012/13 come from the rolling-year file, which separates stalking and harassment
# throughout; later years from the quarterly file, which is the later edition.
_FIRST_QUARTERLY_YEAR = 2013
# Two counts of the same people that differ by more than this cannot both be right.
_OVERLAP_TOLERANCE = 0.1


@dataclass(frozen=True)
class Recognised:
    """The publications found in a folder, with the file and the reader of each."""

    files: dict[str, RawFile]
    publications: dict[str, Publication]
    readers: dict[str, ModuleType]
    ignored: list[str]

    def of(self, module: ModuleType) -> list[tuple[Publication, RawFile]]:
        """Return what one reader recognised, in order of publication id."""
        found = [
            (self.publications[key], raw)
            for key, raw in sorted(self.files.items())
            if self.readers[key] is module
        ]
        if not found:
            what = (module.__doc__ or module.__name__).strip().splitlines()[0]
            raise ParameterError(f"no file in the folder is: {what} Download it and build again")
        return found

    def one(self, module: ModuleType, publication: Publication | None = None) -> RawFile:
        """Return the one file of a reader (or of one of its publications)."""
        found = [raw for pub, raw in self.of(module) if publication is None or pub == publication]
        if len(found) != 1:
            title = publication.title if publication else module.__name__
            raise ParameterError(f"expected one file of {title!r}, found {len(found)}")
        return found[0]

    def every(
        self, module: ModuleType, read: Callable[[RawFile], pd.DataFrame] | None = None
    ) -> pd.DataFrame:
        """Return what all files of a reader hold, each row with its ``source``."""
        read = read or module.read
        return pd.concat(
            [read(raw).assign(source=publication.id) for publication, raw in self.of(module)],
            ignore_index=True,
        )


def _figures(facts: pd.DataFrame, value: str, field: str | None = None) -> pd.DataFrame:
    """Return facts with their value as a field of the table, and its books beside it."""
    field = field or value
    return facts.rename(columns={value: field, "origin": f"{field}@origin"}).assign(
        **{f"{field}@source": facts["source"]}
    )


def _spread(
    facts: pd.DataFrame, keys: Sequence[str], measure: str, value: str, suffix: str = ""
) -> pd.DataFrame:
    """Return facts with each measure a column of its own, and its books beside it."""
    wide = facts.set_index([*keys, measure])[[value, "origin", "source"]].unstack(measure)
    frame = wide[value].add_suffix(suffix)
    for part in ("origin", "source"):
        named = wide[part].add_suffix(f"{suffix}@{part}")
        # Where a measure is missing so are its books.
        frame = frame.join(named.where(named.notna(), None))
    return frame.reset_index().rename_axis(columns=None)


def _officers(found: Recognised) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join HMIC's 2005 and 2006 to the open data, and compare the years that both have."""
    keys = ["force", "date", "measure"]
    recent = found.every(workforce).set_index(keys)
    early = hmic_2010.read_workforce(found.one(hmic_2010))
    early = early.assign(source=hmic_2010.PUBLICATION.id).set_index(keys)
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
    wide = _spread(chosen, ["force", "date"], "measure", "fte", "_fte")
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


def _national(found: Recognised) -> pd.DataFrame:
    facts = found.every(police_strength)
    facts["measure"] = facts["measure"].replace({"officers": "officers_fte"})
    return _spread(facts, ["date"], "measure", "value")


def _recorded_crime(found: Recognised) -> pd.DataFrame:
    """Join the two Home Office files at 2013/14 and add knife offences."""
    rolling, quarterly = (
        found.every(recorded_crime_rolling),
        found.every(recorded_crime_quarterly),
    )
    _compare_join(rolling, quarterly)

    def years(frame: pd.DataFrame) -> pd.Series:
        return frame["financial_year"].map(periods.start)

    return _figures(
        pd.concat(
            [
                rolling[years(rolling) < _FIRST_QUARTERLY_YEAR],
                quarterly[years(quarterly) >= _FIRST_QUARTERLY_YEAR],
                found.every(force_area_tables),
            ],
            ignore_index=True,
        ),
        "offences",
    )


def _compare_join(rolling: pd.DataFrame, quarterly: pd.DataFrame) -> None:
    """Refuse two files whose last common year before the join tells another story.

    In 2012/13 both files count the same offences under the same rules, so the group totals
    that both print must agree to the offence.
    """
    year = periods.label(_FIRST_QUARTERLY_YEAR - 1)
    groups = ["homicide", "robbery", "violence_against_the_person", "total_excluding_fraud"]
    keys = ["force", "financial_year", "offence_group"]
    left, right = (
        f.loc[(f["financial_year"] == year) & f["offence_group"].isin(groups), [*keys, "offences"]]
        for f in (rolling, quarterly)
    )
    both = left.merge(right, on=keys, suffixes=("_rolling", "_quarterly"), validate="one_to_one")
    differ = both[both["offences_rolling"] != both["offences_quarterly"]]
    if len(both) != len(groups) * len(places.FORCES) or len(differ):
        detail = differ.iloc[0].to_dict() if len(differ) else f"{len(both)} pairs"
        raise DataError(f"the two files of recorded crime do not meet in {year}: {detail}")


def _recorded_crime_quarterly(found: Recognised) -> pd.DataFrame:
    facts = found.every(recorded_crime_quarterly, recorded_crime_quarterly.read_quarters)
    keys = ["force", "financial_year", "quarter"]
    return _spread(facts, keys, "offence_group", "offences")


def _knife(found: Recognised) -> pd.DataFrame:
    """Set the counts of knife crime side by side, each under the definition that it follows."""
    ons = found.every(force_area_tables).rename(
        columns={"force": "place", "financial_year": "period"}
    )
    ons = ons.assign(kind="force", definition=force_area_tables.KNIFE_DEFINITION)
    met = found.every(mps_knife_dashboard).rename(columns={"month": "period"})
    met = met.assign(
        kind="borough",
        definition=met["offence_group"].map(
            lambda group: f"Met dashboard, {group.replace('_', ' ')}"
        ),
    )
    return _figures(pd.concat([ons, met], ignore_index=True), "offences")


def _funding(found: Recognised) -> pd.DataFrame:
    """Stack the funding series, each under its own name, in £ million."""
    parts = [
        hmic_2010.read_funding(found.one(hmic_2010)).assign(source=hmic_2010.PUBLICATION.id),
        quoted.read_met_settlements(found.one(quoted, quoted.MET_BUDGET)).assign(
            source=quoted.MET_BUDGET.id
        ),
        found.every(hmic_value_for_money),
        found.every(revenue_outturn),
    ]
    stacked = pd.concat(parts, ignore_index=True)
    stacked["value_gbp_m"] = (stacked["value_gbp_k"] / 1000).round(6)
    stacked["origin"] = [scale(origin, 0.001) for origin in stacked["origin"]]
    return _figures(stacked, "value_gbp_m")


def _government_share(found: Recognised) -> pd.DataFrame:
    """Divide grants by grants and council tax, for every year of HMIC's estimates."""
    facts = _funding(found)
    facts = facts[facts["series"] == "hmic_estimates"]
    books = facts.set_index(["force", "financial_year", "component"])["value_gbp_m@origin"]
    sources = facts.groupby(["force", "financial_year"])["source"].first()
    rows = []
    for year in sorted(facts["financial_year"].unique()):
        shares = funding.government_share(facts, year)
        for share in shares.itertuples(index=False):
            key = (share.force, year)
            tax = books[(*key, "council_tax")]
            record: dict[str, object] = {
                "force": share.force,
                "financial_year": year,
                "source": sources[key],
            }
            for field, component in (
                ("share_all_grants", "government_grants"),
                ("share_formula_grant", "formula_funding"),
            ):
                grant = books[(*key, component)]
                record[field] = round(getattr(share, field), 9)
                record[f"{field}@origin"] = under(grant, combine([grant, tax]))
                record[f"{field}@source"] = sources[key]
            rows.append(record)
    return pd.DataFrame(rows)


def _population(found: Recognised) -> pd.DataFrame:
    authorities = geography.authorities(found.one(geography))
    return _figures(
        found.every(population, lambda raw: population.read(raw, authorities)), "population"
    )


def _prices(found: Recognised) -> pd.DataFrame:
    parts = []
    for publication, field in (
        (ons_series.GDP_DEFLATOR, "gdp_deflator"),
        (ons_series.CPIH, "cpih"),
    ):
        series = ons_series.read(found.one(ons_series, publication)).assign(source=publication.id)
        parts.append(_figures(series, "index", field).drop(columns="source"))
    return parts[0].merge(parts[1], on="financial_year", validate="one_to_one")


def _met_strength(found: Recognised) -> pd.DataFrame:
    return _spread(found.every(met_strength), ["month"], "measure", "fte", "_fte").assign(
        source=met_strength.PUBLICATION.id
    )


def _borough_crime(found: Recognised) -> pd.DataFrame:
    facts = pd.concat(
        [found.every(mps_borough_crime), found.every(mps_borough_crime_old)], ignore_index=True
    )
    return _spread(facts, ["classification", "place", "month"], "offence_group", "offences")


def _borough_officers(found: Recognised) -> pd.DataFrame:
    facts = found.every(mps_master, mps_master.read_borough_officers)
    # The row as the workbook's own headings have it: specials are counted in heads.
    facts["measure"] = facts["measure"].map(lambda m: m if m == "specials" else f"{m}_fte")
    return _spread(facts, ["place", "month"], "measure", "value")


def _met_violence(found: Recognised) -> pd.DataFrame:
    facts = found.every(mps_master, mps_master.read_met_monthly)
    wanted = [f.name for f in codebook.table("met_violence_monthly").fields[1:]]
    return _spread(facts[facts["measure"].isin(wanted)], ["month"], "measure", "value")


def _deprivation(found: Recognised) -> pd.DataFrame:
    facts = found.every(deprivation)
    return _spread(facts, ["code", "year"], "measure", "value")


def _severity(found: Recognised) -> pd.DataFrame:
    return _figures(found.every(crime_severity), "score")


def _revisions(found: Recognised) -> pd.DataFrame:
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


def _places(found: Recognised) -> pd.DataFrame:
    return _figures(found.every(geography), "code")


def _claims(found: Recognised) -> pd.DataFrame:
    claims = quoted.read_claims(found.one(quoted, quoted.CLAIMS))
    return _figures(claims.assign(source=quoted.CLAIMS.id), "wording")


def _csp(found: Recognised) -> pd.DataFrame:
    return _figures(found.every(csp_table_c2), "offences")


def _register(name: str, rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=codebook.table(name).columns)


MAKERS: dict[str, Callable[[Recognised], pd.DataFrame]] = {
    "officers": lambda f: _officers(f)[0],
    "officers_overlap": lambda f: _officers(f)[1],
    "officers_revisions": _revisions,
    "officers_national": _national,
    "recorded_crime": _recorded_crime,
    "recorded_crime_quarterly": _recorded_crime_quarterly,
    "knife_offences": _knife,
    "crime_severity": _severity,
    "borough_crime_monthly": _borough_crime,
    "borough_crime_latest": _csp,
    "borough_officers_monthly": _borough_officers,
    "met_strength_monthly": _met_strength,
    "met_violence_monthly": _met_violence,
    "stop_and_search_monthly": lambda f: _spread(
        f.every(stop_and_search), ["month"], "measure", "stops"
    ),
    "hospital_admissions": lambda f: _spread(
        f.every(hospital_admissions), ["region", "month"], "measure", "count"
    ),
    "funding": _funding,
    "government_share": _government_share,
    "population": _population,
    "prices": _prices,
    "unemployment": lambda f: _spread(f.every(unemployment), ["place", "year"], "measure", "value"),
    "deprivation": _deprivation,
    "places": _places,
    "breaks": lambda f: _register("breaks", breaks.REGISTER),
    "assumptions": lambda f: _register("assumptions", assumptions.REGISTER),
    "claims": _claims,
}
