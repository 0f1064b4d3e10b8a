"""JSON built by columns: each expression gives, per row, one piece of JSON text or null.

A null piece is left out of its object: absent, as the APIs leave out what they do not have.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .snapshot import API_TEXT, money


def text(value: str | pl.Expr) -> pl.Expr:
    """A text column as a JSON string; null stays null."""
    cell = pl.col(value) if isinstance(value, str) else value
    for plain, escaped in (
        ("\\", "\\\\"),
        ('"', '\\"'),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
    ):
        cell = cell.str.replace_all(plain, escaped, literal=True)
    return pl.concat_str(pl.lit('"'), cell, pl.lit('"'))


def word(content: str) -> pl.Expr:
    """A constant JSON string."""
    return pl.lit(f'"{content}"')


def number(value: str | pl.Expr) -> pl.Expr:
    cell = pl.col(value) if isinstance(value, str) else value
    return cell.cast(pl.String)


def moment(column: str) -> pl.Expr:
    """A UTC time column as `"2026-01-31T12:00:00Z"`."""
    return text(pl.col(column).dt.strftime(API_TEXT))


def amount(minor: str | pl.Expr) -> pl.Expr:
    """Minor units as the model's `Money`."""
    return members(amount=text(money(minor)), currencyCode=text("currency"))


def member(name: str, value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(f'"{name}":'), value)


def members(**values: pl.Expr) -> pl.Expr:
    """An object of these members."""
    return joined([member(name, value) for name, value in values.items()])


def joined(pieces: Sequence[pl.Expr]) -> pl.Expr:
    """An object of pieces that are members already."""
    inside = pl.concat_str(pieces, separator=",", ignore_nulls=True)
    return pl.concat_str(pl.lit("{"), inside, pl.lit("}"))


def array(*values: pl.Expr) -> pl.Expr:
    inside = pl.concat_str(values, separator=",", ignore_nulls=True)
    return pl.concat_str(pl.lit("["), inside, pl.lit("]"))


def when(condition: pl.Expr, value: pl.Expr) -> pl.Expr:
    """`value` where the condition holds, else nothing."""
    return pl.when(condition).then(value)
