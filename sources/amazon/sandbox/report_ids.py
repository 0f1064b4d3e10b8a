"""Ids of reports and documents that say all about them.

Amazon outlives the reader's crashes; this server does not always. A report id therefore packs the
request itself, so that a server started again still knows a report that an earlier one was asked
for. To the reader an id is opaque digits, as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from .places import PLACES, POSITIONS
from .report_kinds import CODES, KINDS

_WIDTHS = (("kind", 4), ("start", 34), ("end", 34), ("created", 34), ("places", 32), ("serial", 12))
_DOCUMENT = "amzn1.spdoc.1.4.sandbox."
_TOP = 1 << sum(width for _, width in _WIDTHS)


@dataclass(frozen=True)
class ReportRequest:
    """What was asked for. Times are UTC to the second; `serial` tells equal requests apart."""

    report_type: str
    start: datetime
    end: datetime
    created: datetime
    marketplace_ids: tuple[str, ...]
    serial: int = 0

    def same_as(self, other: ReportRequest) -> bool:
        """Equal but for when it was asked."""
        return (
            self.report_type == other.report_type
            and (self.start, self.end) == (other.start, other.end)
            and set(self.marketplace_ids) == set(other.marketplace_ids)
        )


def report_id(request: ReportRequest) -> str:
    values = {
        "kind": CODES[request.report_type],
        "start": _seconds(request.start),
        "end": _seconds(request.end),
        "created": _seconds(request.created),
        "places": sum(1 << POSITIONS[place] for place in set(request.marketplace_ids)),
        "serial": request.serial,
    }
    packed = 1
    for name, width in _WIDTHS:
        packed = (packed << width) | values[name]
    return str(packed)


def request_of(identifier: str) -> ReportRequest | None:
    """The request behind a report id; None where it is none of ours."""
    if not identifier.isdecimal() or len(identifier) > 60:
        return None
    packed = int(identifier)
    if packed >> (_TOP.bit_length() - 1) != 1:
        return None
    values: dict[str, int] = {}
    for name, width in reversed(_WIDTHS):
        values[name] = packed & ((1 << width) - 1)
        packed >>= width
    kinds = {code: report_type for report_type, code in CODES.items()}
    if values["kind"] not in kinds or values["places"] >> len(PLACES):
        return None
    return ReportRequest(
        report_type=kinds[values["kind"]],
        start=datetime.fromtimestamp(values["start"], UTC),
        end=datetime.fromtimestamp(values["end"], UTC),
        created=datetime.fromtimestamp(values["created"], UTC),
        marketplace_ids=tuple(
            place.marketplace_id
            for position, place in enumerate(PLACES.values())
            if values["places"] >> position & 1
        ),
        serial=values["serial"],
    )


def document_id(report: str) -> str:
    return _DOCUMENT + report


def report_of_document(identifier: str) -> str | None:
    return identifier.removeprefix(_DOCUMENT) if identifier.startswith(_DOCUMENT) else None


def can_be_created(report_type: str) -> bool:
    kind = KINDS.get(report_type)
    return kind is not None and kind.can_be_created


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
