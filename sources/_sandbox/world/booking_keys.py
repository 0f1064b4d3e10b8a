"""What makes a transaction of what Amazon books, and its id.

Belongs here: the key of a transaction only, for those who show transactions and those who judge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

KEY = (
    "transaction_type", "order_id", "shipment_id", "adjustment_id", "currency", "posted_at",
)  # fmt: skip
"""What the components of one transaction have in common."""


def transaction_id(row: Mapping[str, Any], *, is_release: bool = False) -> str:
    """Opaque and stable: the same whenever it is asked for."""
    content = "|".join(str(row[name]) for name in KEY) + ("|released" if is_release else "")
    return hashlib.sha256(content.encode()).hexdigest()[:43]
