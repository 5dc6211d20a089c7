"""Words in other languages than English: which language a text is in, the stems of its words, words without spaces.

The full-text index stems English alone. Of a text in another language the stem of each word is stored beside the word
itself, with the mark of its language, so that *Häuser* finds *Haus*, and no English word is taken for it. Chinese,
Japanese and Korean do not part words by spaces: each two letters that stand together are a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

_FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "english": """the of and to in is that for it as was with be by on not he his but at are this have from or had
            a an they which you were her all their there been if when who will what how many much where does did do i
            has can could may would should its our we us your any per such than these those under other more most into
            about over between after before because during both each no so some then them only also while why whose""",
        "german": """der die das den dem des und ist nicht ein eine einer einem einen eines zu von mit auf für im sich
            auch als an werden wird aus bei nach wie wurde wurden sind oder um war haben hat einem über durch nur wenn
            was wer wo wann welche welcher welches welchen wieviel viele warum ich sie es wir ihr zum zur vom beim""",
        "french": """le la les des un une et est dans pour que qui sur pas au aux par avec plus ne se ce cette ces
            son sa ses ont été sont il elle ils elles du de ou mais comme nous vous leur leurs quel quelle quels
            quelles combien où quand comment pourquoi en""",
        "spanish": """el la los las un una y es en de del que por con para se su sus al lo como más no fue son está
            este esta estos estas ha han pero o entre sobre también qué cuál cuáles quién cuánto cuánta cuántos cuántas
            dónde cuándo cómo""",
        "italian": """il lo la gli le un una e è di del della dei delle dello degli che per con non si da dal dalla nel
            nella sono come più al alla ha hanno anche questo questa ma o ed suo sua i quale quali quanto quanti quante
            dove quando chi cosa perché""",
        "portuguese": """o a os as um uma e é de do da dos das que em no na nos nas por para com não se ao mais foi são
            como mas ou sua seu seus suas pelo pela também está este esta qual quais quem quanto quantos quantas onde
            quando""",
        "dutch": """de het een en van is dat in op te zijn met voor niet aan er om ook als bij door naar uit wordt
            worden werd heeft hebben maar deze dit ze die over tot hoe wie wat waar wanneer welke hoeveel""",
        "swedish": """och att det som en är av för på med den till inte om har ett de var från vid kan eller men ska
            sig också när efter under hur vem vad var vilken vilket vilka många""",
        "danish": """og at det som en er af for på med den til ikke om har et de var fra ved kan eller men skal sig også
            når efter under blev blive hvor hvem hvad hvornår hvilken hvilket hvilke mange""",
        "norwegian": """og at det som en er av for på med den til ikke om har et de var fra ved kan eller men skal seg
            også når etter under ble bli hvor hvem hva når hvilken hvilket hvilke mange""",
        "finnish": """ja on ei että se oli ovat myös mutta kun tai joka jotka hän ole sen niin kuin mikä missä milloin
            kuka kuinka paljon montako jos sekä ovat olla tämä nämä""",
        "romanian": """și în de la cu pe din pentru care este sunt nu un o a al ale prin mai sau că fost dar fi au ca
            cât câte câți unde când cine ce""",
        "hungarian": """a az és hogy nem is egy volt meg csak de mint vagy ez azt már van el ki mi hány mennyi hol
            mikor melyik""",
        "russian": """и в не на что с по как это он из у за от для к но о так же был была было были его её их или до мы
            вы кто где когда какой какая какие сколько который которые""",
        "turkish": """ve bir bu da de için ile olarak olan daha çok gibi ne kadar en ya mi mı nerede kim hangi kaç
            sonra ise""",
    }.items()
}
"""Of each language the words that stand in every text, and those that questions begin with."""
_MARKS = {language: f"0{language[:3]}" for language in _FUNCTION_WORDS if language != "english"}
"""What a stem ends with: a digit within makes a word of it that no text has, and that no English rule changes."""
FEWEST, SHARE, LEAD = 2, 0.15, 1.25
"""Function words that tell a language: so many, so large a share of all words, and so much more often than those of
any other language. Of running text they are a third to a half, of a table next to none."""
_BEHIND_LATIN = "\u0370"
READ = 2_000
"""Words of a text that are looked at."""
_WORD = re.compile(r"[^\W\d_]+")
_UNPARTED = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d\U00020000-\U0002ffff]+"
)
"""A run of Chinese, Japanese or Korean letters."""


def language_of(text: str) -> str | None:
    """The language of a text, in English; ``None`` where its words do not tell, as in a table."""
    words = [word.lower() for _, word in zip(range(READ), _WORD.findall(text), strict=False)]
    counts = sorted(
        ((sum(word in known for word in words), language) for language, known in _FUNCTION_WORDS.items()), reverse=True
    )
    (most, language), (second, _) = counts[:2]
    told = most >= max(FEWEST, SHARE * len(words)) and most >= LEAD * second
    return language if told else None


def languages_of(texts: Sequence[str]) -> list[str | None]:
    """The language of each of a document's pages; that of most of them where a page does not tell.

    A language that one page alone of several would be in is none: its names and abbreviations only look like it.
    """
    told = [language_of(text) for text in texts]
    found = Counter(language for language in told if language)
    main = max(sorted(found), key=found.__getitem__, default=None)
    return [language if language and (found[language] > 1 or language == main) else main for language in told]


def parted(text: str) -> str:
    """A text with spaces between each two letters of Chinese, Japanese and Korean that stand together.

    Of 人口数 that is 人口 口数; a letter that stands alone is a word.
    """
    return text if text.isascii() else _UNPARTED.sub(_pairs, text)


def _pairs(run: re.Match[str]) -> str:
    letters = run[0]
    return f" {' '.join(a + b for a, b in pairwise(letters)) or letters} "


def stems_in(text: str, language: str | None) -> list[str]:
    """The marked stems of a text's words, less those that every text has; none of English, which the index stems."""
    if language is None or language not in _MARKS:
        return []
    words, common = (word.lower() for word in _WORD.findall(text)), _FUNCTION_WORDS[language]
    return [marked_stem(word, language) for word in words if word not in common]


