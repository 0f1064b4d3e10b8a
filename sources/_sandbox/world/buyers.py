"""The buyers: names, addresses, e-mails, phones. All of it marked, so that a leak can be found.

Belongs here: personal data of the simulated world. It goes to the servers and to the seller's own
files, never to the truth. Every name and street holds `MARK`, every e-mail ends in `EMAIL_DOMAIN`,
every phone holds `PHONE_MARK`, every postcode starts with `POSTCODE_MARK`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.demand import buyer_ids
from sources._sandbox.world.draws import Draws, Ids
from sources._sandbox.world.sales_tables import customer_numbers
from sources._sandbox.world.simulation import Simulation, digits

MARK = "Quillfeather"
EMAIL_DOMAIN = "@buyer.example"
PHONE_MARK = "555-01"
POSTCODE_MARK = "QF"

_NAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (("Olivia", "James", "Amelia", "Noah"), ("Walker", "Reed", "Carter")),
    "de": (("Jürgen", "Anna", "Käthe", "Lukas"), ("Müller", "Weiß", "Schröder")),
    "fr": (("Chloé", "Hugo", "Zoé"), ("Lefèvre", "Moreau")),
    "es": (("Lucía", "Martín"), ("Núñez", "García")),
    "it": (("Giulia", "Matteo"), ("Rossi", "Conti")),
    "pt": (("João", "Inês"), ("Araújo", "Gonçalves")),
    "ja": (("花子", "健太", "さくら"), ("佐藤", "髙橋", "渡邊")),
    "zh": (("小明", "丽华"), ("王", "陈")),
    "pl": (("Łukasz", "Zofia"), ("Wiśniewski", "Kowalska")),
    "sv": (("Åsa", "Björn"), ("Sjöberg", "Lindström")),
    "nl": (("Daan", "Sanne"), ("de Vries", "Visser")),
    "tr": (("Ayşe", "Mehmet"), ("Demir", "Öztürk")),
    "ar": (("Fatima", "Omar"), ("Hassan", "Saleh")),
}


def buyers_table(sim: Simulation) -> pl.DataFrame:
    """One row per buyer with an order."""
    kept = np.flatnonzero(sim.is_kept)
    ids = buyer_ids(sim.orders.market[kept], sim.orders.buyer[kept])
    _, first = np.unique(ids, return_index=True)
    order = kept[first]
    country = sim.orders.country[order].words()
    frame = pl.DataFrame(
        {
            "customer_no": customer_numbers(sim).gather(order),
            "country": country,
            "no": digits(ids[first] % np.uint64(10**10), 5),
            "house": (sim.draws.uniform("house", ids[first]) * 120 + 1).astype(np.int64),
            "name": _names(sim.draws, country, ids[first]),
            "place": _places(sim.draws, country, ids[first]),
            "dial": pl.Series([geography.country(c).phone for c in country.tolist()]),
        }
    )
    line = pl.col("customer_no").str.to_lowercase().str.replace("-", "")
    return frame.select(
        "customer_no",
        "name",
        pl.format("{}{}", line, pl.lit(EMAIL_DOMAIN)).alias("email"),
        pl.format("+{} {}{}", "dial", pl.lit(PHONE_MARK), pl.col("no")).alias("phone"),
        pl.format("{} {} St", "house", pl.lit(MARK)).alias("street"),
        pl.format("{}{}", pl.lit(POSTCODE_MARK), pl.col("no")).alias("postcode"),
        pl.col("place").str.split("/").list.get(0).alias("city"),
        pl.col("place").str.split("/").list.get(1).alias("state"),
        "country",
    )


def _names(draws: Draws, country: np.ndarray, ids: Ids) -> np.ndarray:
    names = np.full(len(ids), "", dtype="U60")
    for code in np.unique(country):
        mine = country == code
        given, family = _NAMES.get(geography.country(str(code)).language, _NAMES["en"])
        full = np.array([f"{g} {f} {MARK}" for g in given for f in family])
        names[mine] = full[draws.pick("name", ids[mine], [1.0] * len(full))]
    return names


def _places(draws: Draws, country: np.ndarray, ids: Ids) -> np.ndarray:
    places = np.full(len(ids), "", dtype="U60")
    for code in np.unique(country):
        mine = country == code
        known = np.array(["/".join(pair) for pair in geography.country(str(code)).cities])
        places[mine] = known[draws.pick("city", ids[mine], [1.0] * len(known))]
    return places
