"""The notation of `rules/README.md`: patterns of words with gaps, found in time linear in the text.

Belongs here: reading the notation and finding which patterns occur in a sentence. Does not belong
here: what a rule means (`reasons.py`). Regular expressions are not used: hundreds of alternatives
with gaps are either slow, or an automaton of a gigabyte.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assets.text.cleaning import fold

# words, or signs of Chinese and Japanese, that a gap may hold
GAPS = {".": (2, 4), "..": (4, 8), "...": (9, 16)}
_CACHED_WORDS = 200_000

Hits = defaultdict[int, list[tuple[int, int]]]  # element -> where it begins and ends
Entry = tuple[int, tuple[str, ...]]  # element, and the words that must follow
# Of one word: elements it is alone, entries by the word that must follow, entries by its beginning.
Known = tuple[tuple[int, ...], dict[str, list[Entry]], tuple[Entry, ...]]


@dataclass(frozen=True)
class Step:
    """One element of a pattern, at most `gap` places after the one before."""

    element: int
    gap: int
    is_optional: bool


@dataclass(frozen=True)
class Pattern:
    """A pattern: elements one after the other."""

    steps: tuple[Step, ...]
    owner: int

    def occurs(self, hits: Hits) -> bool:
        ends: set[int] | None = None
        for step in self.steps:
            spans = hits.get(step.element, ())
            if ends is None:
                reached = {end for _, end in spans}
            else:
                reached = {
                    end for start, end in spans for at in ends if 0 <= start - at <= step.gap
                }
                if step.is_optional:
                    reached |= ends
            if not reached:
                return False
            ends = reached
        return ends is not None


@dataclass
class Lexicon:
    """All elements of a language's patterns, and how to find them in a sentence."""

    is_spaced: bool
    words: Mapping[str, str]
    _numbers: dict[str, int] = field(default_factory=dict)
    _widths: dict[int, int] = field(default_factory=dict)  # alternatives of each element
    _exact: dict[str, list[Entry]] = field(default_factory=dict)
    _starts: dict[str, list[Entry]] = field(default_factory=dict)
    _lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _known: dict[str, Known] = field(default_factory=dict)
    _by_rarest: dict[int, list[tuple[int, Pattern]]] = field(default_factory=dict)

    def add(self, pattern: str, owner: int) -> None:
        """A pattern in the notation; `owner` is given back where it occurs."""
        halves = pattern.split(" ~ ")
        orders = [halves] if len(halves) == 1 else [halves, halves[::-1]]
        for order in orders:
            sequence = Pattern(tuple(self._steps(" .. ".join(order))), owner)
            elements = [step.element for step in sequence.steps if not step.is_optional]
            needed = 0
            for element in elements:
                needed |= 1 << element
            rarest = min(elements, key=lambda element: self._widths[element])
            self._by_rarest.setdefault(rarest, []).append((needed, sequence))

    def owners(self, sentence: Sequence[str] | str) -> set[int]:
        """Owners of the patterns that occur; a sentence is a list of words, or a text of signs."""
        if self.is_spaced:
            hits = self._hits_of_words(sentence)
        else:
            hits = self._hits_of_signs("".join(sentence))
        present = 0
        for element in hits:
            present |= 1 << element
        found: set[int] = set()
        for element in hits:
            for needed, sequence in self._by_rarest.get(element, ()):
                if (
                    needed & present == needed
                    and sequence.owner not in found
                    and sequence.occurs(hits)
                ):
                    found.add(sequence.owner)
        return found

    def _steps(self, pattern: str) -> Iterator[Step]:
        gap, is_first, carried = 0, True, 0
        for part in pattern.split():
            if part in GAPS:
                gap = GAPS[part][0 if self.is_spaced else 1]
                continue
            is_optional = part.endswith("?")
            if is_optional and is_first:
                continue
            gap = max(gap, carried)
            yield Step(self._element(part.rstrip("?")), gap, is_optional)
            carried = gap if is_optional else 0
            gap, is_first = 0, False

    def _element(self, written: str) -> int:
        expanded = written
        while "{" in expanded:
            start, end = expanded.index("{"), expanded.index("}")
            inner = self.words[expanded[start + 1 : end]]
            expanded = expanded[:start] + inner + expanded[end + 1 :]
        if expanded not in self._numbers:
            self._numbers[expanded] = len(self._numbers)
            self._widths[self._numbers[expanded]] = expanded.count("|")
            for alternative in expanded.split("|"):
                if alternative:
                    self._enter(fold(alternative), self._numbers[expanded])
        return self._numbers[expanded]

    def _enter(self, alternative: str, element: int) -> None:
        if not self.is_spaced:
            signs = alternative.replace("_", "")
            self._exact.setdefault(signs, []).append((element, ()))
            lengths = {*self._lengths.get(signs[0], ()), len(signs)}
            self._lengths[signs[0]] = tuple(sorted(lengths))
            return
        first, *rest = alternative.replace("'", "_").split("_")
        table = self._starts if first.endswith("*") else self._exact
        table.setdefault(first.rstrip("*"), []).append((element, tuple(rest)))

    def _hits_of_signs(self, text: str) -> Hits:
        hits: Hits = defaultdict(list)
        exact, lengths = self._exact, self._lengths
        for at, sign in enumerate(text):
            for length in lengths.get(sign, ()):
                for element, _ in exact.get(text[at : at + length], ()):
                    hits[element].append((at, at + length))
        return hits

    def _hits_of_words(self, words: Sequence[str] | str) -> Hits:
        hits: Hits = defaultdict(list)
        known = self._known
        for at, word in enumerate(words):
            found = known.get(word)
            if found is None:
                found = self._look_up(word)
            alone, followed, begun = found
            for element in alone:
                hits[element].append((at, at + 1))
            if not followed and not begun:
                continue
            after = words[at + 1] if at + 1 < len(words) else ""
            for element, rest in (*followed.get(after, ()), *begun):
                end = at + 1 + len(rest)
                if _follows(rest, words[at + 1 : end]):
                    hits[element].append((at, end))
        return hits

    def _look_up(self, word: str) -> Known:
        entries = list(self._exact.get(word, ()))
        for length in range(1, len(word) + 1):
            entries += self._starts.get(word[:length], ())
        followed: dict[str, list[Entry]] = {}
        begun = []
        for element, rest in entries:
            if rest and rest[0].endswith("*"):
                begun.append((element, rest))
            elif rest:
                followed.setdefault(rest[0], []).append((element, rest))
        alone = tuple(element for element, rest in entries if not rest)
        found = (alone, followed, tuple(begun))
        if len(self._known) < _CACHED_WORDS:
            self._known[word] = found
        return found


def _follows(wanted: Sequence[str], words: Sequence[str]) -> bool:
    return len(words) == len(wanted) and all(
        word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern
        for word, pattern in zip(words, wanted, strict=True)
    )
