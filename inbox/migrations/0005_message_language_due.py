from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0004_sender_checks")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("direction", "inbound"), ("language", "")),
                fields=["received_at"],
                name="message_language_due",
            ),
        ),
    ]
