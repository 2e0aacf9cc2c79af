"""A report's page printed to PDF by a headless Chromium of this machine, where there is one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from ..errors import ParameterError, RenderError

__all__ = ["find_browser", "print_pdf"]

_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-default-browser-check",
    # The page asks for nothing; the browser itself shall not either.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    "--export-tagged-pdf",
    "--generate-pdf-document-outline",
)


def find_browser() -> str:
    """Return the browser that prints: ``CRIME_ANALYSIS_CHROMIUM`` if set, else Chromium, Chrome.

    Raises
    ------
    ParameterError
        There is none.
    """
    chosen = os.environ.get("CRIME_ANALYSIS_CHROMIUM")
    found = next(filter(None, map(shutil.which, [chosen] if chosen else _NAMES)), None)
    if found is None:
        told = f"CRIME_ANALYSIS_CHROMIUM names {chosen!r}, which" if chosen else "Chromium, which"
        raise ParameterError(
            f"{told} is not installed, and a PDF cannot be printed without it; install it (Debian:"
            " apt install chromium), put Chrome's path in CRIME_ANALYSIS_CHROMIUM, or print the"
            " page from any browser"
        )
    return found


def print_pdf(html: Path, pdf: Path, timeout: float = 60) -> Path:
    """Print a page to PDF: A4, tagged for screen readers, with an outline and page numbers.

    Parameters
    ----------
    html : Path
        The page.
    pdf : Path
        Where the PDF shall be; it is there whole or not at all.
    timeout : float
        Seconds until the browser is stopped.

    Returns
    -------
    Path
        The PDF.

    Raises
    ------
    ParameterError
        There is no browser, or no such page.
    RenderError
        The browser stopped, or took too long.
    """
    html, pdf = Path(html), Path(pdf)
    browser = find_browser()
    if not html.is_file():
        raise ParameterError(f"there is no page {str(html)!r} to print; render it first")
    # A profile of its own: browsers of one profile wait for each other, and leave files behind.
    with tempfile.TemporaryDirectory(prefix="printing-", ignore_cleanup_errors=True) as private:
        printed = Path(private) / "printed.pdf"
        said = _run(browser, html, printed, private, timeout)
        if not printed.is_file() or not printed.read_bytes().startswith(b"%PDF-"):
            raise RenderError(f"{html.name}: {browser} printed nothing ({said})")
        _put(printed.read_bytes(), pdf)
    return pdf


def _run(browser: str, html: Path, printed: Path, private: str, timeout: float) -> str:
    """Let the browser print; return the last line of what it said."""
    command = [browser, *_OPTIONS, f"--user-data-dir={private}/profile"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium has no sandbox for root and refuses to start
    command += [f"--print-to-pdf={printed}", html.resolve().as_uri()]
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"), private)
    with subprocess.Popen(
        command,
        env={**os.environ, **homes},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            _, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise RenderError(
                f"{html.name}: printing took longer than {timeout:g} s; give it longer, or print"
                " the page from a browser"
            ) from None
        finally:
            process.kill()
            if sys.platform != "win32":  # its helpers too, whether it ended or was ended
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def _put(content: bytes, target: Path) -> None:
    """Write beside the target and rename, so that no half of a file ever has its name."""
    handle, part = tempfile.mkstemp(prefix=".printing-", suffix=".pdf", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(part, 0o644)  # mkstemp makes files that only their owner may read
        os.replace(part, target)
    finally:
        Path(part).unlink(missing_ok=True)
