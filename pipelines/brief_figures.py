"""The figures of the brief, read from the publication: freshness, the bill, avoidable costs.

Belongs here: which rows make the brief, and how certain each is. Does not belong here: words and
layout (`brief.py`), and the figures themselves, which the marts have.

An avoidable cost is what a lot, a product or a country costs above what its like costs: its cost
times the part of its rate that exceeds the rate of all others. It is named only where the interval
of its rate lies above the interval of theirs; reimbursement leads are units owed, one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from assets.warehouse import Connection, Warehouse

LEAST_UNITS = 30
NAMED = 3
Certainty = Literal["certain", "likely", "listed"]


@dataclass(frozen=True)
class Source:
    """One account and how fresh it is."""

    source: str
    rows: int
    changed: int
    until: datetime | None
    state: str


@dataclass(frozen=True)
class Bill:
    """The after-sales bill of a month; money in the reporting currency, NULL without a rate."""

    month: date
    net_sales: Decimal | None
    total: Decimal | None
    share: float | None
    refunds: Decimal | None
    operations: Decimal | None
    operations_share: float | None
    previous: Decimal | None
    estimated: Decimal
    cost_known: float | None  # share of shipped units whose cost is known

    @property
    def fees(self) -> Decimal | None:
        """Fees of the refunded sales: what refunds and operations exceed the bill by."""
        if self.refunds is None or self.operations is None or self.total is None:
            return None
        return self.refunds + self.operations - self.total


@dataclass(frozen=True)
class Avoidable:
    """One avoidable cost. `rate` and `usual` are shares of units; NULL for leads."""

    kind: Literal["lot", "sku", "country", "reimbursement_lead"]
    key: str
    name: str
    amount: Decimal
    certainty: Certainty
    reason: str
    units: int
    rate: float | None
    usual: float | None
    query: str


@dataclass(frozen=True)
class Figures:
    """Everything the brief says."""

    current: Mapping[str, Any]
    sources: Sequence[Source]
    bill: Bill | None
    bill_month: date
    avoidable: Sequence[Avoidable]
    actions: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_SOURCES = """
    select
        connector || '/' || account,
        cast(sum(rows_total) as bigint),
        cast(sum(rows_last_night) as bigint),
        min(data_until) filter (where rows_total > 0),
        max_by(
            freshness_state,
            list_position(['fresh', 'never', 'stale', 'failing'], freshness_state)
        )
    from meta.freshness
    where account <> 'all'
    group by 1 order by 1
"""

_BILL = """
    select
        h.month,
        h.net_sales,
        h.after_sales_cost_total,
        h.after_sales_cost_rate,
        h.refund_net,
        h.after_sales_cost_ex_refund,
        h.after_sales_cost_ex_refund_rate,
        p.after_sales_cost_total,
        coalesce(e.estimated, 0),
        k.known
    from marts.mart_headline as h
    left join marts.mart_headline as p
        on p.account = 'all' and p.month = h.month - interval 1 month
    left join (
        select month, sum(sign * estimated_reporting) as estimated
        from marts.mart_cost_by_month group by month
    ) as e on e.month = h.month
    left join (
        select month, sum(units_cost_known) / nullif(sum(units_shipped), 0) as known
        from marts.mart_cost_by_sku group by month
    ) as k on k.month = h.month
    where h.account = 'all' and h.month = ?
"""

# Lots: cost of defects, against the other lots of all products.
_LOTS = """
    with lots as (
        select
            r.lot_key, r.sku, c.defect_cost as cost, r.units_shipped as n,
            r.defect_rate_fifo as rate, r.defect_rate_fifo_low as low, r.defect_rate_lifo as other,
            r.units_defective as k
        from marts.mart_return_rate_by_lot as r
        join marts.mart_cost_by_lot as c on c.lot_key = r.lot_key
        where r.units_shipped > 0 and r.lot_id <> 'unattributed'
    ),
    compared as (
        select
            *, sum(k) over () - k as other_k, sum(n) over () - n as other_n,
            other_k / nullif(other_n, 0) as usual
        from lots
    )
    select
        'lot', lot_key, sku, cost * (1 - usual / rate),
        case when other > usual then 'certain' else 'likely' end, 'product_defect',
        n, rate, usual, 'lot_defects'
    from compared
    where n >= ? and low > wilson_high(other_k, other_n) and cost > 0
