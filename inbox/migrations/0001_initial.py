import django.db.models.deletion
import inbox.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(blank=True, default="", max_length=120)),
                ("role", models.CharField(default="agent", max_length=16)),
                ("is_active", models.BooleanField(default=True)),
                ("zone", models.CharField(blank=True, default="", max_length=64)),
                ("language", models.CharField(blank=True, default="", max_length=16)),
                ("preferences", models.JSONField(default=dict)),
                ("session_epoch", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=80, unique=True)),
                ("address", models.CharField(max_length=320)),
                ("display_name", models.CharField(blank=True, default="", max_length=120)),
                ("own_addresses", models.JSONField(default=list)),
                ("settings", models.JSONField(default=dict)),
                ("sealed_secrets", models.BinaryField(default=b"")),
                ("cut_at", models.DateTimeField()),
                ("undo_seconds", models.PositiveSmallIntegerField(default=10)),
                ("state", models.CharField(default="ok", max_length=16)),
                ("sentence", models.CharField(blank=True, default="", max_length=500)),
                ("state_since", models.DateTimeField(default=None, null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("next_poll_at", models.DateTimeField(db_index=True, default=None, null=True)),
                ("last_success_at", models.DateTimeField(default=None, null=True)),
                ("remaining", models.PositiveIntegerField(default=None, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("removed_at", models.DateTimeField(default=None, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Calendar",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                ("is_default", models.BooleanField(default=False)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "team_id",
                        "status",
                        "owner_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField(default=0)),
                ("team_id", models.BigIntegerField(default=0)),
                ("status", models.CharField(max_length=10)),
                ("owner_id", models.BigIntegerField(default=0)),
                ("conversations", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("language", models.CharField(blank=True, default="", max_length=16)),
                ("zone", models.CharField(blank=True, default="", max_length=64)),
                ("is_vip", models.BooleanField(default=False)),
                ("attributes", models.JSONField(default=dict)),
                ("note", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="IndexChange",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "target", "kind", "document_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("target", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=16)),
                ("document_id", models.BigIntegerField()),
                ("version", models.BigIntegerField()),
                ("changed_at", models.DateTimeField(db_index=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.CharField(blank=True, default="", max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("owner", models.CharField(blank=True, default="", max_length=80)),
                ("epoch", models.BigIntegerField(default=0)),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LiveEvent",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True)),
                ("topic", models.CharField(max_length=24)),
                ("subject", models.BigIntegerField(default=0)),
                ("accounts", models.JSONField(default=list)),
                ("data", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("zone", models.CharField(default="UTC", max_length=64)),
                ("is_demo", models.BooleanField(default=False)),
                ("reopen_days", models.PositiveSmallIntegerField(default=30)),
                ("sending_stopped_at", models.DateTimeField(default=None, null=True)),
                ("sending_stopped_why", models.CharField(blank=True, default="", max_length=200)),
                ("settings", models.JSONField(default=dict)),
                ("schema_seen", models.CharField(blank=True, default="", max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                ("is_default", models.BooleanField(default=False)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RawItem",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("place", models.CharField(max_length=200)),
                ("epoch", models.CharField(max_length=80)),
                ("external_id", models.CharField(max_length=200)),
                ("version", models.CharField(default="0", max_length=40)),
                ("is_sent", models.BooleanField(default=False)),
                ("is_import", models.BooleanField(default=False)),
                ("too_large", models.BooleanField(default=False)),
                ("size", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("received_at", models.DateTimeField()),
                ("stored_at", models.DateTimeField()),
                ("state", models.CharField(default="stored", max_length=12)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(default=None, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.account")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["-received_at", "-id"],
                        name="raw_item_due",
                    ),
                    models.Index(
                        condition=models.Q(("state", "unreadable")), fields=["account"], name="raw_item_unreadable"
                    ),
                    models.Index(fields=["sha256"], name="raw_item_sha256"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "place", "epoch", "external_id", "version"), name="raw_item_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReplyTemplate",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                ("shortcut", models.CharField(blank=True, default="", max_length=40)),
                ("archived_at", models.DateTimeField(default=None, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("size", models.BigIntegerField()),
                ("content", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=60, unique=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AuditRecord",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(db_index=True)),
                ("actor", models.CharField(max_length=40)),
                ("act", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=80)),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [models.Index(fields=["subject", "at"], name="audit_subject")],
            },
        ),
        migrations.CreateModel(
            name="CalendarVersion",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("zone", models.CharField(max_length=64)),
                ("hours", models.JSONField()),
                ("holidays", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                (
                    "calendar",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="inbox.calendar"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("calendar", "number"), name="calendar_version_once")],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("subject", models.CharField(blank=True, default="", max_length=1000)),
                ("status", models.CharField(max_length=10)),
                ("status_reason", models.CharField(blank=True, default="", max_length=40)),
                ("kind", models.CharField(max_length=32)),
                ("snoozed_until", models.DateTimeField(default=None, null=True)),
                ("due_at", models.DateTimeField(default=None, null=True)),
                ("due_for", models.CharField(blank=True, default="", max_length=12)),
                ("sla", models.JSONField(default=dict)),
                ("priority", models.SmallIntegerField(default=0)),
                ("is_vip", models.BooleanField(default=False)),
                ("reach", models.BigIntegerField(default=0)),
                ("promise_due_at", models.DateTimeField(default=None, null=True)),
                ("language", models.CharField(blank=True, default="", max_length=16)),
                ("preview", models.CharField(blank=True, default="", max_length=240)),
                ("last_direction", models.CharField(blank=True, default="", max_length=8)),
                ("messages_count", models.PositiveIntegerField(default=0)),
                ("opened_at", models.DateTimeField()),
                ("last_inbound_at", models.DateTimeField(default=None, null=True)),
                ("last_outbound_at", models.DateTimeField(default=None, null=True)),
                ("last_activity_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(default=None, null=True)),
                ("reopened_count", models.PositiveIntegerField(default=0)),
                ("is_unseen", models.BooleanField(default=False)),
                ("version", models.BigIntegerField(default=1)),
                (
                    "account",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.account"),
                ),
                (
                    "calendar_version",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.calendarversion"
                    ),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.SET_NULL, to="inbox.conversation"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        default=None,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="conversations", to="inbox.customer"
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.SET_NULL, to="inbox.team"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["status", "due_at", "id"], name="conversation_queue"),
                    models.Index(fields=["status", "-last_activity_at", "-id"], name="conversation_recent"),
                    models.Index(fields=["owner", "status", "due_at", "id"], name="conversation_owner"),
                    models.Index(fields=["customer", "-last_activity_at"], name="conversation_customer"),
                    models.Index(fields=["-last_activity_at", "-id"], name="conversation_all"),
                    models.Index(
                        condition=models.Q(("snoozed_until__isnull", False)),
                        fields=["status", "snoozed_until", "id"],
                        name="conversation_snoozed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversationAccount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "conversation_id", "account_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.account")),
                (
                    "conversation",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.conversation"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CursorScope",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("place", models.CharField(max_length=200)),
                ("epoch", models.CharField(max_length=80)),
                ("state", models.JSONField(default=dict)),
                ("retired_at", models.DateTimeField(default=None, null=True)),
                ("on_server", models.BigIntegerField(default=None, null=True)),
                ("counted_at", models.DateTimeField(default=None, null=True)),
                ("stored", models.BigIntegerField(default=0)),
                ("excluded", models.JSONField(default=dict)),
                ("reconciliation", models.JSONField(default=dict)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.account")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "place", "epoch"), name="cursor_scope_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="CursorRange",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("low", models.BigIntegerField()),
                ("high", models.BigIntegerField()),
                ("scope", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.cursorscope")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("scope", "low"), name="cursor_range_once")],
            },
        ),
        migrations.CreateModel(
            name="CursorTrouble",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("external_id", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=300)),
                ("attempts", models.PositiveIntegerField(default=1)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(default=None, null=True)),
                ("closed_as", models.CharField(blank=True, default="", max_length=40)),
                ("scope", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.cursorscope")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("scope", "external_id"), name="cursor_trouble_once")],
            },
        ),
        migrations.CreateModel(
            name="Envelope",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("request_id", models.CharField(max_length=80, unique=True)),
                ("idempotency_key", models.CharField(max_length=255)),
                ("part", models.PositiveSmallIntegerField(default=0)),
                ("content", models.BinaryField()),
                ("content_sha256", models.CharField(max_length=64)),
                ("state", models.CharField(default="queued", max_length=12)),
                ("due_at", models.DateTimeField(default=None, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("claim_owner", models.CharField(blank=True, default="", max_length=80)),
                ("claim_epoch", models.BigIntegerField(default=0)),
                ("claimed_until", models.DateTimeField(default=None, null=True)),
                ("committing_at", models.DateTimeField(default=None, null=True)),
                ("finished_at", models.DateTimeField(default=None, null=True)),
                ("external_id", models.CharField(blank=True, default="", max_length=255)),
                ("sentence", models.CharField(blank=True, default="", max_length=500)),
                ("filing", models.CharField(blank=True, default="", max_length=12)),
                ("evidence", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.account")),
                (
                    "conversation",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.conversation"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="envelope_due"),
                    models.Index(fields=["state"], name="envelope_state"),
                    models.Index(fields=["conversation"], name="envelope_conversation"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("idempotency_key", "account", "part"), name="envelope_key_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="EnvelopeRecipient",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("role", models.CharField(max_length=8)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("address", models.CharField(max_length=320)),
                ("outcome", models.CharField(default="pending", max_length=16)),
                ("code", models.CharField(blank=True, default="", max_length=40)),
                ("sentence", models.CharField(blank=True, default="", max_length=500)),
                (
                    "envelope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="recipients", to="inbox.envelope"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("envelope", "address"), name="envelope_recipient_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=32)),
                ("key", models.CharField(max_length=320)),
                ("address", models.CharField(max_length=320)),
                ("external_id", models.CharField(blank=True, default="", max_length=200)),
                ("display", models.CharField(blank=True, default="", max_length=200)),
                ("is_own", models.BooleanField(default=False)),
                ("is_blocked", models.BooleanField(default=False)),
                ("reach", models.BigIntegerField(default=None, null=True)),
                ("verified", models.BooleanField(default=None, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "key"), name="identity_once")],
            },
        ),
        migrations.CreateModel(
            name="IdentityLink",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("evidence", models.JSONField(default=dict)),
                ("actor", models.CharField(default="balas", max_length=40)),
                ("linked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(default=None, null=True)),
                ("ended_by", models.CharField(blank=True, default="", max_length=40)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="links", to="inbox.customer"
                    ),
                ),
                (
                    "identity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="inbox.identity"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("identity",),
                        name="identity_link_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=32)),
                ("direction", models.CharField(max_length=8)),
                ("author_name", models.CharField(blank=True, default="", max_length=200)),
                ("author_address", models.CharField(blank=True, default="", max_length=320)),
                ("recipients", models.JSONField(default=list)),
                ("subject", models.CharField(blank=True, default="", max_length=1000)),
                ("text", models.TextField(blank=True, default="")),
                ("passages", models.JSONField(default=list)),
                ("has_html", models.BooleanField(default=False)),
                ("language", models.CharField(blank=True, default="", max_length=16)),
                ("language_confidence", models.FloatField(default=0.0)),
                ("written_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("reference", models.CharField(max_length=500)),
                ("in_reply_to", models.CharField(blank=True, default="", max_length=500)),
                ("references", models.JSONField(default=list)),
                ("stable_sha256", models.CharField(max_length=64)),
                ("raw_sha256", models.CharField(max_length=64)),
                ("automatic", models.CharField(blank=True, default="", max_length=12)),
                ("flags", models.JSONField(default=list)),
                ("verified", models.BooleanField(default=None, null=True)),
                ("reach", models.BigIntegerField(default=0)),
                ("search_rowid", models.BigIntegerField(default=None, null=True, unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.account"),
                ),
                (
                    "author",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.identity"),
                ),
                (
                    "author_user",
                    models.ForeignKey(
                        default=None,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "raw_item",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.rawitem"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "reference"], name="message_reference"),
                    models.Index(fields=["stable_sha256"], name="message_stable"),
                ],
            },
        ),
        migrations.AddField(
            model_name="envelope",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="envelopes", to="inbox.message"
            ),
        ),
        migrations.CreateModel(
            name="DuplicateLink",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("evidence", models.JSONField(default=dict)),
                ("actor", models.CharField(default="balas", max_length=40)),
                ("linked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(default=None, null=True)),
                ("ended_by", models.CharField(blank=True, default="", max_length=40)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="duplicate_links", to="inbox.message"
                    ),
                ),
                (
                    "original",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="copies", to="inbox.message"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("message",),
                        name="duplicate_link_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("part", models.CharField(blank=True, default="", max_length=80)),
                ("name", models.CharField(max_length=255)),
                ("content_type", models.CharField(max_length=127)),
                ("size", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("is_inline", models.BooleanField(default=False)),
                ("content_id", models.CharField(blank=True, default="", max_length=255)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="inbox.message"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="account",
            name="policy",
            field=models.ForeignKey(
                default=None, null=True, on_delete=django.db.models.deletion.SET_NULL, to="inbox.policy"
            ),
        ),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("targets", models.JSONField()),
                ("created_at", models.DateTimeField()),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="inbox.policy"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("policy", "number"), name="policy_version_once")],
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="policy_version",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.policyversion"),
        ),
        migrations.CreateModel(
            name="RawBody",
            fields=[
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="inbox.rawitem",
                    ),
                ),
                ("content", models.BinaryField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("received_at", models.DateTimeField()),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.account")),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="inbox.message"
                    ),
                ),
                ("raw_item", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, to="inbox.rawitem")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReplyTemplateVersion",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("language", models.CharField(max_length=16)),
                ("channel", models.CharField(blank=True, default="", max_length=32)),
                ("number", models.PositiveIntegerField()),
                ("subject", models.CharField(blank=True, default="", max_length=300)),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        default=None,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="inbox.replytemplate"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("template", "language", "channel", "number"), name="reply_template_version_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("is_note", models.BooleanField(default=False)),
                ("body", models.TextField(blank=True, default="")),
                ("fields", models.JSONField(default=dict)),
                ("seen_message", models.BigIntegerField(default=0)),
                ("updated_at", models.DateTimeField()),
                (
                    "conversation",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.conversation"),
                ),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                (
                    "template_version",
                    models.ForeignKey(
                        default=None,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="inbox.replytemplateversion",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("conversation", "user", "is_note"), name="draft_once")],
            },
        ),
        migrations.CreateModel(
            name="SignInToken",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(default=None, null=True)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SlaEvent",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=24)),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(default="balas", max_length=40)),
                ("due_at", models.DateTimeField(default=None, null=True)),
                ("due_for", models.CharField(blank=True, default="", max_length=12)),
                ("data", models.JSONField(default=dict)),
                (
                    "calendar_version",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.calendarversion"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sla_events", to="inbox.conversation"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.message"
                    ),
                ),
                (
                    "policy_version",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.policyversion"
                    ),
                ),
                (
                    "target_event",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.slaevent"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["conversation", "occurred_at", "id"], name="sla_event_order")],
            },
        ),
        migrations.CreateModel(
            name="DraftAttachment",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=255)),
                ("content_type", models.CharField(max_length=127)),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="inbox.draft"
                    ),
                ),
                ("file", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.storedfile")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Strand",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("sequence", models.PositiveIntegerField(default=0)),
                ("counterparty", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.identity")),
            ],
        ),
        migrations.AddField(
            model_name="message",
            name="strand",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="inbox.strand"
            ),
        ),
        migrations.CreateModel(
            name="StrandLink",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("evidence", models.JSONField(default=dict)),
                ("actor", models.CharField(default="balas", max_length=40)),
                ("linked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(default=None, null=True)),
                ("ended_by", models.CharField(blank=True, default="", max_length=40)),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="strand_links",
                        to="inbox.conversation",
                    ),
                ),
                (
                    "strand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="links", to="inbox.strand"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("strand",), name="strand_link_open_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StrandParticipant",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "strand_id", "identity_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("since_message", models.BigIntegerField()),
                ("identity", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.identity")),
                ("strand", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.strand")),
            ],
        ),
        migrations.CreateModel(
            name="ConversationTag",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "conversation_id", "tag_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.conversation"),
                ),
                ("tag", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.tag")),
            ],
        ),
        migrations.AddField(
            model_name="account",
            name="team",
            field=models.ForeignKey(
                default=None, null=True, on_delete=django.db.models.deletion.SET_NULL, to="inbox.team"
            ),
        ),
        migrations.CreateModel(
            name="TeamAccount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "team_id", "account_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.account")),
                ("team", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.team")),
            ],
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "team_id", "user_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("team", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.team")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name="Thread",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=32)),
                (
                    "merged_into",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.PROTECT, to="inbox.thread"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="strand",
            name="thread",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.thread"),
        ),
        migrations.CreateModel(
            name="ThreadReference",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=32)),
                ("reference", models.CharField(max_length=500)),
                ("thread", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="inbox.thread")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "reference"), name="thread_reference_once")],
            },
        ),
        migrations.CreateModel(
            name="WorkRecord",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=inbox.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("claimed_at", models.DateTimeField(default=None, null=True)),
                ("opened_at", models.DateTimeField(default=None, null=True)),
                ("first_key_at", models.DateTimeField(default=None, null=True)),
                ("sent_at", models.DateTimeField(default=None, null=True)),
                ("seen_version", models.BigIntegerField(default=0)),
                (
                    "conversation",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="inbox.conversation"),
                ),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "indexes": [models.Index(fields=["conversation", "user", "-id"], name="work_record_open")],
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["strand", "written_at", "id"], name="message_strand"),
        ),
        migrations.AddConstraint(
            model_name="strand",
            constraint=models.UniqueConstraint(fields=("thread", "counterparty", "sequence"), name="strand_once"),
        ),
    ]
