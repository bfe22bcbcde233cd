"""Users, teams, one-time sign-in links, who may read which account, and the record of who changed what."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from inbox.models import Account, AuditRecord, SignInToken, Team, TeamAccount, TeamMember, User
from inbox.rules.states import Role

LINK_VALID = timedelta(days=7)
UNNAMED_OWNER = "owner@setup.invalid"  # of a home that nobody has opened yet; .invalid is never routed (RFC 6761)

Actor = User | str
"""A user, or "balas" for the program itself, or "cli"."""


class PersonProblem(Exception):
    """One sentence for the person who tried."""


def actor_name(actor: Actor) -> str:
    """How an actor is written into rows: "user:<id>", "balas" or "cli"."""
    return actor if isinstance(actor, str) else f"user:{actor.id}"


def audit(act: str, subject: str, actor: Actor, now: datetime, data: Mapping[str, Any] | None = None) -> AuditRecord:
    """Appends who did what. `subject` is such as "conversation:17"; `data` is JSON without secrets."""
    return AuditRecord.objects.create(at=now, actor=actor_name(actor), act=act, subject=subject, data=dict(data or {}))


# --- Users ----------------------------------------------------------------------------------------------------------


def create_user(
    email: str, role: Role, now: datetime, *, actor: Actor = "cli", name: str = "", teams: Iterable[str] = ()
) -> User:
    """A new person without a password. Raises PersonProblem for a bad or known address, or an unknown team."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise PersonProblem(_("“%(email)s” is not an e-mail address.") % {"email": email}) from None
    with transaction.atomic():
        if User.objects.filter(email=email).exists():
            raise PersonProblem(_("There is already somebody with the address %(email)s.") % {"email": email})
        user = User(email=email, role=Role(role), name=name)
        user.set_unusable_password()
        user.save(force_insert=True)
        for team_name in teams:
            add_member(get_team(team_name), user)
        audit("user.created", f"user:{user.id}", actor, now, {"email": email, "role": str(role)})
    return user


def is_unnamed(user: User) -> bool:
    """Whether this is the first owner of a new home, who has not said who they are."""
    return user.email == UNNAMED_OWNER


def introduce(user: User, name: str, email: str, now: datetime) -> None:
    """The first owner says who they are. Raises PersonProblem for a bad or known address."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise PersonProblem(_("“%(email)s” is not an e-mail address.") % {"email": email}) from None
    with transaction.atomic():
        if User.objects.filter(email=email).exclude(id=user.id).exists():
            raise PersonProblem(_("There is already somebody with the address %(email)s.") % {"email": email})
        user.name, user.email = name.strip()[:120], email
        user.save(update_fields=["name", "email"])
        audit("user.introduced", f"user:{user.id}", user, now, {"email": email})


def find_user(email: str) -> User | None:
    return User.objects.filter(email=email.strip().lower()).first()


def first_of(role: Role) -> User | None:
    """The longest-standing active person of a role."""
    return User.objects.filter(role=role, is_active=True).order_by("created_at", "id").first()


def can_anybody_sign_in() -> bool:
    """Whether some active person has chosen a password; until then `run` prints a sign-in link."""
    return any(user.has_usable_password() for user in User.objects.filter(is_active=True).iterator(chunk_size=100))


def set_password(user: User, password: str, now: datetime, *, actor: Actor | None = None) -> None:
    """Also ends every other session of this person. Raises django's ValidationError with sentences to show."""
    validate_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.session_epoch += 1
        user.save(update_fields=["password", "session_epoch"])
        audit("user.password", f"user:{user.id}", actor or user, now)


def change_role(user: User, role: Role, now: datetime, *, actor: Actor = "cli") -> None:
    """Raises PersonProblem when the last active owner would cease to be one."""
    with transaction.atomic():
        if role is not Role.OWNER:
            _keep_an_owner(user)
        User.objects.filter(id=user.id).update(role=role)
        audit("user.role", f"user:{user.id}", actor, now, {"from": user.role, "to": str(role)})
    user.role = role


def disable(user: User, now: datetime, *, actor: Actor = "cli") -> None:
    """Signs the person out everywhere and ends open sign-in links. Raises PersonProblem for the last owner."""
    with transaction.atomic():
        _keep_an_owner(user)
        User.objects.filter(id=user.id).update(is_active=False, session_epoch=F("session_epoch") + 1)
        SignInToken.objects.filter(user=user, used_at=None).update(used_at=now)
        audit("user.disabled", f"user:{user.id}", actor, now)
    user.refresh_from_db()


def enable(user: User, now: datetime, *, actor: Actor = "cli") -> None:
    User.objects.filter(id=user.id).update(is_active=True)
    audit("user.enabled", f"user:{user.id}", actor, now)
    user.refresh_from_db()


