"""Batches that are killed, interrupted, robbed of a process or raced by a twin.

Each test prints one line: what was injected and what survived (``pytest -s`` shows them).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat.v4
import pytest

from crime_analysis import reports
from crime_analysis.errors import ParameterError
from crime_analysis.reports.normalise import difference
from crime_analysis.reports.scheduler import Cluster

ROOT = Path(reports.__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="finds processes by /proc"
)

# A shell starts what it puts in the background with SIGINT ignored, and children inherit that.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from crime_analysis.cli import command; command()"
)
CELLS = ("x = 0", "import time\ntime.sleep(0.05)\nprint(x)")


def write(path: Path, *cells: str) -> Path:
    nb = nbformat.v4.new_notebook()
    nb.cells = [nbformat.v4.new_code_cell(text, id=f"c{n}") for n, text in enumerate(cells)]
    nb.cells[0].metadata["tags"] = ["parameters"]
    path.write_text(nbformat.writes(nb), encoding="utf-8")
    return path


class Arena:
    """A notebook, a folder of reports, and a mark on every process that comes of them."""

    def __init__(self, home: Path, temporary: str) -> None:
        self.home, self.temporary, self.out = home, temporary, home / "out"
        self.mark = f"arena-{secrets.token_hex(8)}"
        self.source = write(home / "n.ipynb", *CELLS)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": temporary,
            "CRIME_ANALYSIS_WARM_MODULES": "",
            "ARENA": self.mark,
        }

    def start(self, *words: str, values: str = "1,2,3,4,5,6") -> subprocess.Popen:
        arguments = ["render", str(self.source), "--over", f"x={values}", "--out", str(self.out)]
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments, "--jobs", "2", *words],
            cwd=self.home, env=self.environment, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: str, values: str = "1,2,3,4,5,6") -> tuple[int, str]:
        process = self.start(*words, values=values)
        said = process.communicate(timeout=60)
        return process.returncode, "".join(said)

    def processes(self, naming: str = "") -> list[int]:
        """Return the living processes of this arena whose command line holds a text."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                marked = f"ARENA={self.mark}".encode() in (folder / "environ").read_bytes()
                if marked and naming.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
        return found

    def one(self, naming: str) -> int:
        """Return a process of this arena as soon as there is one."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if found := self.processes(naming):
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"there is no process of {naming}")

    def seconds_until_gone(self) -> float:
        clock = time.monotonic()
        while left := self.processes():
            assert time.monotonic() - clock < 8, [
                Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left
            ]
            time.sleep(0.02)
        return time.monotonic() - clock

    def reports(self) -> list[str]:
        """Check that nothing is half there; return the names of the reports that are."""
        manifests = {
            path.name.removesuffix(".manifest.json"): json.loads(path.read_bytes())["outputs"]
            for path in self.out.glob("*.manifest.json")
        }
        for outputs in manifests.values():
            for name, sha256 in outputs.items():
                assert hashlib.sha256((self.out / name).read_bytes()).hexdigest() == sha256
        for path in self.out.glob("*.ipynb"):
            json.loads(path.read_bytes())
        for path in self.out.glob("*.html"):
            assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
        return sorted(manifests)

    def assert_clean(self) -> None:
        assert os.listdir(self.temporary) == []
        if self.out.exists():
            assert [name for name in os.listdir(self.out) if name.startswith(".")] == []


@pytest.fixture
def arena(tmp_path):
    # Sockets have short paths; pytest's own folders are long.
    with tempfile.TemporaryDirectory(prefix="t") as temporary:
        arena = Arena(tmp_path, temporary)
        yield arena
        for pid in arena.processes():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


NAMES = [f"n--x-{x}" for x in range(1, 7)]
EIGHT = "1,2,3,4,5,6,7,8"


def test_sigkill_at_20_random_moments_leaves_whole_reports_and_nothing_else(arena):
    chance = random.Random(20)
    assert arena.run(values="1,2,3,4")[0] == 0
    seen, slowest = [], 0.0
    for number in range(20):
        # While all starts up and there are reports to replace, or while they come to be anew.
        if number % 2:
            shutil.rmtree(arena.out)
        process = arena.start("--force", values="1,2,3,4")
        if number % 2:
            for _ in range(chance.randrange(1, 4)):
                assert process.stderr.readline()
            time.sleep(chance.uniform(0, 0.2))
        else:
            time.sleep(chance.uniform(0, 1.5))
        process.kill()
        process.communicate(timeout=10)
        slowest = max(slowest, arena.seconds_until_gone())
        seen.append(len(arena.reports()))
        arena.assert_clean()
    code, said = arena.run(values="1,2,3,4")
    assert code == 0, said
    assert arena.reports() == NAMES[:4]
    arena.assert_clean()
    print(
        f"\nSIGKILL at 20 moments: {min(seen)} to {max(seen)} of 4 reports stood, all whole; all "
        f"processes gone within {slowest:.1f} s; the rerun completed"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_all_within_two_seconds_and_says_how_to_go_on(arena, number):
    process = arena.start(values=EIGHT)
    first = process.stderr.readline()
    assert first.startswith("1/8 rendered ")
    clock = time.monotonic()
    # As a terminal does it, to the whole foreground group.
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=20)
    took = time.monotonic() - clock + arena.seconds_until_gone()
    assert took < 2.5
    assert process.returncode == 130
    last = said.splitlines()[-1]
    done = re.fullmatch(
        r"crime-analysis: interrupted: (\d+) of 8 reports are done; "
        r"run the same command again for the rest",
        last,
    )
    assert done, said
    assert "Traceback" not in said
    assert len(arena.reports()) >= int(done[1]) >= 1
    arena.assert_clean()
    code, said = arena.run(values=EIGHT)
    assert code == 0
    assert said.count(" fresh n--x-") >= int(done[1])
    print(f"\n{number.name}: {done[1]} of 8 done, all gone in {took:.1f} s, the rerun completed")


def test_two_batches_in_one_folder_both_succeed_and_leave_whole_reports(arena):
    twins = [arena.start("--force") for _ in range(2)]
    for twin in twins:
        out, said = twin.communicate(timeout=60)
        assert twin.returncode == 0, said
        assert re.search("rendered +6", out)
    assert arena.reports() == NAMES
    assert json.loads((arena.out / "summary.json").read_bytes())["counts"]["rendered"] == 6
    arena.seconds_until_gone()
    arena.assert_clean()
    code, said = arena.run()
    assert code == 0
    assert re.search("fresh +6", said)
    print("\ntwo batches at once: both exit 0, 6 whole reports, all fresh to a third")


def test_a_batch_survives_the_death_of_a_worker_and_of_its_keeper(arena):
    process = arena.start()
    for number, victim in enumerate(["worker", "keeper"], start=1):
        assert process.stderr.readline().startswith(f"{number}/6 rendered ")
        os.kill(arena.one(f"crime_analysis.reports.{victim}"), signal.SIGKILL)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert re.search("rendered +6", out)
    assert arena.reports() == NAMES
    arena.seconds_until_gone()
    arena.assert_clean()
    print("\na killed worker, then a killed keeper: all 6 reports were made")


def test_a_notebook_that_kills_its_workers_fails_alone_and_says_how(arena):
    killer = (
        "import os, signal, pathlib\n"
        "def marked(p):\n"
        "    try:\n"
        "        line, mark = (p / 'cmdline').read_bytes(), (p / 'environ').read_bytes()\n"
        "    except OSError:\n"
        "        return False\n"
        "    return b'reports.worker' in line and os.environ['ARENA'].encode() in mark\n"
        "if x == 2:\n"
        "    for p in filter(marked, pathlib.Path('/proc').glob('[0-9]*')):\n"
        "        os.kill(int(p.name), signal.SIGKILL)"
    )
    write(arena.source, "x = 0", killer)
    code, said = arena.run("--jobs", "1", values="1,2,3")
    assert code == 1, said
    assert arena.reports() == ["n--x-1", "n--x-3"]
    told = json.loads((arena.out / "summary.json").read_bytes())["reports"]
    assert [entry["status"] for entry in told] == ["rendered", "failed", "rendered"]
    assert told[1]["error"].startswith("the process that rendered it died, and the next one too")
    assert "SIGKILL" in told[1]["error"]
    arena.seconds_until_gone()
    arena.assert_clean()
    print("\na notebook that kills its worker twice: it failed, the 2 others were made")


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two worker processes on this computer."""
    distributed = pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        patch.setenv("CRIME_ANALYSIS_WARM_MODULES", "")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            yield cluster


