"""The HTTP API and the chat page: one library, asked by many at once.

FastAPI, because what comes in is then checked by the very types that describe the interface.
"""

from __future__ import annotations

import mimetypes
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Annotated

from fastapi import APIRouter, FastAPI, File, Form, Header, Query, Request, UploadFile
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from ingest.errors import LibraryError, PinciteError, UsageError
from ingest.types import Kind
from retrievers.api_events import HEADERS, MEDIA_TYPE, streamed, wants_events
from retrievers.api_guard import Guard
from retrievers.api_ingest import Job, job_events, keep_upload
from retrievers.api_served import UPLOAD_FILES, Served, ServeOptions, pincite_version, welcome
from retrievers.api_shapes import JSON, Reply, page_files, problem, served_chunk, served_hit, served_sources
from retrievers.api_source import source_archive
from retrievers.multi_vector import MultiVectorRetriever
from retrievers.query import Filters

__all__ = ["ServeOptions", "make_app", "serve", "welcome"]

MOST_HITS = 50
MOST_SOURCES = 500
LAST_PAGE = 1_000_000
CONNECTIONS = 256
"""Connections that are open at a time; further ones are refused."""
STOP_SECONDS = 3
PICTURE_HEADERS = {"cache-control": "private, max-age=3600"}


def _can_be_stored(text: str) -> str:
    """A text without NUL; the type itself refuses half of a surrogate pair."""
    if "\0" in text:
        raise ValueError("must not hold NUL")
    return text


