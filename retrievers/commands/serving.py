"""The commands that serve the library, to browsers and programs and to assistants."""

from __future__ import annotations

from pathlib import Path

import click

from retrievers.commands.opened import open_retriever, settings_of
from retrievers.commands.options import library_option, password_option


@click.command()
@library_option
@click.option("--model", metavar="NAME", help="Who answers `ask`, as of `pincite ask`.")
def mcp(library: Path | None, model: str | None) -> None:
    """Serve search, ask and show to assistants over the Model Context Protocol (stdio).

    \b
    pincite mcp -l ~/papers/.pincite      what an assistant starts; it speaks over its standard input and output

    \b
    In the assistant's configuration:
    {"mcpServers": {"pincite": {"command": "pincite", "args": ["mcp", "-l", "/path/to/.pincite"]}}}
    """
    from retrievers.mcp_server import build_server

    build_server(open_retriever(settings_of(library)), model=model).run("stdio")


@click.command()
@library_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8631, show_default=True, help="Port to listen at.")
@click.option(
    "--token",
    help="What callers must know [PINCITE_SERVE_TOKEN, which other users cannot see; a new one where others can call].",
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further name of this server.")
@click.option("--allow-origin", multiple=True, metavar="ORIGIN", help="A site whose pages may call the API.")
@click.option("--widget-origin", multiple=True, metavar="ORIGIN", help="A site that may show the chat as a widget.")
@click.option("--widget-token", help="What the widget asks with, which opens questions alone [a new one].")
@click.option(
    "--allow-folder",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that may be ingested from the page.",
)
@click.option("--model", metavar="NAME", help="A model on Ollama, or extractive [as in ask].")
@password_option
def serve(
    library: Path | None,
    host: str,
    port: int,
    token: str | None,
    allow_host: tuple[str, ...],
    allow_origin: tuple[str, ...],
    widget_origin: tuple[str, ...],
    widget_token: str | None,
    allow_folder: tuple[Path, ...],
    model: str | None,
    password: str | None,
) -> None:
    """Serve the library: a chat page for the browser, and an HTTP API.

    \b
    pincite serve
    pincite serve --allow-folder docs --model extractive
    pincite serve --host 0.0.0.0 --widget-origin https://example.org
    """
    from retrievers.api import ServeOptions, welcome
    from retrievers.api import serve as run

    settings = settings_of(library, password=password)
    options = ServeOptions(
        host=host,
        port=port,
        token=token or settings.serve_token,
        allow_hosts=allow_host,
        allow_origins=allow_origin,
        widget_origins=widget_origin,
        widget_token=widget_token,
        allow_folders=allow_folder,
        model=model,
        upload_bytes=settings.max_file_mb * 2**20,
    ).with_tokens()
    retriever = open_retriever(settings, create=True)
    run(retriever, options, lambda port: click.echo(welcome(options, port), err=True))
