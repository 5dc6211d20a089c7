import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ingest import indexing
from ingest.errors import EmbedderMismatchError, LibraryMissingError
from ingest.library import EmbedderRecord, Library
from ingest.types import PageBox
from ingest.workers import WorkerPool
from retrievers import MultiVectorRetriever
from retrievers.multi_vector import doc_name
from retrievers.query import Filters
from tests.inline_pool import InlinePool
from tests.retrievers.made import BagOfWords, element, page, paragraph, put, table, title

FERRIES = (
    title("Ferries"),
    paragraph("MV Eider sails between Halvane and Brackholm."),
    title("Ice plant"),
    paragraph("The ice plant made much ice for the fishing boats."),
)
COSTS = (
    title("Costs"),
    paragraph("Repairs of the pier were dear."),
    table("<table><tr><th>Work</th><th>Cost</th></tr><tr><td>Engine overhaul</td><td>184,000</td></tr></table>"),
)
K = 80
QUESTIONS = [
    "Which ship sails to Brackholm?",
    "How much did the engine overhaul cost?",
    "ice for boats",
    "What was dear at the pier?",
    "halibut",
]


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setattr(indexing, "WorkerPool", InlinePool)
    with Library(tmp_path / "lib", create=True) as opened:
        put(opened, "ferries.pdf", FERRIES)
        put(opened, "costs.pdf", COSTS)
        yield opened


@pytest.fixture
def retriever(library):
    return MultiVectorRetriever(library, embedder=BagOfWords())


def texts(hits) -> list[str]:
    return [hit.chunk.text for hit in hits]


def test_the_best_chunk_comes_first_with_its_file_score_and_what_matched(retriever):
    first, *others = retriever.retrieve("ice plant for the fishing boats")
    assert first.chunk.text == "Ice plant\n\nThe ice plant made much ice for the fishing boats."
    assert (first.doc, first.score, first.matched) == ("ferries.pdf", 1.0, "text")
    assert first.path.endswith("docs/ferries.pdf")
    assert [h.score for h in others] == sorted((h.score for h in others), reverse=True)


def test_a_chunk_found_by_several_vectors_is_one_hit_named_by_the_best(retriever):
    hits = retriever.retrieve("Work: Engine overhaul; Cost: 184,000")
    assert len({h.chunk.chunk_id for h in hits}) == len(hits)
    assert (hits[0].chunk.kind, hits[0].matched) == ("table", "rows")


def test_a_chunk_that_only_its_vector_finds_stands_behind_those_with_the_words(retriever):
    found = retriever.retrieve("ice plant", 8)
    assert found[0].score == 1.0
    assert 0 < found[1].score < 0.5


def test_a_chunk_that_only_words_find_is_matched_by_keywords(library, retriever):
    # More chunks are nearer than the dense side proposes; a code is a word of its own.
    near = [e for n in range(4 * K + 20) for e in (title(f"Halibut {n}"), paragraph("Halibut catch."))]
    put(library, "many.pdf", near)
    put(library, "code.pdf", [title("Long"), paragraph("ZQ77 " + "wholly other words of all sorts stand here " * 12)])
    (hit,) = [h for h in retriever.retrieve("halibut catch in zq77", K) if h.doc == "code.pdf"]
    assert hit.matched == "keywords"


@pytest.mark.parametrize("pattern", ["costs.pdf", "cost*", "*/costs.pdf", "*docs/c*"])
def test_a_glob_over_names_or_paths_selects_documents(retriever, pattern):
    hits = retriever.retrieve("ice plant for fishing boats", doc=pattern)
    assert {h.doc for h in hits} == {"costs.pdf"}


def test_a_name_with_brackets_selects_itself(library, retriever):
    put(library, "plan [final].pdf", [title("Plan"), paragraph("A plan for the ice plant.")])
    assert {h.doc for h in retriever.retrieve("ice", doc="plan [final].pdf")} == {"plan [final].pdf"}


def test_a_glob_that_matches_nothing_finds_nothing(retriever):
    assert retriever.retrieve("ice", doc="none*") == []


