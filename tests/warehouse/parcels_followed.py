"""Parcels that tracking services follow, read from hand-written APIs as two nights would.

Belongs here: what the services tell, and loading it. Numbers in names are the test cases of the
facts about tracking, section 5. Does not belong here: parcels by file (`parcels_by_hand.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from assets.load import load_landed
from assets.warehouse import Warehouse
from sources.tracking import CONNECTOR
from tests.connectors import tracking_stub as stub
from tests.connectors.tracking_stub import checkpoint, event, parcel, track_info, tracking

FIRST, SECOND = (datetime(2026, 3, day, tzinfo=UTC) for day in (18, 20))
ACCEPTED, MOVING, CUSTOMS = (
    "InTransit_PickedUp",
    "InTransit_Other",
    "InTransit_CustomsProcessing",
)
DELIVERED = "Delivered_Other"


def _estimated(day: str) -> Mapping[str, object]:
    estimate = {"source": "Official", "from": f"{day}T00:00:00Z", "to": f"{day}T23:00:00Z"}
    return {"estimated_delivery_date": estimate}


def _known_first() -> dict[str, stub.Node]:
    accepted = event("2026-03-05T15:00:00", ACCEPTED)
    odd = [
        accepted,
        event("", MOVING, time_iso="2026-03-07T10:00:00", time_utc="2026-03-07T10:00:00Z"),
        event("", CUSTOMS, time_iso=None, time_utc=None, time_raw={"date": "2026-03-08"}),
        event("", DELIVERED, time_iso="2026-03-09T24:00:00-04:00", time_utc=None),
    ]
    return {
        # case 11: the last carrier repeats what the first one told
        "11LEGS": track_info(
            [accepted, event("2026-03-06T15:00:00", MOVING)],
            [event("2026-03-06T15:00:20", MOVING), event("2026-03-07T15:00:00", DELIVERED)],
        ),
        "12TIMES": track_info(odd),
        "14REWRITE": track_info([accepted, event("2026-03-06T15:00:00", MOVING)]),
        "ESTIMATED": track_info([accepted], **_estimated("2026-03-12")),
        "STALE": track_info([accepted], status="Expired_Other"),
        "TRUST": track_info([accepted, event("2026-03-09T18:00:00", DELIVERED)]),
        "STAGED": track_info([event("2026-03-05T15:00:00", None, stage="PickedUp")]),
        "CORRECTED": track_info([accepted]),
    }


def _known_later() -> dict[str, stub.Node]:
    accepted = event("2026-03-05T15:00:00", ACCEPTED)
    return {
        **_known_first(),
        # case 14: the scan of the 6th is gone, two others have come
        "14REWRITE": track_info(
            [accepted, event("2026-03-06T17:00:00", MOVING), event("2026-03-08T15:00:00", CUSTOMS)]
        ),
        "ESTIMATED": track_info([accepted], **_estimated("2026-03-16")),
    }


def _trackings() -> list[stub.Node]:
    return [
        tracking(
            "AS1",
            checkpoint("2026-03-05T10:00:00-05:00", "InTransit", "InTransit_002"),
            checkpoint("2026-03-06", "InTransit", "InTransit_007"),
            checkpoint("2026-03-09T10:00:00-04:00", "Delivered", "Delivered_005"),
            order_promised_delivery_date={"promised_delivery_date": "2026-03-08"},
        ),
        tracking("ASRET", shipment_direction="return", order_id="P17", checkpoints=None),
        tracking(
            "TRUST",
            checkpoint("2026-03-09T20:00:00Z", "Delivered", "Delivered_001"),
            checkpoint("2026-03-09T08:00:00Z", "OutForDelivery", "OutForDelivery_001"),
        ),
    ]


def load_services(warehouse: Warehouse, landing: Path) -> None:
    """Two nights of 17TRACK and one of AfterShip, read and loaded as nights do."""
    streams = ("seventeentrack_registrations", "seventeentrack_parcels")
    followed = stub.Nights(landing, stub.account(name="follow_17"))
    parcels = [parcel("4NOTHING", sent_on=FIRST.date()), parcel("CORRECTED")]
    service = stub.StubSeventeentrack(known=_known_first(), corrected={"CORRECTED": 100003})
    with service.running():
        outcomes = followed.read(streams[0], parcels=parcels, now=FIRST)
        outcomes += followed.read(streams[1], now=FIRST)
        load_landed(warehouse, landing, [CONNECTOR])
        service.known = _known_later()
        outcomes += followed.read(*streams, parcels=parcels, now=SECOND)
    with stub.StubAftership(_trackings()).running():
        nights = stub.Nights(landing, stub.account("aftership", name="follow_as"))
        outcomes += nights.read("aftership_trackings", now=SECOND)
    assert [(o.stream, o.error) for o in outcomes if o.error] == []
    load_landed(warehouse, landing, [CONNECTOR])
