"""Every published number that the package can be asked for, through its public interface.

The printed table stands in tests/reference/README.md too; a test says that it is the same.
`python tests/test_replication.py` writes it there.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import crime_analysis as ca

README = Path(__file__).parent / "reference" / "README.md"
START, END = "<!-- published, ours, difference -->", "<!-- end -->"
Found = Iterator[tuple[str, float, float]]


def cornwell_trumbull(folder: Path) -> Found:
    """Crime in North Carolina's counties, 1981-87: changes, levels, instruments, means."""
    data = pd.read_csv(folder / "crime4.csv")
    changed = ca.first_differences(
        "lcrmrte ~ lprbarr + lprbconv + lprbpris + lavgsen + lpolpc | year",
        data, unit="county", time="year", errors="classical",
    ).tidy()  # fmt: skip
    names = {"clprbarr": "lprbarr", "clprbcon": "lprbconv", "clprbpri": "lprbpris",
             "clavgsen": "lavgsen", "clpolpc": "lpolpc"}  # fmt: skip
    for printed, term in names.items():
        yield f"FD {printed}", changed.loc[term, "estimate"], changed.loc[term, "std_error"]
    wages = [
        f"lw{sector}" for sector in ["con", "tuc", "trd", "fir", "ser", "mfg", "fed", "sta", "loc"]
    ]
    rest = ["lprbconv", "lprbpris", "lavgsen", "ldensity", *wages, "lpctymle"]
    place = ["lpctmin", "west", "central", "urban"]
    police = ["lprbarr", "lpolpc"]
    instruments = " | lprbarr + lpolpc ~ ltaxpc + lmix"
    within, across = " + ".join(rest), " + ".join(rest + place)
    fits = {
        "between": ca.between(
            f"lcrmrte ~ {across} + {' + '.join(police)}", data, unit="county", errors="classical"
        ),
        "two-way within": ca.fit_panel(
            f"lcrmrte ~ {within} + {' + '.join(police)} | county + year", data, errors="classical"
        ),
        "FE2SLS": ca.fit_panel(
            f"lcrmrte ~ {within} | county + year{instruments}", data, errors="classical"
        ),
        "BE2SLS": ca.between(
            f"lcrmrte ~ {across}{instruments}", data, unit="county", errors="classical"
        ),
    }
    for name, fit in fits.items():
        for term, row in fit.tidy().iterrows():
            yield f"{name} {term}", row["estimate"], row["std_error"]


def cheng_hoekstra(folder: Path) -> Found:
    """Castle doctrine laws: weighted panels, event study, group-time effects, counts."""
    data = pd.read_stata(folder / "castle_mixtape.dta")
    data["region"] = np.select([data[r] == 1 for r in ("northeast", "midwest", "south")], [1, 2, 3])
    data["year_before"] = (data["year"] == data["effyear"] - 1) * 1.0
    data["log_residents"] = np.log(data["population"].astype(float))
    more = ["l_police", "unemployrt", "poverty", "l_income", "l_prisoner", "l_lagprisoner",
            "blackm_15_24", "whitem_15_24", "blackm_25_44", "whitem_25_44", "l_exp_subsidy",
            "l_exp_pubwelfare"]  # fmt: skip
    # A trend for every state but one a region: the region's years take that one up.
    trends = {
        c: int(data.loc[data[c] > 0, "sid"].iloc[0])
        for c in data.columns[data.columns.str.startswith("trend_")]
        if data[c].any()
    }
    first = set(data.groupby("region")["sid"].min())
    lines = [c for c, state in trends.items() if state not in first]
    years, regions = "sid + year", "sid + region^year"
    columns: dict[int, tuple[list[str], str]] = {
        1: ([], years),
        2: ([], regions),
        3: (more, regions),
        4: (["year_before", *more], regions),
        5: ([*more, "l_larceny", "l_motor"], regions),
        6: ([*more, *lines], regions),
    }
    for outcome in ("homicide", "murder", "burglary", "robbery", "assault", "larceny", "motor"):
        for label, weights in (("weighted", "popwt"), ("unweighted", None)):
            for number, (controls, effects) in columns.items():
                held = [c for c in controls if c != f"l_{outcome}"]
                formula = f"l_{outcome} ~ {' + '.join(['cdl', *held])} | {effects}"
                row = ca.fit_panel(formula, data, cluster="sid", weights=weights).term("cdl")
                name = f"l_{outcome} {label} col {number}"
                yield name, row["estimate"], row["std_error"]
    study = ca.event_study(data, "l_homicide", "sid", "year", start="effyear")
    for term, row in study.tidy().iterrows():
        yield f"TWFE event study {term}", row["estimate"], row["std_error"]
    effects = ca.group_time_effects(data, "l_homicide", "sid", "year", "effyear")
    for term, row in effects.tidy("event").iterrows():
        since = str(term).split()[-1]
        if since.isdigit():
            yield f"Callaway-Sant'Anna T+{since} (never-treated)", row["estimate"], np.nan
    for number, held in ((1, years), (2, regions)):
        row = ca.fit_panel(
            f"homicide_c ~ cdl | {held}", data, cluster="sid", family="negative_binomial",
            offset="log_residents",
        ).term("cdl")  # fmt: skip
        yield f"homicide count NegBin col {number}", row["estimate"], row["std_error"]