Asked = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_can_be_stored)]
Label = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_can_be_stored)]
Glob = Annotated[str, Field(max_length=500), AfterValidator(_can_be_stored)]
Id = Annotated[str, InPath(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.-]+$")]
Secret = Annotated[str | None, Header(max_length=200, description="the session's secret")]
SourceId = Annotated[str, InPath(pattern=r"^[0-9a-f]{64}$")]


class Question(BaseModel):
    """A question. ``user_id`` is a label for who asks, ``doc`` a glob that keeps to some documents."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Asked
    user_id: Label
    session_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None
    doc: Glob | None = None


def make_app(retriever: MultiVectorRetriever, options: ServeOptions) -> FastAPI:
    """The application over a retriever's library, which stays open."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.served = served = Served(retriever, options)
        yield
        served.close()

    app = FastAPI(
        title="pincite",
        version=pincite_version(),
        summary="Ask a library of documents; every statement is cited to page, box and quote.",
        license_info={"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_exception_handler(HTTPException, _refused)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _unreadable)  # type: ignore[arg-type]
    app.add_exception_handler(PinciteError, _failed)  # type: ignore[arg-type]
    app.include_router(api)
    app.include_router(pages)
    if options.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=options.allow_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type", "x-session-secret"],
        )
    app.add_middleware(Guard, rules=options.rules)
    return app


def serve(
    retriever: MultiVectorRetriever, options: ServeOptions, on_ready: Callable[[int], None] = lambda _: None
) -> None:
    """Serve a library until Ctrl-C. No line is logged for a request: it would hold the question.

    ``on_ready`` is given the port when the server listens.

    Raises:
        UsageError: it cannot listen there.
    """
    import uvicorn

    app = make_app(retriever, options)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    with listening(options.host, options.port) as listener:
        on_ready(listener.getsockname()[1])
        with suppress(KeyboardInterrupt):  # uvicorn has ended in order by then, and raises it once more
            uvicorn.Server(config).run([listener])


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises:
        UsageError: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as exc:
        raise UsageError(f"cannot listen at {host}, port {port}: {exc.strerror}") from exc


async def _refused(_: Request, exc: HTTPException) -> Reply:
    return Reply({"error": exc.detail}, exc.status_code, exc.headers)


async def _unreadable(_: Request, exc: RequestValidationError) -> Reply:
    """What is wrong with a request, without what was sent."""
    said = [f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in exc.errors()[:5]]
    return Reply({"error": "; ".join(said)}, 422)


async def _failed(_: Request, exc: PinciteError) -> Reply:
    return Reply(*problem(exc))


def _said(**said: str) -> dict[int | str, JSON]:
    """What a status means, for the description of the interface."""
    return {int(status[1:]): {"description": text} for status, text in said.items()}


PNG: dict[int | str, JSON] = {200: {"content": {"image/png": {}}}}
api = APIRouter(
    prefix="/api",
    default_response_class=Reply,
    responses=_said(
        _400="it cannot be read, or another host was named",
        _401="a token is needed",
        _403="not with this token, or not from this site",
        _413="too large",
        _503="too many wait already",
    ),
)
pages = APIRouter(include_in_schema=False)


def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


# --- asking ---------------------------------------------------------------------------------------


@api.post("/question", responses=_said(_404="no such session, or not with this secret"))
async def question(request: Request, asked: Question, x_session_secret: Secret = None) -> Response:
    """Answer a question; with `Accept: text/event-stream` the model's words as they come, then the answer.

    Without a `session_id` a session begins: the answer names it as `session` and has its `session_secret`, once.
    Both are needed to go on in it, as `session_id` and in the header `X-Session-Secret`.
    """
    served = _served(request)
    enter = partial(served.enter, asked.session_id, asked.user_id, x_session_secret)
    session_id, secret = await served.readers.submit(enter)

    def make(say: Callable[[str], None] | None = None) -> JSON:
        answer = served.answer(asked.question, session_id, asked.doc, say)
        return answer | ({"session_secret": secret} if secret else {})

    threads = served.visitors if request.state.role == "widget" else served.askers
    if wants_events(request):
        return StreamingResponse(streamed(threads, make), media_type=MEDIA_TYPE, headers=HEADERS)
    return Reply(await threads.submit(make))


@api.get("/sessions/{session_id}", responses=_said(_404="no such session, or not with this secret"))
async def session(request: Request, session_id: Id, x_session_secret: Secret = None) -> Reply:
    """What was asked and answered in a session, for one who knows its secret."""
    served = _served(request)
    return Reply(await served.readers.submit(lambda: served.turns(session_id, x_session_secret)))


@api.delete("/sessions/{session_id}", responses=_said(_404="no such session, or not with this secret"))
async def delete_session(request: Request, session_id: Id, x_session_secret: Secret = None) -> Reply:
    """Delete a session with all that was asked and answered in it."""
    served = _served(request)

    def delete() -> bool:
        return served.history.delete(served.session(session_id, x_session_secret).session_id)

    return Reply({"deleted": await served.readers.submit(delete)})


@api.get("/search")
async def search(
    request: Request,
    q: Annotated[Asked, Query(description="what to look for")],
    k: Annotated[int, Query(ge=1, le=MOST_HITS)] = 8,
    doc: Annotated[Glob | None, Query(description="a glob over names and paths")] = None,
    kind: Kind | None = None,
) -> Reply:
    """The passages, tables and pictures that a question finds."""
    served = _served(request)
    hits = await served.askers.submit(lambda: served.retriever.retrieve(q, k, filters=Filters(doc=doc, kind=kind)))
    return Reply({"query": q, "results": [served_hit(hit) for hit in hits]})


# --- looking up -----------------------------------------------------------------------------------


@api.get("/sources")
async def sources(
    request: Request,
    q: Annotated[Glob, Query(description="part of a path")] = "",
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_SOURCES)] = 100,
) -> Reply:
    """The sources with their states, and how many there are of each state."""
    served = _served(request)
    return Reply(await served.readers.submit(lambda: served_sources(served.library, q, offset, limit)))


@api.get("/chunks/{chunk_id}", responses=_said(_404="no such chunk"))
async def chunk(request: Request, chunk_id: Id) -> Reply:
    """A chunk: its text, its table as HTML, its picture, where it stands, and its pages' sizes in points."""
    served = _served(request)

    def find() -> JSON | None:
        found = served.library.chunk(chunk_id)
        return served_chunk(found, served.library) if found else None

    found = await served.readers.submit(find)
    if found is None:
        raise HTTPException(404, "no such chunk")
    return Reply(found)


@api.get(
    "/pages/{source}/{page}.png",
    response_class=Response,
    responses=PNG | _said(_404="no such page", _409="it cannot be drawn"),
)
async def page_picture(
    request: Request,
    source: SourceId,
    page: Annotated[int, InPath(ge=1, le=LAST_PAGE)],
    highlight: Annotated[str | None, Query(max_length=200, description="a citation, chunk or element to mark")] = None,
) -> Response:
    """A page as it looks, two pixels a point (fewer on huge pages), with what is cited marked."""
    served = _served(request)
    try:
        png = await served.drawers.submit(lambda: served.pages.png(source, page, highlight))
    except UsageError as exc:
        raise HTTPException(404, str(exc)) from exc
    return Response(png, media_type="image/png", headers=PICTURE_HEADERS)


