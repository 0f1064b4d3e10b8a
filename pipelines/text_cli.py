"""Commands about texts of buyers.

Belongs here: their command lines. Does not belong here: what they do (`assets/text`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("label-text")(label_text)


def label_text(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", exists=True, dir_okay=False, help="CSV or Parquet with columns id, text."
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File of the same format.")],
) -> None:
    """Label texts of buyers: language, sentiment, reasons. Needs no warehouse and no network.

    Columns lang and source_type (return_comment, review, message ...) are used where they are
    there. Written are id, lang, sentiment, confidence and reasons, one row for each, in order.
    """
    from assets.text.label_files import LabelFileError, label_file

    try:
        rows = label_file(source, target)
    except LabelFileError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"{rows} texts labelled: {target}")
