"""Amounts of an order, in the shop's currency and in the one that the buyer saw."""

from __future__ import annotations

from typing import Any

from sources._sandbox.world import geography

from .answers import amount_text

Object = dict[str, Any]


class Money:
    """Amounts of one order in the shop's currency and in the buyer's."""

    def __init__(self, currency: str, decimals: int, presentment: str, rate: float) -> None:
        self.currency, self.decimals = currency, decimals
        self.presentment, self.rate = presentment, rate
        self.shown_decimals = geography.decimals(presentment)

    def bag(self, minor: int, *, at_refund: bool = False) -> Object:
        rate = self.rate
        if at_refund and self.presentment != self.currency:
            rate *= 1.004
        shown = round(minor * rate * 10 ** (self.shown_decimals - self.decimals))
        return {
            "shopMoney": {
                "amount": amount_text(minor, self.decimals),
                "currencyCode": self.currency,
            },
            "presentmentMoney": {
                "amount": amount_text(shown, self.shown_decimals),
                "currencyCode": self.presentment,
            },
        }
