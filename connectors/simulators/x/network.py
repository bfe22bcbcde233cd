"""The network behind a simulated X: people, posts with their edits, direct messages, uploads. No HTTP here.

Ids are made as X makes them (milliseconds since 2010-11-04 above 22 bits), so they grow with time.
docs.x.com/fundamentals/x-ids
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from connectors.simulators.control import NoSuchEntry
from connectors.simulators.x.things import DirectEvent, Member, Upload, XPost
from connectors.simulators.x.wording import Link, find_links, shorten

EPOCH_MS = 1288834974657
EDIT_WINDOW = timedelta(minutes=30)
MOST_EDITS = 5
_MENTION = re.compile(r"(?<![\w@/])@(\w{1,15})")


class Refusal(ValueError):
    """What X does not allow, in its own words where the documentation or its users have recorded them."""


class XNetwork:
    """Not safe on several threads by itself: its server holds the lock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.members: dict[str, Member] = {}
        self.posts: dict[str, XPost] = {}  # in the order they were made
        self.directs: dict[str, DirectEvent] = {}
        self.uploads: dict[str, Upload] = {}
        self._names: dict[str, Member] = {}  # as last found: a member may take another name
        self._last_id = 0
        self._about: dict[tuple[str, str], list[XPost]] = {}  # (field of XPost, the id it names) → who names it
        self._written: dict[str, int] = {}  # author → versions of posts

    def new_id(self) -> str:
        wanted = (int(self.now().timestamp() * 1000) - EPOCH_MS) << 22
        self._last_id = max(wanted, self._last_id + 1)
        return str(self._last_id)

    def start_after(self, last: int) -> None:
        """No id that was given out before is given out again."""
        self._last_id = max(self._last_id, last)

    # --- People -----------------------------------------------------------------------------------------------------

    def join(self, username: str, name: str = "", **facts: object) -> Member:
        """A new member; `facts` are fields of Member."""
        at = self.now() - timedelta(days=900)
        id_ = str(((int(at.timestamp() * 1000) - EPOCH_MS) << 22) + len(self.members))
        member = Member(id_, username, name or username, at)
        for fact, value in facts.items():
            setattr(member, fact, value)
        self.members[member.id] = member
        return member

    def find_member(self, username: str) -> Member | None:
        wanted = username.lstrip("@").lower()
        known = self._names.get(wanted)
        if known is not None and known.username.lower() == wanted:
            return known
        found = next((one for one in self.members.values() if one.username.lower() == wanted), None)
        if found is not None:
            self._names[wanted] = found
        return found

    def get_member(self, username: str) -> Member:
        found = self.find_member(username)
        if found is None:
            raise NoSuchEntry(f"Nobody is called @{username.lstrip('@')} here.")
        return found

    # --- Posts ------------------------------------------------------------------------------------------------------

    def get_post(self, id_: str) -> XPost:
        found = self.posts.get(id_)
        if found is None:
            raise NoSuchEntry(f"There is no post {id_} here.")
        return found

    def publish(self, author: Member, text: str, surfaces_after: timedelta = timedelta(0), **facts: object) -> XPost:
        """`facts` are fields of XPost. An answer is given the @ of whom it answers, as X does it."""
        answered = self.get_post(str(facts["answers"])) if facts.get("answers") else None
        shown, links, prefix = self._worded(author, text, answered)
        id_ = self.new_id()
        post = XPost(
            id_,
            author.id,
            shown,
            self.now(),
            answered.conversation_id if answered else id_,
            [id_],
            links=links,
            prefix=prefix,
            surfaces_at=self.now() + surfaces_after,
        )
        for fact, value in facts.items():
            setattr(post, fact, value)
        self.add(post)
        return post

    def add(self, post: XPost) -> None:
        """Also into what `count` and `written` look up."""
        self.posts[post.id] = post
        self._written[post.author_id] = self._written.get(post.author_id, 0) + 1
        for kind in ("answers", "quotes", "reposts"):
            if named := getattr(post, kind):
                self._about.setdefault((kind, named), []).append(post)

    def _worded(self, author: Member, text: str, answered: XPost | None) -> tuple[str, tuple[Link, ...], int]:
        """(the text as X shows it, its links, how many characters of leading mentions it hides)"""
        whole, is_answer = text, answered is not None and answered.author_id != author.id
        if answered is not None and is_answer:
            handle = "@" + self.members[answered.author_id].username
            if handle.lower() not in text.lower():
                whole = f"{handle} {text}".rstrip()
        shown, links = shorten(whole)
        leading = re.match(r"(?:@\w{1,15}\s+)+", shown) if is_answer else None
        return shown, links, leading.end() if leading else 0

    def edit(self, id_: str, text: str) -> XPost:
        """docs.x.com/x-api/fundamentals/edit-posts: a new id, within 30 minutes, five times, no answers to others."""
        first = self.get_post(id_)
        post = self.posts[first.history[-1]]
        answered = self.posts.get(post.answers)
        if post.deleted_at is not None:
            raise Refusal("This post was deleted.")
        if self.now() > self.posts[post.history[0]].created_at + EDIT_WINDOW:
            raise Refusal("A post on X can be edited for 30 minutes only.")
        if len(post.history) > MOST_EDITS:
            raise Refusal("A post on X can be edited five times only.")
        if post.poll or post.reposts or (answered is not None and answered.author_id != post.author_id):
            raise Refusal("Answers to others, polls and reposts cannot be edited on X.")
        shown, links = shorten(text)
        new = replace(post, id=self.new_id(), text=shown, links=links, created_at=self.now(), surfaces_at=self.now())
        post.history.append(new.id)
        self.add(new)
        return new

    def delete(self, id_: str) -> None:
        """With all its versions, and with the reposts of it."""
        for version in self.get_post(id_).history:
            self.posts[version].deleted_at = self.now()
            for repost in self._about.get(("reposts", version), ()):
                repost.deleted_at = repost.deleted_at or self.now()

    def newest(self, post: XPost) -> XPost:
        return self.posts[post.history[-1]]

    def mentioned(self, post: XPost) -> list[tuple[int, int, Member]]:
        """(start, end, who) of every @ in the text that names a member."""
        found = []
        for match in _MENTION.finditer(post.text):
            member = self.find_member(match[1])
            if member is not None:
                found.append((match.start(), match.end(), member))
        return found

    def is_visible(self, post: XPost, viewer: Member) -> bool:
        """Whether the viewer may read it at all."""
        author = self.members[post.author_id]
        if post.deleted_at is not None or author.is_suspended or viewer.id in author.blocks:
            return False
        return not author.is_protected or author.id == viewer.id or author.id in viewer.follows

    def listed(self, viewer: Member, after: int = 0) -> Iterator[XPost]:
        """What timelines and search know now, newest first down to an id, each post in its newest version."""
        now = self.now()
        for post in reversed(self.posts.values()):
            if int(post.id) <= after:
                return
            if post.history[-1] == post.id and self.is_visible(post, viewer) and (post.surfaces_at or now) <= now:
                yield post

    def count(self, kind: str, post: XPost) -> int:
        """How many answers, quotes or reposts a post has; `kind` is the field of XPost that names it."""
        return sum(
            one.deleted_at is None and one.history[-1] == one.id
            for version in post.history
            for one in self._about.get((kind, version), ())
        )

    def written(self, member: Member) -> int:
        return self._written.get(member.id, 0)

    # --- Direct messages --------------------------------------------------------------------------------------------

    def conversation_of(self, one: Member, other: Member) -> str:
        """docs.x.com/x-api/direct-messages/lookup/integrate: the smaller id, then the larger."""
        low, high = sorted((one.id, other.id), key=int)
        return f"{low}-{high}"

    def write(self, sender: Member, receiver: Member, text: str, uploads: Iterable[Upload] = ()) -> DirectEvent:
        if sender.id in receiver.blocks or (not receiver.takes_dms and receiver.id not in sender.follows):
            raise Refusal("You cannot send messages to this user.")
        shown, links = shorten(text)
        conversation = self.conversation_of(sender, receiver)
        event = DirectEvent(self.new_id(), conversation, sender.id, shown, self.now(), links, tuple(uploads))
        self.directs[event.id] = event
        return event

    def participants(self, conversation_id: str) -> tuple[str, ...]:
        return tuple(conversation_id.split("-"))

    # --- What may be said -------------------------------------------------------------------------------------------

    def refuse_reply(self, author: Member, answered: XPost | None, is_enterprise: bool) -> None:
        """docs.x.com/x-api/posts/manage-tweets/integrate, "Reply restrictions". Raises Refusal."""
        if answered is None or not self.is_visible(answered, author):
            raise Refusal("You attempted to reply to a Tweet that is deleted or not visible to you.")
        if answered.author_id == author.id:
            return
        is_mentioned = any(member.id == author.id for _, _, member in self.mentioned(answered))
        quoted = self.posts.get(answered.quotes)
        has_quoted = quoted is not None and quoted.author_id == author.id
        settings, writer = answered.reply_settings, self.members[answered.author_id]
        is_closed = settings == "following" and author.id not in writer.follows
        if not is_mentioned and (settings == "mentionedUsers" or is_closed or settings == "subscribers"):
            raise Refusal("You can't reply to this conversation.")
        if not (is_mentioned or has_quoted or is_enterprise):
            raise Refusal(
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise "
                "engaged by the author of the post you are replying to."
            )

    def is_duplicate(self, author: Member, text: str, answers: str, quotes: str) -> bool:
        """The same words by the same author within a day, while the first ones still stand."""
        since = self.now() - timedelta(days=1)
        shown, _, _ = self._worded(author, text, self.posts.get(answers))
        wanted = (author.id, answers, quotes, shown.strip())
        recent = takewhile(lambda one: one.created_at > since, reversed(self.posts.values()))
        return any(
            one.deleted_at is None and (one.author_id, one.answers, one.quotes, one.text.strip()) == wanted
            for one in recent
        )

    def has_link(self, text: str) -> bool:
        return bool(find_links(text))