def test_a_kind_is_found_however_far_down_it_stands(library, retriever):
    for n in range(6):
        put(library, f"t{n}.pdf", [table(f"<table><tr><th>Herring</th><td>{n}</td></tr></table>")])
    put(library, "many.pdf", [e for n in range(150) for e in (title(f"Ice {n}"), paragraph("Ice plant, ice."))])
    hits = retriever.retrieve("ice plant", 7, kind="table")
    assert [h.chunk.kind for h in hits] == ["table"] * 7
    assert len(retriever.retrieve("ice plant", 20, kind="table")) == 7
    assert retriever.retrieve("ice plant", 3, kind="image") == []


def test_an_empty_library_finds_nothing(tmp_path):
    with Library(tmp_path / "empty", create=True) as empty:
        assert MultiVectorRetriever(empty).retrieve("anything") == []


def test_a_library_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LibraryMissingError, match="none"):
        MultiVectorRetriever(tmp_path / "none")


def test_the_form_that_a_question_asks_for_is_not_searched(retriever):
    plain = retriever.retrieve("Which ship sails to Brackholm?")
    assert retriever.retrieve("Which ship sails to Brackholm? Answer as a list of pier costs.") == plain


# --- a changing library -------------------------------------------------------------------------


def test_a_long_lived_retriever_sees_what_is_added_and_removed(library, retriever):
    assert "halibut" not in str(texts(retriever.retrieve("halibut")))
    put(library, "fish.pdf", [title("Fish"), paragraph("The halibut catch.")])
    assert texts(retriever.retrieve("halibut"))[0] == "Fish\n\nThe halibut catch."
    library.drop_paths(["/docs/fish.pdf"])
    library.sweep()
    assert "halibut" not in str(texts(retriever.retrieve("halibut")))


def test_another_embedder_than_the_librarys_is_refused(library):
    class Other(BagOfWords):
        name = "other"

    with pytest.raises(EmbedderMismatchError, match=r"reindex --embedder other"):
        MultiVectorRetriever(library, embedder=Other())


def test_an_embedder_of_the_same_name_and_another_dimension_is_refused(library):
    class Wide(BagOfWords):
        dimension = 128

    with pytest.raises(EmbedderMismatchError, match="128"):
        MultiVectorRetriever(library, embedder=Wide())


def test_an_embedder_that_the_library_has_left_is_refused_at_the_next_question(library, retriever):
    retriever.retrieve("ice")
    library.replace_embeddings(EmbedderRecord(name="other", dimension=96), {})
    with pytest.raises(EmbedderMismatchError, match="other"):
        retriever.retrieve("ice")


@pytest.mark.parametrize("exact_limit", [50_000, 0])
def test_threads_get_the_same_hits_as_one_alone(library, exact_limit):
    indexing.update_index(library)
    retriever = MultiVectorRetriever(library, embedder=BagOfWords(), exact_limit=exact_limit)
    alone = {q: retriever.retrieve(q) for q in QUESTIONS}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(retriever.retrieve, QUESTIONS * 32))
    retriever.close()
    assert together == [alone[q] for q in QUESTIONS * 32]


# --- with Chroma --------------------------------------------------------------------------------


@pytest.fixture
def indexed(library):
    """The library with Chroma's index up to date."""
    put(library, "many.pdf", [e for n in range(140) for e in (title(f"Berth {n}"), paragraph(f"Ice and rope {n}."))])
    indexing.update_index(library)
    return library


@pytest.fixture
def by_chroma(indexed, caplog):
    caplog.set_level(logging.WARNING, "retrievers.multi_vector")
    found = MultiVectorRetriever(indexed, embedder=BagOfWords(), exact_limit=3)
    yield found
    found.close()


def assert_same_hits(by_chroma: MultiVectorRetriever, library: Library) -> None:
    exact = MultiVectorRetriever(library, embedder=BagOfWords())
    for question in QUESTIONS:
        for options in ({}, {"doc": "costs.pdf"}, {"kind": "table"}):
            assert by_chroma.retrieve(question, **options) == exact.retrieve(question, **options)


