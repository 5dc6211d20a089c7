"""The pincite command line: the group of the commands, their order, and what their errors say to the user."""

from __future__ import annotations

import errno
from typing import Any

import click

from retrievers.commands import asking, ingesting, keeping, partitioning, searching, serving, showing
from retrievers.commands.output import FAILED, INTERRUPTED

COMMANDS = (
    ingesting.ingest,
    asking.ask,
    asking.chat,
    searching.search,
    searching.evaluate,
    partitioning.partition,
    keeping.status,
    keeping.remove,
    keeping.history,
    keeping.reindex,
    showing.show,
    showing.report,
    serving.mcp,
    serving.serve,
    keeping.doctor,
)
"""In the order in which help lists them."""


class _Group(click.Group):
    """Turns our errors into one clear line and the right exit code, and keeps commands in reading order."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's own signature)
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own signature)
        from ingest.errors import PinciteError, UsageError

        try:
            return super().invoke(ctx)
        except UsageError as exc:
            raise click.UsageError(str(exc), ctx) from exc
        except PinciteError as exc:
            click.echo(f"Error: {exc}", err=True)
            ctx.exit(FAILED)
        except OSError as exc:
            if exc.errno == errno.EPIPE:  # the reader of our output has gone, which click ends quietly
                raise
            click.echo(f"Error: {exc.filename or 'output'}: {exc.strerror}", err=True)
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            click.echo("Interrupted; what was finished is kept, run the same command to go on.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pincite")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Ask your documents, and see exactly where each answer stands.

    \b
    pincite ingest docs                       read a folder into a local library
    pincite ask "What was revenue in 2024?"   a cited answer
    pincite search "ferry timetable" -k 5     the passages alone
    """
    from ingest.settings import read_terminal

    if read_terminal().get("NO_COLOR"):  # no-color.org; click does not look for it
        ctx.color = False


for command in COMMANDS:
    main.add_command(command)


if __name__ == "__main__":
    main()
