"""Every address of the pages. A new one also needs its line in the matrix of tests/web/test_access_matrix.py."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, register_converter

from web.views import (
    account,
    acts,
    automatic,
    channel,
    channels,
    composer,
    connecting,
    conversation,
    files,
    health,
    mail,
    own_home,
    posts,
    proof,
    queue,
    rehearsal,
    search,
    settings,
    signin,
    spending,
    templates,
    vouching,
)


class IdConverter:
    """Our ids: 63 bits. Longer ones would be refused by the database with an error."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number >= 1 << 63:
            raise ValueError
        return number

    def to_url(self, value: int | str) -> str:
        return str(value)


register_converter(IdConverter, "id")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", queue.home, name="home"),
    path("sign-in", signin.sign_in, name="sign-in"),
    path("sign-in/link/<str:token>", signin.sign_in_link, name="sign-in-link"),
    path("sign-in/password", signin.password, name="password"),
    path("step-in", signin.step_in, name="step-in"),
    path("sign-out", signin.sign_out, name="sign-out"),
    path("own-home", own_home.own_home, name="own-home"),
    path("simulated-networks", rehearsal.simulated_networks, name="simulated-networks"),
    # the list
    path("q/<slug:tab>", queue.queue, name="queue"),
    path("q/<slug:tab>/rows", queue.rows, name="queue-rows"),
    path("q/<slug:tab>/news", queue.news, name="queue-news"),
    path("q/<slug:tab>/clocks", queue.clocks, name="queue-clocks"),
    path("next", queue.next_conversation, name="next"),
    path("counters", queue.counters, name="counters"),
    # one conversation
    path("c/<id:id>", conversation.conversation, name="conversation"),
    path("c/<id:id>/live", conversation.live, name="conversation-live"),
    path("c/<id:id>/earlier", conversation.earlier, name="conversation-earlier"),
    path("c/<id:id>/act/<slug:name>", acts.act, name="act"),
    path("c/<id:id>/choose/<slug:name>", acts.choose, name="choose"),
    path("undo/<str:token>", acts.undo, name="undo"),
    path("sends/<id:id>/<slug:name>", acts.send_act, name="send-act"),
    # writing
    path("c/<id:id>/composer", composer.composer, name="composer"),
    path("c/<id:id>/draft", composer.draft, name="draft"),
    path("c/<id:id>/measure", composer.measure, name="measure"),
    path("c/<id:id>/discard", composer.discard, name="discard"),
    path("c/<id:id>/files", composer.attach, name="attach"),
    path("files/<id:id>/remove", composer.detach, name="detach"),
    path("c/<id:id>/reply", composer.reply, name="reply"),
    path("c/<id:id>/templates", templates.insertable, name="insertable"),
    path("c/<id:id>/templates/<id:template>", templates.insert, name="insert"),
    # what strangers sent
    path("m/<id:id>/body", mail.body, name="body"),
    path("m/<id:id>/look", mail.look, name="mail-look"),
    path("m/<id:id>/images", mail.images, name="mail-images"),
    path("m/<id:id>/pictures", posts.post_pictures, name="post-pictures"),
    path("m/<id:id>/pictures/<int:number>", posts.post_picture, name="post-picture"),
    path("m/<id:id>/raw", files.raw, name="raw"),
    path("a/<id:id>", files.attachment, name="attachment"),
    path("a/<id:id>/preview", files.preview, name="preview"),
    # the same by passes: these and no others answer on the host of BALAS_CONTENT_URL (web/middleware.py)
    path("b/<str:token>", mail.shown_body, name="shown-body"),
    path("i/<str:token>", mail.image, name="inline-image"),
    path("r/<str:token>", mail.remote, name="remote-image"),
    path("l/<str:token>", mail.leave, name="leave"),
    path("f/<str:token>", files.handed_file, name="handed-file"),
    path("p/<str:token>", files.shown_preview, name="shown-preview"),
    path("e/<str:token>", files.handed_source, name="handed-source"),
    # finding
    path("search", search.search, name="search"),
    path("search/results", search.results, name="search-results"),
    # settings and health
    path("settings", settings.settings, name="settings"),
    path("settings/me", settings.me, name="me"),
    path("settings/mailbox", connecting.connect_mailbox, name="connect-mailbox"),
    path("settings/mailbox/signed-in", connecting.signed_in, name="signed-in"),
    path("settings/connect", channels.connect, name="connect"),
    path("settings/connect/returned", channels.returned, name="connect-returned"),
    path("settings/connect/<slug:kind>", channels.connect_kind, name="connect-kind"),
    path("settings/accounts/<id:id>/arriving", channels.arriving, name="account-arriving"),
    path("settings/accounts/<id:id>/budget", channel.account_budget, name="account-budget"),
    path("settings/accounts/<id:id>/prices", spending.enter_price, name="enter-price"),
    path("settings/accounts/<id:id>/prices/drop", spending.drop_price, name="drop-price"),
    path("manage/spending", spending.manage, name="spending"),
    path("settings/relay/<id:id>", automatic.drop_relay, name="drop-relay"),
    path("settings/automatic", automatic.automatic, name="automatic-mail"),
    path("settings/accounts/<id:id>", account.account, name="account"),
    path("settings/accounts/<id:id>/sender-check", vouching.sender_check, name="sender-check"),
    path("settings/accounts/<id:id>/<slug:name>", account.account_act, name="account-act"),
    path("templates", templates.templates, name="templates"),
    path("templates/new", templates.new, name="template-new"),
    path("templates/preview", templates.preview, name="template-preview"),
    path("templates/<id:id>", templates.edit, name="template"),
    path("templates/<id:id>/archive", templates.archive, name="template-archive"),
    path("health", health.health, name="health"),
    path("health/<id:id>", proof.account, name="health-account"),
    path("health/<id:id>/prove", proof.prove, name="health-prove"),
    path("health/<id:id>/<id:trouble>/<slug:name>", proof.settle, name="health-settle"),
]

handler400 = "web.views.errors.bad_request"
handler403 = "web.views.errors.forbidden"
handler404 = "web.views.errors.not_found"
handler500 = "web.views.errors.broken"
