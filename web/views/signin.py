"""The door: a one-time link, then a password; and in the demo, on this machine only, one click."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from inbox import people
from inbox.models import User
from inbox.rules.states import Role
from web import throttle
from web.access import SignedIn, anyone, needs
from web.network import client_address, is_direct_loopback, network_of
from web.views.page import organisation, render_outside, role_word

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def _next(request: HttpRequest) -> str:
    """Where to go afterwards; only ever a page of our own."""
    wanted = str(request.POST.get("next") or request.GET.get("next") or "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted.startswith("/") else "/"


def _may_step_in(request: HttpRequest) -> bool:
    return organisation().is_demo and is_direct_loopback(request)


def _step_ins(request: HttpRequest) -> list[dict[str, str]]:
    if not _may_step_in(request):
        return []
    sentences = {
        Role.AGENT: _("%(name)s answers customers"),
        Role.MANAGER: _("%(name)s keeps the promised response times"),
        Role.OWNER: _("%(name)s connects accounts and decides who sees what"),
    }
    found = []
    for role, sentence in sentences.items():
        user = _demo_user(role)
        if user is not None:
            name = user.name or user.email
            found.append({"role": role, "word": role_word(role), "name": name, "sentence": sentence % {"name": name}})
    return found


def _demo_user(role: Role) -> User | None:
    return people.first_of(role)


def _door(
    request: HttpRequest, *, problem: str = "", advice: str = "", email: str = "", status: int = 200
) -> HttpResponse:
    context = {"problem": problem, "advice": advice, "email": email, "next": _next(request)}
    return render_outside(request, "signin/signin.html", {**context, "step_ins": _step_ins(request)}, status=status)


@anyone
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return redirect("/") if request.user.is_authenticated else _door(request)
    now = timezone.now()
    email, password = request.POST.get("email", "")[:254], request.POST.get("password", "")[:1000]
    network = network_of(client_address(request))
    if throttle.is_over(email, network, now):
        problem = _("Too many tries. Wait a quarter of an hour, or ask for a sign-in link.")
        return _door(request, problem=problem, email=email, status=429)
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        throttle.note_failure(email, network, now)
        return _door(
            request,
            problem=_("This address and this password do not fit together."),
            advice=_("Look at the address first. If the password is lost, ask for a sign-in link."),
            email=email,
            status=401,
        )
    login(request, user, _BACKEND)
    people.audit("user.signed-in", f"user:{user.id}", user, now)
    return redirect(_next(request))


@anyone
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the page uses nothing up: previews and scanners open links too. The button does."""
    now = timezone.now()
    if request.method == "POST":
        user = people.consume_sign_in(token, now)
        if user is not None:
            login(request, user, _BACKEND)
            request.session["by_link"] = True
            return redirect("password" if not user.has_usable_password() else "home")
    is_usable = request.method == "GET" and people.find_sign_in(token, now) is not None
    context = {"is_usable": is_usable, "token": token}
    response = render_outside(request, "signin/link.html", context, status=200 if is_usable else 410)
    response.headers["Referrer-Policy"] = "same-origin" if is_usable else "no-referrer"
    return response


@needs("read")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def password(request: SignedIn) -> HttpResponse:
    """Sets a password: freely after a one-time link, otherwise against the old one (which the door has just asked)."""
    user = request.user
    if user.has_usable_password() and not request.session.get("by_link"):
        raise Http404
    problems: list[str] = []
    is_unnamed = people.is_unnamed(user)
    if request.method == "POST":
        try:
            if is_unnamed:
                people.introduce(
                    user, request.POST.get("name", ""), request.POST.get("email", "")[:254], timezone.now()
                )
            people.set_password(user, request.POST.get("password", "")[:1000], timezone.now())
        except people.PersonProblem as problem:
            problems = [str(problem)]
        except ValidationError as problem:
            problems = problem.messages
        else:
            update_session_auth_hash(request, user)
            request.session.pop("by_link", None)
            messages.success(request, _("Your password is kept. Next time sign in with it."))
            return redirect("connect-mailbox" if is_unnamed else "home")
    context = {"email": user.email, "problems": problems, "is_unnamed": people.is_unnamed(user)}
    return render_outside(request, "signin/password.html", context, status=422 if problems else 200)


@anyone
@never_cache
@require_POST
def step_in(request: HttpRequest) -> HttpResponse:
    if not _may_step_in(request) or request.POST.get("role") not in set(Role):
        raise Http404
    user = _demo_user(Role(request.POST["role"]))
    if user is None:
        raise Http404
    login(request, user, _BACKEND)
    return redirect("home")


@anyone
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")
