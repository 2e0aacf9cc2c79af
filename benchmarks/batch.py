"""Render the 43 force reports: this package against a plain loop over papermill and nbconvert.

The loop is what an analyst would write: for each force `papermill.execute_notebook`, then
nbconvert's `HTMLExporter`, in one process, a new kernel each time. Ours writes more (the report's
own page, manifest, index). Every way starts from an empty folder, and every executed notebook of
every way must be the loop's, normalised, or the run fails.

    python benchmarks/batch.py              # all forces; the fastest way three times, its median
    python benchmarks/batch.py --forces 6   # a quick look
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "force-report.ipynb"

# A process of its own for each way: none finds imports that another has made.
LOOP = """
import sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import papermill
from nbconvert import HTMLExporter
source, out, forces = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
for number, force in enumerate(forces):
    done = out / f"{number}.ipynb"
    papermill.execute_notebook(
        source, str(done), {"force": force}, kernel_name="python3", progress_bar=False)
    html, _ = HTMLExporter().from_filename(str(done))
    (out / f"{number}.html").write_text(html, encoding="utf-8")
"""
OURS = """
import json, sys
import crime_analysis as ca
source, out, jobs, warm, forces = sys.argv[1], *sys.argv[2:5], sys.argv[5:]
batch = ca.render(source, out=out, over={"force": forces}, jobs=int(jobs), warm=warm == "warm")
names = [str(result.notebook) for result in batch.results]
open(out + "/order.json", "w").write(json.dumps(names))
"""


def main() -> None:
    """Run every way, compare what they wrote, and print times, ratios and peak memory."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--forces", type=int, default=43, help="how many forces (default: all)")
    options.add_argument("--rounds", type=int, default=3, help="rounds of the fastest way")
    given = options.parse_args()
    told = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["metadata"]["crime_analysis"]
    forces = told["parameters"]["force"]["choices"][: given.forces]
    print(f"{len(forces)} reports of {NOTEBOOK.name}, {os.cpu_count()} processors, {versions()}")

    ways = [("cold", 1), ("cold", 2), ("warm", 1), *[("warm", 2)] * given.rounds]
    seconds: dict[tuple[str, int], list[float]] = {}
    memory: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as home:
        plain = Path(home, "plain")
        plain.mkdir()
        loop, peak = timed([LOOP, NOTEBOOK, plain, *forces])
        expected = [plain / f"{number}.ipynb" for number in range(len(forces))]
        print(
            f"{'plain loop':<16}{loop:8.1f} s {loop / len(forces):6.2f} s a report {peak:6.2f} GB"
        )
        for number, (kernels, jobs) in enumerate(ways):
            out = Path(home, str(number))
            out.mkdir()
            took, peak = timed([OURS, NOTEBOOK, out, jobs, kernels, *forces])
            seconds.setdefault((kernels, jobs), []).append(took)
            memory[kernels, jobs] = max(peak, memory.get((kernels, jobs), 0))
            written = json.loads((out / "order.json").read_text(encoding="utf-8"))
            same(expected, [Path(name) for name in written])
    for (kernels, jobs), times in seconds.items():
        median = statistics.median(times)
        print(
            f"{kernels}, {jobs} job{'s' if jobs > 1 else ' '}    {median:8.1f} s "
            f"{median / len(forces):6.2f} s a report {memory[kernels, jobs]:6.2f} GB "
            f"{loop / median:6.2f} times the loop's throughput"
            + (f" (rounds {', '.join(f'{t:.1f}' for t in times)})" if len(times) > 1 else "")
        )
    print(f"all {len(forces) * len(ways)} notebooks equal the plain loop's, normalised")


def timed(words: list[object]) -> tuple[float, float]:
    """Run a program given as text, and return its seconds and the peak memory in GB of its tree."""
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    clock = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", *map(str, words)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        peaks: list[float] = [0.0]
        watch = threading.Thread(target=watched, args=(process.pid, peaks), daemon=True)
        watch.start()
        _, said = process.communicate()
    took = time.perf_counter() - clock
    watch.join(5)
    if process.returncode:
        sys.exit(f"a way failed:\n{said}")
    return took, max(peaks)


def watched(root: int, peaks: list[float]) -> None:
    """Add the tree's memory to `peaks` until it is gone; shared pages count once (PSS)."""
    while Path(f"/proc/{root}/smaps_rollup").exists():
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(stat.parent.name)] = int(words[1])
        tree, grown = {root}, True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in tree} - tree
            tree, grown = tree | more, bool(more)
        kilobytes = 0
        for pid in tree:
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kilobytes += sum(int(n.split()[1]) for n in text.splitlines() if n.startswith("Pss:"))
        peaks.append(kilobytes / 1e6)
        time.sleep(0.5)


def same(expected: list[Path], written: list[Path]) -> None:
    """Stop unless every notebook is, normalised, the one expected."""
    import nbformat

    from crime_analysis.reports.normalise import difference, normalised

    for left, right in zip(expected, written, strict=True):
        a, b = (normalised(nbformat.read(path, as_version=4)) for path in (left, right))
        if a != b:
            sys.exit(f"{right.name} differs from the plain loop's:\n{difference(a, b)}")


def versions() -> str:
    """Return what was compared."""
    told = {name: version(name) for name in ("papermill", "nbclient", "nbconvert", "ipykernel")}
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{n} {v}" for n, v in told.items())]
    )


if __name__ == "__main__":
    main()
