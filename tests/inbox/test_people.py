from __future__ import annotations

import hashlib
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from inbox import people
from inbox.models import AuditRecord, SignInToken, User
from inbox.people import PersonProblem
from inbox.rules.states import Role
from tests.inbox.ground import NOW, make_account, make_user


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def test_a_person_is_made_once_per_address_in_any_case(ana: User) -> None:
    with pytest.raises(PersonProblem, match="already somebody"):
        people.create_user(" ANA@shop.example", Role.AGENT, NOW)
    with pytest.raises(PersonProblem, match="not an e-mail address"):
        people.create_user("ana", Role.AGENT, NOW)
    assert people.find_user("Ana@Shop.example ") == ana
    assert not ana.has_usable_password() and not people.can_anybody_sign_in()


def test_an_unknown_team_makes_nobody(db: None) -> None:
    people.create_team("Returns", NOW)

    with pytest.raises(PersonProblem, match="Known teams: Returns"):
        people.create_user("ben@shop.example", Role.AGENT, NOW, teams=["Return"])

    assert not User.objects.exists()


def test_a_sign_in_link_works_once_and_only_its_hash_is_stored(ana: User) -> None:
    token = people.make_sign_in_token(ana, NOW)

    peeked = [people.find_sign_in(token, NOW) for _ in range(3)]
    used = people.consume_sign_in(token, NOW + timedelta(days=6))
    again = people.consume_sign_in(token, NOW + timedelta(days=6))

    row = SignInToken.objects.get()
    assert (peeked, used, again) == ([ana] * 3, ana, None)
    assert len(token) >= 43 and row.sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(list(AuditRecord.objects.values()))


def test_a_sign_in_link_ends_with_its_time_and_with_its_person(ana: User) -> None:
    make_user("Cleo", Role.OWNER)
    late, disabled = people.make_sign_in_token(ana, NOW), people.make_sign_in_token(ana, NOW)

    assert people.consume_sign_in(late, NOW + timedelta(days=7)) is None
    people.disable(ana, NOW)
    assert people.consume_sign_in(disabled, NOW) is None
    people.enable(ana, NOW)
    assert people.consume_sign_in(disabled, NOW) is None
    assert people.consume_sign_in("", NOW) is None


@pytest.mark.django_db(transaction=True)
def test_f78_two_that_use_one_link_at_once_are_one_sign_in() -> None:
    ana = make_user()
    token = people.make_sign_in_token(ana, NOW)
    start, found = threading.Barrier(8), []

    def use() -> None:
        try:
            start.wait(30)
            found.append(people.consume_sign_in(token, NOW))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 8 and found.count(ana) == 1


def test_f78_a_new_password_and_a_disabled_person_end_every_session(ana: User) -> None:
    make_user("Cleo", Role.OWNER)
    before = ana.get_session_auth_hash()
    people.set_password(ana, "a long enough phrase", NOW)
    changed = ana.get_session_auth_hash()
    people.sign_out_everywhere(ana, NOW)
    signed_out = ana.get_session_auth_hash()
    people.disable(ana, NOW)

    assert len({before, changed, signed_out, ana.get_session_auth_hash()}) == 4
    assert not ana.is_active and people.readable_accounts(ana) == frozenset()


def test_a_weak_password_is_refused_and_changes_nothing(ana: User) -> None:
    with pytest.raises(ValidationError):
        people.set_password(ana, "ana12345", NOW)
    assert not User.objects.get().has_usable_password()


def test_the_last_owner_stays(db: None) -> None:
    cleo = make_user("Cleo", Role.OWNER)

    with pytest.raises(PersonProblem, match="only owner"):
        people.disable(cleo, NOW)
    with pytest.raises(PersonProblem, match="only owner"):
        people.change_role(cleo, Role.AGENT, NOW)
    dan = make_user("Dan", Role.OWNER)
    people.disable(cleo, NOW)
    with pytest.raises(PersonProblem, match="only owner"):
        people.disable(dan, NOW)


def test_who_reads_which_account_follows_role_and_team(ana: User) -> None:
    shop, board = make_account("shop"), make_account("board")
    team, cleo = people.create_team("Board", NOW), make_user("Cleo", Role.MANAGER)
    open_to_all = people.readable_accounts(ana)
    people.let_read(team, board, NOW)
    assert people.readers_of(board) == [team.name]
    restricted = people.readable_accounts(ana)
    people.add_member(team, ana)

    assert open_to_all == {shop.id, board.id}
    assert restricted == {shop.id}
    assert people.readable_accounts(ana) == {shop.id, board.id}
    assert people.readable_accounts(cleo) is None
    people.remove_member(team, ana)
    assert people.readable_accounts(ana) == {shop.id}


def test_what_was_done_is_written_down_with_who_did_it(ana: User) -> None:
    people.change_role(ana, Role.MANAGER, NOW, actor=ana)

    record = AuditRecord.objects.get(act="user.role")
    assert (record.actor, record.subject) == (f"user:{ana.id}", f"user:{ana.id}")
    assert record.data == {"from": "agent", "to": "manager"}
