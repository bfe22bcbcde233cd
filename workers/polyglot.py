"""Which languages a text may be in, by py3langid, in a child process of its own.

The model takes about 110 MB, so neither the jobs nor a Celery worker holds it: the child is started when there is
something to tell, and ends when nothing has been asked for LINGER_SECONDS. It holds no credentials and sees only the
few words that it is asked about.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe
from typing import Any

from inbox.rules.languages import CYRILLIC, LATIN, Ranking

LINGER_SECONDS = 60.0
_ANSWER_SECONDS = 60.0  # its start included, on a busy machine
_BEST = 4  # languages told of each text
_MAIN = "from workers.polyglot import serve; serve(int(__import__('sys').argv[1]))"


class Unavailable(Exception):
    """The classifier could not be asked; str() says why."""


class Polyglot:
    """Use from one thread at a time, and close it."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BALAS_")}
        # numpy would start a thread a core for arithmetic that takes microseconds.
        environ |= {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", _MAIN, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(),), env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        theirs.close()

    def rank(self, texts: Sequence[str]) -> list[Ranking]:
        """The likeliest languages of each. Raises Unavailable."""
        try:
            self._pipe.send(list(texts))
            if not self._pipe.poll(_ANSWER_SECONDS):
                raise Unavailable("the classifier of languages does not answer")
            answer: list[Ranking] = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Unavailable("the classifier of languages could not be started") from error
        return answer

    def close(self) -> None:
        self._pipe.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_kept: Polyglot | None = None
_using = threading.Lock()
_closing: threading.Timer | None = None


def rank(texts: Sequence[str]) -> list[Ranking]:
    """By a child that stays for a while. Raises Unavailable."""
    global _kept, _closing
    with _using:
        if _closing is not None:
            _closing.cancel()
        try:
            _kept = _kept or Polyglot()
            return _kept.rank(texts)
        except Unavailable:
            _end()
            raise
        finally:
            _closing = threading.Timer(LINGER_SECONDS, close)
            _closing.daemon = True
            _closing.start()


def close() -> None:
    """Ends the child now; the next text starts another."""
    with _using:
        if _closing is not None:
            _closing.cancel()
        _end()


def _end() -> None:
    global _kept
    if _kept is not None:
        _kept.close()
        _kept = None


# --- In the child ---------------------------------------------------------------------------------------------------


def serve(handle: int) -> None:
    latin, cyrillic = load()
    with Connection(handle) as pipe:
        while True:
            try:
                texts = pipe.recv()
            except EOFError:
                return
            pipe.send([_rank(cyrillic if is_cyrillic(text) else latin, text) for text in texts])


def is_cyrillic(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum("\u0400" <= letter <= "\u052f" for letter in letters) > len(letters)


def load() -> tuple[Any, Any]:
    """One classifier a script, which knows that script's languages alone."""
    # Here alone: half a second and a hundred megabytes.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = []
    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    for languages in (LATIN, CYRILLIC):
        whole.set_languages(languages)
        one = LanguageIdentifier.__new__(LanguageIdentifier)
        for name in LanguageIdentifier.__slots__:
            setattr(one, name, getattr(whole, name))
        one._full_model = None
        found.append(one)
    return found[0], found[1]


def _rank(classifier: Any, text: str) -> Ranking:
    ranking: list[tuple[str, float]] = classifier.rank(text)
    return [(language, round(share, 4)) for language, share in ranking[:_BEST]]
