"""From a vendor's ticket to a record: order reference, hashes of people, team, topic, times in UTC.

Belongs here: pure functions of one object and the account's settings. Does not belong here: which
fields are kept (`records.py`), fetching (`client.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sources._core.privacy import UNKNOWN_CUSTOMER, keyed_hash

from .config import HelpdeskAccount

Row = dict[str, Any]


def person_key(number: Any, account: HelpdeskAccount) -> str | None:
    """Keyed hash of a person of the desk, buyer or agent; None where nobody is named."""
    secret = account.secrets.get("customer_key")
    if number is None or secret is None:
        return None if number is None else UNKNOWN_CUSTOMER
    identity = f"{account.provider}:{account.name}:{number}"
    return keyed_hash(identity, secret.get_secret_value())


def order_reference(
    account: HelpdeskAccount, field: Any, texts: Iterable[str | None], external_id: Any
) -> tuple[str | None, str | None]:
    """The order that a ticket names, and by what: the configured field wins over the pattern in
    subject and tags, that over the external id. Taken before texts are masked."""
    if field not in (None, "") and str(field).strip():
        return str(field).strip(), "field"
    for text in texts:
        found = re.search(account.order_pattern, text) if text else None
        if found is not None:
            return found[1] if found.re.groups else found[0], "pattern"
    if external_id not in (None, "") and str(external_id).strip():
        return str(external_id).strip(), "external_id"
    return None, None


def custom_field(ticket: Mapping[str, Any], number: str | None) -> Any:
    """Value of a custom field; None where the ticket has none or none is configured."""
    if number is None:
        return None
    fields = ticket.get("custom_fields") or ()
    return next((f.get("value") for f in fields if str(f.get("id")) == number), None)


def channel_of(via: Any) -> str | None:
    """`via` is a word, or an object that holds it."""
    word = via.get("channel") if isinstance(via, Mapping) else via
    return None if word is None else str(word).lower()


def utc_text(text: str | None) -> str | None:
    """A time of Gorgias, with and without microseconds or offset, as one spelling in UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def without(row: Mapping[str, Any], names: Iterable[str]) -> Row:
    """What is left stays visible to the record, which notes names it does not know."""
    return {name: value for name, value in row.items() if name not in frozenset(names)}
