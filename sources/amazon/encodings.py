"""Which text encoding a report has, decided on its decompressed bytes.

Belongs here: the order of evidence and the names Amazon uses for encodings. Does not belong here:
gzip (`reports.py`) and cells (`tables.py`); text is cut into cells only after decoding.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What Amazon writes, and the superset that reads it: "ISO-8859-1" files hold cp1252's 0x80-0x9F,
# "Shift_JIS" files hold vendor characters that only cp932 has.
_READ_AS = {
    "utf8": "utf-8",
    "iso88591": "cp1252",
    "latin1": "cp1252",
    "windows1252": "cp1252",
    "cp1252": "cp1252",
    "windows31j": "cp932",
    "ms932": "cp932",
    "cp932": "cp932",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "xsjis": "cp932",
}
_LAST_RESORT = "cp1252"


@dataclass(frozen=True)
class Encoding:
    """`is_exact` is False when some bytes could not be read and were replaced."""

    name: str
    is_exact: bool = True


def charset_of(content_type: str | None) -> str | None:
    """The charset parameter of a Content-Type header."""
    if not content_type:
        return None
    message = Message()
    message["content-type"] = content_type
    return message.get_content_charset()


def choose_encoding(data: bytes, charset: str | None, market_default: str | None) -> Encoding:
    """BOM, then the download's charset, strict UTF-8, the marketplace's default, cp1252."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            return Encoding(name, _reads(data, name))
    for name in _candidates(charset, market_default):
        if _reads(data, name):
            return Encoding(name)
    return Encoding(_python_name(charset) or market_default or _LAST_RESORT, is_exact=False)


def _candidates(charset: str | None, market_default: str | None) -> Iterator[str]:
    declared = _python_name(charset)
    if declared:
        yield declared
    yield "utf-8"
    if market_default:
        yield market_default
    yield _LAST_RESORT


def _python_name(charset: str | None) -> str | None:
    if not charset:
        return None
    squeezed = charset.lower().replace("-", "").replace("_", "")
    name = _READ_AS.get(squeezed, charset)
    try:
        codecs.lookup(name)
    except LookupError:
        return None
    return name


def _reads(data: bytes, name: str) -> bool:
    """Whether all bytes decode strictly; in pieces, so that no copy of a large file is made."""
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True
