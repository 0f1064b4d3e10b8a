"""How the services call carriers.

Belongs here: keys of 17TRACK, slugs of AfterShip, names that both show. The connector's own list
(`carriers.csv`) is not read, so that a wrong key in it shows.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from sources._sandbox.api_faults import share_of


@dataclass(frozen=True)
class Carrier:
    name: str
    key: int
    slug: str


_LISTED = (
    Carrier("4PX", 190094, "4px"),
    Carrier("Australia Post", 1151, "australia-post"),
    Carrier("Cainiao", 190271, "cainiao"),
    Carrier("Canada Post", 3041, "canada-post"),
    Carrier("China Post", 3011, "china-post"),
    Carrier("Colissimo", 6051, "colissimo"),
    Carrier("Correios", 2151, "brazil-correios"),
    Carrier("DHL Express", 100001, "dhl"),
    Carrier("DHL Paket", 7041, "dhl-germany"),
    Carrier("FedEx", 100003, "fedex"),
    Carrier("Royal Mail", 11031, "royal-mail"),
    Carrier("UPS", 100002, "ups"),
    Carrier("USPS", 21051, "usps"),
    Carrier("Yanwen", 190012, "yanwen"),
    Carrier("YunExpress", 190008, "yunexpress"),
)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_BY_NAME = {_plain(carrier.name): carrier for carrier in _LISTED}
_BY_NAME["dhl"] = _BY_NAME["dhlpaket"]


@functools.cache
def carrier_of(name: str) -> Carrier:
    """The carrier that a shop names; one that nobody lists has a key of its own."""
    known = _BY_NAME.get(_plain(name))
    if known is not None:
        return known
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return Carrier(name, 200_001 + int(share_of("carrier", _plain(name)) * 90_000), slug)
