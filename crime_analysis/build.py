"""Turn a folder of official publications into the shipped tables; the only writer of ``data/``.

Publications are recognised by what they say, never by file name. All tables are made and
validated in memory first and swapped in last, so a build that fails leaves the old data whole.
Building twice from the same files gives the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from crime_analysis import breaks, catalog, codebook, periods, places
from crime_analysis.errors import DataError, ParameterError, SourceError
from crime_analysis.sources import (
    force_area_tables,
    geography,
    hmic_2010,
    hmic_value_for_money,
    met_strength,
    ons_series,
    population,
    quoted,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    revenue_outturn,
    workforce,
)
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["Recognised", "build", "recognise", "tables"]

_READERS: tuple[ModuleType, ...] = (
    force_area_tables,
    geography,
    hmic_2010,
    hmic_value_for_money,
    met_strength,
    ons_series,
    population,
    quoted,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    revenue_outturn,
    workforce,
)
# Years to 2012/13 come from the rolling-year file, which separates stalking and harassment
# throughout; later years from the quarterly file, which is the later edition.
_FIRST_QUARTERLY_YEAR = 2013
# Two counts of the same people that differ by more than this cannot both be right.
_OVERLAP_TOLERANCE = 0.1


@dataclass(frozen=True)
class Recognised:
    """The publications found in a folder, with the file of each."""

    files: dict[str, RawFile]
    publications: dict[str, Publication]
    ignored: list[str]

    def of(self, module: ModuleType) -> list[tuple[Publication, RawFile]]:
        """Return what one reader recognised, in order of publication id."""
        found = [
            (self.publications[key], raw)
            for key, raw in sorted(self.files.items())
            if module.recognise(raw) == self.publications[key]
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


def recognise(folder: str | Path) -> Recognised:
    """Return which publications the files below a folder are.

    Raises
    ------
    ParameterError
        If the folder is not there.
    SourceError
        If two different files are the same publication.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ParameterError(f"--raw {str(folder)!r} is not a folder; give the downloads' folder")
    files: dict[str, RawFile] = {}
    publications: dict[str, Publication] = {}
    ignored = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        raw = RawFile(path)
        if not (raw.is_text or raw.is_workbook):
            continue
        publication = next((p for m in _READERS if (p := m.recognise(raw)) is not None), None)
        if publication is None:
            ignored.append(raw.name)
            continue
        other = files.get(publication.id)
        if other is not None and other.sha256 != raw.sha256:
            raise SourceError(
                f"is the same publication as {other.name} ({publication.id}) with other content;"
                " keep one",
                raw.name,
            )
        files[publication.id], publications[publication.id] = raw, publication
    return Recognised(files, publications, ignored)


def tables(found: Recognised) -> dict[str, pd.DataFrame]:
    """Return every shipped table, made from recognised publications and validated.

    Raises
    ------
    ParameterError
        If publications are missing; it names each.
    SourceError, DataError
        If one is not as expected, or a table made from it is not as the codebook says.
    """
    _require_all(found)
    makers: dict[str, Callable[[Recognised], pd.DataFrame]] = {
        "officers": lambda f: _officers(f)[0],
        "officers_overlap": lambda f: _officers(f)[1],
        "recorded_crime": _recorded_crime,
        "funding": _funding,
        "population": _population,
        "prices": _prices,
        "met_strength_monthly": _met_strength,
        "places": lambda f: geography.read(f.one(geography)).assign(
            source=geography.PUBLICATION.id
        ),
        "breaks": _breaks,
        "claims": lambda f: quoted.read_claims(f.one(quoted, quoted.CLAIMS)),
    }
    made = {}
    for spec in codebook.TABLES:
        frame = makers[spec.name](found)[spec.columns]
        frame = frame.sort_values(list(spec.key), ignore_index=True)
        # Through bytes and back: what is validated is exactly what a user will read.
        made[spec.name] = catalog.validate(spec.name, catalog.parse(spec.name, _csv(frame)))
    return made


def _require_all(found: Recognised) -> None:
    """Refuse a folder that lacks a publication, naming every one that it lacks."""
    wanted = [p for module in _READERS for p in _publications(module)]
    missing = [
        f"{p.publisher}, {p.title} ({p.edition})" for p in wanted if p.id not in found.publications
    ]
    if missing:
        raise ParameterError(
            f"{len(missing)} of {len(wanted)} publications are not in the folder; download and"
            f" build again: {'; '.join(missing)}"
        )


def _publications(module: ModuleType) -> tuple[Publication, ...]:
    """Return the publications that a reader reads, one or several."""
    several = getattr(module, "PUBLICATIONS", None)
    return tuple(several) if several is not None else (module.PUBLICATION,)


