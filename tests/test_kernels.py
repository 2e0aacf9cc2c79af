"""Kernels: a warm one is as a fresh one, a broken one stops alone, and none leaves anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from importlib.metadata import entry_points
from pathlib import Path

import nbformat.v4
import pytest

from crime_analysis.reports import keeper, kernel, launch
from crime_analysis.reports.normalise import difference, normalised

pytestmark = pytest.mark.skipif(not keeper.available(), reason="keepers need Linux")

ROOT = Path(keeper.__file__).parents[2]
MODULES = "numpy,pandas,pandas.io.formats.style,matplotlib.pyplot"


@pytest.fixture(scope="module", autouse=True)
def temporary():
    """Where all folders of these tests' kernels are made."""
    with (
        tempfile.TemporaryDirectory(prefix="t") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        patch.setenv("TMPDIR", folder)
        # matplotlib writes the time into a figure.
        patch.setenv("SOURCE_DATE_EPOCH", "1514764800")
        patch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@contextlib.contextmanager
def a_keeper(modules: str):
    """Start a keeper that imports these, and have the kernels of this process come from it."""
    with asking_for(modules):
        one = keeper.start_keeper()
    try:
        with asking_for(modules, one):
            yield one
    finally:
        one.close()


@contextlib.contextmanager
def asking_for(modules: str, one: keeper.Keeper | None = None):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRIME_ANALYSIS_WARM_MODULES", modules)
        patch.setenv(keeper.ADDRESS, one.address if one else "")
        yield


@pytest.fixture(scope="module")
def bare(temporary):
    with a_keeper("") as one:
        yield one


@pytest.fixture(scope="module")
def full(temporary):
    with a_keeper(MODULES) as one:
        yield one


@pytest.fixture
def kept(bare):
    """A keeper that has imported only what every kernel needs."""
    with asking_for("", bare):
        yield bare


@pytest.fixture
def imported(full):
    """A keeper that has imported what the notebook of these tests does."""
    with asking_for(MODULES, full):
        yield full


@pytest.fixture
def nothing_left(temporary):
    """Check that no kernel's folder is left."""
    before = set(temporary.glob("ca-*"))
    yield
    assert set(temporary.glob("ca-*")) == before


def notebook(*cells: str):
    metadata = {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    sources = [nbformat.v4.new_code_cell(textwrap.dedent(cell)) for cell in cells]
    return nbformat.v4.new_notebook(cells=sources, metadata=metadata)


def run(*cells: str, **how) -> kernel.Run:
    return kernel.execute(notebook(*cells), **how)


def printed(done: kernel.Run, cell: int = -1, name: str = "stdout") -> str:
    outputs = done.nb.cells[cell].outputs
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == name)


def survived(injected: str, what: str) -> None:
    print(f"injected: {injected}; survived: {what}")


def gone(pids: Path | list[int], within: float = 5) -> bool:
    """Whether none of these processes runs any longer; a few seconds are allowed for dying."""
    if isinstance(pids, Path):
        pids = [int(pid) for pid in pids.read_text().split()]
    assert pids
    deadline = time.monotonic() + within
    while any(map(running, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(running, pids))


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def wait_for(path: Path, lines: int = 1) -> None:
    deadline = time.monotonic() + 40
    while not path.exists() or len(path.read_text().splitlines()) < lines:
        assert time.monotonic() < deadline, f"{path} has not come"
        time.sleep(0.01)


# --- as a fresh one ---------------------------------------------------------------------------

STATE = """
    import builtins, gc, hashlib, json, os, resource, signal, sys, threading, warnings
    own = {"IPYTHONDIR", "TMPDIR", "JPY_PARENT_PID"}
    home = os.path.dirname(sys.argv[-1] if "hist" not in sys.argv[-1] else sys.argv[-2])
    known = {k: str(v) for k, v in vars(builtins).items() if " at 0x" not in str(v)}
    print(json.dumps({
        "argv": [a.replace(home, "HOME") for a in sys.argv],
        "orig_argv": [a.replace(home, "HOME") for a in sys.orig_argv],
        "folder": os.getcwd(),
        "path": sys.path,
        "environment": {k: v for k, v in os.environ.items() if k not in own},
        "main": sorted(vars(sys.modules["__main__"])),
        "name": [__name__, str(sys.modules["__main__"].__spec__)],
        "signals": {s.name: str(signal.getsignal(s)).split(" at ")[0] for s in signal.Signals},
        "descriptors": sum(os.path.exists(f"/proc/self/fd/{n}") for n in range(3)),
        "session": os.getsid(0) == os.getpid() == os.getpgid(0),
        "limits": resource.getrlimit(resource.RLIMIT_DATA),
        "umask": os.umask(0o22),
        "collecting": [gc.isenabled(), gc.get_threshold()],
        "hash": hash("officers"),
        "hooks": [str(type(h)) for h in (sys.displayhook, sys.excepthook, sys.stdout, sys.stdin)],
        "builtins": known,
        "threads": sorted(type(t).__name__ for t in threading.enumerate()),
        "warnings": [str(f) for f in warnings.filters],
        "temporary": os.environ["TMPDIR"].replace(home, "HOME"),
        "profile": os.environ["IPYTHONDIR"].replace(home, "HOME"),
        "parent": os.environ["JPY_PARENT_PID"] == str(os.getppid()),
    }))
"""


def test_a_warm_kernel_starts_as_a_cold_one_does(kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    states = [json.loads(printed(run(STATE, warm=warm, memory_gb=3))) for warm in (True, False)]
    assert states[0] == states[1]
    assert states[0]["folder"] == str(tmp_path)
    assert states[0]["environment"]["PYTHONHASHSEED"] == "0"
    assert states[0]["environment"]["OMP_NUM_THREADS"] == os.environ.get("OMP_NUM_THREADS", "1")
    assert states[0]["session"]
    assert states[0]["parent"]
    assert keeper.ADDRESS not in states[0]["environment"]


def test_two_warm_kernels_share_nothing(kept):
    leave = """
        import builtins, json, os, random, sys
        builtins.mark = json.mark = x = os.environ["MARK"] = "here"
        os.chdir("/"); sys.path.insert(0, "/nowhere")
        print(random.random(), os.urandom(4))
    """
    look = """
        import builtins, json, os, random, sys
        print(random.random(), os.urandom(4))
        found = [hasattr(builtins, "mark"), hasattr(json, "mark"), "x" in dir()]
        print(found, os.environ.get("MARK"), os.getcwd() == "/", "/nowhere" in sys.path)
    """
    first, second = run(leave), run(look)
    assert printed(second).splitlines()[1] == "[False, False, False] None False False"
    assert printed(second).splitlines()[0] != printed(first).splitlines()[0]


FULL = [
    """
    import ctypes, os, sys, warnings
    import matplotlib.pyplot as plt, numpy as np, pandas as pd
    print(pd.options.display.max_columns, plt.get_backend(), plt.isinteractive())
    print({k: str(v) for k, v in plt.rcParams.items()})
    print(np.get_printoptions(), sorted(str(f) for f in warnings.filters))
    print(sorted(vars(sys.modules["__main__"])))
    """,
    "%config InlineBackend.figure_formats = ['svg']\nplt.rcParams['svg.hashsalt'] = 'x'\n"
    "plt.plot([1, 3, 2]); plt.title('officers')",
    "fig, ax = plt.subplots()\nax.bar([1, 2], [3, 4]); 7",
    "%matplotlib inline\n%config InlineBackend.figure_format = 'retina'\nplt.plot([1, 2]);",
    "pd.DataFrame(np.arange(60.0).reshape(2, 30)).rename_axis('year')",
    "print(pd.DataFrame(np.arange(60.0).reshape(2, 30)))",
    "pd.DataFrame({'a': [1.5]}).style.format('{:.1f}')",
    "print('out'); print('err', file=sys.stderr); warnings.warn('careful'); print('out again')",
    "ctypes.CDLL(None).write(1, b'from C\\n', 7); import time; time.sleep(0.3)",
    "%%bash\necho from a shell; echo aside >&2",
    "!echo $MPLBACKEND",
    "%timeit -n1 -r1 -q 1",
    "from IPython.display import HTML, Markdown, display\n"
    "display(HTML('<b>x</b>'), Markdown('*y*')); In[-1][:7], _exit_code",
    "print(_i[:9]); Out",
    "print('10%\\r20%\\r30%'); print('done\\r')",
    "try:\n    input('?')\nexcept Exception as error:\n    print(type(error).__name__, error)",
    "%history -n 1-2",
    "raise ValueError('at last')",
]


def test_a_warm_kernel_yields_the_same_notebook_as_a_cold_one(imported):
    warm, cold = run(*FULL), run(*FULL, warm=False)
    assert difference(warm.nb, cold.nb) == ""
    assert normalised(warm.nb) == normalised(cold.nb)
    assert warm.error == cold.error == ("ValueError", "at last")
    assert warm.cell == cold.cell == len(FULL) - 1
    kinds = [o.output_type for c in warm.nb.cells for o in c.outputs]
    assert kinds.count("error") == 1
    data = [o.data for c in warm.nb.cells for o in c.outputs if "data" in o]
    assert sum("image/svg+xml" in d for d in data) == 2
    assert sum("image/png" in d for d in data) == 1
    assert printed(warm, 8) == "from C\n"
    assert printed(warm, 9) == "from a shell\n"
    assert printed(warm, 14) == "30%\ndone\r\n"
    assert printed(warm, 15).startswith("StdinNotImplementedError")
    assert printed(warm, 10).splitlines() == ["module://matplotlib_inline.backend_inline"]


def test_numpy_is_seeded_anew_in_every_kernel(imported):
    drawn = {printed(run("import numpy as np; print(np.random.random(), 1)")) for _ in range(3)}
    assert len(drawn) == 3


def pid_and_why(one: keeper.Keeper, **changed) -> str:
    """Return why a kernel of this keeper would not be warm."""
    from crime_analysis.reports.provisioner import KeptProcess

    request = {
        "arguments": ["--version"], "env": keeper.environment(), "cwd": os.getcwd(),
        "home": None, "memory": None, "warm": True,
    }  # fmt: skip
    with open(os.devnull, "wb") as nothing:
        process = KeptProcess(one.address, request | changed, [nothing.fileno()] * 2)
        process.wait(20)
    assert process.cold is not None
    return process.cold


def test_a_kernel_is_cold_where_a_warm_one_would_have_imported_something_else(
    imported, tmp_path, monkeypatch
):
    assert pid_and_why(imported) == ""
    env = keeper.environment() | {"LANG": "fr_FR.UTF-8"}
    assert "differs in LANG" in pid_and_why(imported, env=env)
    (tmp_path / "notes.py").write_text("")
    (tmp_path / "json").mkdir()
    assert pid_and_why(imported, cwd=str(tmp_path)) == ""
    (tmp_path / "pandas.py").write_text("here = 1")
    assert "pandas.py in its folder" in pid_and_why(imported, cwd=str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert printed(run("import pandas; print(pandas.here)")) == "1\n"


def test_what_was_edited_is_imported_anew(temporary, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    module = tmp_path / "edited_since.py"
    module.write_text("value = 1")
    look = "import sys; early = 'edited_since' in sys.modules; import edited_since as e\n"
    look += "print(early, e.value)"
    with a_keeper("edited_since") as one:
        assert printed(run(look)) == "True 1\n"
        module.write_text("value = 22")
        assert printed(run(look)) == "True 22\n"
        assert one.alive


# --- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("warm", [True, False])
def test_exit_handlers_run_and_open_files_are_written(kept, tmp_path, nothing_left, warm):
    done = run(
        f"import atexit, tempfile\n"
        f"atexit.register(lambda: open({str(tmp_path / 'handled')!r}, 'w').write('yes'))\n"
        f"open_ = open({str(tmp_path / 'open')!r}, 'w'); open_.write('half a line')\n"
        "print(tempfile.mkdtemp())",
        warm=warm,
    )
    assert (tmp_path / "handled").read_text() == "yes"
    assert (tmp_path / "open").read_text() == "half a line"
    assert not Path(printed(done).strip()).exists()


def test_what_does_not_end_is_ended(kept, tmp_path, nothing_left):
    started = time.monotonic()
    done = run("import atexit, time, os; atexit.register(time.sleep, 600); print(os.getpid())")
    assert done.error is None
    assert gone([int(printed(done))], within=0)
    assert time.monotonic() - started < 8


# --- faults -----------------------------------------------------------------------------------


def test_a_kernel_that_exits(kept, nothing_left):
    done = run("print('before')", "import os; os._exit(3)", "print('after')")
    assert done.error == ("DeadKernelError", "the kernel died with exit code 3")
    assert done.cell == 1
    assert printed(done, 0) == "before\n"
    assert run("1").error is None
    survived("os._exit in a cell", "the output of the cells before it, and the next notebook")


def test_a_kernel_that_crashes(kept, nothing_left):
    done = run("import faulthandler; faulthandler._sigsegv()")
    assert done.error[0] == "DeadKernelError"
    assert done.error[1].startswith("the kernel died of SIGSEGV")
    assert done.cell == 0
    survived("a segmentation fault", "the notebook, which says so")


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_cell_that_hangs(kept, nothing_left, stubborn):
    wait = "import time, os\nprint(os.getpid(), flush=True)\ntime.sleep(600)"
    if stubborn:
        wait = f"import signal\nsignal.pthread_sigmask(0, [signal.SIGINT])\n{wait}"
    done = run(wait, timeout=1)
    assert done.error == ("TimeoutError", "the cell took longer than 1 s")
    assert gone([int(printed(done))], within=0)
    errors = [o.ename for o in done.nb.cells[0].outputs if o.output_type == "error"]
    assert errors == ([] if stubborn else ["KeyboardInterrupt"])
    survived(
        f"a cell that sleeps for ten minutes, stubborn: {stubborn}",
        "all but that cell; the traceback says where it was" if not stubborn else "all but it",
    )


def test_a_kernel_that_eats_memory(kept, nothing_left):
    eat = "held = []\nwhile True:\n    held.append(bytearray(50_000_000))"
    done = run(eat, memory_gb=0.8)
    assert done.error[0] == "MemoryError"
    assert run("held = bytearray(500_000_000); 1", memory_gb=0.8).error is None
    survived("a cell that takes all memory", "its limit of 0.8 GB, and everybody else")


FORK = """
    import os, time
    for child in range({count}):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            with open({pids!r}, "a") as file:
                file.write(f"{{os.getpid()}}\\n")
            time.sleep(600)
            os._exit(0)
    while len(open({pids!r}, "a+").read() or open({pids!r}).read().split()) < {count}:
        time.sleep(0.01)
"""


def test_a_kernel_that_forks(kept, tmp_path, nothing_left):
    pids = tmp_path / "pids"
    done = run(FORK.format(count=20, pids=str(pids)), "1")
    assert done.error is None
    assert len(pids.read_text().split()) == 20
    assert gone(pids, within=0)
    survived("20 children, forked twice into sessions of their own", "none of them")


def test_a_kernel_whose_children_go_on_forking(kept, tmp_path, nothing_left):
    bomb = """
        import os, time
        def bear(depth):
            with open({pids!r}, "a") as file:
                file.write(f"{{os.getpid()}}\\n")
            while True:
                time.sleep(0.005)
                if os.fork() == 0:
                    os.setsid()
                    return bear(depth + 1)
                if depth:
                    os._exit(0)
                time.sleep(600)
        for child in range(20):
            if os.fork() == 0:
                bear(1)
        time.sleep(0.3)
    """
    pids = tmp_path / "pids"
    done = run(bomb.format(pids=str(pids)))
    assert done.error is None
    assert gone(pids, within=0.5)
    count = len(pids.read_text().split())
    time.sleep(0.1)
    assert len(pids.read_text().split()) == count
    survived("20 lines of children that fork, leave and end", f"none of {count} of them")


def test_a_kernel_that_prints_200_mb(kept, nothing_left):
    flood = "line = 'x' * 999_999\nfor _ in range(200):\n    print(line)"
    peak = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    done = run(flood, "import sys; print('y' * 200_000_000, file=sys.stderr)", peak)
    assert done.error is None
    text = printed(done, 0)
    assert len(text) < launch.CELL_LIMIT + 100
    assert text.endswith("[stdout beyond 500,000 characters of this cell is left out]\n")
    assert printed(done, 1, "stderr").endswith(
        "[stderr beyond 500,000 characters of this cell is left out]\n"
    )
    assert int(printed(done, 2)) < 900
    survived("200 MB on stdout and on stderr", "the first half MB of each, and the next cell")


def test_a_kernel_that_writes_to_stdout_from_c(kept, nothing_left):
    flood = """
        import ctypes, time
        write, text = ctypes.CDLL(None).write, b"z" * 1_000_000
        for _ in range(20):
            assert write(1, text, len(text)) == len(text)
        time.sleep(0.3)
    """
    done = run(flood, "print('after')")
    assert done.error is None
    assert 400_000 < len(printed(done, 0)) < launch.CELL_LIMIT + 100
    assert printed(done, 1) == "after\n"
    survived("20 MB on stdout from C", "the first half MB, and the next cell")


def test_a_notebook_that_fails_in_its_last_cell(kept, nothing_left):
    done = run("print(1)", "print(2); raise RuntimeError('so late')")
    assert done.error == ("RuntimeError", "so late")
    assert done.cell == 1
    assert [printed(done, cell) for cell in (0, 1)] == ["1\n", "2\n"]
    survived("an exception in the last cell", "all outputs")


def test_a_keeper_killed_in_the_middle_of_a_run(temporary, tmp_path, nothing_left):
    begun, go = tmp_path / "begun", tmp_path / "go"
    cells = [
        f"import os, time\nopen({str(begun)!r}, 'w').write(f'{{os.getppid()}}\\n')\n"
        f"while not os.path.exists({str(go)!r}):\n    time.sleep(0.01)",
        "print('on', os.getppid())",
    ]
    done = []
    with a_keeper("") as one:
        thread = threading.Thread(target=lambda: done.append(run(*cells)))
        thread.start()
        wait_for(begun)
        one.process.kill()
        one.process.wait()
        go.touch()
        thread.join(30)
        assert done[0].error is None
        assert printed(done[0]) == f"on {begun.read_text()}"
        assert gone(begun)
        after = run("import os; print(os.getppid(), __name__)")
    assert printed(after) == f"{os.getpid()} __main__\n"
    survived("SIGKILL of the keeper", "the running notebook; the next has an ordinary kernel")


def test_a_guard_killed_in_the_middle_of_a_run(kept, tmp_path, nothing_left):
    pids = tmp_path / "pids"
    done = run(
        f"import os, signal, subprocess, time\n"
        f"stray = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{stray.pid}}')\n"
        "os.kill(os.getppid(), signal.SIGKILL); time.sleep(600)"
    )
    assert done.error[0] == "DeadKernelError"
    assert gone(pids)
    assert run("1").error is None
    survived("SIGKILL of a guard", "neither its kernel nor a stray; the keeper and its others")


STRAYS = """
    import os, subprocess, sys, time
    stray = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with open({pids!r}, "w") as file:
        file.write(f"{{os.getpid()}}\\n{{os.getppid()}}\\n{{stray.pid}}\\n")
    time.sleep(600)
"""
CLIENT = """
import sys, nbformat
from crime_analysis.reports.kernel import execute
execute(nbformat.reads(sys.stdin.read(), 4), warm={warm})
"""


def client(pids: Path, *, warm: bool = True, **how) -> subprocess.Popen:
    """Start a process that executes a notebook with a stray, and wait until both run."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT.format(warm=warm)], stdin=subprocess.PIPE, text=True, **how
    )
    process.stdin.write(nbformat.writes(notebook(STRAYS.format(pids=str(pids)))))
    process.stdin.close()
    wait_for(pids, 3)
    return process


def test_a_client_killed_in_the_middle_of_a_run(kept, tmp_path, nothing_left):
    process = client(tmp_path / "pids")
    process.kill()
    process.wait()
    assert gone(tmp_path / "pids")
    assert run("1").error is None
    survived("SIGKILL of a worker", "its keeper; neither kernel, stray nor folder")


def test_a_process_killed_that_keeps_its_own_keeper(tmp_path, monkeypatch, nothing_left):
    monkeypatch.delenv(keeper.ADDRESS, raising=False)
    monkeypatch.setenv("CRIME_ANALYSIS_WARM_MODULES", "")
    process = client(tmp_path / "pids", warm=False)
    guard = int((tmp_path / "pids").read_text().split()[1])
    parent = int(Path(f"/proc/{guard}/stat").read_text().rpartition(")")[2].split()[1])
    assert parent not in (process.pid, os.getpid())
    process.kill()
    process.wait()
    assert gone(tmp_path / "pids")
    assert gone([parent])
    survived("SIGKILL of a process with its own keeper", "no process and no folder")


def test_the_last_holder_of_the_lifeline_gone_the_keeper_cleans_up(temporary, tmp_path):
    (tmp_path / "aside").mkdir()
    script = (
        "import os, subprocess, sys; from crime_analysis.reports.keeper import start_keeper\n"
        f"k = start_keeper(warm=False, cleanup_paths=[{str(tmp_path / 'aside')!r}])\n"
        "w = subprocess.Popen(['sleep', '600'], pass_fds=[k.lifeline], stdout=-3)\n"
        "print(k.process.pid, w.pid, k.address, flush=True); os.kill(os.getpid(), 9)"
    )
    told = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    one, worker, address = told.stdout.split()
    time.sleep(0.3)
    assert running(int(one))
    assert (tmp_path / "aside").exists()
    os.kill(int(worker), signal.SIGKILL)
    assert gone([int(one)])
    assert not (tmp_path / "aside").exists()
    assert not Path(address).parent.exists()
    survived("SIGKILL of main, then of its last worker", "the keeper, exactly as long as needed")


# --- where it is called -----------------------------------------------------------------------


def test_notebooks_run_side_by_side_in_threads(kept, nothing_left):
    answers: dict[int, str] = {}
    work = [
        threading.Thread(target=lambda n=n: answers.update({n: printed(run(f"print({n})"))}))
        for n in range(6)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(60)
    assert answers == {n: f"{n}\n" for n in range(6)}


def test_a_notebook_runs_where_an_event_loop_runs_already(kept, nothing_left):
    async def cell() -> kernel.Run:
        return run("print('in a kernel')")

    assert printed(asyncio.run(cell())) == "in a kernel\n"


def test_a_notebook_can_render_a_notebook(kept, nothing_left):
    inner = (
        "import nbformat.v4 as v; from crime_analysis.reports.kernel import execute\n"
        "nb = v.new_notebook(cells=[v.new_code_cell('print(6 * 7)')])\n"
        "print(execute(nb, warm=False).nb.cells[0].outputs[0].text)"
    )
    assert printed(run(inner)) == "42\n\n"


def test_a_notebook_runs_on_a_dask_worker(kept, nothing_left):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as dask,
    ):
        jobs = [dask.submit(lambda n: printed(run(f"print({n})")), n, pure=False) for n in (1, 2)]
        assert dask.gather(jobs) == ["1\n", "2\n"]


def test_without_a_keeper_kernels_are_ordinary(tmp_path, monkeypatch, nothing_left):
    monkeypatch.setattr(keeper, "available", lambda: False)
    monkeypatch.delenv(keeper.ADDRESS, raising=False)
    done = run(
        "import os; print(os.getppid()); print('x' * 600_000)",
        "x = bytearray(10**9)",
        memory_gb=0.8,
    )
    assert printed(done, 0).startswith(f"{os.getpid()}\n")
    assert "left out" in printed(done, 0)
    assert done.error[0] == "MemoryError"


def test_an_ordinary_kernel_dies_with_its_client(tmp_path, nothing_left):
    env = {**os.environ, keeper.ADDRESS: str(tmp_path / "nobody")}
    process = client(tmp_path / "pids", env=env)
    kernel_, parent, stray = map(int, (tmp_path / "pids").read_text().split())
    assert parent == process.pid
    process.kill()
    process.wait()
    assert gone([kernel_], within=0.5)
    os.kill(stray, signal.SIGKILL)
    for folder in Path(tempfile.gettempdir()).glob("ca-*"):
        if (folder / "kernel.json").exists():
            subprocess.run(["rm", "-r", folder], check=True)


def test_the_provisioner_is_registered_for_other_programs():
    (found,) = entry_points(
        group="jupyter_client.kernel_provisioners", name="crime-analysis-provisioner"
    )
    assert found.load().__name__ == "KeptProvisioner"


def test_a_keeper_that_cannot_start_leaves_ordinary_kernels(monkeypatch, nothing_left):
    def refuse(**how):
        raise OSError("no processes left")

    monkeypatch.delenv(keeper.ADDRESS, raising=False)
    monkeypatch.setattr(keeper, "start_keeper", refuse)
    monkeypatch.setattr(kernel, "_own_keepers", {})
    assert printed(run("import os; print(os.getppid())")) == f"{os.getpid()}\n"
