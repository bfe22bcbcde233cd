from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0002_message_dated_at")]

    operations = [
        migrations.AddField(model_name="account", name="places", field=models.JSONField(default=dict)),
        migrations.AddField(
            model_name="account",
            name="proof_due_at",
            field=models.DateTimeField(default=None, null=True),
        ),
    ]
