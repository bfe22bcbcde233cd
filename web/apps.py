from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "web"

    def ready(self) -> None:
        # Only here may models be imported, and some checks need them.
        from web.checks import register_all

        register_all()
