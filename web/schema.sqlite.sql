-- After the migrations e4776542c3888018a45aef7537f48768e09349180ac52d38c3fff07364fce554
CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE)
;
CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL)
;
CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL)
;
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL)
;
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL)
;
CREATE TABLE "inbox_account" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "name" varchar(80) NOT NULL UNIQUE, "address" varchar(320) NOT NULL, "display_name" varchar(120) NOT NULL, "own_addresses" text NOT NULL CHECK ((JSON_VALID("own_addresses") OR "own_addresses" IS NULL)), "settings" text NOT NULL CHECK ((JSON_VALID("settings") OR "settings" IS NULL)), "sealed_secrets" BLOB NOT NULL, "cut_at" datetime NOT NULL, "undo_seconds" smallint unsigned NOT NULL CHECK ("undo_seconds" >= 0), "state" varchar(16) NOT NULL, "sentence" varchar(500) NOT NULL, "state_since" datetime NULL, "failures" integer unsigned NOT NULL CHECK ("failures" >= 0), "next_poll_at" datetime NULL, "last_success_at" datetime NULL, "remaining" integer unsigned NULL CHECK ("remaining" >= 0), "created_at" datetime NOT NULL, "removed_at" datetime NULL, "policy_id" bigint NULL REFERENCES "inbox_policy" ("id") DEFERRABLE INITIALLY DEFERRED, "team_id" bigint NULL REFERENCES "inbox_team" ("id") DEFERRABLE INITIALLY DEFERRED, "places" text NOT NULL CHECK ((JSON_VALID("places") OR "places" IS NULL)), "proof_due_at" datetime NULL)
;
CREATE TABLE "inbox_aftercare" ("item_id" bigint NOT NULL PRIMARY KEY REFERENCES "inbox_rawitem" ("id") DEFERRABLE INITIALLY DEFERRED, "due_at" datetime NOT NULL, "attempts" integer unsigned NOT NULL CHECK ("attempts" >= 0), "error" varchar(300) NOT NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_attachment" ("id" bigint NOT NULL PRIMARY KEY, "part" varchar(80) NOT NULL, "name" varchar(255) NOT NULL, "content_type" varchar(127) NOT NULL, "size" bigint NOT NULL, "sha256" varchar(64) NOT NULL, "is_inline" bool NOT NULL, "content_id" varchar(255) NOT NULL, "message_id" bigint NOT NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_auditrecord" ("id" bigint NOT NULL PRIMARY KEY, "at" datetime NOT NULL, "actor" varchar(40) NOT NULL, "act" varchar(60) NOT NULL, "subject" varchar(80) NOT NULL, "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)))
;
CREATE TABLE "inbox_automaticturn" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "key" varchar(320) NOT NULL, "last_at" datetime NOT NULL, "times" integer unsigned NOT NULL CHECK ("times" >= 0), CONSTRAINT "automatic_turn_once" UNIQUE ("kind", "key"))
;
CREATE TABLE "inbox_budget" ("account_id" bigint NOT NULL PRIMARY KEY REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "daily_micros" bigint NULL, "monthly_micros" bigint NULL, "soft_percent" smallint unsigned NOT NULL CHECK ("soft_percent" >= 0), "soft_told_on" date NULL, "stopped_until" datetime NULL, "changed_at" datetime NULL)
;
CREATE TABLE "inbox_calendar" ("id" bigint NOT NULL PRIMARY KEY, "name" varchar(80) NOT NULL UNIQUE, "is_default" bool NOT NULL)
;
CREATE TABLE "inbox_calendarversion" ("id" bigint NOT NULL PRIMARY KEY, "number" integer unsigned NOT NULL CHECK ("number" >= 0), "zone" varchar(64) NOT NULL, "hours" text NOT NULL CHECK ((JSON_VALID("hours") OR "hours" IS NULL)), "holidays" text NOT NULL CHECK ((JSON_VALID("holidays") OR "holidays" IS NULL)), "created_at" datetime NOT NULL, "calendar_id" bigint NOT NULL REFERENCES "inbox_calendar" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "calendar_version_once" UNIQUE ("calendar_id", "number"))
;
CREATE TABLE "inbox_conversation" ("id" bigint NOT NULL PRIMARY KEY, "subject" varchar(1000) NOT NULL, "status" varchar(10) NOT NULL, "status_reason" varchar(40) NOT NULL, "kind" varchar(32) NOT NULL, "snoozed_until" datetime NULL, "due_at" datetime NULL, "due_for" varchar(12) NOT NULL, "sla" text NOT NULL CHECK ((JSON_VALID("sla") OR "sla" IS NULL)), "priority" smallint NOT NULL, "is_vip" bool NOT NULL, "reach" bigint NOT NULL, "promise_due_at" datetime NULL, "language" varchar(16) NOT NULL, "preview" varchar(240) NOT NULL, "last_direction" varchar(8) NOT NULL, "messages_count" integer unsigned NOT NULL CHECK ("messages_count" >= 0), "opened_at" datetime NOT NULL, "last_inbound_at" datetime NULL, "last_outbound_at" datetime NULL, "last_activity_at" datetime NOT NULL, "resolved_at" datetime NULL, "reopened_count" integer unsigned NOT NULL CHECK ("reopened_count" >= 0), "is_unseen" bool NOT NULL, "version" bigint NOT NULL, "account_id" bigint NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "calendar_version_id" bigint NULL REFERENCES "inbox_calendarversion" ("id") DEFERRABLE INITIALLY DEFERRED, "owner_id" bigint NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED, "customer_id" bigint NOT NULL REFERENCES "inbox_customer" ("id") DEFERRABLE INITIALLY DEFERRED, "team_id" bigint NULL REFERENCES "inbox_team" ("id") DEFERRABLE INITIALLY DEFERRED, "policy_version_id" bigint NULL REFERENCES "inbox_policyversion" ("id") DEFERRABLE INITIALLY DEFERRED, "visibility" varchar(12) DEFAULT '' NOT NULL, "follows_id" bigint NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_conversationaccount" ("account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "conversation_id" bigint NOT NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("conversation_id", "account_id"))
;
CREATE TABLE "inbox_conversationtag" ("conversation_id" bigint NOT NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED, "tag_id" bigint NOT NULL REFERENCES "inbox_tag" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("conversation_id", "tag_id"))
;
CREATE TABLE "inbox_counter" ("account_id" bigint NOT NULL, "team_id" bigint NOT NULL, "status" varchar(10) NOT NULL, "owner_id" bigint NOT NULL, "conversations" bigint NOT NULL, PRIMARY KEY ("account_id", "team_id", "status", "owner_id"))
;
CREATE TABLE "inbox_cursorrange" ("id" bigint NOT NULL PRIMARY KEY, "low" bigint NOT NULL, "high" bigint NOT NULL, "scope_id" bigint NOT NULL REFERENCES "inbox_cursorscope" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "cursor_range_once" UNIQUE ("scope_id", "low"))
;
CREATE TABLE "inbox_cursorscope" ("id" bigint NOT NULL PRIMARY KEY, "place" varchar(200) NOT NULL, "epoch" varchar(80) NOT NULL, "state" text NOT NULL CHECK ((JSON_VALID("state") OR "state" IS NULL)), "retired_at" datetime NULL, "on_server" bigint NULL, "counted_at" datetime NULL, "stored" bigint NOT NULL, "excluded" text NOT NULL CHECK ((JSON_VALID("excluded") OR "excluded" IS NULL)), "reconciliation" text NOT NULL CHECK ((JSON_VALID("reconciliation") OR "reconciliation" IS NULL)), "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "cursor_scope_once" UNIQUE ("account_id", "place", "epoch"))
;
CREATE TABLE "inbox_cursortrouble" ("id" bigint NOT NULL PRIMARY KEY, "external_id" varchar(200) NOT NULL, "reason" varchar(300) NOT NULL, "attempts" integer unsigned NOT NULL CHECK ("attempts" >= 0), "first_seen_at" datetime NOT NULL, "last_seen_at" datetime NOT NULL, "closed_at" datetime NULL, "closed_as" varchar(40) NOT NULL, "scope_id" bigint NOT NULL REFERENCES "inbox_cursorscope" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "cursor_trouble_once" UNIQUE ("scope_id", "external_id"))
;
CREATE TABLE "inbox_customer" ("id" bigint NOT NULL PRIMARY KEY, "name" varchar(200) NOT NULL, "language" varchar(16) NOT NULL, "zone" varchar(64) NOT NULL, "is_vip" bool NOT NULL, "attributes" text NOT NULL CHECK ((JSON_VALID("attributes") OR "attributes" IS NULL)), "note" text NOT NULL, "created_at" datetime NOT NULL)
;
CREATE TABLE "inbox_delivery" ("id" bigint NOT NULL PRIMARY KEY, "received_at" datetime NOT NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "message_id" bigint NOT NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED, "raw_item_id" bigint NOT NULL UNIQUE REFERENCES "inbox_rawitem" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_doorbell" ("account_id" bigint NOT NULL PRIMARY KEY REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "state" varchar(16) NOT NULL, "since" datetime NOT NULL, "is_whole" bool NOT NULL, "sentence" varchar(500) NOT NULL, "epoch" bigint NOT NULL)
;
CREATE TABLE "inbox_draft" ("id" bigint NOT NULL PRIMARY KEY, "is_note" bool NOT NULL, "body" text NOT NULL, "fields" text NOT NULL CHECK ((JSON_VALID("fields") OR "fields" IS NULL)), "seen_message" bigint NOT NULL, "updated_at" datetime NOT NULL, "conversation_id" bigint NOT NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" bigint NOT NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED, "template_version_id" bigint NULL REFERENCES "inbox_replytemplateversion" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "draft_once" UNIQUE ("conversation_id", "user_id", "is_note"))
;
CREATE TABLE "inbox_draftattachment" ("id" bigint NOT NULL PRIMARY KEY, "name" varchar(255) NOT NULL, "content_type" varchar(127) NOT NULL, "draft_id" bigint NOT NULL REFERENCES "inbox_draft" ("id") DEFERRABLE INITIALLY DEFERRED, "file_id" varchar(64) NOT NULL REFERENCES "inbox_storedfile" ("sha256") DEFERRABLE INITIALLY DEFERRED, "alt" text DEFAULT '' NOT NULL)
;
CREATE TABLE "inbox_duplicatelink" ("id" bigint NOT NULL PRIMARY KEY, "evidence" text NOT NULL CHECK ((JSON_VALID("evidence") OR "evidence" IS NULL)), "actor" varchar(40) NOT NULL, "linked_at" datetime NOT NULL, "ended_at" datetime NULL, "ended_by" varchar(40) NOT NULL, "message_id" bigint NOT NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED, "original_id" bigint NOT NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_endpointwindow" ("endpoint" varchar(160) NOT NULL, "seconds" integer unsigned NOT NULL CHECK ("seconds" >= 0), "calls" bigint NOT NULL, "remaining" bigint NOT NULL, "resets_at" datetime NULL, "refused_until" datetime NULL, "refusals" smallint unsigned NOT NULL CHECK ("refusals" >= 0), "waited" integer unsigned NOT NULL CHECK ("waited" >= 0), "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("account_id", "endpoint", "seconds"))
;
CREATE TABLE "inbox_envelope" ("id" bigint NOT NULL PRIMARY KEY, "request_id" varchar(80) NOT NULL UNIQUE, "idempotency_key" varchar(255) NOT NULL, "part" smallint unsigned NOT NULL CHECK ("part" >= 0), "content_sha256" varchar(64) NOT NULL, "state" varchar(12) NOT NULL, "due_at" datetime NULL, "attempts" smallint unsigned NOT NULL CHECK ("attempts" >= 0), "claim_owner" varchar(80) NOT NULL, "claim_epoch" bigint NOT NULL, "claimed_until" datetime NULL, "committing_at" datetime NULL, "finished_at" datetime NULL, "external_id" varchar(255) NOT NULL, "sentence" varchar(500) NOT NULL, "filing" varchar(12) NOT NULL, "evidence" text NOT NULL CHECK ((JSON_VALID("evidence") OR "evidence" IS NULL)), "created_at" datetime NOT NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "conversation_id" bigint NOT NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED, "message_id" bigint NOT NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "envelope_key_once" UNIQUE ("idempotency_key", "account_id", "part"))
;
CREATE TABLE "inbox_envelopebody" ("envelope_id" bigint NOT NULL PRIMARY KEY REFERENCES "inbox_envelope" ("id") DEFERRABLE INITIALLY DEFERRED, "content" BLOB NOT NULL, "written" text NOT NULL CHECK ((JSON_VALID("written") OR "written" IS NULL)))
;
CREATE TABLE "inbox_enveloperecipient" ("id" bigint NOT NULL PRIMARY KEY, "role" varchar(8) NOT NULL, "name" varchar(200) NOT NULL, "address" varchar(320) NOT NULL, "outcome" varchar(16) NOT NULL, "code" varchar(40) NOT NULL, "sentence" varchar(500) NOT NULL, "envelope_id" bigint NOT NULL REFERENCES "inbox_envelope" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "envelope_recipient_once" UNIQUE ("envelope_id", "address"))
;
CREATE TABLE "inbox_identity" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "key" varchar(320) NOT NULL, "address" varchar(320) NOT NULL, "external_id" varchar(200) NOT NULL, "display" varchar(200) NOT NULL, "is_own" bool NOT NULL, "is_blocked" bool NOT NULL, "reach" bigint NULL, "verified" bool NULL, "created_at" datetime NOT NULL, "profile" text NULL CHECK ((JSON_VALID("profile") OR "profile" IS NULL)), "profile_at" datetime NULL, CONSTRAINT "identity_once" UNIQUE ("kind", "key"))
;
CREATE TABLE "inbox_identitylink" ("id" bigint NOT NULL PRIMARY KEY, "evidence" text NOT NULL CHECK ((JSON_VALID("evidence") OR "evidence" IS NULL)), "actor" varchar(40) NOT NULL, "linked_at" datetime NOT NULL, "ended_at" datetime NULL, "ended_by" varchar(40) NOT NULL, "customer_id" bigint NOT NULL REFERENCES "inbox_customer" ("id") DEFERRABLE INITIALLY DEFERRED, "identity_id" bigint NOT NULL REFERENCES "inbox_identity" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_indexchange" ("target" varchar(40) NOT NULL, "kind" varchar(16) NOT NULL, "document_id" bigint NOT NULL, "version" bigint NOT NULL, "changed_at" datetime NOT NULL, "attempts" smallint unsigned NOT NULL CHECK ("attempts" >= 0), "error" varchar(300) NOT NULL, PRIMARY KEY ("target", "kind", "document_id"))
;
CREATE TABLE "inbox_lease" ("name" varchar(80) NOT NULL PRIMARY KEY, "owner" varchar(80) NOT NULL, "epoch" bigint NOT NULL, "expires_at" datetime NOT NULL)
;
CREATE TABLE "inbox_liveevent" ("number" bigint NOT NULL PRIMARY KEY, "at" datetime NOT NULL, "topic" varchar(24) NOT NULL, "subject" bigint NOT NULL, "accounts" text NOT NULL CHECK ((JSON_VALID("accounts") OR "accounts" IS NULL)), "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)))
;
CREATE TABLE "inbox_message" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "direction" varchar(8) NOT NULL, "author_name" varchar(200) NOT NULL, "author_address" varchar(320) NOT NULL, "recipients" text NOT NULL CHECK ((JSON_VALID("recipients") OR "recipients" IS NULL)), "subject" varchar(1000) NOT NULL, "text" text NOT NULL, "passages" text NOT NULL CHECK ((JSON_VALID("passages") OR "passages" IS NULL)), "has_html" bool NOT NULL, "language" varchar(16) NOT NULL, "language_confidence" real NOT NULL, "written_at" datetime NOT NULL, "received_at" datetime NOT NULL, "reference" varchar(500) NOT NULL, "in_reply_to" varchar(500) NOT NULL, "references" text NOT NULL CHECK ((JSON_VALID("references") OR "references" IS NULL)), "stable_sha256" varchar(64) NOT NULL, "raw_sha256" varchar(64) NOT NULL, "automatic" varchar(12) NOT NULL, "flags" text NOT NULL CHECK ((JSON_VALID("flags") OR "flags" IS NULL)), "verified" bool NULL, "reach" bigint NOT NULL, "search_rowid" bigint NULL UNIQUE, "created_at" datetime NOT NULL, "account_id" bigint NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "author_id" bigint NULL REFERENCES "inbox_identity" ("id") DEFERRABLE INITIALLY DEFERRED, "author_user_id" bigint NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED, "raw_item_id" bigint NULL REFERENCES "inbox_rawitem" ("id") DEFERRABLE INITIALLY DEFERRED, "strand_id" bigint NOT NULL REFERENCES "inbox_strand" ("id") DEFERRABLE INITIALLY DEFERRED, "dated_at" datetime NULL, "authentication" text NULL CHECK ((JSON_VALID("authentication") OR "authentication" IS NULL)), "enclosed" text NULL CHECK ((JSON_VALID("enclosed") OR "enclosed" IS NULL)))
;
CREATE TABLE "inbox_offeranswer" ("id" bigint NOT NULL PRIMARY KEY, "offer" varchar(24) NOT NULL, "answer" varchar(10) NOT NULL, "answered_at" datetime NOT NULL, "message_id" bigint NOT NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" bigint NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "offer_answer_once" UNIQUE ("message_id", "offer"))
;
CREATE TABLE "inbox_organisation" ("id" smallint NOT NULL PRIMARY KEY, "name" varchar(200) NOT NULL, "zone" varchar(64) NOT NULL, "is_demo" bool NOT NULL, "reopen_days" smallint unsigned NOT NULL CHECK ("reopen_days" >= 0), "sending_stopped_at" datetime NULL, "sending_stopped_why" varchar(200) NOT NULL, "settings" text NOT NULL CHECK ((JSON_VALID("settings") OR "settings" IS NULL)), "schema_seen" varchar(40) NOT NULL)
;
CREATE TABLE "inbox_ownprice" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "resource" varchar(60) NOT NULL, "micros" bigint NOT NULL, "valid_from" date NOT NULL, "source" varchar(300) NOT NULL, "actor" varchar(40) NOT NULL, "created_at" datetime NOT NULL, "removed_at" datetime NULL)
;
CREATE TABLE "inbox_paiditem" ("day" date NOT NULL, "resource" varchar(60) NOT NULL, "item" varchar(200) NOT NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("account_id", "day", "resource", "item"))
;
CREATE TABLE "inbox_pictureconsent" ("id" bigint NOT NULL PRIMARY KEY, "actor" varchar(40) NOT NULL, "at" datetime NOT NULL, "identity_id" bigint NOT NULL UNIQUE REFERENCES "inbox_identity" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_policy" ("id" bigint NOT NULL PRIMARY KEY, "name" varchar(80) NOT NULL UNIQUE, "is_default" bool NOT NULL)
;
CREATE TABLE "inbox_policyversion" ("id" bigint NOT NULL PRIMARY KEY, "number" integer unsigned NOT NULL CHECK ("number" >= 0), "targets" text NOT NULL CHECK ((JSON_VALID("targets") OR "targets" IS NULL)), "created_at" datetime NOT NULL, "policy_id" bigint NOT NULL REFERENCES "inbox_policy" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "policy_version_once" UNIQUE ("policy_id", "number"))
;
CREATE TABLE "inbox_pollpace" ("place" varchar(60) NOT NULL, "learnt" text NOT NULL CHECK ((JSON_VALID("learnt") OR "learnt" IS NULL)), "polled_at" datetime NULL, "due_at" datetime NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("account_id", "place"))
;
CREATE TABLE "inbox_postedition" ("id" bigint NOT NULL PRIMARY KEY, "revision" varchar(80) NOT NULL, "text" text NOT NULL, "enclosed" text NULL CHECK ((JSON_VALID("enclosed") OR "enclosed" IS NULL)), "seen_at" datetime NOT NULL, "message_id" bigint NOT NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "post_edition_once" UNIQUE ("message_id", "revision"))
;
CREATE TABLE "inbox_postreach" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "reference" varchar(500) NOT NULL, "actor_key" varchar(320) NOT NULL, "action" varchar(12) NOT NULL, "followers" bigint NOT NULL, "at" datetime NULL, CONSTRAINT "post_reach_once" UNIQUE ("kind", "reference", "actor_key", "action"))
;
CREATE TABLE "inbox_poststate" ("message_id" bigint NOT NULL PRIMARY KEY REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED, "author_external_id" varchar(200) NOT NULL, "visibility" varchar(12) NOT NULL, "standing" varchar(12) NOT NULL, "followers" bigint NOT NULL, "revision" varchar(80) NOT NULL, "edited_at" datetime NULL, "deleted_at" datetime NULL, "hidden_why" varchar(16) NOT NULL, "recheck_at" datetime NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_rawbody" ("item_id" bigint NOT NULL PRIMARY KEY REFERENCES "inbox_rawitem" ("id") DEFERRABLE INITIALLY DEFERRED, "content" BLOB NULL)
;
CREATE TABLE "inbox_rawitem" ("id" bigint NOT NULL PRIMARY KEY, "place" varchar(200) NOT NULL, "epoch" varchar(80) NOT NULL, "external_id" varchar(200) NOT NULL, "version" varchar(40) NOT NULL, "is_sent" bool NOT NULL, "is_import" bool NOT NULL, "too_large" bool NOT NULL, "size" bigint NOT NULL, "sha256" varchar(64) NOT NULL, "received_at" datetime NOT NULL, "stored_at" datetime NOT NULL, "state" varchar(12) NOT NULL, "attempts" smallint unsigned NOT NULL CHECK ("attempts" >= 0), "due_at" datetime NULL, "error" varchar(300) NOT NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "raw_item_once" UNIQUE ("account_id", "place", "epoch", "external_id", "version"))
;
CREATE TABLE "inbox_replytemplate" ("id" bigint NOT NULL PRIMARY KEY, "name" varchar(80) NOT NULL UNIQUE, "shortcut" varchar(40) NOT NULL, "archived_at" datetime NULL, "created_at" datetime NOT NULL)
;
CREATE TABLE "inbox_replytemplateversion" ("id" bigint NOT NULL PRIMARY KEY, "language" varchar(16) NOT NULL, "channel" varchar(32) NOT NULL, "number" integer unsigned NOT NULL CHECK ("number" >= 0), "subject" varchar(300) NOT NULL, "body" text NOT NULL, "created_at" datetime NOT NULL, "author_id" bigint NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED, "template_id" bigint NOT NULL REFERENCES "inbox_replytemplate" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "reply_template_version_once" UNIQUE ("template_id", "language", "channel", "number"))
;
CREATE TABLE "inbox_signintoken" ("id" bigint NOT NULL PRIMARY KEY, "sha256" varchar(64) NOT NULL UNIQUE, "created_at" datetime NOT NULL, "expires_at" datetime NOT NULL, "used_at" datetime NULL, "user_id" bigint NOT NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_slaevent" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(24) NOT NULL, "occurred_at" datetime NOT NULL, "recorded_at" datetime NOT NULL, "actor" varchar(40) NOT NULL, "due_at" datetime NULL, "due_for" varchar(12) NOT NULL, "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "calendar_version_id" bigint NULL REFERENCES "inbox_calendarversion" ("id") DEFERRABLE INITIALLY DEFERRED, "conversation_id" bigint NOT NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED, "message_id" bigint NULL REFERENCES "inbox_message" ("id") DEFERRABLE INITIALLY DEFERRED, "policy_version_id" bigint NULL REFERENCES "inbox_policyversion" ("id") DEFERRABLE INITIALLY DEFERRED, "target_event_id" bigint NULL REFERENCES "inbox_slaevent" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_spend" ("day" date NOT NULL, "resource" varchar(60) NOT NULL, "count" bigint NOT NULL, "micros" bigint NOT NULL, "reserved" bigint NOT NULL, "reserved_micros" bigint NOT NULL, "reserved_at" datetime NULL, "account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("account_id", "day", "resource"))
;
CREATE TABLE "inbox_storedfile" ("sha256" varchar(64) NOT NULL PRIMARY KEY, "size" bigint NOT NULL, "content" BLOB NULL, "created_at" datetime NOT NULL)
;
CREATE TABLE "inbox_strand" ("id" bigint NOT NULL PRIMARY KEY, "sequence" integer unsigned NOT NULL CHECK ("sequence" >= 0), "counterparty_id" bigint NOT NULL REFERENCES "inbox_identity" ("id") DEFERRABLE INITIALLY DEFERRED, "thread_id" bigint NOT NULL REFERENCES "inbox_thread" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "strand_once" UNIQUE ("thread_id", "counterparty_id", "sequence"))
;
CREATE TABLE "inbox_strandlink" ("id" bigint NOT NULL PRIMARY KEY, "evidence" text NOT NULL CHECK ((JSON_VALID("evidence") OR "evidence" IS NULL)), "actor" varchar(40) NOT NULL, "linked_at" datetime NOT NULL, "ended_at" datetime NULL, "ended_by" varchar(40) NOT NULL, "conversation_id" bigint NOT NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED, "strand_id" bigint NOT NULL REFERENCES "inbox_strand" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_strandparticipant" ("since_message" bigint NOT NULL, "identity_id" bigint NOT NULL REFERENCES "inbox_identity" ("id") DEFERRABLE INITIALLY DEFERRED, "strand_id" bigint NOT NULL REFERENCES "inbox_strand" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("strand_id", "identity_id"))
;
CREATE TABLE "inbox_tag" ("id" bigint NOT NULL PRIMARY KEY, "name" varchar(60) NOT NULL UNIQUE)
;
CREATE TABLE "inbox_team" ("id" bigint NOT NULL PRIMARY KEY, "name" varchar(80) NOT NULL UNIQUE, "created_at" datetime NOT NULL)
;
CREATE TABLE "inbox_teamaccount" ("account_id" bigint NOT NULL REFERENCES "inbox_account" ("id") DEFERRABLE INITIALLY DEFERRED, "team_id" bigint NOT NULL REFERENCES "inbox_team" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("team_id", "account_id"))
;
CREATE TABLE "inbox_teammember" ("team_id" bigint NOT NULL REFERENCES "inbox_team" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" bigint NOT NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY ("team_id", "user_id"))
;
CREATE TABLE "inbox_thread" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "merged_into_id" bigint NULL REFERENCES "inbox_thread" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "inbox_threadreference" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "reference" varchar(500) NOT NULL, "thread_id" bigint NOT NULL REFERENCES "inbox_thread" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "thread_reference_once" UNIQUE ("kind", "reference"))
;
CREATE TABLE "inbox_tombstone" ("id" bigint NOT NULL PRIMARY KEY, "kind" varchar(32) NOT NULL, "reference" varchar(500) NOT NULL, "sentence" varchar(300) NOT NULL, "deleted_at" datetime NOT NULL, CONSTRAINT "tombstone_once" UNIQUE ("kind", "reference"))
;
CREATE TABLE "inbox_user" ("password" varchar(128) NOT NULL, "last_login" datetime NULL, "id" bigint NOT NULL PRIMARY KEY, "email" varchar(254) NOT NULL UNIQUE, "name" varchar(120) NOT NULL, "role" varchar(16) NOT NULL, "is_active" bool NOT NULL, "zone" varchar(64) NOT NULL, "language" varchar(16) NOT NULL, "preferences" text NOT NULL CHECK ((JSON_VALID("preferences") OR "preferences" IS NULL)), "session_epoch" integer unsigned NOT NULL CHECK ("session_epoch" >= 0), "created_at" datetime NOT NULL)
;
CREATE TABLE "inbox_workrecord" ("id" bigint NOT NULL PRIMARY KEY, "claimed_at" datetime NULL, "opened_at" datetime NULL, "first_key_at" datetime NULL, "sent_at" datetime NULL, "seen_version" bigint NOT NULL, "conversation_id" bigint NOT NULL REFERENCES "inbox_conversation" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" bigint NOT NULL REFERENCES "inbox_user" ("id") DEFERRABLE INITIALLY DEFERRED)
;
CREATE TABLE "search_indexaudit" ("id" smallint NOT NULL PRIMARY KEY, "at" datetime NOT NULL, "missing" bigint NOT NULL, "stale" bigint NOT NULL, "extra" bigint NOT NULL)
;
CREATE TABLE "search_indexgeneration" ("name" varchar(40) NOT NULL PRIMARY KEY, "state" varchar(10) NOT NULL, "created_at" datetime NOT NULL, "retired_at" datetime NULL)
;
CREATE VIRTUAL TABLE search_message USING fts5 (text, people, wholes, filters, tokenize = 'ascii', columnsize = 0)
;
CREATE TABLE "search_messageversion" ("message_id" bigint NOT NULL PRIMARY KEY, "version" bigint NOT NULL)
;
CREATE INDEX "audit_subject" ON "inbox_auditrecord" ("subject", "at")
;
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id")
;
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id")
;
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id")
;
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id")
;
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename")
;
CREATE INDEX "conversation_all" ON "inbox_conversation" ("last_activity_at" DESC, "id" DESC)
;
CREATE INDEX "conversation_automatic" ON "inbox_conversation" ("last_activity_at" DESC, "id" DESC) WHERE ("status" = 'resolved' AND "status_reason" = 'automatic')
;
CREATE INDEX "conversation_customer" ON "inbox_conversation" ("customer_id", "last_activity_at" DESC)
;
CREATE INDEX "conversation_owner" ON "inbox_conversation" ("owner_id", "status", "due_at", "id")
;
CREATE INDEX "conversation_queue" ON "inbox_conversation" ("status", "due_at", "id")
;
CREATE INDEX "conversation_recent" ON "inbox_conversation" ("status", "last_activity_at" DESC, "id" DESC)
;
CREATE INDEX "conversation_snoozed" ON "inbox_conversation" ("status", "snoozed_until", "id") WHERE "snoozed_until" IS NOT NULL
;
CREATE INDEX "customer_name" ON "inbox_customer" ("name")
;
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model")
;
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date")
;
CREATE UNIQUE INDEX "duplicate_link_open_once" ON "inbox_duplicatelink" ("message_id") WHERE "ended_at" IS NULL
;
CREATE INDEX "envelope_conversation" ON "inbox_envelope" ("conversation_id")
;
CREATE INDEX "envelope_due" ON "inbox_envelope" ("due_at") WHERE "due_at" IS NOT NULL
;
CREATE INDEX "envelope_state" ON "inbox_envelope" ("state")
;
CREATE UNIQUE INDEX "identity_link_open_once" ON "inbox_identitylink" ("identity_id") WHERE "ended_at" IS NULL
;
CREATE INDEX "inbox_account_next_poll_at_967db3bd" ON "inbox_account" ("next_poll_at")
;
CREATE INDEX "inbox_account_policy_id_ab4a6ecc" ON "inbox_account" ("policy_id")
;
CREATE INDEX "inbox_account_team_id_17027dc8" ON "inbox_account" ("team_id")
;
CREATE INDEX "inbox_aftercare_account_id_bfaf82c7" ON "inbox_aftercare" ("account_id")
;
CREATE INDEX "inbox_aftercare_due_at_61ac9d55" ON "inbox_aftercare" ("due_at")
;
CREATE INDEX "inbox_attachment_message_id_353f98ff" ON "inbox_attachment" ("message_id")
;
CREATE INDEX "inbox_auditrecord_at_e3ae3335" ON "inbox_auditrecord" ("at")
;
CREATE INDEX "inbox_automaticturn_last_at_5a239b15" ON "inbox_automaticturn" ("last_at")
;
CREATE INDEX "inbox_calendarversion_calendar_id_e7550d7f" ON "inbox_calendarversion" ("calendar_id")
;
CREATE INDEX "inbox_conversation_account_id_05696162" ON "inbox_conversation" ("account_id")
;
CREATE INDEX "inbox_conversation_calendar_version_id_e0fe8fa4" ON "inbox_conversation" ("calendar_version_id")
;
CREATE INDEX "inbox_conversation_customer_id_06258690" ON "inbox_conversation" ("customer_id")
;
CREATE INDEX "inbox_conversation_follows_id_e491a4e6" ON "inbox_conversation" ("follows_id")
;
CREATE INDEX "inbox_conversation_owner_id_a56790a7" ON "inbox_conversation" ("owner_id")
;
CREATE INDEX "inbox_conversation_policy_version_id_e67e0725" ON "inbox_conversation" ("policy_version_id")
;
CREATE INDEX "inbox_conversation_team_id_1d17aa2d" ON "inbox_conversation" ("team_id")
;
CREATE INDEX "inbox_conversationaccount_account_id_92b75d62" ON "inbox_conversationaccount" ("account_id")
;
CREATE INDEX "inbox_conversationaccount_conversation_id_6ab12cf6" ON "inbox_conversationaccount" ("conversation_id")
;
CREATE INDEX "inbox_conversationtag_conversation_id_dee5326e" ON "inbox_conversationtag" ("conversation_id")
;
CREATE INDEX "inbox_conversationtag_tag_id_9e1b0064" ON "inbox_conversationtag" ("tag_id")
;
CREATE INDEX "inbox_cursorrange_scope_id_320f0e42" ON "inbox_cursorrange" ("scope_id")
;
CREATE INDEX "inbox_cursorscope_account_id_8c08cd69" ON "inbox_cursorscope" ("account_id")
;
CREATE INDEX "inbox_cursortrouble_scope_id_7e2347a1" ON "inbox_cursortrouble" ("scope_id")
;
CREATE INDEX "inbox_delivery_account_id_b6dd5744" ON "inbox_delivery" ("account_id")
;
CREATE INDEX "inbox_delivery_message_id_fc448b53" ON "inbox_delivery" ("message_id")
;
CREATE INDEX "inbox_draft_conversation_id_e078d825" ON "inbox_draft" ("conversation_id")
;
CREATE INDEX "inbox_draft_template_version_id_23f78d73" ON "inbox_draft" ("template_version_id")
;
CREATE INDEX "inbox_draft_user_id_6f097661" ON "inbox_draft" ("user_id")
;
CREATE INDEX "inbox_draftattachment_draft_id_2131cf0c" ON "inbox_draftattachment" ("draft_id")
;
CREATE INDEX "inbox_draftattachment_file_id_de2dad31" ON "inbox_draftattachment" ("file_id")
;
CREATE INDEX "inbox_duplicatelink_message_id_33329798" ON "inbox_duplicatelink" ("message_id")
;
CREATE INDEX "inbox_duplicatelink_original_id_88b821d0" ON "inbox_duplicatelink" ("original_id")
;
CREATE INDEX "inbox_endpointwindow_account_id_292a80c4" ON "inbox_endpointwindow" ("account_id")
;
CREATE INDEX "inbox_envelope_account_id_9e570739" ON "inbox_envelope" ("account_id")
;
CREATE INDEX "inbox_envelope_conversation_id_ff41567b" ON "inbox_envelope" ("conversation_id")
;
CREATE INDEX "inbox_envelope_message_id_0a5df7fe" ON "inbox_envelope" ("message_id")
;
CREATE INDEX "inbox_enveloperecipient_envelope_id_99b4f314" ON "inbox_enveloperecipient" ("envelope_id")
;
CREATE INDEX "inbox_identitylink_customer_id_6fd7b345" ON "inbox_identitylink" ("customer_id")
;
CREATE INDEX "inbox_identitylink_identity_id_a8046320" ON "inbox_identitylink" ("identity_id")
;
CREATE INDEX "inbox_indexchange_changed_at_f14348b2" ON "inbox_indexchange" ("changed_at")
;
CREATE INDEX "inbox_liveevent_at_10acbb8f" ON "inbox_liveevent" ("at")
;
CREATE INDEX "inbox_message_account_id_44d5ab47" ON "inbox_message" ("account_id")
;
CREATE INDEX "inbox_message_author_id_6fb862c9" ON "inbox_message" ("author_id")
;
CREATE INDEX "inbox_message_author_user_id_e6d75caf" ON "inbox_message" ("author_user_id")
;
CREATE INDEX "inbox_message_raw_item_id_7a216be8" ON "inbox_message" ("raw_item_id")
;
CREATE INDEX "inbox_message_strand_id_1cbf9a56" ON "inbox_message" ("strand_id")
;
CREATE INDEX "inbox_offeranswer_message_id_15639974" ON "inbox_offeranswer" ("message_id")
;
CREATE INDEX "inbox_offeranswer_user_id_26fb9478" ON "inbox_offeranswer" ("user_id")
;
CREATE INDEX "inbox_paiditem_account_id_92df9828" ON "inbox_paiditem" ("account_id")
;
CREATE INDEX "inbox_policyversion_policy_id_2233d1c4" ON "inbox_policyversion" ("policy_id")
;
CREATE INDEX "inbox_pollpace_account_id_03425bab" ON "inbox_pollpace" ("account_id")
;
CREATE INDEX "inbox_postedition_message_id_8991eabe" ON "inbox_postedition" ("message_id")
;
CREATE INDEX "inbox_poststate_account_id_43c6f0ba" ON "inbox_poststate" ("account_id")
;
CREATE INDEX "inbox_rawitem_account_id_eb1040b4" ON "inbox_rawitem" ("account_id")
;
CREATE INDEX "inbox_replytemplateversion_author_id_243eb2c3" ON "inbox_replytemplateversion" ("author_id")
;
CREATE INDEX "inbox_replytemplateversion_template_id_e1f813e0" ON "inbox_replytemplateversion" ("template_id")
;
CREATE INDEX "inbox_signintoken_user_id_fc14ba07" ON "inbox_signintoken" ("user_id")
;
CREATE INDEX "inbox_slaevent_calendar_version_id_ec04b51e" ON "inbox_slaevent" ("calendar_version_id")
;
CREATE INDEX "inbox_slaevent_conversation_id_271c4d56" ON "inbox_slaevent" ("conversation_id")
;
CREATE INDEX "inbox_slaevent_message_id_f9118359" ON "inbox_slaevent" ("message_id")
;
CREATE INDEX "inbox_slaevent_policy_version_id_930c8b5c" ON "inbox_slaevent" ("policy_version_id")
;
CREATE INDEX "inbox_slaevent_target_event_id_4a380d8b" ON "inbox_slaevent" ("target_event_id")
;
CREATE INDEX "inbox_spend_account_id_1c6b0b0a" ON "inbox_spend" ("account_id")
;
CREATE INDEX "inbox_strand_counterparty_id_c01bcd00" ON "inbox_strand" ("counterparty_id")
;
CREATE INDEX "inbox_strand_thread_id_76c4dbf2" ON "inbox_strand" ("thread_id")
;
CREATE INDEX "inbox_strandlink_conversation_id_f6aed13b" ON "inbox_strandlink" ("conversation_id")
;
CREATE INDEX "inbox_strandlink_strand_id_b829899e" ON "inbox_strandlink" ("strand_id")
;
CREATE INDEX "inbox_strandparticipant_identity_id_582e2d56" ON "inbox_strandparticipant" ("identity_id")
;
CREATE INDEX "inbox_strandparticipant_strand_id_c462f576" ON "inbox_strandparticipant" ("strand_id")
;
CREATE INDEX "inbox_teamaccount_account_id_f63a8750" ON "inbox_teamaccount" ("account_id")
;
CREATE INDEX "inbox_teamaccount_team_id_708b24a2" ON "inbox_teamaccount" ("team_id")
;
CREATE INDEX "inbox_teammember_team_id_0e45a3bd" ON "inbox_teammember" ("team_id")
;
CREATE INDEX "inbox_teammember_user_id_9ec7a27e" ON "inbox_teammember" ("user_id")
;
CREATE INDEX "inbox_thread_merged_into_id_141e0c85" ON "inbox_thread" ("merged_into_id")
;
CREATE INDEX "inbox_threadreference_thread_id_fc49ec11" ON "inbox_threadreference" ("thread_id")
;
CREATE INDEX "inbox_workrecord_conversation_id_7d0bda80" ON "inbox_workrecord" ("conversation_id")
;
CREATE INDEX "inbox_workrecord_user_id_7225eb58" ON "inbox_workrecord" ("user_id")
;
CREATE INDEX "message_language_due" ON "inbox_message" ("received_at") WHERE ("direction" = 'inbound' AND "language" = '')
;
CREATE INDEX "message_reference" ON "inbox_message" ("kind", "reference")
;
CREATE INDEX "message_stable" ON "inbox_message" ("stable_sha256")
;
CREATE INDEX "message_strand" ON "inbox_message" ("strand_id", "written_at", "id")
;
CREATE INDEX "own_price" ON "inbox_ownprice" ("kind", "resource", "valid_from")
;
CREATE INDEX "post_recheck_due" ON "inbox_poststate" ("account_id", "recheck_at") WHERE "recheck_at" IS NOT NULL
;
CREATE INDEX "raw_item_due" ON "inbox_rawitem" ("received_at" DESC, "id" DESC) WHERE "due_at" IS NOT NULL
;
CREATE INDEX "raw_item_sha256" ON "inbox_rawitem" ("sha256")
;
CREATE INDEX "raw_item_unreadable" ON "inbox_rawitem" ("account_id") WHERE "state" = 'unreadable'
;
CREATE INDEX "sla_event_order" ON "inbox_slaevent" ("conversation_id", "occurred_at", "id")
;
CREATE UNIQUE INDEX "strand_link_open_once" ON "inbox_strandlink" ("strand_id") WHERE "ended_at" IS NULL
;
CREATE INDEX "work_record_open" ON "inbox_workrecord" ("conversation_id", "user_id", "id" DESC)
;
INSERT INTO django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (2, 'contenttypes', '0002_remove_content_type_name', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (3, 'auth', '0001_initial', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (4, 'auth', '0002_alter_permission_name_max_length', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (5, 'auth', '0003_alter_user_email_max_length', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (6, 'auth', '0004_alter_user_username_opts', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (7, 'auth', '0005_alter_user_last_login_null', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (8, 'auth', '0006_require_contenttypes_0002', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (9, 'auth', '0007_alter_validators_add_error_messages', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (10, 'auth', '0008_alter_user_username_max_length', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (11, 'auth', '0009_alter_user_last_name_max_length', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (12, 'auth', '0010_alter_group_name_max_length', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (13, 'auth', '0011_update_proxy_permissions', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (14, 'auth', '0012_alter_user_first_name_max_length', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (15, 'inbox', '0001_initial', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (16, 'inbox', '0002_message_dated_at', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (17, 'inbox', '0003_account_places', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (18, 'inbox', '0004_sender_checks', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (19, 'inbox', '0005_message_language_due', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (20, 'inbox', '0006_doorbell', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (21, 'inbox', '0007_offers_and_turns', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (22, 'inbox', '0008_aftercare', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (23, 'inbox', '0009_message_enclosed', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (24, 'inbox', '0010_envelope_body', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (25, 'inbox', '0011_customer_name', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (26, 'inbox', '0012_spending', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (27, 'inbox', '0013_posts', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (28, 'search', '0001_full_text', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (29, 'search', '0002_index_state', '2026-01-01 00:00:00')
;
INSERT INTO django_migrations VALUES (30, 'sessions', '0001_initial', '2026-01-01 00:00:00')
;
INSERT INTO django_content_type VALUES (1, 'auth', 'permission')
;
INSERT INTO django_content_type VALUES (2, 'auth', 'group')
;
INSERT INTO django_content_type VALUES (3, 'contenttypes', 'contenttype')
;
INSERT INTO django_content_type VALUES (4, 'sessions', 'session')
;
INSERT INTO django_content_type VALUES (5, 'inbox', 'user')
;
INSERT INTO django_content_type VALUES (6, 'inbox', 'account')
;
INSERT INTO django_content_type VALUES (7, 'inbox', 'calendar')
;
INSERT INTO django_content_type VALUES (8, 'inbox', 'counter')
;
INSERT INTO django_content_type VALUES (9, 'inbox', 'customer')
;
INSERT INTO django_content_type VALUES (10, 'inbox', 'indexchange')
;
INSERT INTO django_content_type VALUES (11, 'inbox', 'lease')
;
INSERT INTO django_content_type VALUES (12, 'inbox', 'liveevent')
;
INSERT INTO django_content_type VALUES (13, 'inbox', 'organisation')
;
INSERT INTO django_content_type VALUES (14, 'inbox', 'policy')
;
INSERT INTO django_content_type VALUES (15, 'inbox', 'rawitem')
;
INSERT INTO django_content_type VALUES (16, 'inbox', 'replytemplate')
;
INSERT INTO django_content_type VALUES (17, 'inbox', 'storedfile')
;
INSERT INTO django_content_type VALUES (18, 'inbox', 'tag')
;
INSERT INTO django_content_type VALUES (19, 'inbox', 'team')
;
INSERT INTO django_content_type VALUES (20, 'inbox', 'auditrecord')
;
INSERT INTO django_content_type VALUES (21, 'inbox', 'calendarversion')
;
INSERT INTO django_content_type VALUES (22, 'inbox', 'conversation')
;
INSERT INTO django_content_type VALUES (23, 'inbox', 'conversationaccount')
;
INSERT INTO django_content_type VALUES (24, 'inbox', 'cursorscope')
;
INSERT INTO django_content_type VALUES (25, 'inbox', 'cursorrange')
;
INSERT INTO django_content_type VALUES (26, 'inbox', 'cursortrouble')
;
INSERT INTO django_content_type VALUES (27, 'inbox', 'envelope')
;
INSERT INTO django_content_type VALUES (28, 'inbox', 'enveloperecipient')
;
INSERT INTO django_content_type VALUES (29, 'inbox', 'identity')
;
INSERT INTO django_content_type VALUES (30, 'inbox', 'identitylink')
;
INSERT INTO django_content_type VALUES (31, 'inbox', 'message')
;
INSERT INTO django_content_type VALUES (32, 'inbox', 'duplicatelink')
;
INSERT INTO django_content_type VALUES (33, 'inbox', 'attachment')
;
INSERT INTO django_content_type VALUES (34, 'inbox', 'policyversion')
;
INSERT INTO django_content_type VALUES (35, 'inbox', 'rawbody')
;
INSERT INTO django_content_type VALUES (36, 'inbox', 'delivery')
;
INSERT INTO django_content_type VALUES (37, 'inbox', 'replytemplateversion')
;
INSERT INTO django_content_type VALUES (38, 'inbox', 'draft')
;
INSERT INTO django_content_type VALUES (39, 'inbox', 'signintoken')
;
INSERT INTO django_content_type VALUES (40, 'inbox', 'slaevent')
;
INSERT INTO django_content_type VALUES (41, 'inbox', 'draftattachment')
;
INSERT INTO django_content_type VALUES (42, 'inbox', 'strand')
;
INSERT INTO django_content_type VALUES (43, 'inbox', 'strandlink')
;
INSERT INTO django_content_type VALUES (44, 'inbox', 'strandparticipant')
;
INSERT INTO django_content_type VALUES (45, 'inbox', 'conversationtag')
;
INSERT INTO django_content_type VALUES (46, 'inbox', 'teamaccount')
;
INSERT INTO django_content_type VALUES (47, 'inbox', 'teammember')
;
INSERT INTO django_content_type VALUES (48, 'inbox', 'thread')
;
INSERT INTO django_content_type VALUES (49, 'inbox', 'threadreference')
;
INSERT INTO django_content_type VALUES (50, 'inbox', 'workrecord')
;
INSERT INTO django_content_type VALUES (51, 'inbox', 'pictureconsent')
;
INSERT INTO django_content_type VALUES (52, 'inbox', 'doorbell')
;
INSERT INTO django_content_type VALUES (53, 'inbox', 'automaticturn')
;
INSERT INTO django_content_type VALUES (54, 'inbox', 'offeranswer')
;
INSERT INTO django_content_type VALUES (55, 'inbox', 'aftercare')
;
INSERT INTO django_content_type VALUES (56, 'inbox', 'envelopebody')
;
INSERT INTO django_content_type VALUES (57, 'inbox', 'budget')
;
INSERT INTO django_content_type VALUES (58, 'inbox', 'endpointwindow')
;
INSERT INTO django_content_type VALUES (59, 'inbox', 'ownprice')
;
INSERT INTO django_content_type VALUES (60, 'inbox', 'paiditem')
;
INSERT INTO django_content_type VALUES (61, 'inbox', 'pollpace')
;
INSERT INTO django_content_type VALUES (62, 'inbox', 'spend')
;
INSERT INTO django_content_type VALUES (63, 'inbox', 'postreach')
;
INSERT INTO django_content_type VALUES (64, 'inbox', 'tombstone')
;
INSERT INTO django_content_type VALUES (65, 'inbox', 'postedition')
;
INSERT INTO django_content_type VALUES (66, 'inbox', 'poststate')
;
INSERT INTO django_content_type VALUES (67, 'search', 'indexaudit')
;
INSERT INTO django_content_type VALUES (68, 'search', 'indexgeneration')
;
INSERT INTO django_content_type VALUES (69, 'search', 'messageversion')
;
INSERT INTO auth_permission VALUES (1, 1, 'add_permission', 'Can add permission')
;
INSERT INTO auth_permission VALUES (2, 1, 'change_permission', 'Can change permission')
;
INSERT INTO auth_permission VALUES (3, 1, 'delete_permission', 'Can delete permission')
;
INSERT INTO auth_permission VALUES (4, 1, 'view_permission', 'Can view permission')
;
INSERT INTO auth_permission VALUES (5, 2, 'add_group', 'Can add group')
;
INSERT INTO auth_permission VALUES (6, 2, 'change_group', 'Can change group')
;
INSERT INTO auth_permission VALUES (7, 2, 'delete_group', 'Can delete group')
;
INSERT INTO auth_permission VALUES (8, 2, 'view_group', 'Can view group')
;
INSERT INTO auth_permission VALUES (9, 3, 'add_contenttype', 'Can add content type')
;
INSERT INTO auth_permission VALUES (10, 3, 'change_contenttype', 'Can change content type')
;
INSERT INTO auth_permission VALUES (11, 3, 'delete_contenttype', 'Can delete content type')
;
INSERT INTO auth_permission VALUES (12, 3, 'view_contenttype', 'Can view content type')
;
INSERT INTO auth_permission VALUES (13, 4, 'add_session', 'Can add session')
;
INSERT INTO auth_permission VALUES (14, 4, 'change_session', 'Can change session')
;
INSERT INTO auth_permission VALUES (15, 4, 'delete_session', 'Can delete session')
;
INSERT INTO auth_permission VALUES (16, 4, 'view_session', 'Can view session')
;
INSERT INTO auth_permission VALUES (17, 5, 'add_user', 'Can add user')
;
INSERT INTO auth_permission VALUES (18, 5, 'change_user', 'Can change user')
;
INSERT INTO auth_permission VALUES (19, 5, 'delete_user', 'Can delete user')
;
INSERT INTO auth_permission VALUES (20, 5, 'view_user', 'Can view user')
;
INSERT INTO auth_permission VALUES (21, 6, 'add_account', 'Can add account')
;
INSERT INTO auth_permission VALUES (22, 6, 'change_account', 'Can change account')
;
INSERT INTO auth_permission VALUES (23, 6, 'delete_account', 'Can delete account')
;
INSERT INTO auth_permission VALUES (24, 6, 'view_account', 'Can view account')
;
INSERT INTO auth_permission VALUES (25, 7, 'add_calendar', 'Can add calendar')
;
INSERT INTO auth_permission VALUES (26, 7, 'change_calendar', 'Can change calendar')
;
INSERT INTO auth_permission VALUES (27, 7, 'delete_calendar', 'Can delete calendar')
;
INSERT INTO auth_permission VALUES (28, 7, 'view_calendar', 'Can view calendar')
;
INSERT INTO auth_permission VALUES (29, 8, 'add_counter', 'Can add counter')
;
INSERT INTO auth_permission VALUES (30, 8, 'change_counter', 'Can change counter')
;
INSERT INTO auth_permission VALUES (31, 8, 'delete_counter', 'Can delete counter')
;
INSERT INTO auth_permission VALUES (32, 8, 'view_counter', 'Can view counter')
;
INSERT INTO auth_permission VALUES (33, 9, 'add_customer', 'Can add customer')
;
INSERT INTO auth_permission VALUES (34, 9, 'change_customer', 'Can change customer')
;
INSERT INTO auth_permission VALUES (35, 9, 'delete_customer', 'Can delete customer')
;
INSERT INTO auth_permission VALUES (36, 9, 'view_customer', 'Can view customer')
;
INSERT INTO auth_permission VALUES (37, 10, 'add_indexchange', 'Can add index change')
;
INSERT INTO auth_permission VALUES (38, 10, 'change_indexchange', 'Can change index change')
;
INSERT INTO auth_permission VALUES (39, 10, 'delete_indexchange', 'Can delete index change')
;
INSERT INTO auth_permission VALUES (40, 10, 'view_indexchange', 'Can view index change')
;
INSERT INTO auth_permission VALUES (41, 11, 'add_lease', 'Can add lease')
;
INSERT INTO auth_permission VALUES (42, 11, 'change_lease', 'Can change lease')
;
INSERT INTO auth_permission VALUES (43, 11, 'delete_lease', 'Can delete lease')
;
INSERT INTO auth_permission VALUES (44, 11, 'view_lease', 'Can view lease')
;
INSERT INTO auth_permission VALUES (45, 12, 'add_liveevent', 'Can add live event')
;
INSERT INTO auth_permission VALUES (46, 12, 'change_liveevent', 'Can change live event')
;
INSERT INTO auth_permission VALUES (47, 12, 'delete_liveevent', 'Can delete live event')
;
INSERT INTO auth_permission VALUES (48, 12, 'view_liveevent', 'Can view live event')
;
INSERT INTO auth_permission VALUES (49, 13, 'add_organisation', 'Can add organisation')
;
INSERT INTO auth_permission VALUES (50, 13, 'change_organisation', 'Can change organisation')
;
INSERT INTO auth_permission VALUES (51, 13, 'delete_organisation', 'Can delete organisation')
;
INSERT INTO auth_permission VALUES (52, 13, 'view_organisation', 'Can view organisation')
;
INSERT INTO auth_permission VALUES (53, 14, 'add_policy', 'Can add policy')
;
INSERT INTO auth_permission VALUES (54, 14, 'change_policy', 'Can change policy')
;
INSERT INTO auth_permission VALUES (55, 14, 'delete_policy', 'Can delete policy')
;
INSERT INTO auth_permission VALUES (56, 14, 'view_policy', 'Can view policy')
;
INSERT INTO auth_permission VALUES (57, 15, 'add_rawitem', 'Can add raw item')
;
INSERT INTO auth_permission VALUES (58, 15, 'change_rawitem', 'Can change raw item')
;
INSERT INTO auth_permission VALUES (59, 15, 'delete_rawitem', 'Can delete raw item')
;
INSERT INTO auth_permission VALUES (60, 15, 'view_rawitem', 'Can view raw item')
;
INSERT INTO auth_permission VALUES (61, 16, 'add_replytemplate', 'Can add reply template')
;
INSERT INTO auth_permission VALUES (62, 16, 'change_replytemplate', 'Can change reply template')
;
INSERT INTO auth_permission VALUES (63, 16, 'delete_replytemplate', 'Can delete reply template')
;
INSERT INTO auth_permission VALUES (64, 16, 'view_replytemplate', 'Can view reply template')
;
INSERT INTO auth_permission VALUES (65, 17, 'add_storedfile', 'Can add stored file')
;
INSERT INTO auth_permission VALUES (66, 17, 'change_storedfile', 'Can change stored file')
;
INSERT INTO auth_permission VALUES (67, 17, 'delete_storedfile', 'Can delete stored file')
;
INSERT INTO auth_permission VALUES (68, 17, 'view_storedfile', 'Can view stored file')
;
INSERT INTO auth_permission VALUES (69, 18, 'add_tag', 'Can add tag')
;
INSERT INTO auth_permission VALUES (70, 18, 'change_tag', 'Can change tag')
;
INSERT INTO auth_permission VALUES (71, 18, 'delete_tag', 'Can delete tag')
;
INSERT INTO auth_permission VALUES (72, 18, 'view_tag', 'Can view tag')
;
INSERT INTO auth_permission VALUES (73, 19, 'add_team', 'Can add team')
;
INSERT INTO auth_permission VALUES (74, 19, 'change_team', 'Can change team')
;
INSERT INTO auth_permission VALUES (75, 19, 'delete_team', 'Can delete team')
;
INSERT INTO auth_permission VALUES (76, 19, 'view_team', 'Can view team')
;
INSERT INTO auth_permission VALUES (77, 20, 'add_auditrecord', 'Can add audit record')
;
INSERT INTO auth_permission VALUES (78, 20, 'change_auditrecord', 'Can change audit record')
;
INSERT INTO auth_permission VALUES (79, 20, 'delete_auditrecord', 'Can delete audit record')
;
INSERT INTO auth_permission VALUES (80, 20, 'view_auditrecord', 'Can view audit record')
;
INSERT INTO auth_permission VALUES (81, 21, 'add_calendarversion', 'Can add calendar version')
;
INSERT INTO auth_permission VALUES (82, 21, 'change_calendarversion', 'Can change calendar version')
;
INSERT INTO auth_permission VALUES (83, 21, 'delete_calendarversion', 'Can delete calendar version')
;
INSERT INTO auth_permission VALUES (84, 21, 'view_calendarversion', 'Can view calendar version')
;
INSERT INTO auth_permission VALUES (85, 22, 'add_conversation', 'Can add conversation')
;
INSERT INTO auth_permission VALUES (86, 22, 'change_conversation', 'Can change conversation')
;
INSERT INTO auth_permission VALUES (87, 22, 'delete_conversation', 'Can delete conversation')
;
INSERT INTO auth_permission VALUES (88, 22, 'view_conversation', 'Can view conversation')
;
INSERT INTO auth_permission VALUES (89, 23, 'add_conversationaccount', 'Can add conversation account')
;
INSERT INTO auth_permission VALUES (90, 23, 'change_conversationaccount', 'Can change conversation account')
;
INSERT INTO auth_permission VALUES (91, 23, 'delete_conversationaccount', 'Can delete conversation account')
;
INSERT INTO auth_permission VALUES (92, 23, 'view_conversationaccount', 'Can view conversation account')
;
INSERT INTO auth_permission VALUES (93, 24, 'add_cursorscope', 'Can add cursor scope')
;
INSERT INTO auth_permission VALUES (94, 24, 'change_cursorscope', 'Can change cursor scope')
;
INSERT INTO auth_permission VALUES (95, 24, 'delete_cursorscope', 'Can delete cursor scope')
;
INSERT INTO auth_permission VALUES (96, 24, 'view_cursorscope', 'Can view cursor scope')
;
INSERT INTO auth_permission VALUES (97, 25, 'add_cursorrange', 'Can add cursor range')
;
INSERT INTO auth_permission VALUES (98, 25, 'change_cursorrange', 'Can change cursor range')
;
INSERT INTO auth_permission VALUES (99, 25, 'delete_cursorrange', 'Can delete cursor range')
;
INSERT INTO auth_permission VALUES (100, 25, 'view_cursorrange', 'Can view cursor range')
;
INSERT INTO auth_permission VALUES (101, 26, 'add_cursortrouble', 'Can add cursor trouble')
;
INSERT INTO auth_permission VALUES (102, 26, 'change_cursortrouble', 'Can change cursor trouble')
;
INSERT INTO auth_permission VALUES (103, 26, 'delete_cursortrouble', 'Can delete cursor trouble')
;
INSERT INTO auth_permission VALUES (104, 26, 'view_cursortrouble', 'Can view cursor trouble')
;
INSERT INTO auth_permission VALUES (105, 27, 'add_envelope', 'Can add envelope')
;
INSERT INTO auth_permission VALUES (106, 27, 'change_envelope', 'Can change envelope')
;
INSERT INTO auth_permission VALUES (107, 27, 'delete_envelope', 'Can delete envelope')
;
INSERT INTO auth_permission VALUES (108, 27, 'view_envelope', 'Can view envelope')
;
INSERT INTO auth_permission VALUES (109, 28, 'add_enveloperecipient', 'Can add envelope recipient')
;
INSERT INTO auth_permission VALUES (110, 28, 'change_enveloperecipient', 'Can change envelope recipient')
;
INSERT INTO auth_permission VALUES (111, 28, 'delete_enveloperecipient', 'Can delete envelope recipient')
;
INSERT INTO auth_permission VALUES (112, 28, 'view_enveloperecipient', 'Can view envelope recipient')
;
INSERT INTO auth_permission VALUES (113, 29, 'add_identity', 'Can add identity')
;
INSERT INTO auth_permission VALUES (114, 29, 'change_identity', 'Can change identity')
;
INSERT INTO auth_permission VALUES (115, 29, 'delete_identity', 'Can delete identity')
;
INSERT INTO auth_permission VALUES (116, 29, 'view_identity', 'Can view identity')
;
INSERT INTO auth_permission VALUES (117, 30, 'add_identitylink', 'Can add identity link')
;
INSERT INTO auth_permission VALUES (118, 30, 'change_identitylink', 'Can change identity link')
;
INSERT INTO auth_permission VALUES (119, 30, 'delete_identitylink', 'Can delete identity link')
;
INSERT INTO auth_permission VALUES (120, 30, 'view_identitylink', 'Can view identity link')
;
INSERT INTO auth_permission VALUES (121, 31, 'add_message', 'Can add message')
;
INSERT INTO auth_permission VALUES (122, 31, 'change_message', 'Can change message')
;
INSERT INTO auth_permission VALUES (123, 31, 'delete_message', 'Can delete message')
;
INSERT INTO auth_permission VALUES (124, 31, 'view_message', 'Can view message')
;
INSERT INTO auth_permission VALUES (125, 32, 'add_duplicatelink', 'Can add duplicate link')
;
INSERT INTO auth_permission VALUES (126, 32, 'change_duplicatelink', 'Can change duplicate link')
;
INSERT INTO auth_permission VALUES (127, 32, 'delete_duplicatelink', 'Can delete duplicate link')
;
INSERT INTO auth_permission VALUES (128, 32, 'view_duplicatelink', 'Can view duplicate link')
;
INSERT INTO auth_permission VALUES (129, 33, 'add_attachment', 'Can add attachment')
;
INSERT INTO auth_permission VALUES (130, 33, 'change_attachment', 'Can change attachment')
;
INSERT INTO auth_permission VALUES (131, 33, 'delete_attachment', 'Can delete attachment')
;
INSERT INTO auth_permission VALUES (132, 33, 'view_attachment', 'Can view attachment')
;
INSERT INTO auth_permission VALUES (133, 34, 'add_policyversion', 'Can add policy version')
;
INSERT INTO auth_permission VALUES (134, 34, 'change_policyversion', 'Can change policy version')
;
INSERT INTO auth_permission VALUES (135, 34, 'delete_policyversion', 'Can delete policy version')
;
INSERT INTO auth_permission VALUES (136, 34, 'view_policyversion', 'Can view policy version')
;
INSERT INTO auth_permission VALUES (137, 35, 'add_rawbody', 'Can add raw body')
;
INSERT INTO auth_permission VALUES (138, 35, 'change_rawbody', 'Can change raw body')
;
INSERT INTO auth_permission VALUES (139, 35, 'delete_rawbody', 'Can delete raw body')
;
INSERT INTO auth_permission VALUES (140, 35, 'view_rawbody', 'Can view raw body')
;
INSERT INTO auth_permission VALUES (141, 36, 'add_delivery', 'Can add delivery')
;
INSERT INTO auth_permission VALUES (142, 36, 'change_delivery', 'Can change delivery')
;
INSERT INTO auth_permission VALUES (143, 36, 'delete_delivery', 'Can delete delivery')
;
INSERT INTO auth_permission VALUES (144, 36, 'view_delivery', 'Can view delivery')
;
INSERT INTO auth_permission VALUES (145, 37, 'add_replytemplateversion', 'Can add reply template version')
;
INSERT INTO auth_permission VALUES (146, 37, 'change_replytemplateversion', 'Can change reply template version')
;
INSERT INTO auth_permission VALUES (147, 37, 'delete_replytemplateversion', 'Can delete reply template version')
;
INSERT INTO auth_permission VALUES (148, 37, 'view_replytemplateversion', 'Can view reply template version')
;
INSERT INTO auth_permission VALUES (149, 38, 'add_draft', 'Can add draft')
;
INSERT INTO auth_permission VALUES (150, 38, 'change_draft', 'Can change draft')
;
INSERT INTO auth_permission VALUES (151, 38, 'delete_draft', 'Can delete draft')
;
INSERT INTO auth_permission VALUES (152, 38, 'view_draft', 'Can view draft')
;
INSERT INTO auth_permission VALUES (153, 39, 'add_signintoken', 'Can add sign in token')
;
INSERT INTO auth_permission VALUES (154, 39, 'change_signintoken', 'Can change sign in token')
;
INSERT INTO auth_permission VALUES (155, 39, 'delete_signintoken', 'Can delete sign in token')
;
INSERT INTO auth_permission VALUES (156, 39, 'view_signintoken', 'Can view sign in token')
;
INSERT INTO auth_permission VALUES (157, 40, 'add_slaevent', 'Can add sla event')
;
INSERT INTO auth_permission VALUES (158, 40, 'change_slaevent', 'Can change sla event')
;
INSERT INTO auth_permission VALUES (159, 40, 'delete_slaevent', 'Can delete sla event')
;
INSERT INTO auth_permission VALUES (160, 40, 'view_slaevent', 'Can view sla event')
;
INSERT INTO auth_permission VALUES (161, 41, 'add_draftattachment', 'Can add draft attachment')
;
INSERT INTO auth_permission VALUES (162, 41, 'change_draftattachment', 'Can change draft attachment')
;
INSERT INTO auth_permission VALUES (163, 41, 'delete_draftattachment', 'Can delete draft attachment')
;
INSERT INTO auth_permission VALUES (164, 41, 'view_draftattachment', 'Can view draft attachment')
;
INSERT INTO auth_permission VALUES (165, 42, 'add_strand', 'Can add strand')
;
INSERT INTO auth_permission VALUES (166, 42, 'change_strand', 'Can change strand')
;
INSERT INTO auth_permission VALUES (167, 42, 'delete_strand', 'Can delete strand')
;
INSERT INTO auth_permission VALUES (168, 42, 'view_strand', 'Can view strand')
;
INSERT INTO auth_permission VALUES (169, 43, 'add_strandlink', 'Can add strand link')
;
INSERT INTO auth_permission VALUES (170, 43, 'change_strandlink', 'Can change strand link')
;
INSERT INTO auth_permission VALUES (171, 43, 'delete_strandlink', 'Can delete strand link')
;
INSERT INTO auth_permission VALUES (172, 43, 'view_strandlink', 'Can view strand link')
;
INSERT INTO auth_permission VALUES (173, 44, 'add_strandparticipant', 'Can add strand participant')
;
INSERT INTO auth_permission VALUES (174, 44, 'change_strandparticipant', 'Can change strand participant')
;
INSERT INTO auth_permission VALUES (175, 44, 'delete_strandparticipant', 'Can delete strand participant')
;
INSERT INTO auth_permission VALUES (176, 44, 'view_strandparticipant', 'Can view strand participant')
;
INSERT INTO auth_permission VALUES (177, 45, 'add_conversationtag', 'Can add conversation tag')
;
INSERT INTO auth_permission VALUES (178, 45, 'change_conversationtag', 'Can change conversation tag')
;
INSERT INTO auth_permission VALUES (179, 45, 'delete_conversationtag', 'Can delete conversation tag')
;
INSERT INTO auth_permission VALUES (180, 45, 'view_conversationtag', 'Can view conversation tag')
;
INSERT INTO auth_permission VALUES (181, 46, 'add_teamaccount', 'Can add team account')
;
INSERT INTO auth_permission VALUES (182, 46, 'change_teamaccount', 'Can change team account')
;
INSERT INTO auth_permission VALUES (183, 46, 'delete_teamaccount', 'Can delete team account')
;
INSERT INTO auth_permission VALUES (184, 46, 'view_teamaccount', 'Can view team account')
;
INSERT INTO auth_permission VALUES (185, 47, 'add_teammember', 'Can add team member')
;
INSERT INTO auth_permission VALUES (186, 47, 'change_teammember', 'Can change team member')
;
INSERT INTO auth_permission VALUES (187, 47, 'delete_teammember', 'Can delete team member')
;
INSERT INTO auth_permission VALUES (188, 47, 'view_teammember', 'Can view team member')
;
INSERT INTO auth_permission VALUES (189, 48, 'add_thread', 'Can add thread')
;
INSERT INTO auth_permission VALUES (190, 48, 'change_thread', 'Can change thread')
;
INSERT INTO auth_permission VALUES (191, 48, 'delete_thread', 'Can delete thread')
;
INSERT INTO auth_permission VALUES (192, 48, 'view_thread', 'Can view thread')
;
INSERT INTO auth_permission VALUES (193, 49, 'add_threadreference', 'Can add thread reference')
;
INSERT INTO auth_permission VALUES (194, 49, 'change_threadreference', 'Can change thread reference')
;
INSERT INTO auth_permission VALUES (195, 49, 'delete_threadreference', 'Can delete thread reference')
;
INSERT INTO auth_permission VALUES (196, 49, 'view_threadreference', 'Can view thread reference')
;
INSERT INTO auth_permission VALUES (197, 50, 'add_workrecord', 'Can add work record')
;
INSERT INTO auth_permission VALUES (198, 50, 'change_workrecord', 'Can change work record')
;
INSERT INTO auth_permission VALUES (199, 50, 'delete_workrecord', 'Can delete work record')
;
INSERT INTO auth_permission VALUES (200, 50, 'view_workrecord', 'Can view work record')
;
INSERT INTO auth_permission VALUES (201, 51, 'add_pictureconsent', 'Can add picture consent')
;
INSERT INTO auth_permission VALUES (202, 51, 'change_pictureconsent', 'Can change picture consent')
;
INSERT INTO auth_permission VALUES (203, 51, 'delete_pictureconsent', 'Can delete picture consent')
;
INSERT INTO auth_permission VALUES (204, 51, 'view_pictureconsent', 'Can view picture consent')
;
INSERT INTO auth_permission VALUES (205, 52, 'add_doorbell', 'Can add doorbell')
;
INSERT INTO auth_permission VALUES (206, 52, 'change_doorbell', 'Can change doorbell')
;
INSERT INTO auth_permission VALUES (207, 52, 'delete_doorbell', 'Can delete doorbell')
;
INSERT INTO auth_permission VALUES (208, 52, 'view_doorbell', 'Can view doorbell')
;
INSERT INTO auth_permission VALUES (209, 53, 'add_automaticturn', 'Can add automatic turn')
;
INSERT INTO auth_permission VALUES (210, 53, 'change_automaticturn', 'Can change automatic turn')
;
INSERT INTO auth_permission VALUES (211, 53, 'delete_automaticturn', 'Can delete automatic turn')
;
INSERT INTO auth_permission VALUES (212, 53, 'view_automaticturn', 'Can view automatic turn')
;
INSERT INTO auth_permission VALUES (213, 54, 'add_offeranswer', 'Can add offer answer')
;
INSERT INTO auth_permission VALUES (214, 54, 'change_offeranswer', 'Can change offer answer')
;
INSERT INTO auth_permission VALUES (215, 54, 'delete_offeranswer', 'Can delete offer answer')
;
INSERT INTO auth_permission VALUES (216, 54, 'view_offeranswer', 'Can view offer answer')
;
INSERT INTO auth_permission VALUES (217, 55, 'add_aftercare', 'Can add aftercare')
;
INSERT INTO auth_permission VALUES (218, 55, 'change_aftercare', 'Can change aftercare')
;
INSERT INTO auth_permission VALUES (219, 55, 'delete_aftercare', 'Can delete aftercare')
;
INSERT INTO auth_permission VALUES (220, 55, 'view_aftercare', 'Can view aftercare')
;
INSERT INTO auth_permission VALUES (221, 56, 'add_envelopebody', 'Can add envelope body')
;
INSERT INTO auth_permission VALUES (222, 56, 'change_envelopebody', 'Can change envelope body')
;
INSERT INTO auth_permission VALUES (223, 56, 'delete_envelopebody', 'Can delete envelope body')
;
INSERT INTO auth_permission VALUES (224, 56, 'view_envelopebody', 'Can view envelope body')
;
INSERT INTO auth_permission VALUES (225, 57, 'add_budget', 'Can add budget')
;
INSERT INTO auth_permission VALUES (226, 57, 'change_budget', 'Can change budget')
;
INSERT INTO auth_permission VALUES (227, 57, 'delete_budget', 'Can delete budget')
;
INSERT INTO auth_permission VALUES (228, 57, 'view_budget', 'Can view budget')
;
INSERT INTO auth_permission VALUES (229, 58, 'add_endpointwindow', 'Can add endpoint window')
;
INSERT INTO auth_permission VALUES (230, 58, 'change_endpointwindow', 'Can change endpoint window')
;
INSERT INTO auth_permission VALUES (231, 58, 'delete_endpointwindow', 'Can delete endpoint window')
;
INSERT INTO auth_permission VALUES (232, 58, 'view_endpointwindow', 'Can view endpoint window')
;
INSERT INTO auth_permission VALUES (233, 59, 'add_ownprice', 'Can add own price')
;
INSERT INTO auth_permission VALUES (234, 59, 'change_ownprice', 'Can change own price')
;
INSERT INTO auth_permission VALUES (235, 59, 'delete_ownprice', 'Can delete own price')
;
INSERT INTO auth_permission VALUES (236, 59, 'view_ownprice', 'Can view own price')
;
INSERT INTO auth_permission VALUES (237, 60, 'add_paiditem', 'Can add paid item')
;
INSERT INTO auth_permission VALUES (238, 60, 'change_paiditem', 'Can change paid item')
;
INSERT INTO auth_permission VALUES (239, 60, 'delete_paiditem', 'Can delete paid item')
;
INSERT INTO auth_permission VALUES (240, 60, 'view_paiditem', 'Can view paid item')
;
INSERT INTO auth_permission VALUES (241, 61, 'add_pollpace', 'Can add poll pace')
;
INSERT INTO auth_permission VALUES (242, 61, 'change_pollpace', 'Can change poll pace')
;
INSERT INTO auth_permission VALUES (243, 61, 'delete_pollpace', 'Can delete poll pace')
;
INSERT INTO auth_permission VALUES (244, 61, 'view_pollpace', 'Can view poll pace')
;
INSERT INTO auth_permission VALUES (245, 62, 'add_spend', 'Can add spend')
;
INSERT INTO auth_permission VALUES (246, 62, 'change_spend', 'Can change spend')
;
INSERT INTO auth_permission VALUES (247, 62, 'delete_spend', 'Can delete spend')
;
INSERT INTO auth_permission VALUES (248, 62, 'view_spend', 'Can view spend')
;
INSERT INTO auth_permission VALUES (249, 63, 'add_postreach', 'Can add post reach')
;
INSERT INTO auth_permission VALUES (250, 63, 'change_postreach', 'Can change post reach')
;
INSERT INTO auth_permission VALUES (251, 63, 'delete_postreach', 'Can delete post reach')
;
INSERT INTO auth_permission VALUES (252, 63, 'view_postreach', 'Can view post reach')
;
INSERT INTO auth_permission VALUES (253, 64, 'add_tombstone', 'Can add tombstone')
;
INSERT INTO auth_permission VALUES (254, 64, 'change_tombstone', 'Can change tombstone')
;
INSERT INTO auth_permission VALUES (255, 64, 'delete_tombstone', 'Can delete tombstone')
;
INSERT INTO auth_permission VALUES (256, 64, 'view_tombstone', 'Can view tombstone')
;
INSERT INTO auth_permission VALUES (257, 65, 'add_postedition', 'Can add post edition')
;
INSERT INTO auth_permission VALUES (258, 65, 'change_postedition', 'Can change post edition')
;
INSERT INTO auth_permission VALUES (259, 65, 'delete_postedition', 'Can delete post edition')
;
INSERT INTO auth_permission VALUES (260, 65, 'view_postedition', 'Can view post edition')
;
INSERT INTO auth_permission VALUES (261, 66, 'add_poststate', 'Can add post state')
;
INSERT INTO auth_permission VALUES (262, 66, 'change_poststate', 'Can change post state')
;
INSERT INTO auth_permission VALUES (263, 66, 'delete_poststate', 'Can delete post state')
;
INSERT INTO auth_permission VALUES (264, 66, 'view_poststate', 'Can view post state')
;
INSERT INTO auth_permission VALUES (265, 67, 'add_indexaudit', 'Can add index audit')
;
INSERT INTO auth_permission VALUES (266, 67, 'change_indexaudit', 'Can change index audit')
;
INSERT INTO auth_permission VALUES (267, 67, 'delete_indexaudit', 'Can delete index audit')
;
INSERT INTO auth_permission VALUES (268, 67, 'view_indexaudit', 'Can view index audit')
;
INSERT INTO auth_permission VALUES (269, 68, 'add_indexgeneration', 'Can add index generation')
;
INSERT INTO auth_permission VALUES (270, 68, 'change_indexgeneration', 'Can change index generation')
;
INSERT INTO auth_permission VALUES (271, 68, 'delete_indexgeneration', 'Can delete index generation')
;
INSERT INTO auth_permission VALUES (272, 68, 'view_indexgeneration', 'Can view index generation')
;
INSERT INTO auth_permission VALUES (273, 69, 'add_messageversion', 'Can add message version')
;
INSERT INTO auth_permission VALUES (274, 69, 'change_messageversion', 'Can change message version')
;
INSERT INTO auth_permission VALUES (275, 69, 'delete_messageversion', 'Can delete message version')
;
INSERT INTO auth_permission VALUES (276, 69, 'view_messageversion', 'Can view message version')
