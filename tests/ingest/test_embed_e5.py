"""Questions in German, Spanish and Chinese, by meaning alone: over passages in English, and in the three languages."""

import ctypes

import pytest

from ingest.embed import AsksApart, Embedder, load_embedder, question_vector
from ingest.embed_e5 import E5_ENGINE, E5_WEIGHTS, E5Embedder
from ingest.errors import WeightsError
from ingest.library import Library
from ingest.settings import Settings
from retrievers import MultiVectorRetriever
from tests.contracts import EmbedderContract
from tests.retrievers.made import paragraph, put, title

PASSAGES = {
    "ferry": "The ferry to the outer islands leaves the harbour every morning at seven o'clock.",
    "bridge": "Three bridges were destroyed by the storm in March and rebuilt before the summer.",
    "school": "The town opened two new classrooms and hired four teachers for the primary school.",
    "water": "After the old pipes were replaced, the loss of drinking water fell to nine percent.",
    "fire": "The fire brigade was called out forty times and put out eleven fires.",
    "fish": "Fishermen landed nine hundred tonnes of herring, more than in any year before.",
    "tourism": "Hotels counted sixty thousand nights, a third of them by guests from abroad.",
    "library": "The public library lends books, films and tools to everyone who lives in the parish.",
}
QUESTIONS = [
    ("Wann fährt das Schiff zu den Inseln ab?", "ferry"),
    ("Was hat der Sturm zerstört?", "bridge"),
    ("Wie viele Lehrer wurden eingestellt?", "school"),
    ("Wie oft rückte die Feuerwehr aus?", "fire"),
    ("Wie viel Hering wurde gefangen?", "fish"),
    ("Wo kann man Bücher ausleihen?", "library"),
    ("¿A qué hora sale el barco a las islas?", "ferry"),
    ("¿Cuántos puentes destruyó la tormenta?", "bridge"),
    ("¿Cuántos maestros contrató el pueblo?", "school"),
    ("¿Cuánta agua potable se pierde?", "water"),
    ("¿Cuántas noches pasaron los huéspedes en los hoteles?", "tourism"),
    ("¿Dónde se pueden pedir libros prestados?", "library"),
    ("渡轮几点出发去岛上？", "ferry"),
    ("暴风雨毁坏了几座桥？", "bridge"),
    ("学校聘请了几位老师？", "school"),
    ("自来水的漏损率是多少？", "water"),
    ("消防队出动了多少次？", "fire"),
    ("渔民捕了多少鲱鱼？", "fish"),
]


@pytest.fixture(scope="module")
def e5() -> Embedder:
    return load_embedder("multilingual-e5", Settings())


class TestMultilingualE5(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls, e5: Embedder) -> Embedder:
        return e5


def test_questions_in_other_languages_find_english_passages(e5, tmp_path):
    with Library(tmp_path / "lib", create=True) as library:
        for name, text in PASSAGES.items():
            put(library, f"{name}.txt", [title("Report"), paragraph(text)], embedder=e5)
        retriever = MultiVectorRetriever(library, embedder=e5)
        wrong = [question for question, name in QUESTIONS if retriever.retrieve(question, 1)[0].doc != f"{name}.txt"]
    assert wrong == []


def test_a_question_is_embedded_otherwise_than_a_passage(e5):
    assert isinstance(e5, AsksApart)
    assert abs(question_vector(e5, "bridge") - e5.embed(["bridge"])[0]).max() > 1e-3


def test_weights_that_the_engine_refuses_are_named():
    with pytest.raises(WeightsError, match="multilingual-e5"):
        E5Embedder(ctypes.CDLL(str(E5_ENGINE.checked_path())), b"no weights" + bytes(100))


def test_the_pinned_files_are_those_of_the_package():
    assert E5_WEIGHTS.checked_path().name == "e5-small-q4.bin"
