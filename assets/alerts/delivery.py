"""Sending what waits in the outbox, through `apprise`.

Belongs here: which events of an alert are told, and patience with a channel. Does not belong here:
the file (`outbox.py`). Addresses are secrets: they reach apprise and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import tenacity

from assets.alerts import wording
from assets.alerts.outbox import Message, Notice, Outbox
from assets.alerts.rules import Rule
from sources._core.clock import Clock

TRIES = 3


class NotDeliveredError(RuntimeError):
    """A channel did not take the message; the text names no address."""


@dataclass(frozen=True)
class Channel:
    """A channel of the settings: where it leads, and the variable that says so."""

    name: str
    variable: str
    address: str | None


Send = Callable[[Channel, str, str], None]


def send_by_apprise(channel: Channel, title: str, body: str) -> None:
    """One try."""
    if channel.address is None:
        raise NotDeliveredError(
            f"environment variable {channel.variable} is not set; set it to the address of the "
            "channel, or remove the channel from [alerts] channels"
        )
    with _silent("apprise", "urllib3.connectionpool"):
        import apprise

        client = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
        if not client.add(channel.address):
            raise NotDeliveredError(
                f"the address in {channel.variable} is not one that apprise knows; write it as "
                "https://appriseit.com/services/ says"
            )
        is_sent = client.notify(title=title, body=body)
    if not is_sent:
        raise NotDeliveredError(
            f"the service behind {channel.variable} refused the message or could not be reached; "
            "it is tried again with the next delivery"
        )


@contextmanager
def _silent(*loggers: str) -> Iterator[None]:
    """They would write addresses, which are secrets."""
    before = {logger: logger.disabled for logger in map(logging.getLogger, loggers)}
    for logger in before:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was_disabled in before.items():
            logger.disabled = was_disabled


def deliver(
    outbox: Outbox,
    channels: Iterable[Channel],
    now: datetime,
    clock: Clock,
    *,
    message_line: str,
    send: Send = send_by_apprise,
) -> int:
    """Send what waits; a channel that fails keeps its messages for the next time. How many left.

    `now` is the night's clock, that stands beside each attempt; `clock` is the machine's, by which
    claims end and retries wait.
    """
    open_channels = {channel.name: channel for channel in channels}
    sent = 0
    while open_channels:
        message = outbox.claim(open_channels, clock.now())
        if message is None:
            break
        body = f"{message.body}\n\n{message_line.format(message_id=message.message_id)}"
        try:
            _patiently(outbox, open_channels[message.channel], message, body, now, clock, send)
            sent += 1
        except NotDeliveredError:
            outbox.release(message)
            del open_channels[message.channel]
    return sent


def _patiently(
    outbox: Outbox,
    channel: Channel,
    message: Message,
    body: str,
    now: datetime,
    clock: Clock,
    send: Send,
) -> None:
    """Several tries with growing waits, each written down."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NotDeliveredError),
        stop=tenacity.stop_after_attempt(TRIES),
        wait=tenacity.wait_exponential_jitter(initial=1, max=20),
        sleep=clock.sleep,
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            try:
                send(channel, message.title, body)
            except NotDeliveredError as error:
                outbox.tried(message, now, str(error))
                raise
            outbox.tried(message, now, None)


def notices(
    alerts: Sequence[Mapping[str, Any]], rules: Iterable[Rule], language: str
) -> list[Notice]:
    """What the alerts of a publication have to say: opening, worsening, end; rows of signals.alert.

    An acknowledged alert opens silently, and its end is told. What a parent explains is not told.
    """
    channels = {rule.name: rule.channels for rule in rules}
    found = []
    for row in alerts:
        is_over = row["state"] == "resolved"
        if row["parent_alert_id"] != "none" or row["state"] == "acknowledged":
            continue
        episode = f"{row['started_at']:%Y-%m-%dT%H:%M:%S}"
        found.append(
            Notice(
                alert_id=row["alert_id"],
                event=f"{episode} {'resolved' if is_over else row['severity']}",
                title=wording.title(row, language),
                body=row[f"message_{language}"],
                channels=channels.get(row["rule"]),
                follows=is_over,
            )
        )
    return found
