from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def official() -> Path:
    """The folder of raw official files; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "official"
    folder = Path(os.environ.get("CRIME_ANALYSIS_OFFICIAL") or beside)
    if not folder.is_dir():
        pytest.skip(f"no official files at {folder}; set CRIME_ANALYSIS_OFFICIAL to their folder")
    return folder


@pytest.fixture(scope="session")
def replication() -> Path:
    """The folder of published studies; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "replication"
    folder = Path(os.environ.get("CRIME_ANALYSIS_REPLICATION") or beside)
    if not folder.is_dir():
        pytest.skip(f"no published studies at {folder}; set CRIME_ANALYSIS_REPLICATION")
    return folder


@pytest.fixture(scope="session")
def shown_by() -> Callable[..., list[Any]]:
    """Run a notebook's cells here, with parameters, and return what each of them shows.

    Without a kernel: fast, what is shown is the objects themselves, and tests can put others
    in the place of what the cells call.
    """

    def shown(name: str, **given: Any) -> list[Any]:
        space: dict[str, Any] = {}
        values = []
        for cell in json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            tree = ast.parse("".join(cell["source"]))
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), space)
            if "parameters" in cell["metadata"].get("tags", []):
                assert set(given) <= set(space)
                space.update(given)
            if last is not None:
                values.append(eval(compile(ast.Expression(last.value), name, "eval"), space))
        return [value for value in values if value is not None]

    return shown


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium driven by playwright; skipped with a reason where either is absent.

    It is closed after each module: as long as it is open, its event loop counts as running, and
    whatever would start another one in this process (a kernel's client) meets it.
    """
    reason = "playwright is not installed; pip install playwright"
    drive = pytest.importorskip("playwright.sync_api", reason=reason).sync_playwright
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("chromium is not installed; on Debian: apt install chromium")
    with drive() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Any], list[str]]:
    """What axe-core finds wrong, seriously, with a page that is open in a browser.

    The program is the file that AXE_JS names, or npm's package axe-core, fetched once.
    """
    cache = getattr(request.config, "cache", None)
    folder = cache.mkdir("axe-core") if cache else tmp_path_factory.mktemp("axe-core")
    program = Path(os.environ.get("AXE_JS") or folder / "axe.min.js")
    if not program.is_file():
        _fetch_axe(program)
    source = program.read_text(encoding="utf-8")

    def violations(page: Any) -> list[str]:
        page.evaluate(source)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert len(found["passes"]) > 5  # it did look
        return [
            f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:200]}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    return violations


def _fetch_axe(program: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("axe-core is not here and npm is not installed; set AXE_JS to axe.min.js")
    command = ["npm", "pack", "--silent", "axe-core@4"]
    try:
        run = subprocess.run(
            command, cwd=program.parent, capture_output=True, text=True, timeout=120, check=True
        )
        package = program.parent / run.stdout.split()[-1]
        with tarfile.open(package) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            part = program.with_suffix(f".{os.getpid()}")
            part.write_bytes(member.read())
        part.replace(program)
        package.unlink()
    except (OSError, subprocess.SubprocessError, tarfile.TarError, IndexError) as error:
        pytest.skip(f"axe-core could not be fetched ({error}); set AXE_JS to axe.min.js")
