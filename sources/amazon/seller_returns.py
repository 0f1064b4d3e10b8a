"""Returns to a seller who ships himself: the flat report, or its XML twin, as the account chooses.

Belongs here: which of the two is read, and the XML. Does not belong here: the columns
(`layouts.py`) and what a status means (staging).
Both give rows of the same fields. The XML repeats the fields of a return for each item, as the
flat report does; fields of the label stand one level deeper.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from sources._core.connector import Page, StreamContext, Window
from sources._core.errors import StopStream

from .layouts import MFN_RETURNS, MFN_RETURNS_XML, Columns, Layout, match_columns
from .reports import ReportKind
from .rows import Cleaner, Document, Locale, Row, number_equal, read_pages, stop_if_changed
from .tables import Tally

_RETURN, _ITEM, _LABEL = "return_details", "item_details", "label_details"


def read_returns(context: StreamContext, window: Window) -> Iterator[Page]:
    """The `read` of the stream, by the setting `seller_returns` of the account."""
    kind = _XML if context.client.account.seller_returns == "xml" else _FLAT
    return kind.read(context, window)


def read_flat(document: Document, layout: Layout, locale: Locale) -> Iterator[Page]:
    return read_pages(document, layout, locale, report_form="flat")


def read_xml(document: Document, layout: Layout, locale: Locale) -> Iterator[Page]:
    """All rows in one page: a report has sixty days of returns at most."""
    tally = Tally(document.source_ref)
    cleaner = Cleaner(layout, locale, tally, month_first=locale.month_first)
    columns = Columns(0, {}, (), ())
    groups: dict[tuple[str | None, ...], list[Row]] = {}
    for number, cells in enumerate(_items(document, layout), start=1):
        columns = match_columns(tuple(cells), layout)
        texts = tuple(cells.values())
        found = {name: texts[at] for name, at in columns.position.items() if texts[at]}
        row = cleaner.clean(found, number)
        if row is not None:
            row["report_form"] = "xml"
            groups.setdefault(tuple(row.get(name) for name in layout.counted), []).append(row)
    yield Page(
        records=[row for group in groups.values() for row in number_equal(group)],
        source_ref=document.source_ref,
        rejects=tally.take(),
        unknown_fields=columns.unknown,
        changed_fields=tally.changed_columns(cleaner.kept),
        is_whole=cleaner.kept > 0 and not cleaner.has_bare_dates,
    )
    stop_if_changed(tally, cleaner.kept, layout)


def _items(document: Document, layout: Layout) -> Iterator[dict[str, str]]:
    """Fields of each returned item with those of its return; none for an empty document."""
    if not document.data.strip():
        return
    try:
        for _event, element in iterparse(BytesIO(document.data)):
            if _name(element) == _RETURN:
                yield from _items_of(element)
                element.clear()
    except (ParseError, DefusedXmlException):
        raise StopStream(
            f"{document.source_ref} ({layout.report_type}) is no XML that can be read: it was cut, "
            'or Amazon sent a message instead. The next night asks again; seller_returns = "flat" '
            "of the account reads the other form of the report."
        ) from None


def _items_of(element: Element) -> Iterator[dict[str, str]]:
    common = _texts(element)
    inner = list(element.iter())
    for label in (one for one in inner if _name(one) == _LABEL):
        common.update(_texts(label))
    for item in (one for one in inner if _name(one) == _ITEM):
        yield {**common, **_texts(item)}


def _texts(element: Element) -> dict[str, str]:
    return {_name(child): child.text or "" for child in element if not len(child)}


def _name(element: Element) -> str:
    """Without the namespace that XML puts in front."""
    return str(element.tag).rpartition("}")[2]


_FLAT = ReportKind(MFN_RETURNS, read_document=read_flat)
_XML = ReportKind(MFN_RETURNS_XML, read_document=read_xml)
