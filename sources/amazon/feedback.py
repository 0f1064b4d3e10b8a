"""Seller feedback: one report for each marketplace, whose name is put on its rows.

Belongs here: what this report needs beside its layout. Its header is in the seller's language and
its dates are written as the marketplace's country does.
"""

from __future__ import annotations

from collections.abc import Iterator

from sources._core.connector import Page

from .layouts import Layout
from .rows import Document, Locale, read_pages


def read_feedback(document: Document, layout: Layout, locale: Locale) -> Iterator[Page]:
    return read_pages(document, layout, locale, marketplace=locale.marketplaces[0].name)
