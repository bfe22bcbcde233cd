from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="dated_at",
            field=models.DateTimeField(default=None, null=True),
        ),
    ]
