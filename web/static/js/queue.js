// The list: where the keys stand, which row is open, what is new above it, and clocks that go on.
(() => {
  "use strict";
  const { $, $$, get } = window.balas;
  const tab = () => document.body.dataset.tab || "open";
  const openId = () => $("#conversation")?.dataset.id || "";
  const rows = () => $$("#queue-list .row[data-id]");
  const waiting = new Set(); // conversations that are not in the list and may belong there
  let isAsking = 0;

  // --- keys ---
  const at = () => $("#queue-list .row.is-at") || $("#queue-list .row.is-open");
  window.balas.step = (by) => {
    const all = rows();
    if (!all.length) return;
    const here = all.indexOf(at());
    const next = all[Math.min(all.length - 1, Math.max(0, here + by))];
    for (const row of all) row.classList.toggle("is-at", row === next);
    next.scrollIntoView({ block: "nearest" });
    $(".row-who", next).focus({ preventScroll: true });
  };
  window.balas.openAt = () => { const row = at(); if (row) $(".row-who", row).click(); return Boolean(row); };
  window.balas.leave = () => { if ($("#workspace")?.dataset.pane) { window.balas.pane(false); history.pushState({}, "", `/q/${tab()}`); } };

  // --- which tab ---
  const showTab = () => $(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  showTab();

  // --- which row is open ---
  const showOpen = () => {
    const id = openId();
    for (const row of rows()) {
      const isOpen = row.dataset.id === id;
      row.classList.toggle("is-open", isOpen);
      const link = $(".row-who", row);
      if (isOpen) { link.setAttribute("aria-current", "true"); row.classList.remove("is-at"); } else link.removeAttribute("aria-current");
    }
  };
  const toEnd = (isQuick = true) => {
    const scroll = $("#conversation-scroll");
    if (!scroll) return;
    const first = $(".message.is-unread", scroll) || $(".timeline > :last-child", scroll);
    if (location.hash.startsWith("#m-") && $(location.hash, scroll)) { $(location.hash, scroll).scrollIntoView(); return; }
    if (first) first.scrollIntoView({ block: isQuick ? "start" : "nearest" });
    if (!$(".message.is-unread", scroll)) scroll.scrollTop = scroll.scrollHeight;
  };
  window.balas.toEnd = toEnd;

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "conversation" || event.detail.target?.id === "conversation") {
      showOpen();
      window.balas.pane(true);
      toEnd();
      document.title = $("#conversation")?.dataset.title || document.title;
      const who = $("#subject");
      if (who) window.balas.say(who.textContent);
    }
    if (event.detail.target?.id === "queue") { showOpen(); showTab(); news(); }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-back]") && $("#queue .row")) { event.preventDefault(); window.balas.leave(); showOpen(); }
    const fresh = event.target.closest("[data-fresh]");
    if (fresh) { event.preventDefault(); refresh(); }
  });
  window.addEventListener("popstate", () => location.reload());

  // --- what is new ---
  const refresh = async () => {
    waiting.clear();
    const answer = await get(`/q/${tab()}?beside=${openId()}`);
    window.balas.morph(await answer.text());
    $("#queue-list")?.scrollTo({ top: 0 });
    showOpen();
  };
  const news = async () => {
    const pill = $("#new-pill");
    if (!pill || !waiting.size) { if (pill) pill.replaceChildren(); return; }
    const known = new Set(rows().map((row) => row.dataset.id));
    const ids = [...waiting].filter((id) => !known.has(id));
    if (!ids.length) { pill.replaceChildren(); return; }
    const answer = await get(`${pill.dataset.url}?ids=${ids.slice(-50).join(",")}`);
    pill.innerHTML = await answer.text();
    if (!rows().length && pill.firstElementChild) await refresh(); // an empty list has nothing that could move
  };
  const freshRows = async (ids) => {
    const answer = await get(`/q/${tab()}/rows?ids=${ids.join(",")}&open=${openId()}`);
    window.balas.morph(await answer.text());
    showOpen();
  };

  // Called by live.js with everything that changed since it last called.
  window.balas.changed = async (ids) => {
    if (isAsking) { for (const id of ids) waiting.add(id); }
    isAsking += 1;
    try {
      const known = new Set(rows().map((row) => row.dataset.id));
      const shown = ids.filter((id) => known.has(id));
      for (const id of ids) if (!known.has(id)) waiting.add(id);
      if (shown.length) await freshRows(shown.slice(0, 20));
            await news();
    } finally { isAsking -= 1; }
  };
  window.balas.resync = async () => {
    const ids = rows().map((row) => row.dataset.id).slice(0, 20);
    if (ids.length) await freshRows(ids);
  };

  // --- clocks go on, rows do not move ---
  const clocks = async () => {
    const ids = rows().map((row) => row.dataset.id);
    if (!ids.length || document.hidden) return;
    const { times } = await (await get(`/q/${tab()}/clocks?ids=${ids.slice(0, 150).join(",")}`)).json();
    for (const [id, time] of Object.entries(times)) {
      const row = document.getElementById(`row-${id}`);
      const badge = row && $(".time-left", row);
      if (!badge) continue;
      badge.dataset.stage = time.stage;
      $(".time-word", badge).textContent = time.word;
      const use = $("use", badge);
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#t-${time.shape}`));
      const rule = $(".time-rule", row);
      rule.dataset.stage = time.stage;
      $("rect", rule).setAttribute("width", `${time.width}%`);
      if (time.stage === "late") row.dataset.stage = "late"; else delete row.dataset.stage;
    }
  };
  setInterval(() => clocks().catch(() => {}), 30000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) clocks().catch(() => {}); });

  showOpen();
  toEnd();
})();
