from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def move(apps: Any, _editor: Any) -> None:
    """The frozen bytes and what undo gives back leave the row whose state changes."""
    envelopes, bodies = apps.get_model("inbox", "Envelope"), apps.get_model("inbox", "EnvelopeBody")
    for envelope in envelopes.objects.iterator(200):
        written = envelope.evidence.pop("written", None)
        bodies.objects.create(envelope=envelope, content=envelope.content, written=written or {})
        if written is not None:
            envelope.save(update_fields=["evidence"])


class Migration(migrations.Migration):
    dependencies = [("inbox", "0009_message_enclosed")]

    operations = [
        migrations.CreateModel(
            name="EnvelopeBody",
            fields=[
                (
                    "envelope",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="body",
                        serialize=False,
                        to="inbox.envelope",
                    ),
                ),
                ("content", models.BinaryField()),
                ("written", models.JSONField(default=dict)),
            ],
        ),
        migrations.RunPython(move, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="envelope", name="content"),
    ]
