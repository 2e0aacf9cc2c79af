"""Publications to tables: joins what the readers give into every table that is shipped.

A maker returns a frame with the columns of the codebook and, for each column of figures, two
more: ``FIELD@origin``, the cells that each figure was made from, and ``FIELD@source``, the
publication that holds them. `build` takes those off and keeps them beside the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import pandas as pd

from crime_analysis import breaks, claims_register, codebook, funding, periods, places
from crime_analysis.build import assumptions
from crime_analysis.errors import DataError
from crime_analysis.build.recognised import MissingPublication, Recognised
from crime_analysis.sources import (
    census_population,
    crime_severity,
    csp_table_c2,
    deprivation,
    force_area_editions,
    force_area_tables,
    geography,
    hmic_2010,
    hmic_expenditure,
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
    quoted_figures,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    revenue_outturn,
    stop_and_search,
    unemployment,
    workforce,
    workforce_bulletins,
)
from crime_analysis.sources.origin import combine, scale, under

__all__ = ["MAKERS", "READERS", "STACKED"]

READERS: tuple[ModuleType, ...] = (
    census_population,
    crime_severity,
    csp_table_c2,
    deprivation,
    force_area_editions,
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
    quoted_figures,
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


def _stack(found: Recognised, *parts: Callable[[Recognised], pd.DataFrame]) -> pd.DataFrame:
    """Return the parts whose publications are there, one under the other.

    Those that are not are left to the tables that stand: `build` keeps their rows.
    """
    stacked = []
    for part in parts:
        try:
            stacked.append(part(found))
        except MissingPublication:
            if found.earlier is None:
                raise
    if not stacked:
        raise MissingPublication("no publication of the table is in the folder")
    return pd.concat(stacked, ignore_index=True)


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


def _national(found: Recognised) -> pd.DataFrame:
    facts = found.every(police_strength)
    facts["measure"] = facts["measure"].replace({"officers": "officers_fte"})
    return _spread(facts, ["date"], "measure", "value")


def _recorded_crime(found: Recognised) -> pd.DataFrame:
    """Join the two Home Office files at 2013/14 and add knife offences."""

    def early(found: Recognised) -> pd.DataFrame:
        rolling = found.every(recorded_crime_rolling)
        if found.has(recorded_crime_quarterly.PUBLICATION):
            _compare_join(rolling, found.every(recorded_crime_quarterly))
        return rolling[rolling["financial_year"].map(periods.start) < _FIRST_QUARTERLY_YEAR]

    def late(found: Recognised) -> pd.DataFrame:
        quarterly = found.every(recorded_crime_quarterly)
        if found.earlier and not found.has(recorded_crime_rolling.PUBLICATION):
            _compare_join(found.earlier.frame("recorded_crime"), quarterly)
        return quarterly[quarterly["financial_year"].map(periods.start) >= _FIRST_QUARTERLY_YEAR]

    def knife(found: Recognised) -> pd.DataFrame:
        return found.every(force_area_tables)

    return _figures(_stack(found, early, late, knife), "offences")


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


# What a quoted figure says of its basis, as the definition of a series.
_QUOTED_KNIFE = {
    "HO knife open data, current definition": "Home Office, current definition (quoted)",
    "HO/ONS (first published definition)": "Home Office, as first published (quoted)",
    "older basis": "Home Office, older basis (quoted)",
}


def _knife(found: Recognised) -> pd.DataFrame:
    """Set the counts of knife crime side by side, each under the definition that it follows."""
    parts = (_knife_of_forces, _knife_of_forces_late, _knife_of_boroughs, _knife_quoted)
    return _figures(_stack(found, *parts), "offences")


def _knife_of_forces(found: Recognised) -> pd.DataFrame:
    ons = found.every(force_area_tables).rename(
        columns={"force": "place", "financial_year": "period"}
    )
    return ons.assign(kind="force", definition=force_area_tables.KNIFE_DEFINITION)


def _knife_of_forces_late(found: Recognised) -> pd.DataFrame:
    late = force_area_editions.read(found.one(force_area_editions, force_area_editions.LATEST))
    return late.rename(columns={"force": "place"}).assign(
        kind="force",
        definition=force_area_editions.KNIFE_DEFINITION,
        source=force_area_editions.LATEST.id,
    )


def _knife_of_boroughs(found: Recognised) -> pd.DataFrame:
    met = found.every(mps_knife_dashboard).rename(columns={"month": "period"})
    return met.assign(
        kind="borough",
        definition=met["offence_group"].map(
            lambda group: f"Met dashboard, {group.replace('_', ' ')}"
        ),
    )


def _knife_quoted(found: Recognised) -> pd.DataFrame:
    points = found.every(quoted_figures)
    points = points[points["measure"] == "knife_offences"].astype({"value": "int64"})
    points = points.rename(columns={"value": "offences"})
    return points.assign(
        kind="force",
        definition=points["definition"].map(
            lambda text: next(name for said, name in _QUOTED_KNIFE.items() if said in text)
        ),
    )


def _knife_revisions(found: Recognised) -> pd.DataFrame:
    """List the knife offences that two editions print differently: the first and the last."""
    first = found.every(force_area_tables).rename(columns={"financial_year": "period"})
    first = first.assign(edition=force_area_tables.ENDS)
    every = pd.concat([found.every(force_area_editions), first], ignore_index=True)
    every = every.sort_values(["force", "period", "edition"])
    columns = ["edition", "offences", "origin", "source"]
    pairs = every.groupby(["force", "period"])[columns]
    both = pairs.nth(0).join(every[["force", "period"]]).merge(
        pairs.nth(-1).join(every[["force", "period"]]),
        on=["force", "period"], suffixes=("_first", "_last"), validate="one_to_one",
    )  # fmt: skip
    both = both[both["offences_first"] != both["offences_last"]].reset_index(drop=True)
    names = {
        f"{part}_{which}": f"{which}_offences@{part}"
        for part in ("origin", "source") for which in ("first", "last")
    }  # fmt: skip
    names |= {f"offences_{which}": f"{which}_offences" for which in ("first", "last")}
    names |= {f"edition_{which}": f"{which}_edition" for which in ("first", "last")}
    return both.rename(columns=names)


def _funding(found: Recognised) -> pd.DataFrame:
    """Stack the funding series, each under its own name, in £ million."""
    return _in_gbp_m(
        _stack(
            found,
            _funding_2010,
            lambda f: quoted.read_met_settlements(f.one(quoted, quoted.MET_BUDGET)).assign(
                source=quoted.MET_BUDGET.id
            ),
            _funding_from_2012,
            lambda f: f.every(revenue_outturn),
        )
    )


def _funding_2010(found: Recognised) -> pd.DataFrame:
    facts = hmic_2010.read_funding(found.one(hmic_2010))
    return facts.assign(source=hmic_2010.PUBLICATION.id)


def _funding_from_2012(found: Recognised) -> pd.DataFrame:
    spent = [
        hmic_expenditure.read(raw).assign(source=publication.id)
        for publication, raw in found.of(hmic_value_for_money)
        if publication.edition in ("2012", "2016")
    ]
    return pd.concat([found.every(hmic_value_for_money), *spent], ignore_index=True)


def _in_gbp_m(facts: pd.DataFrame) -> pd.DataFrame:
    facts["value_gbp_m"] = (facts["value_gbp_k"] / 1000).round(6)
    facts["origin"] = [scale(origin, 0.001) for origin in facts["origin"]]
    return _figures(facts, "value_gbp_m")


def _government_share(found: Recognised) -> pd.DataFrame:
    """Divide grants by grants and council tax, for every year of HMIC's estimates."""
    facts = _in_gbp_m(_stack(found, _funding_2010, _funding_from_2012))
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