def test_chroma_finds_the_hits_that_comparing_all_finds(by_chroma, indexed, caplog):
    assert_same_hits(by_chroma, indexed)
    assert not caplog.records


def test_chroma_is_asked_only_above_the_limit(indexed, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("Chroma was opened")

    monkeypatch.setattr("ingest.vectors.ChromaIndex", refuse)
    MultiVectorRetriever(indexed, embedder=BagOfWords(), exact_limit=indexed.vector_count()).retrieve("ice")
    below = MultiVectorRetriever(indexed, embedder=BagOfWords(), exact_limit=indexed.vector_count() - 1)
    with pytest.raises(AssertionError, match="Chroma was opened"):
        below.retrieve("ice")


def test_what_is_not_yet_indexed_is_found_and_what_is_gone_is_not(by_chroma, indexed, caplog):
    by_chroma.retrieve("ice")
    put(indexed, "fish.pdf", [title("Fish"), paragraph("The halibut catch.")])
    indexed.drop_paths(["/docs/many.pdf"])
    indexed.sweep()
    assert texts(by_chroma.retrieve("halibut"))[0] == "Fish\n\nThe halibut catch."
    assert_same_hits(by_chroma, indexed)
    assert not caplog.records


def test_the_index_is_opened_again_when_it_was_brought_up_to_date(by_chroma, indexed, caplog, monkeypatch):
    # A process that holds Chroma open may not write as well.
    monkeypatch.setattr(indexing, "WorkerPool", WorkerPool)
    by_chroma.retrieve("ice")
    put(indexed, "fish.pdf", [title("Fish"), paragraph("The halibut catch.")])
    indexing.update_index(indexed)
    assert_same_hits(by_chroma, indexed)
    indexed.drop_paths(["/docs/fish.pdf"])
    indexed.sweep()
    indexing.update_index(indexed)
    assert_same_hits(by_chroma, indexed)
    assert not caplog.records


def test_without_an_index_all_vectors_are_compared_and_a_warning_says_so(library, caplog):
    retriever = MultiVectorRetriever(library, embedder=BagOfWords(), exact_limit=3)
    with caplog.at_level(logging.WARNING, "retrievers.multi_vector"):
        assert_same_hits(retriever, library)
    (record,) = caplog.records
    assert "the next `pincite ingest` makes it anew; until then all vectors are compared" in record.message


def test_an_index_that_breaks_while_it_is_used_is_replaced_by_comparing_all(by_chroma, indexed, caplog, monkeypatch):
    from ingest.errors import LibraryError
    from ingest.vectors import ChromaIndex

    def broken(*_, **__):
        raise LibraryError("the index has lost vectors")

    by_chroma.retrieve("ice")
    monkeypatch.setattr(ChromaIndex, "search", broken)
    assert_same_hits(by_chroma, indexed)
    assert [r.message.split(";")[0] for r in caplog.records] == ["the index has lost vectors"]


def test_equal_hits_compare_equal_so_that_these_tests_can_fail(retriever):
    hit = retriever.retrieve("ice")[0]
    assert hit != replace(hit, score=0.5)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/docs/a.pdf", "a.pdf"), ("/in/mail.eml!/x/q.pdf", "mail.eml!/x/q.pdf"), ("a", "a")],
)
def test_a_part_is_named_with_its_container(path, name):
    assert doc_name(path) == name


# --- what a question names ----------------------------------------------------------------------


def on(number):
    return PageBox(page=number, box=(72.0, 100.0, 200.0, 110.0))


@pytest.fixture
def reports(tmp_path):
    """Two years' reports that say the same, of three pages each."""
    with Library(tmp_path / "reports", create=True) as opened:
        for year in (2021, 2022):
            elements = [
                e
                for n in (1, 2, 3)
                for e in (title(f"Part {n}"), paragraph(f"Harbour dues came to {n} thousand crowns.", on(n)))
            ]
            put(
                opened,
                f"HALVANE_{year}_report.pdf",
                [*elements, element("Footer", "41", on(3))],
                [*map(page, (1, 2, 3))],
            )
        put(opened, "other.txt", [paragraph("Harbour dues, harbour dues, harbour dues.")])
        yield MultiVectorRetriever(opened, embedder=BagOfWords())


