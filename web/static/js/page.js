// What every page does: notices with their countdown, dialogs, morphing fragments, the thumb's panes.
(() => {
  "use strict";
  const balas = (window.balas = window.balas || {});
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  balas.$ = $;
  balas.$$ = $$;

  balas.token = () => $("input[name=csrfmiddlewaretoken]")?.value || "";
  balas.say = (words) => { const at = $("#announcer"); if (at) { at.textContent = ""; at.textContent = words; } };
  balas.get = async (url) => {
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (answer.status === 401) { location.assign("/sign-in"); throw new Error("signed out"); }
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    return answer;
  };

  // What somebody opened stays open, what they type stays typed: a fresh fragment changes only what differs.
  const keep = {
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (node) => !(node.dataset && "leftAlone" in node.dataset), // pictures that somebody asked for
      beforeAttributeUpdated: (name, node) => !(name === "open" && (node.tagName === "DETAILS" || node.tagName === "DIALOG")) && !(name === "class" && node.classList.contains("is-tall")),
    },
  };
  balas.morph = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const fresh of [...page.body.children]) {
      const old = fresh.id && document.getElementById(fresh.id);
      if (!old) continue;
      fresh.removeAttribute("hx-swap-oob");
      Idiomorph.morph(old, fresh, keep);
      htmx.process(document.getElementById(fresh.id));
    }
  };

  // Notices: those that count down leave at zero, the others after a while; nobody's own focus is taken away.
  const LEAVE = 9000;
  const leave = (notice) => { notice.classList.add("is-leaving"); setTimeout(() => notice.remove(), 200); };
  const tick = () => {
    const now = Date.now();
    for (const notice of $$("[data-notice]")) {
      const until = Number(notice.dataset.until || 0) * 1000;
      if (until) {
        const left = Math.max(0, until - now);
        const words = $(".countdown", notice);
        if (words) words.textContent = words.dataset.words.replace("{n}", Math.ceil(left / 1000));
        $("rect", notice)?.setAttribute("width", `${Math.min(100, left / 10 / Number(notice.dataset.seconds || 10))}%`);
        if (!left && !notice.classList.contains("is-leaving")) leave(notice);
      } else {
        notice.dataset.since = notice.dataset.since || String(now);
        const isHeld = notice.matches(":hover, :focus-within");
        if (isHeld) notice.dataset.since = String(now);
        else if (now - Number(notice.dataset.since) > LEAVE && !notice.classList.contains("is-leaving")) leave(notice);
      }
    }
    for (const state of $$(".state[data-until]")) {
      const left = Math.ceil(Number(state.dataset.until) - now / 1000);
      const words = $(".countdown", state);
      if (words) words.textContent = left > 0 ? state.dataset.words.replace("{n}", left) : "";
    }
    const shown = $$("#toasts [data-notice]");
    for (const old of shown.slice(3)) if (!old.dataset.until) old.remove();
  };
  setInterval(tick, 250);

  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close=notice]");
    if (close) close.closest("[data-notice]").remove();
    const opener = event.target.closest("[data-open]");
    if (opener) { event.preventDefault(); document.getElementById(opener.dataset.open)?.showModal(); }
    const expand = event.target.closest("[data-expand]");
    if (expand) $("iframe", expand.closest("details"))?.classList.toggle("is-tall");
    for (const menu of $$("details.more-acts[open]")) if (!menu.contains(event.target) || event.target.closest(".menu-item")) menu.open = false;
    if (event.target.tagName === "DIALOG" && event.target.open) event.target.close(); // the backdrop
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.busy !== undefined) for (const button of $$("button[type=submit]", form)) button.setAttribute("aria-disabled", "true");
  });

  // Dialogs that are fetched; acts in them close them.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "dialog") { const dialog = $("#dialog"); if (!dialog.open) dialog.showModal(); }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest?.("[data-closes=dialog]");
    if (form && event.detail.successful) $("#dialog")?.close();
    const undo = event.detail.elt.closest?.("[data-notice]");
    if (undo && event.detail.successful) undo.remove();
  });
  document.addEventListener("htmx:confirm", (event) => {
    const question = event.target.closest?.("[data-confirm]")?.dataset.confirm;
    if (!question) return;
    event.preventDefault();
    if (window.confirm(question)) event.detail.issueRequest(true);
  });
  document.addEventListener("htmx:sendError", () => dispatchEvent(new Event("balas:unreachable")));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) return;
    balas.notice(status === 404 ? document.body.dataset.gone || "There is nothing here any more." : event.detail.xhr.responseText.slice(0, 200) || `${status}`, true);
  });
  balas.notice = (words, isBad = false) => {
    const notice = document.createElement("div");
    notice.className = `undo-bar${isBad ? " is-bad" : ""}`;
    notice.dataset.notice = "";
    notice.setAttribute("role", "status");
    const text = document.createElement("p");
    text.textContent = words;
    notice.append(text);
    $("#toasts")?.prepend(notice);
  };

  document.addEventListener("balas:say", (event) => balas.notice(event.detail.words));

  // A mail as it was sent: what it would load and where its links mislead is asked for when its frame is first opened.
  const look = async (details) => {
    const place = $(".mail-look", details);
    if (!place || details.dataset.looked) return;
    details.dataset.looked = "1";
    try {
      place.innerHTML = await (await balas.get(details.dataset.look)).text();
      htmx.process(place);
    } catch { delete details.dataset.looked; }
  };
  const lookAtAll = () => { for (const details of $$("details[data-look][open]")) look(details); };
  document.addEventListener("toggle", (event) => { if (event.target.matches?.("details[data-look][open]")) look(event.target); }, true);
  document.addEventListener("DOMContentLoaded", lookAtAll);
  document.addEventListener("htmx:load", lookAtAll);
  document.addEventListener("balas:reload", (event) => {
    const frame = document.getElementsByName(event.detail.name)[0];
    if (frame) frame.src = frame.getAttribute("src");
  });

  // The pane of the thumb: one at a time.
  balas.pane = (isOpen) => { const work = $("#workspace"); if (work) { if (isOpen) work.dataset.pane = "conversation"; else delete work.dataset.pane; } };
})();
