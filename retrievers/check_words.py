"""What words mean to a check: which may stand for each other, which may come and go, and which never may.

The lists are general and business English, with the small words of German, French and Spanish.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import repeat

from ingest.library_languages import stemmer
from ingest.models import encodable
from retrievers.check_numbers import Language
from retrievers.check_synonyms import GROUPS

NEGATIONS = frozenset(
    """not no never none nobody nothing neither nor without cannot unable hardly barely scarcely seldom rarely fail lack
    nicht kein keine keinen keiner keinem keines nie niemals nichts niemand weder ohne
    ne pas jamais rien aucun aucune personne sans ni nunca nada nadie ningún ninguna ninguno sin tampoco""".split()
)
MODALS = frozenset(
    """may might could can will would shall should must cannot likely unlikely probably possibly perhaps
    maybe potentially
    certainly definitely expect intend plan believe estimate anticipate seek aim hope appear seem suggest allegedly
    reportedly proven certain promise guarantee propose possible probable
    kann können könnte könnten wird werden würde soll sollen sollte muss müssen darf dürfen dürfte vielleicht
    wahrscheinlich möglicherweise voraussichtlich peut peuvent pourrait pourraient doit doivent devrait devraient
    peut-être probablement puede pueden podría podrían debe deben debería quizás probablemente""".split()
)
QUANTIFIERS = frozenset(
    """all every each any some most many much few several both neither either none only solely exclusively
    primarily mainly
    mostly largely chiefly principally predominantly generally usually typically normally often frequently sometimes
    occasionally always never approximately about roughly exactly precisely almost nearly majority minority half least
    more less fewer certain various entirely fully partly partially wholly completely total merely virtually
    alle jede jeder jedes einige manche viele wenige mehrere beide nur ausschließlich überwiegend meist meistens fast
    etwa ungefähr rund genau immer oft tous toutes tout chaque quelques plusieurs certains certaines beaucoup peu
    seulement uniquement principalement presque environ toujours souvent la_plupart todos todas todo cada algunos
    algunas varios varias muchos muchas pocos solo sólo solamente principalmente casi aproximadamente siempre""".split()
)
RISES = frozenset(
    """increase increased increases increasing rise rises rose risen rising grow grows grew grown growth higher more
    up above
    climb climbed gain gained gains improve improved greater larger expand expanded surge surged jump jumped soar soared
    exceed exceeded maximum favorable positive steigen stieg stiegen gestiegen erhöht erhöhte zunahme höher augmenté
    augmentation hausse progressé supérieur aumentó aumento aumentado creció subió mayor superior""".split()
)
FALLS = frozenset(
    """decrease decreased decreases decreasing decline declined declines declining fall falls fell fallen falling
    drop dropped
    lower less fewer down below lose lost loss losses worsen worsened smaller shrink shrank contract contracted plunge
    reduced reduction minimum unfavorable negative sinken sank gesunken gefallen fiel verringert rückgang niedriger
    diminué diminution baisse reculé inférieur disminuyó disminución bajó cayó menor inferior""".split()
)
TIMES = frozenset(
    "second minute hour day week month quarter year decade century daily weekly monthly yearly annual".split()
)

_FREE = {
    "en": """a an the of is are was were be been being am has have had having do does did that which who whom whose its
        their his her my this these those there it they he she him them and also in on at for with as such then so
        respectively own""",
    "de": """der die das den dem des ein eine einen einem einer eines ist sind war waren wurde wurden hat haben hatte
        hatten dass und auch es sie er im in am an auf für mit zum zur""",
    "fr": """le la les l un une des du de d et est sont était étaient a ont avait aussi que qui il elle ils elles
    en dans
        sur pour avec au aux""",
    "es": """el la los las lo un una unos unas y es son era eran fue fueron ha han había que se en de con para al del su
        sus""",
    "other": "",
}
FREE = {language: frozenset(words.split()) for language, words in _FREE.items()}
"""Words that may come and go between a passage and a sentence that says the same."""
STRICT_BY_NUMBER = frozenset("to from by of at for a per".split())
"""Beside a number these say what the number is ("rose by 5", "rose to 5")."""
LEADS = frozenset(
    """again however moreover furthermore additionally also besides meanwhile accordingly indeed overall
    dagegen hingegen jedoch allerdings zudem außerdem ferner cependant toutefois néanmoins également además asimismo
    igualmente también""".split()
)
CONDITIONS = frozenset(
    """if unless except only provided assuming until till without excluding should whether hypothetically wenn
    sofern außer ohne si sauf sans excepto salvo sin""".split()
)
"""What a clause with one of these says holds only with it."""
OPINIONS = frozenset(
    """believe believes believed think thinks thought claim claims claimed allege alleges alleged argue argues
    argued deny
    denies denied doubt doubts doubted suggest suggests suggested assume assumes assumed suppose hope hopes hoped fear
    estimate estimates estimated expect expects expected predict predicts predicted according rumor rumour false untrue
    unclear wrong incorrect myth critics opponents pretend imagine laut selon según not no never
    cannot neither""".split()
)
"""A head with one of these cannot be left out: what follows it is not stated as a fact."""
_SMALL = {
    "en": "the of and to in is was were for with that by on are be has have as from at this it not or which our we an",
    "de": "der die das und ist war wurde im den dem des mit von für auf nicht ein eine zu auch sich bei nach aus am",
    "fr": "le la les de et est une des du dans pour par sur que qui au aux sont était pas ont avec ce cette en ne",
    "es": "el la los las de un y es una del para por con que se su fue en al son como más lo no ha sus este esta",
    "other": """il la un una ha di che non per della sono dei nel alla con gli delle da è het een van en niet op
    voor met zijn de dat och att det som på är av med för den inte o os não uma do da em para com dos
    das na nie jest się na do w z że og til af ikke har ve bir bu ile için ja ei on että""",
}
_LANGUAGES: tuple[Language, ...] = ("en", "de", "fr", "es", "other")
_COUNT_BITS = 32
_COUNT = (1 << _COUNT_BITS) - 1
_SPOKEN = {
    word: sum(1 << _COUNT_BITS * n for n, language in enumerate(_LANGUAGES) if word in _SMALL[language].split())
    for words in _SMALL.values()
    for word in words.split()
}
"""The languages in which a word is a small one: a counter each, side by side in one number, so that they add up."""
_STEMMERS = {"en": "english", "de": "german", "fr": "french", "es": "spanish"}


@cache
def stem_of(word: str, language: Language) -> str:
    """The stem of a lower-case word in its language; as it is in a language that is not known."""
    if language == "other":
        return word
    irregular = IRREGULAR.get(word) if language == "en" else None
    # Half of a surrogate pair may stand in a broken text layer.
    return irregular or stemmer(_STEMMERS[language])(encodable(word))


IRREGULAR = {
    form: stem
    for line in """rise rose risen|grow grew grown|fall fell fallen|buy bought|sell sold|begin began begun|hold held|
    keep kept|leave left|lead led|make made|meet met|pay paid|say said|send sent|spend spent|take took taken|
    think thought|win won|write wrote written|give gave given|go went gone|know knew known|lose lost|find found|
    build built|bring brought|choose chose chosen|become became|come came|draw drew drawn|drive drove driven|get got|
    see saw seen|show shown|speak spoke spoken|stand stood|teach taught|tell told|understand understood|
    seek sought|sink sank sunk|shrink shrank shrunk|wear wore worn|throw threw thrown|undertake undertook undertaken|
    bear bore borne|break broke broken|catch caught|deal dealt|eat ate eaten|feel felt|fly flew flown|forget forgot|
    freeze froze frozen|hear heard|hide hid hidden|lay laid|lend lent|mean meant|ride rode ridden|run ran|shoot shot|
    sing sang sung|sit sat|sleep slept|steal stole stolen|strike struck|swim swam|withdraw withdrew withdrawn|
    man men|woman women|child children|person people|analysis analyses|criterion criteria|basis bases""".split("|")
    for stem, *rest in [line.split()]
    for form in [stem, *rest]
}


def _groups() -> tuple[dict[str, frozenset[int]], dict[tuple[str, str], tuple[tuple[str, ...], ...]]]:
    """Groups of one meaning by stem (phrases by their words joined), and the phrases by their first two words."""
    of: dict[str, set[int]] = {}
    phrases: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for number, names in enumerate(GROUPS):
        for name in names:
            words = tuple(name.split("_"))
            of.setdefault(" ".join(words) if len(words) > 1 else stem_of(name, "en"), set()).add(number)
            if len(words) > 1:
                phrases.setdefault((words[0], words[1]), set()).add(words)
    longest = {first: tuple(sorted(found, key=len, reverse=True)) for first, found in phrases.items()}
    return {name: frozenset(numbers) for name, numbers in of.items()}, longest


@cache
def synonyms() -> dict[str, frozenset[int]]:
    """The groups of one meaning that an English stem or phrase stands in."""
    return _groups()[0]


@cache
def phrases() -> dict[tuple[str, str], tuple[tuple[str, ...], ...]]:
    """Phrases that count as one word, longest first, by their first two words."""
    return _groups()[1]


def language_of(words: Iterable[str]) -> Language:
    """The language that most small words of a text belong to; English where there are none."""
    total = sum(map(_SPOKEN.get, words, repeat(0)))
    counts = [total >> _COUNT_BITS * n & _COUNT for n in range(len(_LANGUAGES))]
    return _LANGUAGES[counts.index(max(counts))]


def kind_of(word: str) -> str:
    """What a word of a sentence decides, in plain words, for a reason: "negation", "direction"... or "word"."""
    bare = stem_of(word, "en")
    for name, words in (("negation", NEGATIONS), ("direction", RISES | FALLS), ("quantifier", QUANTIFIERS)):
        if word in words or bare in words:
            return name
    if word in MODALS or bare in MODALS:
        return "modality"
    return "period" if bare in TIMES or word in TIMES else "word"