def test_a_dask_cluster_is_refused_early_if_it_cannot_write_where_we_read(cluster, tmp_path):
    source = write(tmp_path / "n.ipynb", *CELLS)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(
        ParameterError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"
    ):
        Cluster("tcp://127.0.0.1:9", out, [source], patience=0.2)
    # A folder of that name is another one in every process.
    descriptor = os.open(out, os.O_RDONLY)
    ours = Path(f"/proc/self/fd/{descriptor}")
    try:
        with pytest.raises(ParameterError, match=rf"does not see {ours} as this computer does"):
            reports.render(source, out=ours, scheduler=cluster.scheduler_address)
    finally:
        os.close(descriptor)
    assert os.listdir(out) == []
    print("\na folder that Dask workers do not see: refused, nothing was written")


def test_a_dask_cluster_gives_the_same_reports_though_one_of_its_workers_is_killed(
    cluster, tmp_path
):
    source = write(tmp_path / "n.ipynb", *CELLS)
    over = {"x": [1, 2, 3, 4, 5, 6]}
    victim = next(iter(cluster.workers.values())).pid

    def kill() -> None:
        while len(list((tmp_path / "dask").glob("*.manifest.json"))) < 2:
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    there = reports.render(
        source, out=tmp_path / "dask", over=over, scheduler=cluster.scheduler_address
    )
    killer.join()
    with pytest.raises(ProcessLookupError):
        os.kill(victim, 0)
    here = reports.render(source, out=tmp_path / "here", over=over, jobs=2)
    assert [r.name for r in there.results] == [r.name for r in here.results] == NAMES
    for one, two in zip(there.rendered, here.rendered, strict=True):
        a, b = (nbformat.read(r.notebook, as_version=4) for r in (one, two))
        assert difference(a, b) == ""
    assert not list((tmp_path / "dask").glob(".*"))
    again = reports.render(
        source, out=tmp_path / "dask", over=over, scheduler=cluster.scheduler_address
    )
    assert len(again.skipped) == 6
    print("\na Dask worker killed in mid-batch: all 6 reports were made, equal to local ones")
