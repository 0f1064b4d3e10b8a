"""What becomes of a parcel between warehouse and buyer, the same for all who tell of it.

Belongs here: when it is picked up, sent on and taken out, for any source. Does not belong here:
when it leaves and how it ends (`dispatch.py`); how a source words it (the connectors' sandboxes).
"""

from __future__ import annotations

from datetime import timedelta

PICKED_AFTER = timedelta(hours=2)
TRANSIT_AFTER = timedelta(hours=20)
OUT_BEFORE = timedelta(hours=5)