def stems_of(word: str, languages: Iterable[str]) -> list[str]:
    """What a word of a question is looked for as in texts of these languages; of l'eau the word behind the mark."""
    parts = _WORD.findall(word)
    if not parts or any(letter.isdigit() for letter in word):
        return []
    return [marked_stem(parts[-1], language) for language in languages if language in _MARKS]


@lru_cache(maxsize=200_000)
def marked_stem(word: str, language: str) -> str:
    """The stem of a word in small letters, with the mark of its language."""
    try:
        return stemmer(language)(word) + _MARKS[language]
    except UnicodeEncodeError:  # half of a surrogate pair, as in a broken text layer
        return word + _MARKS[language]


def may_be_in(text: str, languages: Sequence[str]) -> list[str]:
    """Those of these languages that a text may be in: its own, or all where it does not tell."""
    told = language_of(text)
    return [language for language in languages if told in (None, language)]


def in_english(text: str) -> bool:
    """Whether a text may be English: it is in no other language, and most of its letters are Latin."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter < _BEHIND_LATIN for letter in letters)
    return language_of(text) in (None, "english") and latin * 2 >= len(letters)


def function_words_of(text: str) -> frozenset[str]:
    """The words that every text in the language of this one has; none of English, and where no language is told."""
    language = language_of(text)
    return _FUNCTION_WORDS[language] if language in _MARKS else frozenset()


@lru_cache(maxsize=len(_FUNCTION_WORDS))
def stemmer(language: str) -> Callable[[str], str]:
    """What gives the stem of a word in small letters, in one of the languages that are told.

    It raises ``UnicodeEncodeError`` of half of a surrogate pair.
    """
    import snowballstemmer

    stem: Callable[[str], str] = snowballstemmer.stemmer(language).stemWord
    return stem
