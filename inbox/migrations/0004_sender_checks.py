import django.db.models.deletion
from django.db import migrations, models

import inbox.ids


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_account_places")]

    operations = [
        migrations.AddField(
            model_name="message", name="authentication", field=models.JSONField(default=None, null=True)
        ),
        migrations.CreateModel(
            name="PictureConsent",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("actor", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
                (
                    "identity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="picture_consent",
                        to="inbox.identity",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
    ]