def build(raw: str | Path, out: str | Path | None = None) -> dict[str, Any]:
    """Rebuild all shipped tables from a folder of publications: all of them, or none.

    Parameters
    ----------
    raw : path
        Folder with the downloaded publications, searched in depth.
    out : path, optional
        Where to write; the package's own data folder if not given.

    Returns
    -------
    dict
        The descriptor that was written.

    Raises
    ------
    ParameterError
        If publications are missing, or `out` holds anything but an earlier build.
    SourceError, DataError
        As `recognise` and `tables`.
    """
    # Resolved, so that the folder behind a link is replaced and not the link.
    target = (Path(out) if out is not None else catalog.data_folder()).resolve()
    found = recognise(raw)
    made = tables(found)
    contents = {f"{name}.csv": _csv(frame) for name, frame in made.items()}
    descriptor = _descriptor(made, contents, found)
    contents["datapackage.json"] = (
        json.dumps(descriptor, indent=1, ensure_ascii=False) + "\n"
    ).encode()
    _require_own(target, contents)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".data-", dir=target.parent))
    except OSError as problem:
        raise ParameterError(f"cannot write to {target.parent}: {problem.strerror}") from None
    try:
        for name, content in contents.items():
            (aside / name).write_bytes(content)
        aside.chmod(0o755)
        _swap(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return descriptor


def _require_own(target: Path, contents: Iterable[str]) -> None:
    """Refuse to replace a folder that holds anything but tables and their descriptor."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ParameterError(f"{target} is not a folder; give --out a folder")
    own = {Path(name).parts[0] for name in contents}
    # A table that is no longer made was the build's own too, if the descriptor can be read.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        package = json.loads((target / "datapackage.json").read_text(encoding="utf-8"))
        own |= {Path(resource["path"]).parts[0] for resource in package["resources"]}
    foreign = sorted({path.name for path in target.iterdir()} - own)
    if foreign:
        raise ParameterError(
            f"{target} holds {', '.join(foreign[:3])}, which no build wrote, and a build replaces"
            " the whole folder; give --out a new one"
        )


def _swap(new: Path, target: Path) -> None:
    """Put folder `new` in the place of `target`; on failure `target` is as it was."""
    if not target.exists():
        os.rename(new, target)
        return
    old = new.with_name(new.name + "-old")
    os.rename(target, old)
    try:
        os.rename(new, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _csv(frame: pd.DataFrame) -> bytes:
    """Return a table as bytes that do not depend on the machine."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _officers(found: Recognised) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join HMIC's 2005 and 2006 to the open data, and compare the years that both have."""
    keys = ["force", "date", "measure"]
    recent = workforce.read(found.one(workforce)).rename(columns={"fte": "open_data_fte"})
    early = hmic_2010.read_workforce(found.one(hmic_2010)).rename(columns={"fte": "hmic_fte"})
    both = recent.merge(early, on=keys, how="outer", validate="one_to_one")
    overlap = both.dropna(subset=["open_data_fte", "hmic_fte"]).copy()
    gap = (overlap["open_data_fte"] - overlap["hmic_fte"]).abs()
    suspect = gap > _OVERLAP_TOLERANCE * overlap[["open_data_fte", "hmic_fte"]].max(axis=1)
    series = both.set_index(keys)["open_data_fte"]
    fallback = both.set_index(keys)["hmic_fte"]
    choice = pd.Series("open_data", index=overlap.index)
    for index, row in overlap[suspect].iterrows():
        year = int(row["date"][:4])
        beside = [(row["force"], f"{y}-03-31", row["measure"]) for y in (year - 1, year + 1)]
        known = [series.get(k) if pd.notna(series.get(k)) else fallback.get(k) for k in beside]
        typical = sum(known) / len(known)
        if abs(row["hmic_fte"] - typical) < abs(row["open_data_fte"] - typical):
            choice.at[index] = "hmic"
    overlap["used"] = choice

    both = both.merge(overlap[[*keys, "used"]], on=keys, how="left")
    from_hmic = (both["used"] == "hmic") | both["open_data_fte"].isna()
    both["fte"] = both["open_data_fte"].where(~from_hmic, both["hmic_fte"])
    wide = both.pivot(index=["force", "date"], columns="measure", values="fte")
    wide = wide.add_suffix("_fte").reset_index()
    used = both.assign(from_hmic=from_hmic).groupby(["force", "date"])["from_hmic"]
    ids = (hmic_2010.PUBLICATION.id, workforce.PUBLICATION.id)
    source = pd.DataFrame({"any": used.any(), "all": used.all()}).apply(
        lambda r: ids[0] if r["all"] else ";".join(ids) if r["any"] else ids[1], axis=1
    )
    wide = wide.merge(source.rename("source").reset_index(), on=["force", "date"])
    return wide, overlap


def _recorded_crime(found: Recognised) -> pd.DataFrame:
    """Join the two Home Office files at 2013/14 and add knife offences."""
    rolling = recorded_crime_rolling.read(found.one(recorded_crime_rolling))
    quarterly = recorded_crime_quarterly.read(found.one(recorded_crime_quarterly))
    knife = force_area_tables.read(found.one(force_area_tables))

    def years(frame: pd.DataFrame) -> pd.Series:
        return frame["financial_year"].map(periods.start)

    _compare_join(rolling, quarterly)
    return pd.concat(
        [
            rolling[years(rolling) < _FIRST_QUARTERLY_YEAR].assign(
                source=recorded_crime_rolling.PUBLICATION.id
            ),
            quarterly[years(quarterly) >= _FIRST_QUARTERLY_YEAR].assign(
                source=recorded_crime_quarterly.PUBLICATION.id
            ),
            knife.assign(source=force_area_tables.PUBLICATION.id),
        ]
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
        f[(f["financial_year"] == year) & f["offence_group"].isin(groups)]
        for f in (rolling, quarterly)
    )
    both = left.merge(right, on=keys, suffixes=("_rolling", "_quarterly"), validate="one_to_one")
    differ = both[both["offences_rolling"] != both["offences_quarterly"]]
    if len(both) != len(groups) * len(places.FORCES) or len(differ):
        detail = differ.iloc[0].to_dict() if len(differ) else f"{len(both)} pairs"
        raise DataError(f"the two files of recorded crime do not meet in {year}: {detail}")


def _funding(found: Recognised) -> pd.DataFrame:
    """Stack the funding series, each under its own name, in £ million."""
    parts = [
        hmic_2010.read_funding(found.one(hmic_2010)).assign(source=hmic_2010.PUBLICATION.id),
        quoted.read_met_settlements(found.one(quoted, quoted.MET_BUDGET)).assign(
            source=quoted.MET_BUDGET.id
        ),
    ]
    for module in (hmic_value_for_money, revenue_outturn):
        parts += [module.read(raw).assign(source=pub.id) for pub, raw in found.of(module)]
    stacked = pd.concat(parts)
    stacked["value_gbp_m"] = (stacked["value_gbp_k"] / 1000).round(6)
    return stacked


def _population(found: Recognised) -> pd.DataFrame:
    authorities = geography.authorities(found.one(geography))
    return population.read(found.one(population), authorities).assign(
        source=population.PUBLICATION.id
    )


def _prices(found: Recognised) -> pd.DataFrame:
    deflator = ons_series.read(found.one(ons_series, ons_series.GDP_DEFLATOR))
    cpih = ons_series.read(found.one(ons_series, ons_series.CPIH))
    return deflator.rename(columns={"index": "gdp_deflator"}).merge(
        cpih.rename(columns={"index": "cpih"}), on="financial_year", validate="one_to_one"
    )


def _met_strength(found: Recognised) -> pd.DataFrame:
    return met_strength.read(found.one(met_strength)).assign(source=met_strength.PUBLICATION.id)


def _breaks(found: Recognised) -> pd.DataFrame:
    return pd.DataFrame(breaks.REGISTER, columns=codebook.table("breaks").columns)


def _descriptor(
    made: dict[str, pd.DataFrame], contents: dict[str, bytes], found: Recognised
) -> dict[str, Any]:
    """Return the Frictionless data package descriptor of the tables."""
    without_source_column = {
        "officers_overlap": [workforce.PUBLICATION.id, hmic_2010.PUBLICATION.id],
        "prices": [ons_series.GDP_DEFLATOR.id, ons_series.CPIH.id],
        "claims": [quoted.CLAIMS.id],
        "breaks": [],
    }
    resources = []
    for name, frame in made.items():
        spec, content = codebook.table(name), contents[f"{name}.csv"]
        ids: Iterable[str] = without_source_column.get(name) or (
            sorted({i for ids in frame["source"].unique() for i in ids.split(";")})
            if name != "breaks"
            else []
        )
        resources.append(
            {
                "name": name,
                "path": f"{name}.csv",
                "title": spec.title,
                "description": spec.description,
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": len(content),
                "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
                "rows": len(frame),
                "schema": {
                    "fields": [_field(f) for f in spec.fields],
                    "primaryKey": list(spec.key),
                    "missingValues": [""],
                },
                "sources": [_source(found.publications[i], found.files[i]) for i in ids],
            }
        )
    return {
        "profile": "tabular-data-package",
        "name": "crime-analysis-data",
        "title": "Police funding, officers and recorded crime, England and Wales",
        "licenses": [
            {
                "name": "OGL-UK-3.0",
                "title": "Open Government Licence v3.0",
                "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            }
        ],
        "resources": resources,
    }


def _field(field: codebook.Field) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": not field.missing}
    for key in ("minimum", "maximum", "pattern"):
        if getattr(field, key) is not None:
            constraints[key] = getattr(field, key)
    if field.allowed is not None:
        constraints["enum"] = list(field.allowed)
    described = {"name": field.name, "type": field.type, "description": field.description}
    if field.unit:
        described["unit"] = field.unit
    return {**described, "constraints": constraints}


def _source(publication: Publication, raw: RawFile) -> dict[str, Any]:
    described = {
        "id": publication.id,
        "title": publication.title,
        "publisher": publication.publisher,
        "edition": publication.edition,
        "licence": publication.licence,
        "file": raw.name,
        "sha256": raw.sha256,
        "obtained": "from a public mirror, not from the publisher's own site",
    }
    return described | ({"note": publication.note} if publication.note else {})
