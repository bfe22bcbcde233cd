"""The own splitter against the standard library: same parts, same types, same bytes, wherever a mail is well formed.

The oracle is `email` with `policy.compat32`, which never looks into a header. Where it and we differ by decision, the
difference is named here and nowhere else.
"""

from __future__ import annotations

import email
import email.policy
import random
from email.message import EmailMessage, Message

import pytest

from connectors.mail.parse import parse_mail
from connectors.mail.parts import Part, parse_tree
from connectors.messages import Flag
from tests.corpora import find_corpus

SENTENCE = "lamp order tb-20418 délai mulțumesc terima kasih ありがとう 你好 ß >quote -- From --x =3D . .. \t end"
WORDS = SENTENCE.split(" ")


def seen_by_us(content: bytes) -> list[tuple[str, bytes]]:
    return [_ours(leaf) for leaf in parse_tree(content).leaves()]


def _ours(leaf: Part) -> tuple[str, bytes]:
    return leaf.content_type, _same_ends(leaf.decode()[0])


def seen_by_oracle(content: bytes) -> list[tuple[str, bytes]]:
    found = []
    waiting: list[Message] = [email.message_from_bytes(content, policy=email.policy.compat32)]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting.extend(reversed(part.get_payload()))
        elif part.is_multipart():  # an embedded message: one leaf for us, whatever is in it
            found.append(
                (part.get_content_type(), _same_ends(b"\n\n".join(one.as_bytes() for one in part.get_payload())))
            )
        else:
            found.append((part.get_content_type(), _same_ends(part.get_payload(decode=True) or b"")))
    return found


def _same_ends(raw: bytes) -> bytes:
    return b"\n".join(line.rstrip() for line in raw.replace(b"\r\n", b"\n").split(b"\n")).strip()


def make_mail(seed: int) -> bytes:
    dice = random.Random(seed)

    def text() -> str:
        return "\n".join(" ".join(dice.choices(WORDS, k=dice.randint(0, 12))) for _ in range(dice.randint(0, 30)))

    mail = EmailMessage()
    mail["From"] = f"Ștefan {seed} <s{seed}@example.org>"
    mail["To"] = "halo@toko.example, Other One <o@example.org>"
    mail["Subject"] = " ".join(dice.choices(WORDS[:9], k=dice.randint(1, 20)))
    mail["Date"] = "Wed, 05 Jun 2024 10:11:00 +0700"
    mail["Message-ID"] = f"<{seed}@example.org>"
    mail.set_content(text(), cte=dice.choice(["quoted-printable", "base64", "8bit"]))
    if dice.random() < 0.6:
        mail.add_alternative(f"<p>{text()}</p>", subtype="html", cte=dice.choice(["quoted-printable", "base64"]))
        if dice.random() < 0.4:
            mail.get_payload()[-1].add_related(dice.randbytes(300), "image", "png", cid="<a@b>")
    for number in range(dice.choice([0, 0, 1, 3])):
        mail.add_attachment(
            dice.randbytes(dice.randint(0, 4000)), "application", "pdf", filename=f"Ordre № {number}.pdf"
        )
    if dice.random() < 0.2:
        inner = email.message_from_bytes(make_mail(seed + 10_000), policy=email.policy.default)
        mail.add_attachment(inner)
    policy = email.policy.SMTP if dice.random() < 0.5 else email.policy.default
    return mail.as_bytes(policy=policy.clone(cte_type="8bit"))


@pytest.mark.parametrize("batch", range(6))
def test_generated_mail_falls_into_the_same_parts(batch: int) -> None:
    for seed in range(batch * 50, batch * 50 + 50):
        content = make_mail(seed)
        ours, oracle = seen_by_us(content), seen_by_oracle(content)
        assert [kind for kind, _ in ours] == [kind for kind, _ in oracle], seed
        for (kind, mine), (_, theirs) in zip(ours, oracle, strict=True):
            if kind != "message/rfc822":  # the oracle writes it anew
                assert mine == theirs, seed


@pytest.mark.parametrize("batch", range(6))
def test_generated_mail_reads_as_it_was_written(batch: int) -> None:
    for seed in range(batch * 50, batch * 50 + 50):
        content = make_mail(seed)
        oracle = email.message_from_bytes(content, policy=email.policy.default)
        message = parse_mail(content)
        assert message.subject == " ".join(str(oracle["subject"]).split()), seed
        assert (message.author.name, message.author.address) == (f"Ștefan {seed}", f"s{seed}@example.org")
        assert message.message_id == f"{seed}@example.org"
        body = oracle.get_body(("plain",))
        assert body is not None
        expected = body.get_content().replace("\r\n", "\n").rstrip()
        if expected.strip() and not message.has_html:
            assert [line.rstrip() for line in message.text.split("\n")] == [
                line.rstrip() for line in expected.split("\n")
            ]
        assert not {Flag.BROKEN_MIME, Flag.TRUNCATED, Flag.UNKNOWN_CHARSET} & set(message.flags), (seed, message.flags)


# Mails in which we decide otherwise than the standard library, and why.
DECIDED = {
    "msg_15.txt",  # an inner boundary that never comes: what is there is text, not an empty multipart
    "msg_17.txt",
    "msg_25.txt",
    "msg_31.txt",  # no boundary declared: the one that is there is used
    "msg_39.txt",
    "msg_41.txt",
    "mail_malformed_1",
    "mail_malformed_3",
    "mail_test_1",  # an empty last part after the last delimiter is none
    "mail_test_11",
}


@pytest.mark.parametrize("name", ["cpython", "mail-parser", "talon"])
def test_real_mail_falls_into_the_same_parts(name: str) -> None:
    compared = 0
    for path in find_corpus(name):
        if path.name in DECIDED:
            continue
        content = path.read_bytes()
        ours, oracle = seen_by_us(content), seen_by_oracle(content)
        assert [kind for kind, _ in ours] == [kind for kind, _ in oracle], path.name
        for (kind, mine), (_, theirs) in zip(ours, oracle, strict=True):
            assert kind.startswith("message/") or mine == theirs, (path.name, kind)
        compared += 1
    assert compared >= 17