def _other_populations(found: Recognised) -> pd.DataFrame:
    """Stack residents on other bases than the mid-year estimates, each under its name."""
    early = next(p for p in hmic_value_for_money.PUBLICATIONS if p.edition == "2012")
    hmic = hmic_expenditure.read_population(found.one(hmic_value_for_money, early))
    printed = found.every(force_area_editions, force_area_editions.read_population)
    # Several editions print the same mid-year; the first of them is enough.
    printed = printed.sort_values(["place", "year", "source"]).drop_duplicates(["place", "year"])
    stacked = [
        found.every(census_population).assign(basis="census"),
        hmic.assign(basis="hmic_2012", kind="force", source=early.id),
        printed.assign(basis="ons_force_area_tables", kind="force"),
    ]
    return _figures(pd.concat(stacked, ignore_index=True), "population")


def _prices(found: Recognised) -> pd.DataFrame:
    parts = []
    for publication, field in (
        (ons_series.GDP_DEFLATOR, "gdp_deflator"),
        (ons_series.CPIH, "cpih"),
    ):
        if found.earlier and not found.has(publication):
            held = found.earlier.frame("prices")
            parts.append(held[["financial_year", field, f"{field}@origin", f"{field}@source"]])
            continue
        raw = found.one(ons_series, publication)
        key = next(key for key, file in found.files.items() if file is raw)
        series = ons_series.read(raw).assign(source=key)
        parts.append(_figures(series, "index", field).drop(columns="source"))
    return parts[0].merge(parts[1], on="financial_year", validate="one_to_one")


