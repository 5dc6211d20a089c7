"""Documents in other languages than English, asked in words that the documents have in other forms."""

import pytest

from ingest.library import Library
from retrievers import MultiVectorRetriever
from tests.retrievers.made import BagOfWords, paragraph, put, title

GERMAN = (
    ("Wohnungsbau", "Im Berichtsjahr wurden in der Gemeinde zwölf neue Häuser gebaut und drei alte abgerissen."),
    ("Hafen", "Die Fähren fuhren im Sommer täglich, im Winter nur an drei Tagen der Woche."),
    ("Schulen", "Den Kindern der Insel wurden zwei Klassenzimmer und eine Bücherei eingerichtet."),
    ("Wasser", "Die Leitungen wurden erneuert, und der Verlust an Trinkwasser ist von 18 auf 9 Prozent gesunken."),
    ("Feuerwehr", "Die Wehr rückte zu vierzig Einsätzen aus und löschte elf Brände."),
)
SPANISH = (
    ("Puerto", "Los pescadores descargaron novecientas toneladas de sardinas en los muelles durante el año."),
    ("Escuelas", "El ayuntamiento construyó dos aulas nuevas y contrató a cuatro maestras."),
    ("Caminos", "Se repararon los puentes que la tormenta había destruido en el mes de marzo."),
    ("Agua", "Las pérdidas de la red bajaron después de que se cambiaran las tuberías más viejas."),
    ("Turismo", "Llegaron a la isla más visitantes extranjeros que en cualquier verano anterior."),
)
FRENCH = (
    ("Logement", "La commune a construit douze maisons neuves et vendu trois terrains pour des ateliers."),
    ("Port", "Les bateaux des pêcheurs ont été réparés dans le nouveau chantier de la rade."),
    ("Écoles", "Les élèves ont reçu des manuels, et deux institutrices ont été nommées à la rentrée."),
)
CHINESE = (
    ("港口", "去年港口的渡轮运送了四万名乘客，比前一年增加了一成。"),
    ("学校", "岛上新建了两间教室，并聘请了四位教师。"),
    ("供水", "更换旧水管以后，自来水的漏损率下降到百分之九。"),
    ("道路", "三月的暴风雨毁坏了三座桥梁，夏天以前全部修好。"),
)
JAPANESE = (
    ("港", "昨年、フェリーは四万人の乗客を運び、前の年より一割増えた。"),
    ("学校", "島では教室が二つ新しく建てられ、教師が四人採用された。"),
    ("水道", "古い水道管を取り替えたあと、漏水率は九パーセントに下がった。"),
    ("道路", "三月の嵐で橋が三つ壊れ、夏までにすべて修理された。"),
)
ENGLISH = (
    ("Housing", "The parish built a hall, and die-cast parts of the old crane were sold for scrap."),
    ("Harbour", "The ferry sailed daily in summer; la Mer, a French yacht, moored for the winter."),
    ("School", "Two teachers came, and a library of four hundred books was opened in the hall."),
)
FOUND = [
    ("jahr.pdf", "Wie viele Haus-Bauten gab es, welches Haus wurde gebaut?", "Häuser"),
    ("jahr.pdf", "Wann fuhr die Fähre?", "Fähren"),
    ("jahr.pdf", "Welches Buch bekam das Kind?", "Kindern"),
    ("jahr.pdf", "Wurde eine Leitung erneuert?", "Leitungen"),
    ("jahr.pdf", "Wie oft brannte es, wie viele Brand-Einsätze gab es?", "Brände"),
    ("memoria.pdf", "¿Cuánta sardina descargó el pescador?", "sardinas"),
    ("memoria.pdf", "¿Qué puente fue reparado?", "puentes"),
    ("memoria.pdf", "¿Cuántas maestras nuevas fueron contratadas?", "maestras"),
    ("memoria.pdf", "¿Cuánto bajó la pérdida de agua?", "pérdidas"),
    ("memoria.pdf", "¿Vino algún visitante extranjero?", "visitantes"),
    ("rapport.pdf", "Combien de maisons la commune a-t-elle construites ?", "maisons"),
    ("rapport.pdf", "Quel bateau de pêcheur fut réparé ?", "bateaux"),
    ("rapport.pdf", "Quelle institutrice a été nommée ?", "institutrices"),
    ("report.zh.pdf", "渡轮运送了多少乘客？", "渡轮"),
    ("report.zh.pdf", "聘请了几位教师？", "教师"),
    ("report.zh.pdf", "漏损率是多少？", "漏损率"),
    ("report.zh.pdf", "哪些桥梁被毁坏？", "桥梁"),
    ("report.ja.pdf", "フェリーの乗客は何人？", "フェリー"),
    ("report.ja.pdf", "教師は何人採用された？", "教師"),
    ("report.ja.pdf", "漏水率はどれだけ下がったか", "漏水率"),
    ("report.ja.pdf", "嵐で壊れた橋はいくつ？", "橋"),
    ("report.pdf", "Which ferries sailed daily?", "ferry"),
    ("report.pdf", "Who opened libraries of books?", "library"),
]
"""The document, the question, and a word of the passage that answers."""


@pytest.fixture(scope="module")
def retriever(tmp_path_factory):
    with Library(tmp_path_factory.mktemp("languages") / "lib", create=True) as library:
        for name, sections in (
            ("jahr.pdf", GERMAN),
            ("memoria.pdf", SPANISH),
            ("rapport.pdf", FRENCH),
            ("report.zh.pdf", CHINESE),
            ("report.ja.pdf", JAPANESE),
            ("report.pdf", ENGLISH),
        ):
            put(library, name, [e for head, text in sections for e in (title(head), paragraph(text))])
        yield MultiVectorRetriever(library, embedder=BagOfWords())


@pytest.mark.parametrize(("doc", "question", "word"), FOUND, ids=[question for _, question, _ in FOUND])
def test_a_question_finds_the_passage_whatever_the_forms_of_its_words(retriever, doc, question, word):
    first = retriever.retrieve(question, 3)[0]
    assert first.doc == doc
    assert word in first.chunk.text


def test_the_packaged_reranker_reads_english_questions_alone(retriever):
    german, english = "Wann fuhr die Fähre?", "Which ferries sailed daily?"
    assert retriever.retrieve(german, 3, rerank=True) == retriever.retrieve(german, 3, rerank=False)
    assert retriever.retrieve(english, 3, rerank=True) != retriever.retrieve(english, 3, rerank=False)
