"""What runs on each machine of a Ray cluster: a worker pool as on one machine, and the files that it needs.

Nothing here imports Ray: the engine makes an actor of ``NodeWorkers`` on each node and calls its methods.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest.errors import PinciteError, UnavailableError
from ingest.types import Source
from ingest.workers import Packed, WorkerPool, packed_result_of

KEPT_BYTES = 2**30
"""Bytes of sent files that a node keeps for the tasks to come, at most, beside those in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What must be the same on every machine, so that each gives what the others would."""

    pincite: str
    code: str
    python: str

    def differs_from(self, other: Hello) -> str | None:
        """The first difference in words, if any."""
        for name in ("pincite", "python"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                return f"{name} {theirs} there, {mine} here"
        return "another build of pincite there" if self.code != other.code else None


@cache
def hello() -> Hello:
    """The versions on this machine; ``code`` is a digest of this package's source files."""
    digest = hashlib.sha256()
    folder = Path(__file__).resolve().parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    try:
        known = version("pincite")
    except PackageNotFoundError:
        known = "not installed"
    return Hello(pincite=known, code=digest.hexdigest(), python=".".join(platform.python_version_tuple()[:2]))


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes of a source on their way to a machine that does not see its file."""

    source_id: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a task: its result as the worker sent it, its error, or the sources whose files are not here."""

    result: Packed | None = None
    error: PinciteError | None = None
    lacking: tuple[str, ...] = ()


class NodeWorkers:
    """A worker pool on one machine. Its methods are called by many threads."""

    def __init__(self, count: int) -> None:
        self._folder = TemporaryDirectory(prefix="pincite-", ignore_cleanup_errors=True)
        self._files = _SentFiles(Path(self._folder.name))
        self._pool = WorkerPool(count, scratch=Path(self._folder.name))
        self._lock = threading.Lock()

    def hello(self) -> Hello:
        """The versions on this machine."""
        return hello()

    def close(self) -> None:
        """End the workers; nothing of them stays on this machine."""
        self._pool.close()
        self._folder.cleanup()

    def run(self, function: Callable[..., Any], args: tuple[object, ...], seconds: float, *sent: Sent) -> Reply:
        """Do a task in a worker; ``sent`` are files that this machine does not see."""
        needed = {source.id: source for source in sources_in(args)}
        with self._files.using(needed, sent) as paths:
            lacking = tuple(id_ for id_, source in needed.items() if id_ not in paths and not sees(source))
            if lacking:
                return Reply(lacking=lacking)
            with self._lock:
                future = self._pool.submit(function, *with_paths(args, paths), timeout=seconds)
            try:
                return Reply(result=packed_result_of(future))
            except PinciteError as exc:
                return Reply(error=exc)


class _SentFiles:
    """Sent files on this machine's disk; those that no task uses go when there are too many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._paths: OrderedDict[str, Path] = OrderedDict()
        self._uses: dict[str, int] = {}

    def using(self, needed: Mapping[str, Source], sent: Sequence[Sent]) -> _Using:
        """The paths of the needed files that were sent, now or before, while they are in use."""
        with self._lock:
            for each in sent:
                if each.source_id not in self._paths:
                    self._paths[each.source_id] = self._write(each)
            held = {id_: self._paths[id_] for id_ in needed if id_ in self._paths}
            for id_ in held:
                self._paths.move_to_end(id_)
                self._uses[id_] = self._uses.get(id_, 0) + 1
        return _Using(self, held)

    def release(self, ids: Sequence[str]) -> None:
        """The task that used them is done."""
        with self._lock:
            for id_ in ids:
                self._uses[id_] -= 1
            self._trim()

    def _write(self, sent: Sent) -> Path:
        # Under its own name, which some formats' titles are taken from, in a folder that its name cannot leave.
        folder = self._folder / hashlib.sha256(sent.source_id.encode()).hexdigest()
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / Path(sent.name).name
        path.write_bytes(sent.data)
        return path

    def _trim(self) -> None:
        sizes = {id_: path.stat().st_size for id_, path in self._paths.items()}
        total = sum(sizes.values())
        for id_ in list(self._paths):
            if total <= KEPT_BYTES:
                return
            if not self._uses.get(id_):
                self._paths.pop(id_).unlink()
                self._uses.pop(id_, None)
                total -= sizes[id_]


class _Using:
    """Files that a task uses."""

    def __init__(self, files: _SentFiles, paths: dict[str, Path]) -> None:
        self._files, self._paths = files, paths

    def __enter__(self) -> Mapping[str, Path]:
        return self._paths

    def __exit__(self, *_: object) -> None:
        self._files.release(list(self._paths))


def sources_in(value: object) -> Iterator[Source]:
    """The sources among a task's arguments, also those of the tasks of a bundle."""
    if isinstance(value, Source):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from sources_in(each)


def with_paths(value: Any, paths: Mapping[str, Path]) -> Any:  # noqa: ANN401 (arguments of any task)
    """Arguments whose sources have the paths that they have on this machine."""
    if isinstance(value, Source):
        return replace(value, path=paths[value.id]) if value.id in paths else value
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(with_paths(each, paths) for each in value)
    if isinstance(value, list):
        return [with_paths(each, paths) for each in value]
    return value


def sees(source: Source) -> bool:
    """Whether this machine has a source's very bytes under its path."""
    try:
        if source.path.stat().st_size != source.size:
            return False
        return _digest(source) == source.id
    except OSError:
        return False


def read_source(source: Source) -> Sent:
    """A source's bytes, to be sent.

    Raises:
        UnavailableError: its file has gone or changed.
    """
    try:
        data = source.path.read_bytes()
    except OSError as exc:
        raise UnavailableError(f"cannot be read: {exc.strerror}") from exc
    if len(data) != source.size:
        raise UnavailableError("is being written")
    return Sent(source.id, source.path.name, data)


def _digest(source: Source) -> str:
    """The id that a source with the bytes of this file has: ``pipeline`` makes those of parts of containers so."""
    digest = hashlib.sha256()
    if source.parent_id is not None:
        digest.update("\x1f".join((source.parent_id, source.member or "")).encode())
    with source.path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
