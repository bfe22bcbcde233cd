"""A small house for the pages: two mailboxes of two teams, a person of each role, one conversation with everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inbox import people, templates
from inbox.models import Account, Attachment, Conversation, Message, ReplyTemplate, User
from inbox.rules.states import Role
from tests.builders import make_account, make_item, make_mail, receive
from web import offers, reading, trust
from web.views import page

PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture(autouse=True)
def _fresh_memory() -> Iterator[None]:
    """What the process remembers for seconds must not pass from one test to the next."""
    page.forget_organisation()
    reading.forget_names()
    trust.forget_ours()
    offers.forget_ours()
    yield
    page.forget_organisation()
    reading.forget_names()
    trust.forget_ours()
    offers.forget_ours()


@dataclass(frozen=True)
class House:
    support: Account
    sales: Account
    owner: User
    manager: User
    agent: User  # of the support team
    stranger: User  # of the sales team
    conversation: Conversation
    message: Message
    attachment: Attachment
    template: ReplyTemplate

    def user(self, role: str) -> User | None:
        return {"owner": self.owner, "manager": self.manager, "own": self.agent, "other": self.stranger}.get(role)

    def client(self, role: str, **options: Any) -> Client:
        client = Client(**options)
        user = self.user(role)
        if user is not None:
            client.force_login(user)
        return client


def rich_mail() -> bytes:
    """HTML with its own image and one from elsewhere, a quoted part, and a file."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "Ana Pop <ana@shop.example>", "support@balas.example"
    mail["Subject"], mail["Message-ID"] = "A broken zip", "<zip-1@shop.example>"
    mail["Date"] = timezone.now()
    mail.set_content("Hello,\n\nthe zip broke.\n\nAna\n\n> we sent it\n> on Monday\n")
    mail.add_alternative(
        '<p>Hello, the <b>zip</b> broke.</p><img src="cid:zip@shop">'
        '<img src="https://far.example/pixel.gif">'
        "<script>alert(1)</script><p onclick='x()'>Ana</p>",
        subtype="html",
    )
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(PIXEL, maintype="image", subtype="png", cid="<zip@shop>")
    mail.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="no‮te.html")
    return mail.as_bytes()


@pytest.fixture
def house(db: None) -> House:
    now = timezone.now()
    support, sales = make_account(), make_account("sales", "sales@balas.example")
    users = {}
    for name, role in (
        ("owner", Role.OWNER),
        ("manager", Role.MANAGER),
        ("agent", Role.AGENT),
        ("stranger", Role.AGENT),
    ):
        users[name] = people.create_user(f"{name}@balas.example", role, now, name=name.capitalize())
    for team_name, account, member in (("Support", support, "agent"), ("Sales", sales, "stranger")):
        team = people.create_team(team_name, now)
        people.let_read(team, account, now)
        people.add_member(team, users[member])
    receive(support, make_item(rich_mail(), at=now), now=now)
    message = Message.objects.get(reference="zip-1@shop.example")
    conversation = Conversation.objects.get(strand_links__strand_id=message.strand_id)
    attachment = message.attachments.get(is_inline=False)
    template = templates.create("Sorry", "cli", now, shortcut="sorry")
    templates.write_version(template, "cli", now, language="en", body="Dear {{ customer.first_name }},\n\nsorry.\n")
    return House(support, sales, *users.values(), conversation, message, attachment, template)


def write(
    house: House, text: str = "Where is it?", *, author: str = "Dan <dan@shop.example>", **options: Any
) -> Message:
    """One more mail comes in."""
    now = timezone.now()
    receive(house.support, make_item(make_mail(text, author=author, at=now, **options), at=now), now=now)
    return Message.objects.latest("id")
