"""Lost chargebacks as refunds of the lines of their order.

Belongs here: how the amount of a dispute is shared out. Does not belong here: which disputes a
marketplace tells of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from sources._sandbox.truth.reader import Line, Row, key
from sources._sandbox.truth.returned import Refund
from sources._sandbox.truth.shop_lines import spread


def chargeback(row: Row, lines: Mapping[str, Line]) -> Iterator[Refund]:
    """A refund of each line of the order, by what the buyer paid for it."""
    first = next(iter(lines.values()))
    gross = {name: _gross(line) for name, line in lines.items()}
    amount = Decimal(row["amount_minor"]).scaleb(-first.place.decimals)
    number = f"dispute-{row['dispute_id']}"
    for name, share in spread(amount, gross).items():
        line = lines[name]
        tax = _part(share, line.tax, gross[name])
        shipping = _part(share, line.shipping, gross[name])
        yield Refund(
            key=key(line.connector, line.account, number, name),
            refund_id=number,
            connector=line.connector,
            account=line.account,
            line=line,
            refunded_at=row["closed_at"],
            currency=line.currency,
            net=share - tax,
            goods=share - tax - shipping,
            tax=tax,
            shipping=shipping,
            given_units=None,
            given_kind="chargeback",
            return_id=None,
            method="original_payment",
            source="marketplace",
            disputed_at=row["opened_at"],
        )


def _gross(line: Line) -> Decimal:
    return (line.net or Decimal(0)) + (line.tax or Decimal(0)) + (line.shipping or Decimal(0))


def _part(share: Decimal, part: Decimal | None, whole: Decimal) -> Decimal:
    if not whole or part is None:
        return Decimal(0)
    return (share * part / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)
