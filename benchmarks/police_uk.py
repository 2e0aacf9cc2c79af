"""Time `read_police_uk` against a loop with pandas, on files in the published layout.

The files are made from the real cut in ``tests/cuts``: rows drawn at random, each with a crime
ID of its own and a borough drawn at random. The readers take turns, each in a new process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FORCES = {
    "metropolitan": "Metropolitan Police Service",
    "west-midlands": "West Midlands Police",
    "devon-and-cornwall": "Devon & Cornwall Police",
    "city-of-london": "City of London Police",
}


def make(folder: Path, rows: int, files: int) -> None:
    """Write the files, as a folder and as an archive."""
    sys.path.insert(0, str(ROOT))
    from crime_analysis.places import BOROUGHS

    cut = (ROOT / "tests" / "cuts" / "police_uk_street_2023-01.csv").read_text(encoding="utf-8")
    heading, *lines = cut.splitlines()
    chance = random.Random(2018)
    tails = []
    for line in lines:
        _, month, force, _, rest = line.split(",", 4)
        for _ in range(40):
            area = (
                f"{chance.choice(BOROUGHS)} {chance.randrange(1, 40):03}{chance.choice('ABCDEF')}"
            )
            before, code, name, after = rest.rsplit(",", 5)[0], *_lsoa(rest, area)
            tails.append(f",{month},{force},{force},{before},{code},{name},{after}")
    with zipfile.ZipFile(folder / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            slug = list(FORCES)[number % len(FORCES)]
            year, month = divmod(number // len(FORCES), 12)
            name = f"{2015 + year}-{month + 1:02}"
            count = rows // files + (number < rows % files)
            drawn = sorted(chance.choices(tails, k=count), key=_place)
            text = "\n".join(
                hashlib.sha256(f"{number} {i}".encode()).hexdigest() + t
                for i, t in enumerate(drawn)
            )
            text = text.replace(",2023-01,", f",{name},").replace(
                "City of London Police", FORCES[slug]
            )
            member = f"{name}/{name}-{slug}-street.csv"
            path = folder / "files" / member
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{heading}\n{text}\n", encoding="utf-8")
            archive.write(path, member)


def _place(row: str) -> tuple[bool, str]:
    """Rows are published in the order of their places, those without one last."""
    name = row.split(",")[8]
    return name == "", name


def _lsoa(rest: str, area: str) -> tuple[str, str, str]:
    _, code, name, *after = rest.rsplit(",", 5)
    return code, area if name else "", ",".join(after)


def loop(path: Path, *, categories: bool) -> int:
    """Count by month, borough and crime type as one would by hand with pandas."""
    import pandas as pd

    columns = ["Month", "LSOA name", "Crime type"]
    parts = []

    def count(stream) -> None:
        if categories:
            frame = pd.read_csv(stream, usecols=columns, dtype="category")
            part = frame.groupby(columns, dropna=False, observed=True).size().reset_index()
            part["borough"] = part["LSOA name"].astype(object).str[:-5]
            part = part.groupby(["Month", "borough", "Crime type"], dropna=False, observed=True)
            parts.append(part[0].sum())
        else:
            frame = pd.read_csv(stream, usecols=columns)
            frame["borough"] = frame["LSOA name"].str[:-5]
            parts.append(frame.groupby(["Month", "borough", "Crime type"], dropna=False).size())

    if path.is_dir():
        for file in sorted(path.rglob("*-street.csv")):
            count(file)
    else:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                with archive.open(member) as stream:
                    count(stream)
    return int(pd.concat(parts).groupby(level=[0, 1, 2], dropna=False).sum().sum())


def _peak() -> float:
    """Return this process's peak memory in MB, without what its parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(n for n in status.read_text().splitlines() if n.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(reader: str, path: Path) -> None:
    """Print the rows, seconds, processor seconds (without imports) and peak MB of a reading."""
    sys.path.insert(0, str(ROOT))
    import pandas  # noqa: F401

    from crime_analysis.sources.police_uk import read_police_uk

    before, worked = time.perf_counter(), time.process_time()
    if reader == "read_police_uk":
        rows = int(read_police_uk(path)["count"].sum())
    else:
        rows = loop(path, categories=reader == "pandas, categories")
    seconds = time.perf_counter() - before
    work = time.process_time() - worked
    print(json.dumps({"rows": rows, "seconds": seconds, "work": work, "peak": _peak()}))


def main() -> None:
    """Make the files, let the readers take turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--files", type=int, default=48, help="months times forces")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", nargs=2, metavar=("READER", "PATH"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.run:
        run(chosen.run[0], Path(chosen.run[1]))
        return
    readers = ["pandas", "pandas, categories", "read_police_uk"]
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), chosen.rows, chosen.files)
        print(f"{chosen.rows:,} rows in {chosen.files} files, {os.cpu_count()} processors")
        for name in ("files", "archive.zip"):
            path = Path(folder, name)
            taken: dict[str, list[dict]] = {reader: [] for reader in readers}
            for _ in range(chosen.rounds):
                for reader in readers:
                    command = [sys.executable, __file__, "--run", reader, str(path)]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    taken[reader].append(json.loads(done.stdout))
                    if taken[reader][-1]["rows"] != chosen.rows:
                        sys.exit(f"{reader} counted {taken[reader][-1]['rows']:,} rows of {name}")
            middle = {
                reader: [
                    statistics.median(t[k] for t in taken[reader]) for k in ("seconds", "work")
                ]
                for reader in readers
            }
            for reader, (seconds, work) in middle.items():
                ratio, spent = (
                    a / b for a, b in zip(middle[readers[-1]], middle[reader], strict=True)
                )
                peak = max(t["peak"] for t in taken[reader])
                print(
                    f"{name:12} {reader:19} {seconds:6.2f} s (ratio {ratio:4.2f})"
                    f" {work:6.2f} s of processor (ratio {spent:4.2f})  peak {peak:4.0f} MB"
                )


if __name__ == "__main__":
    main()
