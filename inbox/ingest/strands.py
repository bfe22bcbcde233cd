"""Which strand a message lies in: whose exchange it belongs to.

A message joins the strand of what it answers when its writer takes part there: as the counterparty, or as somebody
whom the answered message names. Anybody else who quotes a known message begins a strand of their own. The rule looks
only at the graph of messages, never at the order of arrival, so when a missing link comes late, the strands of that
thread are formed again from the beginning (except what people have touched).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from connectors.messages import Automatic
from inbox.ingest.accounts import Ground
from inbox.ingest.book import NOBODY, counterparty_of
from inbox.ingest.letters import Letter, Node, Person
from inbox.rules.threading import may_join


@dataclass(slots=True)
class Strand:
    """A stored strand, or one that is being formed: then `id` is 0 until it gets its row."""

    id: int
    kind: str
    thread: int
    counterparty: Person
    sequence: int = 0
    conversation_id: int = 0
    follows: int | None = None  # conversation of the matter that a late answer goes back to
    letters: list[Letter] = field(default_factory=list)  # those that this batch puts here
    is_new: bool = False
    needs_link: bool = False


class Placing:
    """Puts letters into strands, parents first.

    `by_node` finds letters; `placed` knows the strands of those that do not move; `successor` gives the strand that a
    late answer opens or finds instead of a closed one, or None.
    """

    def __init__(
        self,
        ground: Ground,
        by_node: dict[Node, list[Letter]],
        placed: dict[int, Strand],
        thread_of: Callable[[Node], int],
        successor: Callable[[Letter, Strand], Strand | None],
        pairs: dict[tuple[int, str], Strand],
    ) -> None:
        """`pairs`: (thread, counterparty's key) → the newest strand of the two whose letters do not move."""
        self._ground, self._by_node, self._thread_of = ground, by_node, thread_of
        self._placed, self._successor, self._pairs = placed, successor, pairs
        self.formed: list[Strand] = []

    def place(self, letters: Iterable[Letter]) -> None:
        """Afterwards `strand_of` knows every one of them."""
        moving = {letter.id: letter for letter in letters}
        for letter in sorted(moving.values(), key=lambda letter: letter.order):
            self._place_with_parents(letter, moving)

    def strand_of(self, letter: Letter) -> Strand:
        return self._placed[letter.id]

    def _place_with_parents(self, letter: Letter, moving: dict[int, Letter]) -> None:
        """Depth first, without recursion: forged chains may be long, or go round in circles."""
        stack, open_ids = [letter], set()
        while stack:
            top = stack[-1]
            if top.id in self._placed:
                stack.pop()
                continue
            parents = [
                parent
                for node in top.answers
                for parent in self._by_node.get(node, ())
                if parent.id in moving and parent.id not in self._placed and parent.id not in open_ids
            ]
            if parents and top.id not in open_ids:
                open_ids.add(top.id)
                stack.extend(sorted(parents, key=lambda parent: parent.order, reverse=True))
                continue
            stack.pop()
            self._settle(top)

    def _settle(self, letter: Letter) -> None:
        strand = self._find(letter) or self._begin(letter)
        self._placed[letter.id] = strand
        strand.letters.append(letter)

    def _find(self, letter: Letter) -> Strand | None:
        if letter.is_post:
            return self._find_pair(letter) if not letter.is_refused else None
        for node in letter.answers:
            for parent in self._by_node.get(node, ()):
                strand = self._placed.get(parent.id)
                if strand is not None and _takes_part(letter, parent, strand, self._own_keys(letter)):
                    return self._successor(letter, strand) or strand
        return None

    def _find_pair(self, letter: Letter) -> Strand | None:
        """A platform tells which posts are one thread and who wrote them, so those two decide, and not whether the
        post that is answered has come yet. What we said to nobody belongs to what it goes on from."""
        key = counterparty_of(letter, self._own_keys(letter)).key
        if key.startswith(NOBODY):
            parents = (parent for node in letter.answers for parent in self._by_node.get(node, ()))
            found = next((self._placed[parent.id] for parent in parents if parent.id in self._placed), None)
            return found if not letter.is_inbound else None
        pair = (self._thread_of(letter.node), key)
        strand = self._pairs.get(pair)
        if strand is None:
            return None
        self._pairs[pair] = found = self._successor(letter, strand) or strand
        return found

    def _begin(self, letter: Letter) -> Strand:
        own = self._own_keys(letter)
        strand = Strand(0, letter.kind, self._thread_of(letter.node), counterparty_of(letter, own), is_new=True)
        if letter.is_post:
            self._pairs[strand.thread, strand.counterparty.key] = strand
        self.formed.append(strand)
        return strand

    def _own_keys(self, letter: Letter) -> frozenset[str]:
        return self._ground.accounts[letter.account_id].own


def _takes_part(letter: Letter, parent: Letter, strand: Strand, own: frozenset[str]) -> bool:
    if letter.automatic == Automatic.BOUNCE and letter.is_inbound and not parent.is_inbound:
        return True
    named = {strand.counterparty.key} if parent.is_mailing else {strand.counterparty.key, *parent.keys()}
    if letter.is_inbound:
        return may_join(letter.verified, letter.author.key in named, refers=True)
    # A forward to somebody else quotes the customer, too, and is no answer to them.
    named = (named | parent.reply_to) - own
    return any(person.key in named for person in letter.people[1:])


def bind(formed: Sequence[Strand], stored: dict[int, Strand]) -> None:
    """Gives strands that were formed again the rows they had, so that ids outlive a late link.

    `stored` are the strands whose letters were free to move. A row goes to the formed strand with its earliest letter
    that is an exchange with the same person; what then has no conversation takes one over from its letters.
    """
    claimed: set[int] = set()
    for strand in formed:
        for old in _former(strand, stored):
            if old.conversation_id not in claimed and old.counterparty.key == strand.counterparty.key:
                claimed.add(old.conversation_id)
                strand.id, strand.sequence, strand.is_new = old.id, old.sequence, False
                strand.conversation_id = old.conversation_id
                break
    for strand in formed:
        for old in _former(strand, stored) if not strand.conversation_id else ():
            if old.conversation_id not in claimed:
                claimed.add(old.conversation_id)
                strand.conversation_id = old.conversation_id
                break


def _former(strand: Strand, stored: dict[int, Strand]) -> list[Strand]:
    """Where its letters lay, by the order of the letters."""
    ids = [letter.strand_id for letter in sorted(strand.letters, key=lambda letter: letter.order)]
    return [stored[one] for one in dict.fromkeys(ids) if one in stored]
