from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0008_aftercare")]

    operations = [
        migrations.AddField(model_name="message", name="enclosed", field=models.JSONField(null=True, default=None)),
    ]