def stock_watson(folder: Path) -> Found:
    """Shall-carry laws: which errors, and which small-sample factor."""
    data = pd.read_csv(folder / "Guns.csv")
    data["shall"] = (data["law"] == "yes") * 1.0
    held = "shall + prisoners + density + income + population + afam + cauc + male"
    models = {
        "shall (1)": ("shall", {}),
        "shall (2)": (held, {}),
        "shall (3) state FE": (f"{held} | state", {}),
        "shall (4) state+year FE": (f"{held} | state + year", {}),
        "shall (5) clustered, nested FE not counted": (
            f"{held} | state + year", {"cluster": "state"},
        ),
        "shall (5) LSDV clustered SE, k counts the dummies": (
            f"{held} | state + year", {"cluster": "state", "small_sample": "all"},
        ),
    }  # fmt: skip
    for name, (right, options) in models.items():
        row = ca.fit_panel(f"log(violent) ~ {right}", data, **options).term("shall")
        yield name, row["estimate"], row["std_error"]


def lopez_bernal(folder: Path) -> Found:
    """Sicily's smoking ban: a step in counts, with and without season."""
    data = pd.read_csv(folder / "sicily.csv")
    data["date"] = data["year"].astype(str) + "-" + data["month"].astype(str).str.zfill(2)
    data["log_people"] = np.log(data["stdpop"])
    ban = data.loc[data["smokban"] == 1, "date"].iloc[0]
    common = {"time": "date", "offset": "log_people", "slope": False, "errors": "model"}
    for name, family, season in (
        ("Poisson step", "poisson", 0),
        ("quasi-Poisson + 2 Fourier pairs", "quasipoisson", 2),
    ):
        ratios = ca.interrupted_series(
            data, "aces", ban, family=family, season=season, **common
        ).rate_ratios()  # fmt: skip
        low, middle, high = ratios.loc["level_change", ["ci_low", "estimate", "ci_high"]]
        short = name.replace("2 Fourier pairs", "Fourier")
        yield f"{name} RR", middle, np.nan
        yield f"{short} RR 95% lo", low, np.nan
        yield f"{short} RR 95% hi", high, np.nan


def arkhangelsky(folder: Path) -> Found:
    """California's Proposition 99."""
    data = pd.read_csv(folder / "california_prop99.csv", sep=None, engine="python")
    for name, method in (("DiD", "did"), ("SDID (diff-diff 3.13.0)", "sdid")):
        effect = ca.synthetic_control(
            data, "PacksPerCapita", "State", "Year", "California", 1989, method=method
        ).effect
        yield name, effect, np.nan


