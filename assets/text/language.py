"""Which language a text is in: by script, else by py3langid restricted to the seller's languages.

Belongs here: script shortcuts, words that few languages share, and the fallback for short texts.
Does not belong here: what is known of the marketplace a text came from (the caller hands it over).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

LANGUAGES = ("de", "en", "es", "fr", "it", "ja", "pt", "zh")
UNKNOWN = "und"

# Language of the marketplaces of one country, for texts that say little.
LANGUAGE_OF_COUNTRY = {
    "de": "de", "at": "de", "us": "en", "gb": "en", "uk": "en", "ca": "en", "au": "en", "in": "en",
    "ie": "en", "sg": "en", "fr": "fr", "es": "es", "mx": "es", "it": "it", "br": "pt", "pt": "pt",
    "jp": "ja", "cn": "zh", "tw": "zh", "hk": "zh",
}  # fmt: skip

_LOOKED_AT = 400  # characters: more do not make it surer
_MIN_LETTERS, _MIN_SIGNS = 3, 2
_SHORT = 20  # letters; below it the marketplace's language counts for more
_FLOOR = 1e-4
_WORD_VOTE, _MAX_VOTES = 0.9, 5
_HINT_SHORT, _HINT_LONG = 1.6, 0.3

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[a-z]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile("[a-z]+")
# Signs that Japanese writes and Chinese (simplified after folding) does not.
_JAPANESE_ONLY = re.compile(
    "[込働畑峠図価気売対応説届込違壊変駅円実発図沢広済労]|不良品|残念|最高|普通|満足|注文|交換希望"
)

# Frequent words that the other languages of the list do not have, without accents.
_WORDS = {
    "de": "und der die das ist nicht ich sehr mit auf ein eine auch aber es zu fur von war habe wie"
    " bei nach wurde sich leider gut schnell gerne immer noch nur schon wir kein keine passt"
    " lieferung ware qualitat funktioniert schlecht danke alles zufrieden bestellt hatte bin"
    " kaputt geht einfach gekauft preis schon defekt gefallt lieferzeit hulle akku",
    "en": "the and is it this was not with for but very have they you my are so of to good great"
    " product works quality item would had love after from been when phone does bought just don"
    " didn doesn arrived broken received order too small work what your that there stopped case"
    " battery nice money price easy use well fit one all",
    "es": "el los las muy pero es una y con por mi lo del bien esta como todo producto llego no"
    " calidad buena bueno mas gracias envio compra excelente esto funciona he ha son sirve nada"
    " rapido malo mala rompio tarde talla pequeno caja telefono perfecto sin bateria cuando"
    " tiene hace porque desde dias ya fue nunca recomiendo el quede",
    "fr": "le les des et est pas tres je un une pour avec dans ce cette sur mais bien qui ne que"
    " produit plus mon ma il elle bon livraison recu tout qualite la commande j ai n d l c"
    " fonctionne merci rapide taille casse deja sans trop mauvais aucun vendeur article colis"
    " du au fait nickel batterie jamais ete",
    "it": "il gli che e di non per con sono una ma molto questo della del ho lo prodotto ottimo"
    " bene anche come piu nel la qualita buono arrivato spedizione tutto perfetto grazie mi rotto"
    " funziona dopo pezzo pacco consegna troppo piccolo taglia soldi si ha dal alla venditore"
    " prezzo consiglio consigliato batteria bello stato ottima",
    "pt": "nao muito o os as e um uma do da em para com mas foi bom produto recebi entrega chegou"
    " ainda meu minha veio qualidade loja prazo recomendo otimo comprei tudo bem ate pois so ja"
    " eu na no esta antes gostei excelente compra quero quando sem rapido errado peca defeito"
    " mais isso sao tem pelo pela boa estou agora super certo entregue mesmo otima amei",
}


@dataclass(frozen=True)
class Detected:
    """A language, and how sure that is (0 to 1)."""

    language: str
    confidence: float


NOTHING = Detected(UNKNOWN, 0.0)


def detect(
    cleaned: str, folded: str, hint: str | None = None, languages: Sequence[str] = LANGUAGES
) -> Detected:
    """The language of a text; `hint` is that of the marketplace, for texts that say little."""
    cleaned, folded = cleaned[:_LOOKED_AT], folded[:_LOOKED_AT]
    kana, han = len(_KANA.findall(cleaned)), len(_HAN.findall(cleaned))
    latin = len(_LATIN.findall(folded))
    if kana + han >= _MIN_SIGNS and (kana + han) * 3 >= latin:
        return _by_signs(cleaned, kana, han, hint, languages)
    if latin < _MIN_LETTERS or latin * 2 < len(_LETTER.findall(cleaned)):
        return NOTHING
    spoken = tuple(name for name in languages if name in _WORDS)
    return _by_letters(cleaned, folded, latin, hint, spoken) if spoken else NOTHING


def _by_signs(
    cleaned: str, kana: int, han: int, hint: str | None, languages: Sequence[str]
) -> Detected:
    """Kana is Japanese; Chinese characters alone are Chinese, but for words that Japan writes."""
    if kana and (kana * 8 >= han or kana >= 4):
        found, sure = "ja", 0.999
    elif hint == "ja" and han <= _SHORT:
        found, sure = "ja", 0.8
    elif han <= 6 and hint != "zh" and _JAPANESE_ONLY.search(cleaned):
        found, sure = "ja", 0.6
    else:
        found, sure = "zh", 0.99 if han > 4 else 0.9
    return Detected(found, sure) if found in languages else NOTHING


def _by_letters(
    cleaned: str, folded: str, letters: int, hint: str | None, spoken: tuple[str, ...]
) -> Detected:
    scores = {
        name: math.log(max(chance, _FLOOR)) for name, chance in _identifier(spoken).rank(cleaned)
    }
    votes = dict.fromkeys(spoken, 0.0)
    words = _WORD.findall(folded)
    owners = _owners(spoken)
    for word in words[:60]:
        names = owners.get(word, ())
        for name in names:
            votes[name] += 1 / len(names)
    scale = _MAX_VOTES / max(_MAX_VOTES, *votes.values())
    for name in spoken:
        scores[name] += _WORD_VOTE * votes[name] * scale
    if hint in scores:
        scores[hint] += _HINT_SHORT if letters < _SHORT else _HINT_LONG
    best = max(spoken, key=lambda name: scores[name])
    total = sum(math.exp(scores[name] - scores[best]) for name in spoken)
    return Detected(best, 1 / total)


@cache
def _owners(spoken: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Word -> languages that use it."""
    found: dict[str, tuple[str, ...]] = {}
    for name in spoken:
        for word in set(_WORDS[name].split()):
            found[word] = (*found.get(word, ()), name)
    return found


@cache
def _identifier(spoken: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(spoken))
    return identifier
