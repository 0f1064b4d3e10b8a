"""The report of seller feedback: six columns with a header in the marketplace's language.

Belongs here: its rows, and the header and the way to write dates of each marketplace.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .places import BY_ID
from .snapshot import Snapshot

COLUMNS = ("date", "rating", "comments", "response", "order_id", "rater_email")

_HEADERS: dict[str, tuple[str, ...]] = {
    "en": ("Date", "Rating", "Comments", "Your Response", "Order ID", "Rater Email"),
    "de": ("Datum", "Bewertung", "Kommentare", "Ihre Antwort", "Bestellnummer",
           "E-Mail-Adresse des Bewertenden"),
    "fr": ("Date", "Note", "Commentaires", "Votre réponse", "Numéro de commande",
           "Adresse e-mail de l'évaluateur"),
    "it": ("Data", "Valutazione", "Commenti", "La tua risposta", "Numero dell'ordine",
           "E-mail del votante"),
    "es": ("Fecha", "Calificación", "Comentarios", "Tu respuesta", "Número de pedido",
           "Correo electrónico del evaluador"),
    "ja": ("日付", "評価", "コメント", "回答", "注文番号", "評価者のEメール"),
    "pl": ("Data", "Ocena", "Komentarze", "Twoja odpowiedź", "Numer zamówienia",
           "E-mail oceniającego"),
    "nl": ("Datum", "Beoordeling", "Opmerkingen", "Uw reactie", "Bestelnummer",
           "E-mail van beoordelaar"),
    "sv": ("Datum", "Betyg", "Kommentarer", "Ditt svar", "Ordernummer", "E-post till betygsättare"),
    "pt": ("Data", "Classificação", "Comentários", "Sua resposta", "Número do pedido",
           "E-mail do avaliador"),
}  # fmt: skip
_DATES = {"US": "%m/%d/%y", "DE": "%d.%m.%y", "SE": "%Y-%m-%d", "JP": "%y/%m/%d"}
_OTHER_DATES = "%d/%m/%y"


def seller_feedback(snapshot: Snapshot) -> pl.DataFrame:
    """Feedback given so far, with the plain names of the columns; dates are local days."""
    zones = snapshot.places["time_zone"].unique().to_list()
    local = [
        pl.when(pl.col("time_zone") == zone).then(
            pl.col("rated_at").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
        )
        for zone in zones
    ]
    return (
        snapshot.world.feedback.filter(
            pl.col("account") == snapshot.account, pl.col("rated_at") <= snapshot.now
        )
        .join(
            snapshot.places.select("marketplace", "marketplace_id", "time_zone"), on="marketplace"
        )
        .sort("rated_at", "order_id")
        .select(
            pl.col("rated_at").alias("_at"),
            pl.col("marketplace_id").alias("_place"),
            pl.coalesce(local).alias("date"),
            pl.col("stars").cast(pl.String).alias("rating"),
            pl.col("comment").alias("comments"),
            "response",
            "order_id",
            "rater_email",
        )
    )


def localised(rows: pl.DataFrame, marketplace_ids: Sequence[str]) -> pl.DataFrame:
    """The rows as the first marketplace asked for writes them."""
    place = BY_ID[marketplace_ids[0]]
    header = _HEADERS.get(place.language[:2], _HEADERS["en"])
    day = pl.col("date").dt.strftime(_DATES.get(place.country, _OTHER_DATES))
    named = dict(zip(COLUMNS, header, strict=True))
    return rows.with_columns(day.alias("date")).rename(named, strict=False)