def sign_out_everywhere(user: User, now: datetime, *, actor: Actor | None = None) -> None:
    User.objects.filter(id=user.id).update(session_epoch=F("session_epoch") + 1)
    audit("user.signed-out", f"user:{user.id}", actor or user, now)
    user.refresh_from_db()


def _keep_an_owner(user: User) -> None:
    others = User.objects.select_for_update().filter(role=Role.OWNER, is_active=True).exclude(id=user.id)
    if user.role == Role.OWNER and user.is_active and not others.exists():
        raise PersonProblem(_("This is the only owner. Make somebody else an owner first."))


# --- One-time sign-in links -----------------------------------------------------------------------------------------


def make_sign_in_token(user: User, now: datetime, *, valid: timedelta = LINK_VALID, actor: Actor = "cli") -> str:
    """256 random bits for a link, to be shown once; only their SHA-256 is stored."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SignInToken.objects.create(user=user, sha256=_hash(token), created_at=now, expires_at=now + valid)
        audit("user.link", f"user:{user.id}", actor, now)
    return token


def find_sign_in(token: str, now: datetime) -> User | None:
    """Whom a link would sign in, without using it up: link previews and virus scanners open links too."""
    row = (
        SignInToken.objects.filter(sha256=_hash(token), used_at=None, expires_at__gt=now, user__is_active=True)
        .select_related("user")
        .first()
    )
    return row.user if row else None


def consume_sign_in(token: str, now: datetime) -> User | None:
    """Uses the link up and says whom to sign in; None when it is unknown, used, expired or its person disabled."""
    with transaction.atomic():
        user = find_sign_in(token, now)
        # The conditional update decides between two that come at once.
        used = SignInToken.objects.filter(sha256=_hash(token), used_at=None, expires_at__gt=now).update(used_at=now)
        if user is None or not used:
            return None
        audit("user.link-used", f"user:{user.id}", user, now)
        return user


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# --- Teams and what they may read -----------------------------------------------------------------------------------


def create_team(name: str, now: datetime, *, actor: Actor = "cli") -> Team:
    """Raises PersonProblem when the name is empty or taken."""
    name = name.strip()
    if not name or Team.objects.filter(name=name).exists():
        raise PersonProblem(_("A team needs a name that no other team has."))
    team = Team.objects.create(name=name)
    audit("team.created", f"team:{team.id}", actor, now, {"name": name})
    return team


def get_team(name: str) -> Team:
    """Raises PersonProblem with the known names."""
    team = Team.objects.filter(name=name).first()
    if team is None:
        known = ", ".join(Team.objects.order_by("name").values_list("name", flat=True)[:20]) or _("none yet")
        raise PersonProblem(_("There is no team “%(name)s”. Known teams: %(known)s.") % {"name": name, "known": known})
    return team


def add_member(team: Team, user: User) -> None:
    TeamMember.objects.get_or_create(team=team, user=user)


def remove_member(team: Team, user: User) -> None:
    TeamMember.objects.filter(team=team, user=user).delete()


def let_read(team: Team, account: Account, now: datetime, *, actor: Actor = "cli") -> None:
    """From now on only the teams named like this (and owners and managers) read the account."""
    TeamAccount.objects.get_or_create(team=team, account=account)
    audit("team.account", f"team:{team.id}", actor, now, {"account": str(account.id)})


def forbid_reading(team: Team, account: Account, now: datetime, *, actor: Actor = "cli") -> None:
    """The opposite of `let_read`. An account that no team is named for is read by everybody again."""
    TeamAccount.objects.filter(team=team, account=account).delete()
    audit("team.account-withdrawn", f"team:{team.id}", actor, now, {"account": str(account.id)})


def readers_of(account: Account) -> list[str]:
    """Names of the teams that may read the account; none: everybody."""
    return sorted(TeamAccount.objects.filter(account=account).values_list("team__name", flat=True))


def readable_accounts(user: User) -> frozenset[int] | None:
    """Ids of the accounts whose messages this person may see; None means all. Nothing for a disabled person."""
    if not user.is_active:
        return frozenset()
    if user.role in (Role.OWNER, Role.MANAGER):
        return None
    mine = set(TeamMember.objects.filter(user=user).values_list("team_id", flat=True))
    teams_of: dict[int, set[int]] = {account: set() for account in Account.objects.values_list("id", flat=True)}
    for account_id, team_id in TeamAccount.objects.values_list("account_id", "team_id"):
        teams_of[account_id].add(team_id)
    return frozenset(account for account, teams in teams_of.items() if not teams or teams & mine)
