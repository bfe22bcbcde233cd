"""Errors as X words them: docs.x.com/x-api/fundamentals/response-codes-and-errors."""

from __future__ import annotations

from typing import Any

from connectors.simulators.exchange import Answer, json_answer

PROBLEMS = "https://api.x.com/2/problems/"
PROBLEM_TYPE = "application/problem+json"


def plain_problem(status: int, title: str, detail: str = "") -> Answer:
    """One without a type of its own ("about:blank")."""
    value = {"title": title, "detail": detail or title, "type": "about:blank", "status": status}
    return json_answer(value, status, content_type=PROBLEM_TYPE)


def unauthorized() -> Answer:
    return plain_problem(401, "Unauthorized")


def forbidden(detail: str = "") -> Answer:
    return plain_problem(403, "Forbidden", detail or "You are not permitted to perform this action.")


def too_many() -> Answer:
    return plain_problem(429, "Too Many Requests")


def invalid(message: str, parameter: str = "", values: list[str] | None = None, code: int = 0) -> Answer:
    """400; `parameter` and `values` are what was wrong with the request."""
    error: dict[str, Any] = {"message": message}
    if parameter:
        error["parameters"] = {parameter: values or []}
    if code:
        error["code"] = code
    value = {
        "errors": [error],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
        "status": 400,
    }
    return json_answer(value, 400, content_type=PROBLEM_TYPE)


def no_credits() -> Answer:
    """docs.x.com/x-api/getting-started/pricing, "Credit balance": requests are blocked."""
    value = {
        "title": "CreditsDepleted",
        "detail": "Your enrolled account does not have any credits to fulfill this request.",
        "type": PROBLEMS + "credits",
        "status": 402,
    }
    return json_answer(value, 402, content_type=PROBLEM_TYPE)


def not_found(kind: str, parameter: str, value: str) -> dict[str, Any]:
    """A partial error; `kind` is tweet or user."""
    return {
        "value": value,
        "detail": f"Could not find {kind} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": PROBLEMS + "resource-not-found",
    }


def not_allowed(kind: str, parameter: str, value: str) -> dict[str, Any]:
    """Of a protected author, or one who blocked us."""
    return {
        "value": value,
        "detail": f"Sorry, you are not authorized to see the {kind.capitalize()} with {parameter}: [{value}].",
        "title": "Authorization Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "section": "data",
        "type": PROBLEMS + "not-authorized-for-resource",
    }


def suspended(parameter: str, value: str) -> dict[str, Any]:
    return {
        "value": value,
        "detail": f"User has been suspended: [{value}].",
        "title": "Forbidden",
        "resource_type": "user",
        "parameter": parameter,
        "resource_id": value,
        "type": PROBLEMS + "resource-not-found",
    }
