"""What buyers write, in several languages, now and then with an e-mail or a phone number.

Belongs here: sentences. The addresses in them are marked like all personal data of a world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from sources._sandbox.world.draws import Draws, Ids

# Topic of a reason, by its first match.
TOPICS: Sequence[tuple[str, str]] = (
    ("product_defect.safety_allergy", "safety"),
    ("product_defect.missing_parts", "missing"),
    ("product_defect.quality_cosmetic", "quality"),
    ("product_defect.", "defect"),
    ("fit.too_small", "small"),
    ("fit.too_large", "large"),
    ("fit.", "small"),
    ("description.", "description"),
    ("fulfilment.damaged", "damaged"),
    ("fulfilment.", "wrong"),
    ("logistics.late", "late"),
    ("logistics.damaged", "damaged"),
    ("logistics.", ""),
    ("", "mind"),
)

# Reasons that a buyer has no words for, or that no sentence below tells.
WORDLESS = ("unknown.", "fit.fit_unspecified", "fit.comfort")

SENTENCES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "en": {
        "safety": ("My baby got a red rash after one use. Doctor says allergic reaction.",),
        "missing": ("The adapter was missing from the box.", "Parts missing, no manual either."),
        "quality": ("The seam came loose, poor stitching.", "Stains on the fabric, smells odd."),
        "defect": ("Stopped working after two days.", "Does not heat up at all, defective."),
        "small": ("Far too small, my son is 8 months.", "Runs small, order a size up"),
        "large": ("Way too big around the waist.", "Too large, does not fit."),
        "description": ("Not as described, the colour is different.", "Looks nothing like it."),
        "wrong": ("I received a different item.", "You sent the wrong product."),
        "late": ("Came two weeks late, no use for it now.",),
        "damaged": ("The parcel was crushed and the product broken.",),
        "mind": ("Changed my mind.", "No longer needed, thanks", 'Bought the 24" one by mistake'),
    },
    "de": {
        "safety": ("Mein Baby hatte nach einmal Benutzen roten Ausschlag, laut Arzt Allergie.",),
        "missing": ("Das Netzteil fehlte im Karton.", "Es fehlen Teile."),
        "quality": ("Naht geht auf, schlechte Qualität.", "Riecht stark nach Chemie."),
        "defect": ("Nach zwei Tagen kaputt.", "Heizt nicht, Gerät defekt."),
        "small": ("Fällt viel zu klein aus.", "Größe 80 passt nicht, zu eng."),
        "large": ("Viel zu groß.", "Zu weit, fällt groß aus."),
        "description": ("Farbe ganz anders als auf dem Bild.", "Entspricht nicht der Beschreibung"),
        "wrong": ("Falscher Artikel geliefert.",),
        "late": ("Kam zwei Wochen zu spät.",),
        "damaged": ("Paket war zerdrückt, Ware beschädigt.",),
        "mind": ("Gefällt nicht.", "Doch nicht gebraucht."),
    },
    "fr": {
        "safety": ("Bébé a eu des plaques rouges, réaction allergique selon le médecin.",),
        "missing": ("Il manque une pièce.",),
        "quality": ("Couture décousue, mauvaise qualité.",),
        "defect": ("Ne fonctionne plus après deux jours.",),
        "small": ("Trop petit, taille mal.",),
        "large": ("Beaucoup trop grand.",),
        "description": ("Non conforme à la description.",),
        "wrong": ("Ce n'est pas le bon article.",),
        "late": ("Reçu trop tard.",),
        "damaged": ("Colis écrasé, produit cassé.",),
        "mind": ("Je n'en ai plus besoin.",),
    },
    "es": {
        "safety": ("A mi bebé le salió una erupción, reacción alérgica según el médico.",),
        "missing": ("Faltan piezas.",),
        "quality": ("La costura se rompió, mala calidad.",),
        "defect": ("Dejó de funcionar a los dos días.",),
        "small": ("Demasiado pequeño.",),
        "large": ("Me queda muy grande.",),
        "description": ("No es como en la descripción.",),
        "wrong": ("Me enviaron otro producto.",),
        "late": ("Llegó demasiado tarde.",),
        "damaged": ("La caja llegó aplastada.",),
        "mind": ("Ya no lo necesito.",),
    },
    "it": {
        "safety": ("Il bimbo ha avuto un eritema, reazione allergica.",),
        "missing": ("Manca un pezzo.",),
        "quality": ("Cucitura difettosa.",),
        "defect": ("Non funziona più.",),
        "small": ("Troppo piccolo.",),
        "large": ("Troppo grande.",),
        "description": ("Non conforme alla descrizione.",),
        "wrong": ("Articolo sbagliato.",),
        "late": ("Arrivato troppo tardi.",),
        "damaged": ("Pacco schiacciato.",),
        "mind": ("Ho cambiato idea.",),
    },
    "pt": {
        "safety": ("O bebê teve alergia na pele.",),
        "missing": ("Faltou uma peça.",),
        "quality": ("Costura soltou, má qualidade.",),
        "defect": ("Parou de funcionar em dois dias.",),
        "small": ("Ficou muito pequeno.",),
        "large": ("Ficou grande demais.",),
        "description": ("Não é como na descrição.",),
        "wrong": ("Veio o produto errado.",),
        "late": ("Chegou muito atrasado.",),
        "damaged": ("A caixa chegou amassada.",),
        "mind": ("Não preciso mais.",),
    },
    "ja": {
        "safety": ("使用後に赤ちゃんの肌に発疹が出ました。医師はアレルギーとのこと。",),
        "missing": ("部品が入っていませんでした①",),
        "quality": ("縫い目がほつれていました。",),
        "defect": ("2日で動かなくなりました。故障です。",),
        "small": ("サイズが小さすぎました。",),
        "large": ("大きすぎました。",),
        "description": ("写真と色が違います。",),
        "wrong": ("違う商品が届きました。",),
        "late": ("届くのが遅すぎました。",),
        "damaged": ("箱がつぶれて壊れていました。",),
        "mind": ("必要なくなりました\uff5e",),
    },
    "zh": {
        "safety": ("宝宝用了一次就起红疹 医生说是过敏。",),
        "missing": ("少了配件。",),
        "quality": ("线头很多 做工差。",),
        "defect": ("用了两天就坏了 不加热。",),
        "small": ("尺码偏小 穿不下。",),
        "large": ("太大了 不合身。",),
        "description": ("和图片颜色不一样。",),
        "wrong": ("发错货了。",),
        "late": ("到得太晚了。",),
        "damaged": ("箱子压坏了 东西碎了。",),
        "mind": ("不想要了。",),
    },
}

# What a person understands from a sentence of a topic, as canonical reasons.
MEANINGS: Mapping[str, str] = {
    "safety": "product_defect.safety_allergy",
    "missing": "product_defect.missing_parts",
    "quality": "product_defect.quality_cosmetic",
    "defect": "product_defect.functional",
    "small": "fit.too_small",
    "large": "fit.too_large",
    "description": "description.not_as_described",
    "wrong": "fulfilment.wrong_item",
    "late": "logistics.late",
    "damaged": "logistics.damaged_in_transit",
    "mind": "remorse.changed_mind",
}


def meaning_of(comment: str | None) -> str | None:
    """The reason that a person reads in a comment of this module; None without comment."""
    if not comment:
        return None
    known = (
        (sentence, topic)
        for by_topic in SENTENCES.values()
        for topic, sentences in by_topic.items()
        for sentence in sentences
    )
    return next(MEANINGS[topic] for sentence, topic in known if comment.startswith(sentence))


def topic_of(reason: str) -> str:
    return next(topic for start, topic in TOPICS if reason.startswith(start))


def language_of(language: str, spoken: Sequence[str]) -> str:
    """The buyer's language if the scenario speaks it, else the scenario's first."""
    known = language if language in spoken else spoken[0]
    return known if known in SENTENCES else "en"


def write_comments(
    draws: Draws,
    reasons: np.ndarray,
    languages: np.ndarray,
    ids: Ids,
    share: float,
    contacts: tuple[pl.Series, pl.Series],
) -> pl.Series:
    """A comment in `share` of the cases, always on safety; `contacts`: e-mails and phones."""
    texts: list[str | None] = []
    speaks = draws.uniform("comment", ids)
    words = draws.uniform("comment.words", ids)
    extra = draws.uniform("comment.contact", ids)
    emails, phones = contacts[0].to_list(), contacts[1].to_list()
    pairs = zip(reasons.tolist(), languages.tolist(), strict=True)
    for at, (reason, language) in enumerate(pairs):
        topic = topic_of(reason)
        is_silent = not topic or reason.startswith(WORDLESS)
        if is_silent or (speaks[at] >= share and topic != "safety"):
            texts.append(None)
            continue
        choice = SENTENCES[language][topic]
        text = choice[int(words[at] * len(choice))]
        if extra[at] < 0.03:
            text = f"{text} {emails[at]}"
        elif extra[at] < 0.06:
            text = f"{text} Tel {phones[at]}"
        texts.append(text)
    return pl.Series(texts, dtype=pl.String)
