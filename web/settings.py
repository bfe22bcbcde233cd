"""Django's settings, made from the environment. The one place that chooses back ends."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from connectors.egress import Rules
from connectors.route import Route, use_route
from web.env import LOG_LEVELS, BadSetting, database_settings, read_environment

BALAS = read_environment(os.environ)
BALAS_HOME: Path = BALAS.home


def _make_home() -> None:
    try:
        BALAS_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadSetting(
            f"{BALAS_HOME} cannot be made ({error.strerror}). Set BALAS_HOME to a folder of yours."
        ) from None


def _secret_key() -> str:
    if BALAS.secret_key:
        return BALAS.secret_key
    path = BALAS_HOME / "secret-key"
    try:
        return _kept_secret(path)
    except OSError as error:
        remedy = "Set BALAS_HOME to a folder of yours."
        raise BadSetting(f"{path} cannot be read or written ({error.strerror}). {remedy}") from None


def _kept_secret(path: Path) -> str:
    """Made on the first run."""
    if not path.exists():
        draft = path.with_name(f"secret-key.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)  # whoever is first wins, whole
        except FileExistsError:
            pass
        draft.unlink()
    return path.read_text().strip()


_make_home()
SECRET_KEY = _secret_key()
DEBUG = BALAS.debug == "1"
DATABASES = {"default": database_settings(BALAS)}
IS_SQLITE = not BALAS.database_url
if IS_SQLITE:
    # Page threads live on, and so do their connections: the page cache stays warm.
    DATABASES["default"]["CONN_MAX_AGE"] = None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What the one function that asks for strangers' addresses may reach (connectors/egress.py). No setting opens it wider.
EGRESS = Rules()
# By which way social platforms are reached (connectors/wire.py).
use_route(Route(BALAS.http_proxy, BALAS.ca_file))

# Which back end does what. Nothing outside this file asks which size we are.
SEARCH_BACKEND = (
    "search.elastic.ElasticBackend"
    if BALAS.elasticsearch_url
    else ("search.embedded.EmbeddedBackend" if IS_SQLITE else "search.postgres.PostgresBackend")
)
BELL = "workers.celery_bell.CeleryBell" if BALAS.redis_url else "workers.bells.SocketBell"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "inbox",
    "search",
    "workers",
    "web",
]
AUTH_USER_MODEL = "inbox.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

_public = urlsplit(BALAS.public_url)
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS += [host.strip() for host in BALAS.allowed_hosts.split(",") if host.strip()]
ALLOWED_HOSTS += [host for host in (_public.hostname, urlsplit(BALAS.content_url).hostname) if host]
CSRF_TRUSTED_ORIGINS = [BALAS.public_url.rstrip("/")] if BALAS.public_url else []

MIDDLEWARE = [
    "web.middleware.ContentHost",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "web.middleware.PlainParameters",
    "web.middleware.ContentSecurityPolicy",
]
ROOT_URLCONF = "web.urls"
WSGI_APPLICATION = "web.wsgi.application"
ASGI_APPLICATION = "web.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "web.jinja.environment", "autoescape": True},
    },
]

_secure = _public.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
# Cookies know no ports: the demo and the real home run side by side on one host.
_cookies = "balas_demo" if BALAS_HOME.name == "demo" else "balas"
SESSION_COOKIE_NAME = f"{_cookies}_session"
CSRF_COOKIE_NAME = f"{_cookies}_csrf"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _secure else 0
SECURE_SSL_REDIRECT = False  # a proxy's business; behind one, BALAS_TRUSTED_PROXIES names it
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "web.views.errors.csrf_failed"
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("id", "Bahasa Indonesia"), ("ro", "Română")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).parent / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 31536000 if not DEBUG else 0

# A level that nobody knows is told by the checks, in words, instead of by a traceback here.
_level = BALAS.log_level.upper() if BALAS.log_level.upper() in LOG_LEVELS else "INFO"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": _level},
    "loggers": {
        name: {"level": "WARNING"} for name in ("imapclient", "aiosmtplib", "elastic_transport", "celery", "kombu")
    },
}
