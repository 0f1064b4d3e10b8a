"""How the cost of a model grows with the data: the exponent between two sizes."""

from __future__ import annotations

import math

from bench.measure import Result, child, interleaved, median, result

SMALL, LARGE = 1_000_000, 10_000_000
HIGHEST_EXPONENT = 1.2


def lot_allocation() -> list[Result]:
    """CPU of walking through all pools, start of the interpreter taken off."""
    idle = child(["-m", "bench.lot_walk", "0"]).cpu_s
    large, small = interleaved(
        lambda: child(["-m", "bench.lot_walk", str(LARGE)]),
        lambda: child(["-m", "bench.lot_walk", str(SMALL)]),
    )
    cpu = median(large, "cpu_s") - idle, median(small, "cpu_s") - idle
    exponent = math.log(cpu[0] / cpu[1]) / math.log(LARGE / SMALL)
    detail = (
        f"growth exponent from {SMALL:,} to {LARGE:,} order lines "
        f"({cpu[1]:.1f} to {cpu[0]:.1f} CPU s, peak {median(large, 'peak_mb'):.0f} MB); 1 is linear"
    )
    return [result("growth_lot_allocation", exponent, 1.0, HIGHEST_EXPONENT, "exponent", detail)]
