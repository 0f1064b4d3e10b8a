"""The outbox: what is to be said on which channel, what was tried, what people acknowledged.

Belongs here: a small SQLite file of its own, so that sending and acknowledging never wait for the
warehouse. Does not belong here: what an alert says (`wording.py`), how a channel is reached
(`delivery.py`).

A message is written once for each alert, channel and event. Whoever wants to send it claims its row
first, so that of two that run at once only one does; a claim ends by itself if its holder died.
"""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

CLAIM_ENDS = timedelta(minutes=10)
DIGEST_OVER = 5

_SCHEMA = """
    create table if not exists message (
        message_id text primary key, channel text not null, title text not null, body text not null,
        is_digest integer not null, state text not null, claimed_by text, claimed_at text
    ) strict;
    create table if not exists part (
        channel text not null, alert_id text not null, event text not null,
        message_id text not null references message,
        primary key (channel, alert_id, event)
    ) strict;
    create table if not exists attempt (
        message_id text not null references message, number integer not null,
        attempted_at text not null, state text not null, error text,
        primary key (message_id, number)
    ) strict;
    create table if not exists acknowledgement (
        alert_id text primary key, acknowledged_at text not null
    ) strict;
    create table if not exists failed_night (
        night text primary key, failed_at text not null, cause text not null,
        is_over integer not null default 0
    ) strict;
"""


@dataclass(frozen=True)
class Notice:
    """One event of one alert, worded; `follows` is set where it only makes sense after another."""

    alert_id: str
    event: str
    title: str
    body: str
    channels: tuple[str, ...] | None = None
    follows: bool = False


@dataclass(frozen=True)
class Message:
    message_id: str
    channel: str
    title: str
    body: str


