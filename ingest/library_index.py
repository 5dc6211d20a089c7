"""The seal of Chroma's files: how they were left when the library last wrote them, and whether they still are so.

Chroma opens damaged files without a word, answers from what is left of them, hangs, or ends the process. So nothing is
opened whose seal does not hold. Chroma itself, when it opens its files to read, changes one row of its database that
is a lock, and nothing else: of its database what matters is sealed, of all other files each byte.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ingest.errors import LibraryError
from ingest.models import without_secret
from ingest.settings import Settings

SERVER = "(server)"
"""The name in a seal that stands for an index on a Chroma server, which has no files here."""
CHROMA_DATABASE = "chroma.sqlite3"
_ROWS = (
    "SELECT id, name, dimension FROM collections ORDER BY id",
    "SELECT id, type, scope, collection FROM segments ORDER BY id",
    "SELECT segment_id, seq_id FROM max_seq_id ORDER BY segment_id",
    "SELECT count(*) FROM embeddings",
    "SELECT count(*) FROM embeddings_queue",
)
"""What Chroma's database says of its vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChromaServer:
    """A Chroma server, or Chroma Cloud, and the name that a library's collections have there.

    ``url`` is ``http(s)://HOST[:PORT][/TENANT/DATABASE]``. ``api_key`` is sent as Chroma Cloud wants it.
    """

    url: str
    collection: str
    api_key: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return without_secret(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """One file of the index: its size, the time of its last change (``st_ctime_ns``), and a digest of its content."""

    size: int
    changed_ns: int
    digest: str


Seal = Mapping[str, SealedFile]
"""The files of an index by their path within its folder."""


def seal_of(folder: Path) -> dict[str, SealedFile]:
    """The files of an index as they are now; nothing may be writing to them.

    Raises:
        LibraryError: they cannot be read, or Chroma's database is damaged.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    try:
        return {path.relative_to(folder).as_posix(): _sealed(path) for path in files}
    except (OSError, sqlite3.Error) as exc:
        raise LibraryError(f"the search index in {folder} cannot be read ({exc})") from exc


def server_of(settings: Settings, identity: str) -> ChromaServer | None:
    """The Chroma server, where one is set, that holds the copy of a library's vectors under the library's name."""
    if settings.chroma_url is None:
        return None
    return ChromaServer(url=settings.chroma_url, collection=f"pincite-{identity}", api_key=settings.chroma_api_key)


def seal_of_server(stamp: str, vectors: int) -> SealedFile:
    """The seal of an index on a server: the stamp that was written on it, and how many vectors it holds."""
    return SealedFile(size=vectors, changed_ns=0, digest=stamp)


def damage_of(folder: Path, seal: Seal) -> str | None:
    """What is wrong with the files of an index; ``None`` when all are as they were sealed.

    A file that was touched since, as by copying the library, is compared by its content.
    """
    for name, known in seal.items():
        problem = _damage(folder / name, known)
        if problem is not None:
            return f"{name} {problem}"
    return None


def stamp_of(folder: Path, seal: Seal) -> tuple[int, ...]:
    """Changes when one of the sealed files is changed, replaced or gone."""
    return tuple(_changed_ns(folder / name) for name in seal)


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_ctime_ns
    except OSError:
        return -1


def _damage(path: Path, known: SealedFile) -> str | None:
    try:
        stat = path.stat()
        if (stat.st_size, stat.st_ctime_ns) == (known.size, known.changed_ns):
            return None
        # Chroma's database may have grown by its lock; all other files keep their size.
        if path.name != CHROMA_DATABASE and stat.st_size != known.size:
            return f"has {stat.st_size} of {known.size} bytes"
        return None if _digest(path) == known.digest else "is not what was written"
    except FileNotFoundError:
        return "is gone"
    except (OSError, sqlite3.Error) as exc:
        return f"cannot be read ({exc})"


def _sealed(path: Path) -> SealedFile:
    stat = path.stat()
    return SealedFile(size=stat.st_size, changed_ns=stat.st_ctime_ns, digest=_digest(path))


def _digest(path: Path) -> str:
    if path.name == CHROMA_DATABASE:
        return _digest_of_database(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of_database(path: Path) -> str:
    """A digest of what Chroma's database says of its vectors.

    Raises:
        sqlite3.Error: it is damaged.
    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        found = [db.execute("PRAGMA quick_check(1)").fetchall(), *(db.execute(query).fetchall() for query in _ROWS)]
    finally:
        db.close()
    if found[0] != [("ok",)]:
        raise sqlite3.DatabaseError(str(found[0][0][0]))
    return hashlib.sha256(f"{_chroma_version()} {found}".encode()).hexdigest()


@lru_cache(maxsize=1)
def _chroma_version() -> str:
    """Another release may read its files in another way: they are then made anew."""
    from importlib import metadata

    return metadata.version("chromadb")