@api.get(
    "/images/{sha}.png",
    response_class=Response,
    responses=PNG | _said(_404="no such picture"),
)
async def image(request: Request, sha: SourceId) -> Response:
    """A picture of a document, by the sha256 of its bytes."""
    served = _served(request)
    try:
        png = await served.readers.submit(lambda: served.library.image(f"images/{sha}.png"))
    except LibraryError as exc:
        raise HTTPException(404, "no such picture") from exc
    return Response(png, media_type="image/png", headers=PICTURE_HEADERS)


@api.get("/health")
async def health(request: Request) -> Reply:
    """Whether the server answers, what the library holds, and what the one who asks may do."""
    served = _served(request)
    role = request.state.role
    return Reply(await served.readers.submit(lambda: served.health(role)))


# --- ingesting ------------------------------------------------------------------------------------


@api.post("/ingest", status_code=202)
async def ingest(
    request: Request,
    files: Annotated[list[UploadFile] | None, File(description="documents to keep and read")] = None,
    folder: Annotated[
        str | None, Form(max_length=200, description="the id of an allowed folder, of /api/health")
    ] = None,
) -> Reply:
    """Read uploaded files, or a folder on the list of those allowed, in the background; see `/api/ingest/{job}`."""
    served = _served(request)
    if (folder is None) == (not files):
        raise HTTPException(422, "send files, or name a folder")
    if folder is not None and folder not in served.folders:
        raise HTTPException(404, "no such folder (--allow-folder)")
    if len(files or ()) > UPLOAD_FILES:
        raise HTTPException(413, f"more files than are taken at once ({UPLOAD_FILES})")
    kept = [served.folders[folder]] if folder is not None else []
    for file in files or ():
        keep = partial(keep_upload, served.uploads, file.filename or "upload", file.file)
        kept.append(await served.readers.submit(keep))
    return Reply(served.jobs.start(list(dict.fromkeys(kept))).shape(), 202)


@api.get("/ingest/{job_id}", responses=_said(_404="no such ingest"))
async def ingest_progress(request: Request, job_id: Id) -> Response:
    """How an ingest stands; with `Accept: text/event-stream` its results and its progress as they come."""
    job: Job | None = _served(request).jobs.get(job_id)
    if job is None:
        raise HTTPException(404, "no such ingest")
    if wants_events(request):
        return StreamingResponse(job_events(job), media_type=MEDIA_TYPE, headers=HEADERS)
    return Reply(job.shape())


# --- the page -------------------------------------------------------------------------------------


def _page_file(name: str) -> Response:
    found = page_files().get(name)
    if found is None:
        raise HTTPException(404, "no such page")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(found, media_type=kind, headers={"cache-control": "no-cache"})


@pages.get("/")
async def chat_page() -> Response:
    """The chat page."""
    return _page_file("index.html")


@pages.get("/widget")
async def widget_page(request: Request) -> Response:
    """The chat page as it stands in a frame on another site."""
    if not _served(request).options.widget_origins:
        raise HTTPException(404, "no site may show the widget (--widget-origin)")
    return _page_file("index.html")


@pages.get("/widget.js")
async def widget_script() -> Response:
    """The script that puts the widget into another site's page."""
    return _page_file("widget.js")


@pages.get("/docs")
async def docs_page() -> Response:
    """The description of the interface."""
    return _page_file("docs.html")


@pages.get("/source.tar.gz")
async def source_code(request: Request) -> Response:
    """The source code of this server."""
    archive = await _served(request).readers.submit(source_archive)
    return Response(archive, media_type="application/gzip", headers={"cache-control": "no-cache"})


@pages.get("/favicon.ico")
async def icon() -> Response:
    """The page's icon."""
    return RedirectResponse("/static/icon.svg")


@pages.get("/static/{name}")
async def static(name: str) -> Response:
    """A file of the page."""
    return _page_file(name)
