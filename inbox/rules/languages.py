"""In which language a text is written: what can be told from its letters, and when a classifier's word is believed.

    letters = readable(visible_text)
    by_script(letters)                            Guess, or None where only a classifier can tell
    settle(letters, ranking)                      its ranking, judged: Guess, UNKNOWN rather than a wrong one

Languages are ISO 639-1 codes. A confidence lies between 0 and 1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from inbox.rules.passages import Lengths, is_shown

UNKNOWN = "und"  # ISO 639-3: undetermined
MAX_LETTERS = 240  # of the text; more of it makes nothing surer

Ranking = Sequence[tuple[str, float]]
"""Languages and probabilities, the likeliest first."""


class Guess(NamedTuple):
    language: str
    confidence: float


NOTHING = Guess(UNKNOWN, 0.0)

_LATIN = "af ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv ms mt nl no pl pt ro sk sl sq sv sw tl tr vi"
_CYRILLIC = "be bg kk ky mk mn ru sr uk"
LATIN, CYRILLIC = frozenset(_LATIN.split()), frozenset(_CYRILLIC.split())

_NOISE = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+|\S*\d\S*|[#@]\S+|^>.*$",  # what is quoted between answers is somebody else's
    re.M,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’`-][^\W\d_]+)*")
_SCRIPTS = re.compile(
    r"(?P<latin>[A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff])|(?P<cyrillic>[\u0400-\u052f])"
    r"|(?P<kana>[\u3040-\u30ff\uff66-\uff9f])|(?P<han>[\u3400-\u4dbf\u4e00-\u9fff])|(?P<hangul>[\uac00-\ud7af\u1100-\u11ff])"
    r"|(?P<arabic>[\u0620-\u06ff])|(?P<hebrew>[\u05d0-\u05ea])|(?P<greek>[\u0370-\u03ff\u1f00-\u1fff])"
    r"|(?P<thai>[\u0e00-\u0e7f])|(?P<devanagari>[\u0900-\u097f])|(?P<bengali>[\u0980-\u09ff])|(?P<tamil>[\u0b80-\u0bff])"
    r"|(?P<telugu>[\u0c00-\u0c7f])|(?P<gujarati>[\u0a80-\u0aff])|(?P<gurmukhi>[\u0a00-\u0a7f])"
    r"|(?P<georgian>[\u10a0-\u10ff])|(?P<armenian>[\u0530-\u058f])|(?P<khmer>[\u1780-\u17ff])|(?P<lao>[\u0e80-\u0eff])"
    r"|(?P<burmese>[\u1000-\u109f])|(?P<ethiopic>[\u1200-\u137f])|(?P<sinhala>[\u0d80-\u0dff])"
)
_OF_SCRIPT = {
    "kana": "ja", "hangul": "ko", "hebrew": "he", "greek": "el", "thai": "th", "bengali": "bn", "tamil": "ta",
    "telugu": "te", "gujarati": "gu", "gurmukhi": "pa", "georgian": "ka", "armenian": "hy", "khmer": "km", "lao": "lo",
    "burmese": "my", "ethiopic": "am", "sinhala": "si", "devanagari": "hi", "han": "zh", "arabic": "ar",
}  # fmt: skip
_PERSIAN = re.compile(r"[پچژگکی]")
_URDU = re.compile(r"[ٹڈڑںےہ]")
_ARABIC = re.compile(r"[ةىيكأإؤئ]")


def new_words(text: str, lengths: Lengths) -> str:
    """The passages that are new, of a text that may be cut short; "" when none of them lies in it."""
    found, at = ([] if lengths else [text]), 0
    for kind, length in lengths:
        if is_shown(str(kind)):
            found.append(text[at : at + int(length)])
        at += int(length)
    return "\n".join(found)


def readable(text: str) -> str:
    """The words of a text that say something about its language: no addresses, numbers, or quoted lines."""
    words = _WORD.findall(_NOISE.sub(" ", text[: MAX_LETTERS * 8]))
    kept: list[str] = []
    room = MAX_LETTERS
    for word in words:
        room -= len(word) + 1
        if room < 0:
            break
        kept.append(word)
    return " ".join(kept) or " ".join(words)[:MAX_LETTERS]


def script_of(words: str) -> str:
    """The script of most letters; "" for none."""
    counts = Counter(found.lastgroup or "" for found in _SCRIPTS.finditer(words))
    if not counts:
        return ""
    # A few kana make a text Japanese however many Chinese characters stand in it; one character says a whole word.
    if (
        counts["kana"] >= 2
        and counts["kana"] * 12 >= counts["han"]
        and counts["kana"] + counts["han"] > counts["latin"] / 3
    ):
        return "kana"
    for script in ("han", "hangul"):
        counts[script] *= 3
    return max(counts, key=lambda script: counts[script])


def by_script(words: str) -> Guess | None:
    """What the letters alone tell; None where several languages share them and a classifier must be asked."""
    script = script_of(words)
    if script in ("latin", "cyrillic"):
        return None
    if script == "arabic":
        return _arabic(words)
    if script == "han":
        return Guess("zh", 0.9) if len(words.replace(" ", "")) >= 6 else NOTHING  # short ones may be Japanese
    return Guess(_OF_SCRIPT[script], 0.8 if script == "devanagari" else 0.99) if script else NOTHING


def _arabic(words: str) -> Guess:
    if len(_URDU.findall(words)) >= 2:
        return Guess("ur", 0.9)
    persian, arabic = len(_PERSIAN.findall(words)), len(_ARABIC.findall(words))
    if persian > arabic:
        return Guess("fa", 0.9)
    return Guess("ar", 0.95 if arabic or len(words) > 12 else 0.7)


# --- What a classifier says -----------------------------------------------------------------------------------------

_KIN = (
    "id ms", "da no sv", "cs sk", "es pt gl ca", "hr sl sr", "nl af", "ru uk be bg mk sr",
)  # fmt: skip
"""Languages that a classifier takes for each other; everyday words and letters that only one of them has decide."""

_OWN_WORDS = {
    "id": "bisa karena uang kapan nggak gak enggak kak kantor silakan telepon coba banget gimana butuh beda udah rusak"
    " dikirim pengiriman saja rekening ganti bantuannya barangnya",
    "ms": "kerana wang bilakah tak nak awak sila telefon cuba tempahan penghantaran dihantar sahaja encik puan hendak"
    " iaitu ialah macam adakah pejabat bungkusan rosak tiada akaun invois awak beza semula",
    "da": "hvad hvornår hvorfor hvordan mig dig noget meget efter uge ud nu af kære hjælpe hjælp endnu blev bliver jer",
    "no": "hva når hvorfor hvordan meg deg dere noe mye etter uke ut nå kjære hjelpe hjelp ennå ble blir",
    "sv": "vad när varför hur och inte är något mycket efter vecka hjälp jag ännu",
    "cs": "že jsem jste když který která ještě také něco zboží peníze přišlo jsou kdy kde můžu mohu jak proč",
    "sk": "že som ste keď ktorý ktorá ešte tiež niečo tovar peniaze prišlo sú kedy kde môžem ako prečo",
    "nl": "het een niet mijn bestelling hoe jullie zijn hebben", "af": "nie is ek my die asseblief julle het",
    "hr": "što gdje tjedan narudžba narudžbu tko uvijek novac vidjeti",
    "sr": "šta gde nedelja porudžbina porudžbinu ko uvek novac videti", "sl": "kaj kje kdaj sem naročilo teden kdo še",
    "es": "y el los una pero pedido cuándo gracias usted",
    "pt": "e o os uma mas não encomenda quando obrigado obrigada",
    "gl": "e o os unha pero non pedido cando grazas", "ca": "i el els una però comanda quan gràcies amb",
}  # fmt: skip
_OWN_LETTERS = {
    "uk": "іїєґ", "ru": "ыэё", "be": "ў", "mk": "ѓќѕ", "sr": "ђћџ", "cs": "ěřů", "sk": "ľĺŕôä", "sv": "äö", "da": "æø",
    "no": "æø", "pt": "ãõ", "es": "ñ¿¡",
}  # fmt: skip
_PREFERRED = {"ms": "id"}
"""Where nothing decides between two, the one that far more people write."""

_MARK = 7.4  # e²: by so much each such word or letter raises a language over its kin
MIN_LETTERS, MIN_WORDS = 8, 2


def _kin_of(language: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for row in _KIN if language in row.split() for one in row.split()))


def _marks(own: dict[str, str], parts: Callable[[str], Iterable[str]]) -> dict[str, frozenset[str]]:
    """What each language has and none of its kin."""
    found = {language: frozenset(parts(marks)) for language, marks in own.items()}
    return {
        language: marks.difference(*(found.get(one, ()) for one in _kin_of(language) if one != language))
        for language, marks in found.items()
    }


_WORD_MARKS = _marks(_OWN_WORDS, str.split)
_LETTER_MARKS = _marks(_OWN_LETTERS, iter)


def settle(words: str, ranking: Ranking) -> Guess:
    """The likeliest language, or UNKNOWN where the text is too short or another is nearly as likely."""
    if not ranking:
        return NOTHING
    letters, count = sum(map(str.isalpha, words)), words.count(" ") + 1
    scores = _weighed(words.lower(), dict(ranking))
    (language, confidence), (rival, next_best) = [*sorted(scores.items(), key=lambda one: -one[1]), ("", 0.0)][:2]
    is_preferred = _PREFERRED.get(rival) == language
    if is_preferred:
        next_best = 0.0
    is_clear = confidence >= needed(letters) or (confidence >= 0.4 and confidence > 2.5 * next_best and letters >= 14)
    if letters < MIN_LETTERS or count < MIN_WORDS or not is_clear:
        return Guess(UNKNOWN, round(confidence, 3))
    return Guess(language, round(confidence, 3))


def needed(letters: int) -> float:
    """The confidence below which nothing is said: the shorter a text, the more."""
    if letters < 20:
        return 0.8
    return 0.6 if letters < 60 else 0.5


def _weighed(words: str, scores: dict[str, float]) -> dict[str, float]:
    """Probabilities after the marks that only one of several kin has; together the kin keep what they had."""
    likeliest = max(scores, key=lambda one: scores[one])
    kin = [one for one in _kin_of(likeliest) if one in scores]
    if len(kin) < 2:
        return scores
    found, letters = words.split(), set(words)
    shares = {}
    for one in kin:
        marks, signs = _WORD_MARKS.get(one, frozenset()), _LETTER_MARKS.get(one, frozenset())
        hits = min(4, sum(word in marks for word in found)) + len(signs & letters)
        shares[one] = scores[one] * _MARK**hits
    before, total = sum(scores[one] for one in kin), sum(shares.values())
    return {**scores, **{one: share / total * before for one, share in shares.items()}} if total else scores