"""

# Products: everything but the refund itself, against the other products; the main reason beside it.
_SKUS = """
    with skus as (
        select
            sku, sum(after_sales_cost_ex_refund) as cost, sum(units_shipped) as n,
            sum(units_returned) as k
        from marts.mart_cost_by_sku_cohort where sku not in ('unknown', 'none') group by sku
    ),
    reasons as (
        select sku, arg_max(l1, units) as reason from (
            select sku, split_part(reason_l2, '.', 1) as l1, sum(units) as units
            from marts.mart_return_reason_by_sku where reason_l2 not like 'unknown.%'
            group by 1, 2
        ) group by sku
    ),
    compared as (
        select
            *, sum(k) over () - k as other_k, sum(n) over () - n as other_n,
            other_k / nullif(other_n, 0) as usual
        from skus where n > 0
    )
    select
        'sku', c.sku, c.sku, c.cost * (1 - c.usual * c.n / c.k),
        'certain', coalesce(r.reason, 'unknown'), c.n, c.k / c.n, c.usual, 'sku_reasons'
    from compared as c left join reasons as r on r.sku = c.sku
    where
        c.n >= ? and c.k > 0 and c.cost > 0
        and wilson_low(c.k, c.n) > wilson_high(c.other_k, c.other_n)
"""

# Countries: refunds for what never arrived, against the other countries of the account.
_COUNTRIES = """
    with lost as (
        select
            account, country, sum(quantity) filter (
                where outcome in ('refunded_no_return', 'undelivered')
            ) as k, sum(quantity) as n
        from marts.fct_unit_outcome where outcome not in ('cancelled', 'unshipped_open')
        group by 1, 2
    ),
    money as (
        select account, country, sum(net_reporting) as cost from marts.fct_refund_line
        where kind = 'inr' and not is_duplicate_of_chargeback group by 1, 2
    ),
    compared as (
        select
            lost.*, money.cost,
            sum(k) over (partition by lost.account) - k as other_k,
            sum(n) over (partition by lost.account) - n as other_n,
            other_k / nullif(other_n, 0) as usual
        from lost join money using (account, country)
    )
    select
        'country', account || '|' || country, account || ' ' || country, cost * (1 - usual * n / k),
        'certain', 'logistics', n, k / n, usual, 'country_return_rate'
    from compared
    where n >= ? and k > 0 and cost > 0 and wilson_low(k, n) > wilson_high(other_k, other_n)
"""

_LEADS = """
    select
        'reimbursement_lead', 'reimbursement_lead',
        string_agg(distinct account, ', ' order by account),
        sum(money_at_stake), 'listed', 'marketplace', cast(sum(units) as bigint), null, null,
        'queue'
    from marts.mart_action_queue
    where queue = 'reimbursement_lead' and action_state = 'open' and money_at_stake > 0
"""

_WILSON = """
    create or replace temp macro wilson_{name}(k, n) as (
        (k + 1.9207) {sign} 1.96 * sqrt(greatest(k * (n - k) / nullif(n, 0), 0) + 0.9604)
    ) / (n + 3.8415)
"""


def read_figures(publication: Path) -> Figures:
    with Warehouse(publication).connect(read_only=True) as connection:
        current = _one(connection, "select * from meta.current")
        month = _month_before(current["as_of_date"])
        names = dict(connection.execute("select sku, sku_name from marts.dim_sku").fetchall())
        (actions,) = connection.execute(
            "select count(*) from marts.mart_action_queue where action_state = 'open'"
        ).fetchall()[0]
        return Figures(
            current=current,
            sources=[Source(*row) for row in connection.execute(_SOURCES).fetchall()],
            bill=next((Bill(*row) for row in connection.execute(_BILL, [month]).fetchall()), None),
            bill_month=month,
            avoidable=_largest(_candidates(connection, names)),
            actions=int(actions),
        )


def _candidates(connection: Connection, names: Mapping[str, str | None]) -> list[Avoidable]:
    for name, sign in (("low", "-"), ("high", "+")):
        connection.execute(_WILSON.format(name=name, sign=sign))
    found = []
    for sql in (_LOTS, _SKUS, _COUNTRIES, _LEADS):
        values = [LEAST_UNITS] if "?" in sql else []
        for row in connection.execute(sql, values).fetchall():
            if row[3] is not None:
                found.append(_avoidable(row, names))
    return found


def _avoidable(row: Sequence[Any], names: Mapping[str, str | None]) -> Avoidable:
    kind, key, name, amount, certainty, reason, units, rate, usual, query = row
    known = names.get(name)
    label = f"{name} {known}" if known and known != name else name
    money = Decimal(str(amount)).quantize(Decimal("0.01"))
    return Avoidable(kind, key, label, money, certainty, reason, int(units), rate, usual, query)


def _largest(candidates: Sequence[Avoidable]) -> list[Avoidable]:
    """The largest; a product whose lot is named already is not named again."""
    chosen: list[Avoidable] = []
    for candidate in sorted(candidates, key=lambda c: (-c.amount, c.kind, c.key)):
        skus = {c.name.split(" ")[0] for c in chosen if c.kind in ("lot", "sku")}
        if candidate.kind in ("lot", "sku") and candidate.name.split(" ")[0] in skus:
            continue
        chosen.append(candidate)
    return chosen[:NAMED]


def _one(connection: Connection, sql: str) -> dict[str, Any]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def _month_before(day: date) -> date:
    """First day of the last month that is over."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
