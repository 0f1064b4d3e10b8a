"""Commands about texts of buyers.

Belongs here: their command lines. Does not belong here: what they do (`assets/text`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

privacy_app = typer.Typer(help="Erase texts of buyers from landing files and warehouse, for good.")


def register(app: typer.Typer) -> None:
    app.command("label-text")(label_text)
    app.command("learn-text")(learn_text)
    app.add_typer(privacy_app, name="privacy", no_args_is_help=True)


def learn_text(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", dir_okay=False, help="CSV or Parquet with columns text, stars (1 to 5)."
        ),
    ],
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File for `label-text --model`.")],
) -> None:
    """Learn sentiment from starred texts of your own, on top of what the program knows.

    The night does this by itself once a month and keeps what is better; this is for other texts.
    """
    from assets.text.label_files import LabelFileError, learn_file

    try:
        rows = learn_file(source, model)
    except LabelFileError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"learnt from {rows} texts: {model}")


@privacy_app.command("erase")
def privacy_erase(
    text: Annotated[
        list[str] | None, typer.Option(help="text_hash of a text; may be repeated.")
    ] = None,
    customer: Annotated[
        list[str] | None, typer.Option(help="customer_key of a buyer; may be repeated.")
    ] = None,
) -> None:
    """Erase texts by hash or by customer; landing files and the database file are rewritten."""
    from pipelines.opening import Wish, open_night
    from pipelines.privacy_run import erase_texts
    from pipelines.terminal import watching

    if not text and not customer:
        raise typer.BadParameter("name what to erase: --text HASH or --customer KEY")
    with watching() as watcher, open_night(Wish(reads_sources=False), watcher) as night:
        count = erase_texts(night, text or (), customer or ())
    typer.echo(f"{count} texts erased" if count else "no such text is held; nothing was changed")


@privacy_app.command("retain")
def privacy_retain() -> None:
    """Erase texts that are older than privacy.text_retention_days of the settings."""
    from pipelines.opening import Wish, open_night
    from pipelines.privacy_run import retain
    from pipelines.terminal import watching

    with watching() as watcher, open_night(Wish(reads_sources=False), watcher) as night:
        count = retain(night)
    typer.echo(f"{count} texts erased" if count else "no text is too old; nothing was changed")


def label_text(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", dir_okay=False, help="CSV or Parquet with columns id, text."),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File of the same format.")],
    model: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Sentiment as `learn-text` has learnt it.")
    ] = None,
) -> None:
    """Label texts of buyers: language, sentiment, reasons. Needs no warehouse and no network.

    Columns lang and source_type (return_comment, review, message ...) are used where they are
    there. Written are id, lang, sentiment, confidence and reasons, one row for each, in order.
    """
    from assets.text.label_files import LabelFileError, label_file

    try:
        rows = label_file(source, target, model)
    except LabelFileError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"{rows} texts labelled: {target}")
