"""The entry of the ``pincite`` command: makes sure that the modules found are pincite's own, then runs them.

``cli``, ``ingest`` and ``retrievers`` are plain names. Another distribution may ship them too and overwrite ours
or stand earlier on the path; the command then names that distribution instead of dying in foreign code.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

MARKS = {
    "cli": b'"""The pincite command line',
    "ingest": b'"""From documents to a library',
    "retrievers": b'"""From a question to a cited answer',
}
"""The top-level modules and the bytes with which each one's file begins."""


def main() -> None:
    """Run the command line; when a module is not ours, say so in one line on stderr and exit with 1."""
    for name, mark in MARKS.items():
        path = _origin(name)
        if path is None or path != _home(name) or not _begins_with(path, mark):
            sys.stderr.write(f"pincite: {_complaint(name, path)}\n")
            raise SystemExit(1)
    import cli

    cli.main()


def _home(name: str) -> Path:
    folder = Path(__file__).resolve().parent.parent
    return folder / "cli.py" if name == "cli" else folder / name / "__init__.py"


def _origin(name: str) -> Path | None:
    """The file that ``import name`` would run; ``None`` for no file, or for a folder without ``__init__.py``."""
    spec = find_spec(name)
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def _begins_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _complaint(name: str, path: Path | None) -> str:
    """What is wrong with a module that is not ours, and what to do."""
    again = "pip install --force-reinstall --no-deps pincite"
    if path is None:
        return f"its own module {name!r} is missing ({_home(name)}); install it again: {again}"
    owner = _owner(path)
    if owner is None:
        return f"{path} stands in the way of its own module {name!r}; move it, or check PYTHONPATH, or run: {again}"
    return (
        f"the distribution {owner!r} also ships {name!r} ({path}) and shadows pincite's; "
        f"give pincite a virtual environment of its own, or run: pip uninstall {owner} && {again}"
    )


def _owner(path: Path) -> str | None:
    """The name of the distribution other than pincite that installed a file, if any."""
    from importlib.metadata import distributions

    for distribution in distributions():
        name = distribution.name
        if name != "pincite" and any(
            file.name == path.name and Path(str(distribution.locate_file(file))).resolve() == path
            for file in distribution.files or ()
        ):
            return name
    return None