@pytest.mark.parametrize("year", ["2021", "2022"])
def test_the_document_of_the_year_that_is_asked_for_comes_first(reports, year):
    hits = reports.retrieve(f"What were the harbour dues of Halvane in {year}?", 3)
    assert {h.doc for h in hits} == {f"HALVANE_{year}_report.pdf"}


def test_documents_that_are_compared_come_in_turn(reports):
    hits = reports.retrieve("Compare the harbour dues of Halvane in 2021 and 2022", 4)
    assert [h.doc for h in hits[:2]] != [hits[0].doc] * 2
    assert [h.doc for h in hits] == [hits[0].doc, hits[1].doc] * 2
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


def test_documents_that_are_compared_come_in_turn_though_they_are_read_again(reports):
    class Fond:
        name = "fond of 2021"

        def scores(self, question, hits):
            return [9.0 * hit.doc.count("2021") for hit in hits]

    retriever = MultiVectorRetriever(reports.library, embedder=BagOfWords(), reranker=Fond(), rerank=True)
    hits = retriever.retrieve("Compare the harbour dues of Halvane in 2021 and 2022", 4)
    assert [h.doc[8:12] for h in hits] == ["2021", "2022"] * 2
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


def test_each_side_of_a_comparison_is_found_though_the_other_fills_the_page(library, retriever):
    cod = [e for n in range(9) for e in (title(f"Cod {n}"), paragraph("The price of cod rose, said the price list."))]
    put(library, "prices.pdf", [*cod, title("Eel"), paragraph("Eel was sold at nine crowns.")])
    hits = retriever.retrieve("What is the difference in price between cod and eel?", 5)
    assert any("Eel was sold" in hit.chunk.text for hit in hits)
    assert any("price of cod" in hit.chunk.text for hit in hits)


@pytest.mark.parametrize(("named", "found"), [("page 2", 2), ("page 41", 3), ("the last page", 3)])
def test_a_page_named_by_its_number_comes_first(reports, named, found):
    (hit,) = reports.retrieve(f"What were the harbour dues on {named} of Halvane 2021?", 1)
    assert (hit.doc, hit.chunk.page_numbers) == ("HALVANE_2021_report.pdf", (found,))


def test_filters_keep_to_paths_and_headings(reports):
    assert {h.doc for h in reports.retrieve("dues", filters=Filters(path="*2021*"))} == {"HALVANE_2021_report.pdf"}
    under = reports.retrieve("dues", filters=Filters(title="part 2"))
    assert {h.chunk.title_path for h in under} == {("Part 2",)}
    assert len(under) == 2
    assert reports.retrieve("dues", filters=Filters(doc="other*", path="*2021*")) == []


def test_a_filter_by_date_keeps_to_files_changed_then(reports):
    assert len(reports.retrieve("dues", filters=Filters(date="1970"))) == 7
    assert reports.retrieve("dues", filters=Filters(date="1971..")) == []


def test_hits_are_read_again_only_when_asked(reports):
    asked = []

    class Reversing:
        name = "reversing"

        def scores(self, question, hits):
            asked.append(question)
            return [-99.0 * hit.score for hit in hits]

    retriever = MultiVectorRetriever(reports.library, embedder=BagOfWords(), reranker=Reversing())
    plain = retriever.retrieve("harbour dues", 3)
    assert asked == []
    again = retriever.retrieve("harbour dues", 3, rerank=True)
    assert set(asked) == {"harbour dues"}
    assert again != plain
    by_default = MultiVectorRetriever(reports.library, embedder=BagOfWords(), reranker=Reversing(), rerank=True)
    assert by_default.retrieve("harbour dues", 3) == again
    assert by_default.retrieve("harbour dues", 3, rerank=False) == plain
