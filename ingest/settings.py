"""Settings: read once from flags, then ``PINCITE_*`` variables, then defaults. Nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ingest.errors import UsageError

LIBRARY_NAME = ".pincite"
DEFAULT_EMBEDDER = "wordllama"
ENGINES = ("local", "ray")
REQUESTS = 2
"""Requests that a model server is sent at a time."""
FOREIGN_NAMES = {"ollama_host": "OLLAMA_HOST", "llama_cloud_api_key": "LLAMA_CLOUD_API_KEY"}
"""Settings whose variables keep the names that their makers gave them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting. The comment of each field is its line in the README's table."""

    library: Path | None = None  # the library folder; else the nearest .pincite upwards, else a new one here
    embedder: str | None = None  # embedder; else the library's own, or the default for a new one
    chat_model: str = "llama3"  # chat model on Ollama
    vision_model: str = "llava"  # vision model on Ollama
    ollama_host: str = "http://127.0.0.1:11434"  # the Ollama server
    ollama_hosts: tuple[str, ...] = ()  # Ollama servers, with commas, that share descriptions and embeddings
    chroma_url: str | None = None  # Chroma server for the copy of the vectors, http(s)://HOST:PORT[/TENANT/DATABASE]
    chroma_api_key: str | None = field(default=None, repr=False)  # key of Chroma Cloud
    openai_base_url: str | None = None  # server with OpenAI's interface to chat with instead of Ollama, with its /v1
    openai_api_key: str | None = field(default=None, repr=False)  # key of that server, where it wants one
    llama_cloud_api_key: str | None = field(default=None, repr=False)  # key of LlamaParse, for `--parser llamaparse`
    llama_cloud_url: str = "https://api.cloud.llamaindex.ai"  # the LlamaParse server
    llama_cloud_tier: str = "agentic"  # tier of LlamaParse: fast, cost_effective, agentic or agentic_plus
    history_url: str | None = field(default=None, repr=False)  # MongoDB to keep sessions in; else the library's folder
    jobs: int = 0  # worker processes; 0: one a core
    engine: str = "local"  # where documents are read and embedded: local, or ray
    ray_address: str | None = None  # HOST:PORT of the head of a Ray cluster; else one is started on this machine
    max_file_mb: int = 200  # larger files are skipped
    keep_summaries: bool = False  # 1: descriptions of pictures outlive the removal of their documents, for re-use
    timeout: float = 120.0  # seconds that a model may take for one reply
    password: str | None = field(default=None, repr=False)  # password of encrypted PDFs; never stored
    serve_token: str | None = field(default=None, repr=False)  # token that `pincite serve` asks for

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UsageError(f"engine must be {' or '.join(ENGINES)}, not {self.engine!r}")
        if self.jobs < 0:
            raise UsageError("jobs must be 0 (one a core) or more")
        if self.max_file_mb <= 0 or self.timeout <= 0:
            raise UsageError("max_file_mb and timeout must be above 0")

    @property
    def worker_count(self) -> int:
        """Worker processes to use."""
        return self.jobs or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [None] * 2)

    @property
    def request_count(self) -> int:
        """Requests that model servers are sent at a time: while one is worked on, the next is under way."""
        return REQUESTS * max(1, len(self.ollama_hosts))


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return FOREIGN_NAMES.get(name, f"PINCITE_{name.upper()}")


def read_settings(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from flags (``None`` values count as not given), then the environment, then defaults.

    Raises:
        UsageError: an unknown ``PINCITE_`` variable, or a value that cannot be read.
    """
    environ = os.environ if environ is None else environ
    known = {variable_of(f.name): f.name for f in fields(Settings)}
    unknown = sorted(v for v in environ if v.startswith("PINCITE_") and v not in known)
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]}; known are {', '.join(sorted(known))}")
    values: dict[str, Any] = {known[v]: _read(known[v], text) for v, text in environ.items() if v in known and text}
    values.update({name: value for name, value in (flags or {}).items() if value is not None})
    return Settings(**values)


def read_terminal(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables by which a terminal says which it is, and its user that there shall be no colour."""
    environ = os.environ if environ is None else environ
    names = ("TERM", "TERM_PROGRAM", "KITTY_WINDOW_ID", "LC_TERMINAL", "NO_COLOR")
    return {name: environ[name] for name in names if name in environ}


def _read(name: str, text: str) -> object:
    default = Settings.__dataclass_fields__[name].default
    if name == "library":
        return Path(text).expanduser()
    if name == "ollama_host":
        return _host_url(text)
    if name == "ollama_hosts":
        return tuple(_host_url(host.strip()) for host in text.split(",") if host.strip())
    if isinstance(default, bool):
        return _read_switch(variable_of(name), text)
    if isinstance(default, (int, float)):
        try:
            return type(default)(text)
        except ValueError:
            raise UsageError(f"{variable_of(name)} must be a number, not {text!r}") from None
    return text


def _read_switch(variable: str, text: str) -> bool:
    switches = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    found = switches.get(text.strip().lower())
    if found is None:
        raise UsageError(f"{variable} must be 1 or 0, not {text!r}")
    return found


def _host_url(text: str) -> str:
    """A full URL of what OLLAMA_HOST may hold: ``host``, ``host:port``, ``:port`` or a URL."""
    scheme, _, rest = text.rpartition("://")
    host, _, port = rest.partition(":")
    port = port.rstrip("/") or ("11434" if not scheme else "")
    host = "127.0.0.1" if host in ("", "0.0.0.0") else host  # noqa: S104 (a bind address, not a place to connect to)
    return f"{scheme or 'http'}://{host}" + (f":{port}" if port else "")


def find_library(given: Path | None, start: Path | None = None) -> Path:
    """The library folder: the one given, else the nearest ``.pincite`` upwards, else a new one here."""
    here = (start or Path.cwd()).resolve()
    if given is not None:
        return given.expanduser().resolve()
    for folder in (here, *here.parents):
        if (folder / LIBRARY_NAME).is_dir():
            return folder / LIBRARY_NAME
    return here / LIBRARY_NAME
