from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0005_message_language_due")]

    operations = [
        migrations.CreateModel(
            name="Doorbell",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=models.CASCADE, primary_key=True, serialize=False, to="inbox.account"
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("since", models.DateTimeField()),
                ("is_whole", models.BooleanField(default=False)),
                ("sentence", models.CharField(blank=True, default="", max_length=500)),
                ("epoch", models.BigIntegerField(default=0)),
            ],
        ),
    ]
