"""Command lines of the owner and the analyst: lists, files, templates.

Belongs here: options of these commands and what they print. Does not belong here: what they do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.exports import Format
from pipelines.opening import language_of
from pipelines.resources import places, system_language
from pipelines.terminal import run_night

Table = Annotated[str, typer.Argument(help="A published table, for example mart_headline.")]
FileFormat = Annotated[Format, typer.Option("--format", help="Format of the file.")]
OptionalFormat = Annotated[
    Format | None, typer.Option("--format", help="A file instead of a list on the terminal.")
]
Out = Annotated[Path, typer.Option(dir_okay=False, help="File to write.")]
OptionalOut = Annotated[Path | None, typer.Option(dir_okay=False, help="File to write.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    commands: dict[str, Callable[..., None]] = {
        "import": import_reports,
        "export": export,
        "inbox-templates": inbox_templates,
        "brief": brief,
        "queue": queue,
        "evidence": evidence,
    }
    for name, command in commands.items():
        app.command(name)(command)


def import_reports(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files or folders.")],
    account: Annotated[str | None, typer.Option(help="Account that the reports belong to.")] = None,
    publish: Annotated[
        bool | None,
        typer.Option(
            "--publish/--no-publish",
            help="Run a night at once; without this option where no account is read by API.",
        ),
    ] = None,
) -> None:
    """Take over reports downloaded from a marketplace, without any key."""
    from pipelines.import_run import import_files
    from pipelines.import_summary import print_coverage, print_findings, words_of

    where = places()
    language = language_of(where.config) or system_language()
    result = import_files(where, paths, account)
    console = Console()
    print_findings(console, result.findings, language)
    print_coverage(console, result.imported, result.connectors, language)
    has_news = any(finding.state == "new" for finding in result.findings)
    if has_news and (publish if publish is not None else result.is_without_api):
        run_night()
    elif has_news:
        console.print(words_of(language)["next"])
    if any(finding.state == "refused" for finding in result.findings):
        raise typer.Exit(1)


def export(
    table: Table,
    out: Out,
    format_: FileFormat = "csv",
    account: Annotated[str | None, typer.Option(help="Rows of this account only.")] = None,
) -> None:
    """Write a published table to a file."""
    from pipelines.exports import export_table

    count = export_table(places().publication, table, format_, out, account)
    typer.echo(f"{count:,} rows written to {out}")


def inbox_templates(
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write to.")],
) -> None:
    """Empty files for the inbox, with an English and a Chinese note on every column."""
    from pipelines.inbox_templates import write_templates

    written = write_templates(out)
    typer.echo(f"{len(written)} files written to {out}; fill one in and put it into the inbox")


def brief(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """One screen: how fresh, the bill of the last full month, the largest avoidable costs."""
    from pipelines.brief import print_brief
    from pipelines.brief_figures import read_figures
    from pipelines.exports import open_publication

    where = places()
    open_publication(where.publication)
    if as_json:
        content = read_figures(where.publication).as_dict()
        typer.echo(json.dumps(content, default=str, indent=1, ensure_ascii=False))
    else:
        language = language_of(where.config) or system_language()
        print_brief(Console(), where.publication, language)


def evidence(
    query: Annotated[str, typer.Argument(help="A query of meta.query, for example lot_defects.")],
    key: Annotated[str, typer.Argument(help="The key, as the brief or the queue gives it.")],
    format_: OptionalFormat = None,
    out: OptionalOut = None,
) -> None:
    """The rows behind an action or a line of the brief."""
    from pipelines.evidence import evidence_file, print_evidence

    publication = places().publication
    if format_ is None:
        print_evidence(Console(), publication, query, key)
    else:
        _deliver(evidence_file(publication, query, key, format_), format_, out, "evidence")


def queue(
    queue_name: Annotated[str | None, typer.Option("--queue", help="Only this queue.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only what this role has to do.")] = None,
    format_: OptionalFormat = None,
    out: OptionalOut = None,
) -> None:
    """What waits to be done, the most urgent first, with money and evidence."""
    from pipelines.action_queue import print_queue, queue_file

    where = places()
    language = language_of(where.config) or system_language()
    if format_ is None:
        print_queue(Console(), where.publication, language, queue_name, owner)
        return
    content = queue_file(where.publication, language, format_, queue_name, owner)
    _deliver(content, format_, out, "queue")


def _deliver(content: bytes, format_: Format, out: Path | None, name: str) -> None:
    """To a file, or to standard output; a terminal shows no workbook, so it gets a file."""
    from sources._core.durable import write_atomically

    target = out
    if out is None and format_ == "xlsx" and sys.stdout.isatty():
        target = Path(f"{name}.xlsx")
    if target is None:
        sys.stdout.buffer.write(content)
    else:
        write_atomically(target, content)
        typer.echo(f"written to {target}")
