"""Old binary Office files, which LibreOffice, where it is installed, converts to their successors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from ingest.errors import BrokenError, EncryptedError, LimitError, UnsupportedError
from ingest.partition import FORMATS, PartitionOptions, partition_text
from ingest.partition.archives import ENCRYPTED, ole_names
from ingest.types import Partition, Source

SECONDS = 150.0
"""Seconds that a conversion may take, the start of the program among them."""
MAX_MEMORY = 4 * 2**30
"""Bytes of memory that the program may ask for."""
MAX_OUTPUT = 2**30
"""Bytes that it may write to a file."""
SUCCESSORS = {"doc": "docx", "ppt": "pptx", "xls": "xlsx"}
PROGRAMS = ("soffice", "libreoffice")

_FILTERS = {"docx": "docx:MS Word 2007 XML", "pptx": "pptx:Impress MS PowerPoint 2007 XML", "xlsx": "xlsx"}
_WORD_MARK = b"\xec\xa5"
_WORD_ENCRYPTED = 0x0100
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" \
oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" \
oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" \
oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop>\
</item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyName" oor:op="fuse">\
<value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value>\
</prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyName" oor:op="fuse">\
<value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyPort" oor:op="fuse"><value>9</value>\
</prop></item>
</oor:items>
"""
"""A profile in which no macro runs and no address is fetched: what asks for one is sent to a closed door."""


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read an old Word, PowerPoint or Excel file.

    Raises:
        UnsupportedError: LibreOffice is not installed.
        EncryptedError: it needs a password.
        BrokenError: it cannot be converted.
        LimitError: its conversion takes too long.
    """
    _check(source)
    target = SUCCESSORS[source.format]
    program = _program()
    if program is None:
        raise UnsupportedError(_advice(source.format))
    if target not in FORMATS:
        raise UnsupportedError(f"an old .{source.format} file: save it as .{target}")
    with tempfile.TemporaryDirectory(prefix="pincite-") as folder:
        made = _converted(program, source, target, Path(folder))
        return partition_text(replace(source, path=made, format=target), options)


def missing_program(name: str) -> str | None:
    """What to do where LibreOffice is not installed, for a file of an old format; nothing where it is."""
    return None if _program() else _advice(name)


def _advice(name: str) -> str:
    return (
        f"an old .{name} file: LibreOffice, which reads it, is not installed; "
        f"install LibreOffice (its command soffice), or save the file as .{SUCCESSORS[name]}"
    )


def _program() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def _check(source: Source) -> None:
    content = source.path.read_bytes()
    # Word keeps its text in the first sectors, and says in its header's flags that it is encrypted.
    flags = int.from_bytes(content[522:524], "little") if content[512:514] == _WORD_MARK else 0
    if "EncryptedPackage" in ole_names(content) or flags & _WORD_ENCRYPTED:
        raise EncryptedError(ENCRYPTED)


def _converted(program: str, source: Source, target: str, folder: Path) -> Path:
    """The converted file in a folder of its own, by a program with a profile of its own."""
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(_SETTINGS, "utf-8")
    # By its real name the program might take it for another type, and a name may look like an option.
    copy = folder / f"source.{source.format}"
    shutil.copyfile(source.path, copy)
    said = _run(_command(program, copy, target, folder))
    made = folder / "out" / f"source.{target}"
    if not made.is_file():
        hint = next((line for line in said.splitlines() if line.startswith("Error:")), "LibreOffice cannot read it")
        raise BrokenError(f"broken {source.format}: {hint.replace(str(folder) + os.sep, '')}")
    return made


def _command(program: str, copy: Path, target: str, folder: Path) -> list[str]:
    return [
        program,
        "--headless",
        "--norestore",
        "--nolockcheck",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--convert-to",
        _FILTERS[target],
        "--outdir",
        str(folder / "out"),
        str(copy),
    ]


def _run(command: list[str]) -> str:
    """What a program says; it and all that it starts are ended when its time is over."""
    with subprocess.Popen(  # noqa: S603 (a program found on the path, with a list of arguments)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd=Path(command[-1]).parent,
    ) as process:
        _limit(process.pid)
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired as exc:
            raise LimitError(f"LibreOffice took too long ({SECONDS:g} s at most)") from exc
        finally:
            _end(process.pid)
    return said.decode("utf-8", "replace")


def _limit(pid: int) -> None:
    try:
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (MAX_OUTPUT, MAX_OUTPUT))
    except (ImportError, AttributeError, OSError):
        # Only Linux sets the limits of another process; and the process may be gone already.
        return


def _end(pid: int) -> None:
    """End a process's whole session, if anything of it is left."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
