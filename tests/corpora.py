"""Mail that nobody here wrote, for tests: `python -m tests.corpora DIR` fetches it, `find_corpus(name)` finds it.

    cpython       the standard library's own samples, copied from this installation (PSF licence)
    mail-parser   real spam, phishing and Outlook mail, from the source package (Apache-2.0)
    talon         answers of the usual mail programs, from the source package (Apache-2.0); bodies become whole mails
    authres       Authentication-Results headers and what stands in them, from the source package (Apache-2.0)
    authheaders   mails, the results stated for them, and senders with their domains, from the source package (zlib)

Nothing of it is committed. Source packages are fetched by pip with name==version and only unpacked, never built here.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from email.message import EmailMessage
from pathlib import Path

import pytest

PACKAGES = {"mail-parser": "mail-parser==4.8.0", "talon": "talon==1.4.4"}
NAMES = ("cpython", *PACKAGES)  # of mails
CASES = {"authres": "authres==1.2.0", "authheaders": "authheaders==0.16.3"}  # other test cases


def folder() -> Path:
    return Path(os.environ.get("BALAS_CORPORA") or Path(__file__).resolve().parent.parent / "var" / "corpora")


def find_corpus(name: str) -> list[Path]:
    """The mails of a corpus, in order. Skips the test when it is not there; under BALAS_CI=1 that is a failure."""
    assert name in (*NAMES, *CASES), name
    found = sorted(path for path in (folder() / name).glob("*") if path.is_file()) if folder().is_dir() else []
    if not found:
        sentence = f"The mails of {name} are not here; get them with: python -m tests.corpora {folder()}"
        if os.environ.get("BALAS_CI") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


def fetch(target: Path) -> dict[str, int]:
    """Fill `target`, one folder a corpus; what is there already is kept. Returns the number of mails of each."""
    target.mkdir(parents=True, exist_ok=True)
    counts = {}
    for name in (*NAMES, *CASES):
        place = target / name
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=target) as draft:
                mails = _cpython() if name == "cpython" else _CONVERTERS[name](_unpack(name, Path(draft)))
                half = Path(draft) / "mails"
                half.mkdir()
                for title, content in mails.items():
                    (half / title).write_bytes(content)
                half.rename(place)
        counts[name] = sum(1 for _ in place.iterdir())
    return counts


def _cpython() -> dict[str, bytes]:
    """Debian and others install the samples apart or not at all; the folder is found without importing the tests."""
    specification = importlib.util.find_spec("test")
    for place in specification.submodule_search_locations or [] if specification else []:
        mails = sorted((Path(place) / "test_email" / "data").glob("msg_*.txt"))
        if mails:
            return {path.name: path.read_bytes() for path in mails}
    raise SystemExit("This Python has no test/test_email/data; install its tests (Debian: libpython3-testsuite).")


def _unpack(name: str, draft: Path) -> Path:
    requirement = (PACKAGES | CASES)[name]
    command = [*_pip(), "download", "--no-binary", ":all:", "--no-deps", "--quiet", "--dest", str(draft), requirement]
    subprocess.run(command, check=True)
    (archive,) = draft.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(draft / "unpacked", filter="data")
    (top,) = (draft / "unpacked").iterdir()
    return top


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if shutil.which("uv"):
        return ["uv", "run", "--with", "pip", "--no-project", "python", "-m", "pip"]
    return ["python3", "-m", "pip"]


def _mail_parser(top: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((top / "tests" / "mails").iterdir())}


def _talon(top: Path) -> dict[str, bytes]:
    """The whole mails as they are; bare bodies get the header lines that a mail needs."""
    fixtures = top / "tests" / "fixtures"
    mails = {path.name: path.read_bytes() for path in sorted(fixtures.rglob("*.eml"))}
    for path in sorted(fixtures.rglob("*.html")):
        mails[f"{path.stem}.html.eml"] = _whole(path, "html", "Reply <reply@example.com>")
    for path in sorted(fixtures.rglob("*_reply_text")):
        mails[f"{path.name}.eml"] = _whole(path, "plain", "Reply <reply@example.com>")
    for path in sorted(fixtures.rglob("*_body")):
        sender = path.with_name(path.name.removesuffix("_body") + "_sender")
        author = sender.read_text("utf-8", "replace").strip() if sender.is_file() else "someone@example.com"
        mails[f"{path.parent.name}-{path.name}.eml"] = _whole(path, "plain", "".join(author.splitlines()[:1]))
    for name in ("102682_R_S", "unicode_msg"):
        mails[f"{name}.eml"] = (fixtures / "signature" / "emails" / "P" / name).read_bytes()
    return mails


def _whole(path: Path, subtype: str, author: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = author if "@" in author else "someone@example.com"
    mail["To"] = "support@example.com"
    mail["Subject"] = f"Re: {path.stem}"
    mail["Date"] = "Thu, 26 Jun 2014 14:00:51 +0400"
    mail["Message-ID"] = f"<{path.stem.lower()}@talon.example>"
    mail.set_content(path.read_bytes().decode("utf-8", "replace"), subtype=subtype)
    return mail.as_bytes()


def _authres(top: Path) -> dict[str, bytes]:
    """The doctests as they are: they say which header is read and what must be found in it."""
    return {"doctests.txt": (top / "authres" / "tests").read_bytes()}


def _authheaders(top: Path) -> dict[str, bytes]:
    """Each mail under the results that the tests state for it, and the senders whose domain they state."""
    tests = top / "authheaders" / "test"
    tree = ast.parse((tests / "test_authentication.py").read_text())
    mails: dict[str, bytes] = {}
    for case in (one for one in ast.walk(tree) if isinstance(one, ast.ClassDef)):
        files: dict[str, str] = {}
        for test in (one for one in case.body if isinstance(one, ast.FunctionDef)):
            nodes = list(ast.walk(test))
            for one in nodes:
                if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Attribute) and _texts(one):
                    files[one.targets[0].attr] = _texts(one)[0]
            stated = [text for text in _texts(test) if text.startswith("Authentication-Results: example.com;")]
            used = [files[one.attr] for one in nodes if isinstance(one, ast.Attribute) and one.attr in files]
            raw = [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, bytes)]
            if test.name == "test_get_domain_part":
                mails["senders.txt"] = "\n".join(_texts(test)).encode()
            elif test.name != "setUp" and stated and (used or raw):
                content = (tests / used[0]).read_bytes() if used else raw[0]
                mails[f"{test.name}.eml"] = stated[-1].encode() + b"\n" + content
    return mails


def _texts(tree: ast.AST) -> list[str]:
    """The string constants of a piece of Python, in the order of the source."""
    found = [one for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return [str(one.value) for one in sorted(found, key=lambda one: (one.lineno, one.col_offset))]


_CONVERTERS = {"mail-parser": _mail_parser, "talon": _talon, "authres": _authres, "authheaders": _authheaders}


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    for name, count in fetch(Path(sys.argv[1])).items():
        print(f"{name:12} {count:4} mails")


if __name__ == "__main__":
    main()
