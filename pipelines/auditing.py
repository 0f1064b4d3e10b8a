"""Audits of a night: what came in is judged before it is loaded, what goes out before it is read.

Belongs here: when an audit is worth its seconds, and where its results go. Does not belong here:
what is expected (`expectations.toml` beside connectors and marts), how it is checked
(`assets/audit/`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from assets import publish
from assets.audit import outgoing
from assets.audit.incoming import IncomingAudit
from assets.audit.validation import Validation, Verdict
from assets.dbt import PROJECT
from assets.warehouse import Warehouse, transaction
from pipelines.resources import Places

WORTH_AUDITING = 500  # rows that changed; fewer cannot move a mart out of what is expected of it


@dataclass
class Audits:
    """What was checked tonight, by connector, account and stream; `all`, `all` is what goes out."""

    validation: Validation = field(default_factory=Validation)
    verdicts: dict[tuple[str, str, str], Verdict] = field(default_factory=dict)

    def incoming(self, trusted: Collection[str], *, accepts_all: bool) -> IncomingAudit:
        """For the loading; batches of trusted accounts are judged and loaded all the same."""
        return IncomingAudit(self.validation, self.verdicts, frozenset(trusted), accepts_all)

    def outgoing(self, where: Places, as_of: datetime, rows_changed: int) -> None:
        """Marts against what is expected of them, results into the warehouse, pages on disk."""
        if rows_changed >= WORTH_AUDITING:
            before = publish.read_previous(where.publication).rows
            with Warehouse(where.warehouse).connect() as connection, transaction(connection):
                found = outgoing.audit_marts(
                    connection, outgoing.mart_suites(PROJECT), before, as_of, self.validation
                )
                mine = {(*outgoing.PLACE, verdict.name): verdict for verdict in found}
                outgoing.record(connection, as_of, mine)
                outgoing.show(connection, as_of, mine)
            self.verdicts |= mine
        self.validation.write_docs(where.data_docs)

    @property
    def failed(self) -> dict[tuple[str, str, str], Verdict]:
        return {place: verdict for place, verdict in self.verdicts.items() if verdict.failed}
