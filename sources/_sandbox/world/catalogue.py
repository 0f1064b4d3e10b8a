"""The products of a maternity and baby brand, as many as a scenario asks for.

Belongs here: styles, sizes, names in English and Chinese, prices, and how often a healthy product
of each category comes back and why. Does not belong here: planted faults (`effects.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from sources._sandbox.world.draws import Draws, Floats

BRAND = "Mochi Meadow"
COST_CURRENCY = "CNY"
CNY_PER_USD = 6.65


@dataclass(frozen=True)
class Category:
    """`defect_rate` and `reasons` (canonical code -> share of units) of a healthy product."""

    name: str
    defect_rate: float
    reasons: Mapping[str, float]
    commission_bp: int
    shelf_life_days: int | None = None
    resale_share: float = 0.82  # of units that come back unharmed
    return_fee_usd: float = 0.0  # FBA's fee per returned unit


_REMORSE = {
    "remorse.changed_mind": 0.014,
    "remorse.ordered_by_mistake": 0.004,
    "price.better_price": 0.002,
    "unknown.no_reason": 0.002,
}
_DESCRIPTION = {
    "description.not_as_described": 0.004,
    "description.colour_material": 0.002,
    "fulfilment.wrong_item": 0.0015,
}
_WEAR = {
    **_REMORSE,
    **_DESCRIPTION,
    "fit.too_small": 0.024,
    "fit.too_large": 0.018,
    "remorse.style_preference": 0.008,
    "product_defect.quality_cosmetic": 0.004,
    "logistics.late": 0.002,
}
_GOODS = {
    **_REMORSE,
    **_DESCRIPTION,
    "product_defect.quality_cosmetic": 0.003,
    "logistics.damaged_in_transit": 0.003,
    "logistics.late": 0.002,
}
_DEVICE = {
    **_GOODS,
    "product_defect.missing_parts": 0.003,
    "description.not_compatible": 0.003,
    "remorse.too_difficult": 0.002,
}
_FOOD = {
    "product_defect.quality_cosmetic": 0.003,
    "logistics.damaged_in_transit": 0.004,
    "remorse.ordered_by_mistake": 0.003,
    "logistics.late": 0.002,
}

CATEGORIES: Mapping[str, Category] = {
    category.name: category
    for category in (
        Category("baby_clothing", 0.006, _WEAR, 1500, return_fee_usd=1.78),
        Category("maternity_wear", 0.006, _WEAR, 1500, return_fee_usd=2.1),
        Category("baby_appliance", 0.014, _DEVICE, 1200),
        Category("breast_pump", 0.016, _DEVICE, 1200, resale_share=0.15),
        Category("formula", 0.004, _FOOD, 800, shelf_life_days=540, resale_share=0.3),
        Category("baby_snack", 0.005, _FOOD, 800, shelf_life_days=360, resale_share=0.3),
        Category("baby_care", 0.005, _FOOD, 1000, shelf_life_days=900, resale_share=0.3),
        Category("feeding", 0.008, _GOODS, 1500),
        Category("sleep", 0.007, _GOODS, 1500),
        Category("travel", 0.009, _DEVICE, 1400),
        Category("toys", 0.010, _GOODS, 1500),
    )
}
CATEGORY_NAMES_ZH: Mapping[str, str] = {
    "baby_clothing": "婴儿服装",
    "maternity_wear": "孕妇装",
    "baby_appliance": "婴儿电器",
    "breast_pump": "吸奶器",
    "formula": "奶粉",
    "baby_snack": "婴儿零食",
    "baby_care": "婴儿洗护",
    "feeding": "喂养用品",
    "sleep": "睡眠用品",
    "travel": "出行用品",
    "toys": "玩具",
}
_COLOURS = {
    "oat": "燕麦色",
    "mint": "薄荷绿",
    "sky": "天蓝",
    "rose": "玫瑰粉",
    "grey": "灰色",
    "white": "白色",
}


@dataclass(frozen=True)
class _Style:
    category: str
    name: str
    name_zh: str
    usd: float
    weight_g: int
    supplier: str
    sizes: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    cost_share: float = 0.27


_STYLES = (
    _Style(
        "baby_clothing", "Organic cotton romper", "有机棉连体衣", 24.99, 160, "SUP-01",
        ("66", "73", "80", "86", "92"),
    ),
    _Style(
        "baby_appliance", "Bottle warmer", "温奶器", 34.99, 780, "SUP-02",
        colours=("white", "mint"),
    ),
    _Style("formula", "Infant formula stage 1, 800 g", "婴儿奶粉1段 800克", 29.99, 950, "SUP-03"),
    _Style(
        "formula", "Follow-on formula stage 2, 800 g", "婴儿奶粉2段 800克", 28.99, 950, "SUP-03"
    ),
    _Style(
        "maternity_wear", "Seamless maternity leggings", "无缝孕妇打底裤", 27.99, 210, "SUP-04",
        ("S", "M", "L", "XL"),
    ),
    _Style("baby_care", "Calming baby lotion, 250 ml", "婴儿润肤乳 250毫升", 12.99, 300, "SUP-05"),
    _Style("breast_pump", "Wearable breast pump", "穿戴式吸奶器", 89.99, 620, "SUP-02"),
    _Style(
        "maternity_wear", "Nursing bra", "哺乳文胸", 19.99, 120, "SUP-04", ("S", "M", "L", "XL")
    ),
    _Style("travel", "Baby carrier", "婴儿背带", 59.99, 900, "SUP-06", colours=("grey", "sky")),
    _Style(
        "sleep", "Baby sleeping bag", "婴儿睡袋", 39.99, 540, "SUP-01", ("70", "90", "110")
    ),
    _Style("baby_snack", "Rice teething rusks, 24 pcs", "磨牙米饼 24片", 7.99, 140, "SUP-03"),
    _Style(
        "feeding", "Silicone bib set", "硅胶围兜套装", 14.99, 220, "SUP-07",
        colours=("oat", "rose"),
    ),
    _Style("baby_appliance", "UV steriliser", "紫外线消毒柜", 109.99, 2400, "SUP-02"),
    _Style("toys", "Wooden activity gym", "木质健身架", 44.99, 1900, "SUP-07"),
    _Style("feeding", "Anti-colic bottle, 240 ml", "防胀气奶瓶 240毫升", 11.99, 130, "SUP-07"),
    _Style(
        "baby_clothing", "Newborn bodysuit, 3 pack", "新生儿包屁衣三件装", 21.99, 200, "SUP-01",
        ("56", "62", "68"),
    ),
    _Style("travel", "Changing bag", "妈咪包", 49.99, 800, "SUP-06", colours=("grey", "oat")),
    _Style("toys", "Rattle set", "摇铃套装", 16.99, 240, "SUP-07"),
    _Style("sleep", 'Cot mattress cover 24" x 48"', '婴儿床罩 24" x 48"', 25.99, 600, "SUP-01"),
    _Style("baby_care", "Baby shampoo, 300 ml", "婴儿洗发水 300毫升", 9.99, 340, "SUP-05"),
)  # fmt: skip

SUPPLIERS = (
    ("SUP-01", "Ningbo Sprout Garments 宁波萌芽制衣", "CN", "FAC-NB1"),
    ("SUP-02", "Shenzhen Warmlight Electronics 深圳暖光电子", "CN", "FAC-SZ2"),
    ("SUP-03", "Hamilton Dairy Foods", "NZ", "FAC-HM1"),
    ("SUP-04", "Quanzhou Softline 泉州柔线服饰", "CN", "FAC-QZ1"),
    ("SUP-05", "Guangzhou Petal Care 广州花瓣日化", "CN", "FAC-GZ3"),
    ("SUP-06", "Dongguan Trail Bags 东莞行者箱包", "CN", "FAC-DG1"),
    ("SUP-07", "Yiwu Playgood 义乌好玩", "CN", "FAC-YW2"),
)


@dataclass(frozen=True)
class Catalogue:
    """`frame` is the table `products`; the arrays go by row, for the generator."""

    frame: pl.DataFrame
    skus: tuple[str, ...]
    products: tuple[str, ...]
    categories: tuple[Category, ...]
    usd: Floats
    popularity: Floats
    siblings: tuple[tuple[int, ...], ...] = field(default=())  # rows of the same product

    def rows_of(self, *, sku: str | None = None, product: str | None = None) -> list[int]:
        """Rows of a SKU, of a product, or none."""
        if sku is not None:
            return [self.skus.index(sku)] if sku in self.skus else []
        return [row for row, name in enumerate(self.products) if name == product]


def _variants(count: int) -> Iterator[tuple[int, _Style, int, str | None, str | None]]:
    """(product number, style, series, size, colour) until there are `count`."""
    made = number = 0
    while True:
        style = _STYLES[number % len(_STYLES)]
        series = number // len(_STYLES) + 1
        number += 1
        for size in style.sizes or (None,):
            for colour in style.colours or (None,):
                if made == count:
                    return
                made += 1
                yield number, style, series, size, colour


def make_catalogue(draws: Draws, count: int, start: date) -> Catalogue:
    """The first `count` SKUs; a larger count adds SKUs and changes none."""
    rows = [_row(draws, place, start, *v) for place, v in enumerate(_variants(count), 1)]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    products = tuple(frame["product_id"])
    usd = np.array([row["usd"] for row in rows])
    by_product: dict[str, list[int]] = {}
    for place, product in enumerate(products):
        by_product.setdefault(product, []).append(place)
    return Catalogue(
        frame=frame.drop("usd", "popularity"),
        skus=tuple(frame["sku"]),
        products=products,
        categories=tuple(CATEGORIES[name] for name in frame["category"]),
        usd=usd,
        popularity=np.array([row["popularity"] for row in rows]),
        siblings=tuple(tuple(by_product[product]) for product in products),
    )


def _row(
    draws: Draws,
    place: int,
    start: date,
    number: int,
    style: _Style,
    series: int,
    size: str | None,
    colour: str | None,
) -> dict[str, object]:
    sku = f"SKU-{place:04d}"
    later = f" Series {series}" if series > 1 else ""
    later_zh = f" {series}代" if series > 1 else ""
    usd = style.usd * (1.0 + 0.06 * (series - 1) % 0.3)
    cost = round(usd * style.cost_share * CNY_PER_USD * 100)
    size_order = style.sizes.index(size) + 1 if size else None
    middle = 1.0 - 0.18 * abs((size_order or 1) - (len(style.sizes) + 1) / 2) if size else 1.0
    return {
        "sku": sku,
        "product_id": f"P-{number:04d}",
        "sku_name": " ".join(filter(None, (style.name + later, size and f"size {size}", colour))),
        "sku_name_zh": " ".join(
            filter(
                None, (style.name_zh + later_zh, size and f"{size}码", _COLOURS.get(colour or ""))
            )
        ),
        "category": style.category,
        "variant_size": size,
        "size_order": size_order,
        "colour": colour,
        "brand": BRAND,
        "supplier_id": style.supplier,
        "unit_landed_cost_minor": cost,
        "cost_currency": COST_CURRENCY,
        "weight_g": style.weight_g,
        "launch_date": start - timedelta(days=30 + number * 11 % 400),
        "asin": f"B0{int(draws.one('asin', sku) * 1e5):05X}{place:03X}",
        "fnsku": f"X00{place:07d}",
        "has_expiry": CATEGORIES[style.category].shelf_life_days is not None,
        "usd": usd,
        "popularity": middle * (0.5 + draws.one("popularity", number)) / series,
    }