def _met_strength(found: Recognised) -> pd.DataFrame:
    facts = found.every(met_strength)
    return _spread(facts, ["month"], "measure", "fte", "_fte").assign(source=facts["source"].iat[0])


def _met_strength_earlier(found: Recognised) -> pd.DataFrame:
    facts = found.every(mps_master, mps_master.read_met_monthly)
    facts = facts[facts["unit"].isin(["fte", "headcount"]) & (facts["measure"] != "sergeants")]
    # Specials are counted in heads.
    facts["measure"] = facts["measure"].map(lambda m: m if m == "specials" else f"{m}_fte")
    return _spread(facts, ["month"], "measure", "value")


def _borough_crime(found: Recognised) -> pd.DataFrame:
    facts = _stack(
        found, lambda f: f.every(mps_borough_crime), lambda f: f.every(mps_borough_crime_old)
    )
    keys = ["classification", "place", "month"]
    # Of two editions with the same month, the one that goes further is the later.
    facts = facts.sort_values("source", key=lambda ids: ids.str[-6:], kind="stable")
    facts = facts.drop_duplicates([*keys, "offence_group"], keep="last")
    return _spread(facts, keys, "offence_group", "offences")


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


def _deprivation_force(found: Recognised) -> pd.DataFrame:
    """Average the authorities' scores of a force, weighted by their residents of that year.

    The edition of 2019 is on authorities of 2019, for which the population file has no count.
    """
    scores = found.every(deprivation).query("measure == 'score' and year < 2019")
    authorities = geography.authorities(found.one(geography))
    people = population.residents(found.one(population), authorities)
    both = scores.merge(
        people[["code", "year", "population", "force"]], on=["code", "year"], how="left",
        validate="one_to_one",
    )  # fmt: skip
    if both["population"].isna().any():
        lacking = both.loc[both["population"].isna(), "code"].iloc[0]
        raise DataError(f"authority {lacking} has a deprivation score and no residents")
    rows = []
    for (force, year), group in both.groupby(["force", "year"]):
        share = group["population"] / group["population"].sum()
        parts = [scale(o, w) for o, w in zip(group["origin"], share, strict=True)]
        rows.append(
            {
                "force": force,
                "year": year,
                "score": float((group["value"] * share).sum()),
                "score@origin": combine(parts),
                "score@source": group["source"].iloc[0],
            }
        )
    return pd.DataFrame(rows)


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


def _statements(found: Recognised) -> pd.DataFrame:
    said = quoted.read_statements(found.one(quoted, quoted.STATEMENTS))
    return _figures(said.assign(source=quoted.STATEMENTS.id), "wording")


def _quoted(found: Recognised) -> pd.DataFrame:
    def budget(found: Recognised) -> pd.DataFrame:
        points = quoted.read_budget(found.one(quoted, quoted.MET_BUDGET))
        return points.assign(source=quoted.MET_BUDGET.id)

    return _figures(_stack(found, lambda f: f.every(quoted_figures), budget), "value")


def _csp(found: Recognised) -> pd.DataFrame:
    return _figures(found.every(csp_table_c2), "offences")


def _register(name: str, rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=codebook.table(name).columns)


#: Tables of which each row is from one publication: rows that none in the folder gives are kept.
STACKED: frozenset[str] = frozenset(
    {
        "borough_crime_monthly", "deprivation", "funding", "government_share", "knife_offences",
        "quoted_figures", "recorded_crime",
    }
)  # fmt: skip

MAKERS: dict[str, Callable[[Recognised], pd.DataFrame]] = {
    "officers": lambda f: _officers(f)[0],
    "officers_overlap": lambda f: _officers(f)[1],
    "officers_revisions": _revisions,
    "officers_national": _national,
    "recorded_crime": _recorded_crime,
    "recorded_crime_quarterly": _recorded_crime_quarterly,
    "knife_offences": _knife,
    "knife_revisions": _knife_revisions,
    "crime_severity": _severity,
    "borough_crime_monthly": _borough_crime,
    "borough_crime_latest": _csp,
    "borough_officers_monthly": _borough_officers,
    "met_strength_monthly": _met_strength,
    "met_strength_earlier": _met_strength_earlier,
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
    "population_other_bases": _other_populations,
    "prices": _prices,
    "unemployment": lambda f: _spread(f.every(unemployment), ["place", "year"], "measure", "value"),
    "deprivation": _deprivation,
    "deprivation_force": _deprivation_force,
    "places": _places,
    "breaks": lambda f: _register("breaks", breaks.REGISTER),
    "assumptions": lambda f: _register("assumptions", assumptions.REGISTER),
    "claims": lambda f: _register("claims", claims_register.REGISTER),
    "statements": _statements,
    "quoted_figures": _quoted,
}
