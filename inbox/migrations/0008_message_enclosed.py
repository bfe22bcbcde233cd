from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0007_offers_and_turns")]

    operations = [
        migrations.AddField(model_name="message", name="enclosed", field=models.JSONField(null=True, default=None)),
    ]