@dataclass
class Outbox:
    """The file; `who` names this evaluator in the claims."""

    path: Path
    who: str = field(default_factory=lambda: uuid.uuid4().hex)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other writer overlaps."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            connection.execute("pragma foreign_keys = on")
            connection.execute("begin immediate")
            if not connection.execute("pragma schema_version").fetchone()[0]:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
            yield connection
            connection.execute("commit")
        finally:
            connection.close()  # what was not committed is undone

    def enqueue(self, notices: Sequence[Notice], channels: Iterable[str], digest_title: str) -> int:
        """Messages for events that no message of the channel has; many at once make one digest."""
        written = 0
        with self._open() as connection:
            for channel in channels:
                wanted = [n for n in notices if n.channels is None or channel in n.channels]
                new = [n for n in wanted if _is_due(connection, channel, n)]
                if len(new) > DIGEST_OVER:
                    title = digest_title.format(count=len(new))
                    body = "\n\n".join(f"{n.title}\n{n.body}" for n in new)
                    _write(connection, channel, new, title, body)
                    written += 1
                else:
                    for notice in new:
                        _write(connection, channel, [notice], notice.title, notice.body)
                    written += len(new)
        return written

    def claim(self, channels: Iterable[str], now: datetime) -> Message | None:
        """The next waiting message that nobody is sending, now ours; None if there is none.

        A claim a little later than `now` is of one who asked after us and got the file first; only
        one far in the future is of a clock that was set back.
        """
        wanted = list(channels)
        with self._open() as connection:
            row = connection.execute(
                f"""
                update message set claimed_by = ?, claimed_at = ? where rowid = (
                    select min(rowid) from message
                    where state = 'waiting' and channel in ({_marks(wanted)})
                    and (claimed_by is null or claimed_at < ? or claimed_at > ?)
                ) returning message_id, channel, title, body
                """,
                [
                    self.who,
                    now.isoformat(),
                    *wanted,
                    (now - CLAIM_ENDS).isoformat(),
                    (now + CLAIM_ENDS).isoformat(),
                ],
            ).fetchall()
        return Message(*row[0]) if row else None

    def tried(self, message: Message, at: datetime, error: str | None) -> None:
        """One attempt; without an error the message is sent."""
        with self._open() as connection:
            connection.execute(
                "insert into attempt select ?, coalesce(max(number), 0) + 1, ?, ?, ? from attempt"
                " where message_id = ?",
                [
                    message.message_id,
                    at.isoformat(),
                    "failed" if error else "sent",
                    error,
                    message.message_id,
                ],
            )
            if error is None:
                connection.execute(
                    "update message set state = 'sent', claimed_by = null where message_id = ?",
                    [message.message_id],
                )

    def release(self, message: Message) -> None:
        """Given back unsent; it waits for the next evaluator."""
        with self._open() as connection:
            connection.execute(
                "update message set claimed_by = null where message_id = ? and claimed_by = ?",
                [message.message_id, self.who],
            )

    def acknowledge(self, alert_id: str, at: datetime) -> None:
        """Somebody has seen it: what still waits to say so alone is not sent any more."""
        with self._open() as connection:
            connection.execute(
                "insert into acknowledgement values (?, ?)"
                " on conflict do update set acknowledged_at = excluded.acknowledged_at",
                [alert_id, at.isoformat()],
            )
            connection.execute(
                "update message set state = 'suppressed' where state = 'waiting' and not is_digest"
                " and claimed_by is null and message_id in"
                " (select message_id from part where alert_id = ?)",
                [alert_id],
            )

    def acknowledgements(self) -> dict[str, datetime]:
        with self._open() as connection:
            rows = connection.execute("select * from acknowledgement").fetchall()
        return {alert_id: datetime.fromisoformat(at) for alert_id, at in rows}

    def night_failed(self, night: str, at: datetime, cause: str) -> None:
        """A night that did not publish; the same night counts once."""
        with self._open() as connection:
            connection.execute(
                "insert into failed_night (night, failed_at, cause) values (?, ?, ?)"
                " on conflict do nothing",
                [night, at.isoformat(), cause],
            )

    def failed_nights(self) -> list[tuple[datetime, str]]:
        """Nights that failed since the last good one, with their causes."""
        with self._open() as connection:
            rows = connection.execute(
                "select failed_at, cause from failed_night where not is_over order by failed_at"
            ).fetchall()
        return [(datetime.fromisoformat(at), cause) for at, cause in rows]

    def night_succeeded(self) -> None:
        with self._open() as connection:
            connection.execute("update failed_night set is_over = 1")

    def deliveries(self) -> list[dict[str, Any]]:
        """Rows of `signals.alert_delivery`: attempts, and what waits for its first."""
        with self._open() as connection:
            rows = connection.execute(
                """
                select
                    part.alert_id, part.channel,
                    row_number() over (
                        partition by part.alert_id, part.channel
                        order by message.rowid, attempt.number
                    ),
                    attempt.attempted_at, coalesce(attempt.state, message.state),
                    message.is_digest, message.message_id, attempt.error
                from part
                join message on part.message_id = message.message_id
                left join attempt on message.message_id = attempt.message_id
                order by 1, 2, 3
                """
            ).fetchall()
        names = (
            "alert_id",
            "channel",
            "attempt",
            "attempted_at",
            "delivery_state",
            "is_digest",
            "message_id",
            "error",
        )
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [row | {"is_digest": bool(row["is_digest"])} for row in found]

    def waiting(self) -> int:
        with self._open() as connection:
            rows = connection.execute("select count(*) from message where state = 'waiting'")
            return int(rows.fetchone()[0])


def _is_due(connection: sqlite3.Connection, channel: str, notice: Notice) -> bool:
    known = {
        event
        for (event,) in connection.execute(
            "select event from part where channel = ? and alert_id = ?", [channel, notice.alert_id]
        ).fetchall()
    }
    return notice.event not in known and (bool(known) or not notice.follows)


def _write(
    connection: sqlite3.Connection,
    channel: str,
    notices: Sequence[Notice],
    title: str,
    body: str,
) -> None:
    parts = [f"{n.alert_id}:{n.event}" for n in notices]
    digest = hashlib.sha256("\n".join([channel, *parts]).encode()).hexdigest()
    message_id = f"M-{digest[:10]}"
    connection.execute(
        "insert into message values (?, ?, ?, ?, ?, 'waiting', null, null)",
        [message_id, channel, title, body, int(len(notices) > 1)],
    )
    for notice in notices:
        connection.execute(
            "insert into part values (?, ?, ?, ?)",
            [channel, notice.alert_id, notice.event, message_id],
        )


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" for _ in values)