def cinelli_hazlett(folder: Path) -> Found:
    """Darfur: what a confounder would have to explain."""
    data = pd.read_csv(folder / "darfur.csv")
    fit = ca.fit_panel(
        "peacefactor ~ directlyharmed + age + farmer_dar + herder_dar + pastvoted + hhsize_darfur"
        " + female | village",
        data, errors="classical",
    )  # fmt: skip
    row = fit.term("directlyharmed")
    yield "estimate", row["estimate"], np.nan
    yield "se", row["std_error"], np.nan
    found = ca.sensitivity(fit, "directlyharmed").statistics
    yield "partial R2", found["partial_r2"], np.nan
    yield "RV q=1", found["rv"], np.nan
    yield "RV q=1 alpha=.05", found["rv_alpha"], np.nan


STUDIES: dict[str, Callable[[Path], Found]] = {
    "cheng_hoekstra_2013": cheng_hoekstra,
    "cornwell_trumbull_1994": cornwell_trumbull,
    "its_lopezbernal_2017": lopez_bernal,
    "sensemakr_darfur": cinelli_hazlett,
    "stock_watson_guns": stock_watson,
    "synthdid_prop99": arkhangelsky,
}


def printed_unit(text: str) -> float:
    """The last digit that a number is printed to, as a number."""
    _, _, decimals = text.partition(".")
    return 10.0 ** -len(decimals)


@functools.cache
def compared(folder: Path) -> pd.DataFrame:
    """Published and ours, a row a number; ``slack`` is half of the last digit printed."""
    published = pd.read_csv(folder / "published.csv", dtype=str)
    ours = pd.DataFrame(
        [(study, *row) for study, made in STUDIES.items() for row in made(folder / study)],
        columns=["folder", "quantity", "estimate", "std_error"],
    )
    both = published.merge(ours, on=["folder", "quantity"], how="left", validate="one_to_one")
    rows = []
    for row in both.itertuples():
        for kind in ("estimate", "std_error"):
            suffix = "" if kind == "estimate" else "_se"
            text = getattr(row, f"published{suffix}")
            by_publisher = isinstance(text, str)
            # Not printed in the study: the value that another program gave for the same model.
            text = text if by_publisher else getattr(row, f"recomputed{suffix}")
            if not isinstance(text, str) or (kind == "std_error" and np.isnan(row.std_error)):
                continue
            rows.append(
                {
                    "study": row.folder,
                    "quantity": row.quantity,
                    "number": kind.replace("_", " "),
                    "published": text,
                    "ours": getattr(row, kind),
                    "slack": printed_unit(text) / 2,
                    "by": "study" if by_publisher else "another program",
                }
            )
    table = pd.DataFrame(rows)
    table["difference"] = table["ours"] - table["published"].astype(float)
    return table


def told(table: pd.DataFrame) -> str:
    lines = [
        "| study | quantity | number | published | ours | difference |",
        "|---|---|---|---|---|---|",
    ]
    for row in table.itertuples():
        mark = "" if row.by == "study" else " (another program)"
        lines.append(
            f"| {row.study} | {row.quantity} | {row.number} | {row.published}{mark} |"
            f" {row.ours:.6f} | {row.difference:+.6f} |".replace("+0.000000", "0.000000")
        )
    return "\n".join(lines).replace("-0.000000", "0.000000")


def test_every_published_number_is_reproduced_to_the_digits_printed(
    replication: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = compared(replication)
    with capsys.disabled():
        print(f"\n{told(table)}")
    assert table["ours"].notna().all(), table.loc[table["ours"].isna(), "quantity"].tolist()
    # A unit in the last place of what binary floating point makes of the printed digits.
    outside = table[table["difference"].abs() > table["slack"] + 1e-9]
    assert outside.empty, told(outside)


def test_no_row_of_the_published_table_is_left_out(replication: Path) -> None:
    published = pd.read_csv(replication / "published.csv")
    shown = compared(replication)[["study", "quantity"]].drop_duplicates()
    assert len(shown) == len(published)


def test_the_stored_table_is_the_one_made_now(replication: Path) -> None:
    stored = README.read_text(encoding="utf-8")
    assert stored.split(START)[1].split(END)[0].strip() == told(compared(replication))


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "replication"
    made = told(compared(Path(os.environ.get("CRIME_ANALYSIS_REPLICATION") or beside)))
    before, _, rest = README.read_text(encoding="utf-8").partition(START)
    README.write_text(f"{before}{START}\n{made}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
