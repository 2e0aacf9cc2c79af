"""A folder to work in: the notebooks that the package carries, to change at will."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from crime_analysis.errors import ParameterError

__all__ = ["start"]

_CARRIED = ("*.ipynb", "*.yml")


def start(folder: str | Path, notebooks: str | Path) -> list[Path]:
    """Copy the notebooks and their set of reports into a new folder.

    The figures stay in the package: notebooks open them with ``ca.load``, wherever they are.

    Parameters
    ----------
    folder : str or Path
        Made if absent; an existing one must hold none of the files to write.
    notebooks : str or Path
        Where the package carries them.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ParameterError
        A folder that cannot be made or written, or that holds a file of the same name: nobody's
        work is written over.

    Examples
    --------
    >>> import tempfile
    >>> from crime_analysis.cli import notebooks_folder
    >>> with tempfile.TemporaryDirectory() as home:
    ...     written = start(Path(home) / "work", notebooks_folder())
    ...     (Path(home) / "work" / "reports.yml").is_file()
    True
    """
    target = Path(folder)
    sources = sorted(path for kind in _CARRIED for path in Path(notebooks).glob(kind))
    there = [path.name for path in sources if (target / path.name).exists()]
    if there:
        raise ParameterError(
            f"{str(target)!r} holds {', '.join(there)} already; give a new folder, or move them"
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".start-", dir=target))
        try:
            for path in sources:
                shutil.copyfile(path, aside / path.name)
            for path in sources:
                os.replace(aside / path.name, target / path.name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise ParameterError(
            f"cannot write to {str(target)!r}: {error.strerror}; give another folder"
        ) from None
    return [target / path.name for path in sources]
