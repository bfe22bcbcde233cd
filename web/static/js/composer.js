// Writing: autosave, blanks that block, templates by "/", files, the warning that somebody wrote meanwhile.
(() => {
  "use strict";
  const { $, $$, get, token, say } = window.balas;
  const BLANK = /⟦[^⟦⟧\n]{1,80}⟧/g;
  const form = () => $("#composer[data-draft]");
  const text = () => $("#composer-text");
  let saving = 0;
  let isDirty = false;
  let asked = 0;

  // --- blanks ---
  const blanks = () => [...new Set(text()?.value.match(BLANK) || [])];
  const draw = () => {
    const area = text();
    if (!area) return;
    const mirror = $("[data-mirror]");
    mirror.replaceChildren();
    let end = 0;
    const excess = excessAt(area.value);
    const put = (words, at, kind) => {
      // What does not fit is marked from its first character on, whatever else it is.
      const cut = Math.min(words.length, Math.max(0, excess - at));
      for (const [part, isOver] of [[words.slice(0, cut), false], [words.slice(cut), true]]) {
        if (!part) continue;
        if (!kind && !isOver) { mirror.append(part); continue; }
        const mark = document.createElement("mark");
        if (isOver) mark.className = "is-excess";
        mark.textContent = part;
        mirror.append(mark);
      }
    };
    for (const found of area.value.matchAll(BLANK)) {
      put(area.value.slice(end, found.index), end, "");
      put(found[0], found.index, "blank");
      end = found.index + found[0].length;
    }
    put(area.value.slice(end), end, "");
    mirror.append("\n");
    mirror.scrollTop = area.scrollTop;
    const missing = blanks();
    const gate = $("[data-blank-gate]");
    gate.hidden = !missing.length;
    const head = $("b", gate);
    head.textContent = missing.length === 1 ? head.dataset.one : head.dataset.many;
    $("[data-blanks]", gate).textContent = missing.map((one) => one.replace(/[⟦⟧]/g, "").trim()).join(", ");
    $("[data-send]")?.setAttribute("aria-disabled", String(missing.length > 0 || !area.value.trim()));
  };
  // --- what the platform makes of it: asked of the server after a pause, never in the way of the next key ---
  let measured = ""; // the words that the shown figures are of
  let measuring = 0;
  const excessAt = (words) => {
    const told = $("#composer-count")?.dataset.excess;
    if (told === undefined || (measured !== words && !words.startsWith(measured))) return Infinity;
    return [...words].slice(0, Number(told)).join("").length; // the server counts code points
  };
  const measure = async () => {
    const here = form();
    if (!here?.dataset.measure || !text()) return;
    const mine = ++measuring;
    const words = text().value;
    const data = new FormData(here);
    data.delete("files");
    try {
      const answer = await fetch(here.dataset.measure, { method: "POST", body: new URLSearchParams(data), credentials: "same-origin", headers: { "X-CSRFToken": token(), "HX-Request": "true" } });
      if (!answer.ok || answer.status === 204) return;
      const html = await answer.text();
      if (mine !== measuring || form() !== here) return; // something newer was asked
      measured = words;
      window.balas.morph(html);
      draw();
    } catch { /* the next pause asks again, and sending asks in any case */ }
  };
  let pause = 0;
  const measureSoon = () => { clearTimeout(pause); pause = setTimeout(measure, 180); };

  const fill = () => {
    const area = text();
    const found = area.value.slice(area.selectionEnd).search(BLANK);
    const start = found >= 0 ? area.selectionEnd + found : area.value.search(BLANK);
    if (start < 0) return false;
    const length = area.value.slice(start).match(BLANK)[0].length;
    area.focus();
    area.setSelectionRange(start, start + length);
    return true;
  };

  const write = () => { const area = text(); if (!area) return; area.focus(); area.setSelectionRange(area.value.length, area.value.length); };

  // --- the draft ---
  const local = () => `balas-draft-${document.body.dataset.me}-${form()?.dataset.conversation}-${form()?.dataset.mode}`;
  const save = async (isLeaving = false) => {
    const here = form();
    if (!here || !isDirty) return;
    isDirty = false;
    const data = new FormData(here);
    data.delete("files");
    const kept = $("[data-kept]", here);
    try {
      const answer = await fetch(here.dataset.draft, { method: "POST", body: new URLSearchParams(data), keepalive: isLeaving, credentials: "same-origin", headers: { "X-CSRFToken": token() } });
      const said = await answer.json();
      if (kept && said.kept_at) kept.textContent = kept.dataset.words ? kept.dataset.words.replace("{time}", said.kept_at) : `✓ ${said.kept_at}`;
      if (said.is_stale) warn();
      localStorage.removeItem(local());
      dispatchEvent(new Event("balas:reachable"));
    } catch {
      dispatchEvent(new Event("balas:unreachable"));
      isDirty = true; // offline: kept here, and sent when the connection is back
      try { localStorage.setItem(local(), text()?.value || ""); } catch { /* full or forbidden: the field still holds it */ }
      clearTimeout(saving);
      saving = setTimeout(save, 5000);
    }
  };
  const typed = () => { isDirty = true; draw(); measureSoon(); clearTimeout(saving); saving = setTimeout(save, 700); };
  window.addEventListener("pagehide", () => { save(true); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(true); });
  window.addEventListener("online", () => save());

  // --- somebody wrote meanwhile ---
  const warn = (name = "") => {
    const gate = $("[data-stale-gate]");
    if (!gate || !text()?.value.trim()) return;
    const words = $("[data-stale-words]", gate);
    if (name) words.textContent = words.dataset.staleWords.replace("{name}", name);
    gate.hidden = false;
    say(words.textContent);
  };
  window.balas.arrived = () => {
    const newest = $$("#timeline .message").filter((one) => one.dataset.direction !== "note").at(-1);
    const seen = Number(form()?.elements.seen_message?.value || 0);
    if (newest && newest.dataset.direction === "inbound" && Number(newest.dataset.message) > seen) warn(newest.dataset.who);
  };
  const haveSeen = () => {
    const newest = $$("#timeline .message").filter((one) => one.dataset.direction !== "note").map((one) => BigInt(one.dataset.message));
    const field = form()?.elements.seen_message;
    if (field && newest.length) field.value = String(newest.reduce((a, b) => (a > b ? a : b)));
    $("[data-stale-gate]").hidden = true;
    isDirty = true;
    save();
    text().focus();
  };

  // --- templates ---
  const menu = () => $("#template-menu");
  let slashAt = -1;
  let wanted = "";
  const language = () => { try { return sessionStorage.getItem(`balas-language-${form()?.dataset.conversation}`) || ""; } catch { return ""; } };
  const closeMenu = () => { const at = menu(); if (at) { at.hidden = true; slashAt = -1; } };
  const askTemplates = async (words) => {
    const at = menu();
    if (!at) return;
    const mine = ++asked;
    wanted = words;
    const answer = await get(`${at.dataset.url}?q=${encodeURIComponent(words)}&language=${language()}`);
    const html = await answer.text();
    if (mine !== asked) return;
    at.innerHTML = html;
    at.hidden = false;
  };
  const insert = async (item) => {
    const area = text();
    const answer = await get(item.dataset.insert);
    const found = await answer.json();
    const start = slashAt >= 0 ? slashAt : area.selectionStart;
    const end = slashAt >= 0 ? area.selectionEnd : area.selectionEnd;
    closeMenu();
    area.focus();
    area.setRangeText(found.body, start, end, "end");
    form().elements.template_version.value = found.version;
    typed();
    if (found.missing.length) { area.setSelectionRange(start, start); fill(); }
  };
  const chosen = () => $("[aria-selected=true]", menu());
  const move = (by) => {
    const all = $$("[data-insert]", menu());
    if (!all.length) return;
    const next = all[(all.indexOf(chosen()) + by + all.length) % all.length];
    for (const one of all) one.setAttribute("aria-selected", String(one === next));
    next.scrollIntoView({ block: "nearest" });
  };
  const slash = () => {
    const area = text();
    const before = area.value.slice(0, area.selectionStart);
    const found = before.match(/(?:^|\n)\/([^\n]{0,60})$/);
    if (!found) { if (slashAt >= 0) closeMenu(); return; }
    slashAt = before.length - found[1].length - 1;
    askTemplates(found[1].trim()).catch(() => {});
  };

  document.addEventListener("input", (event) => {
    if (!event.target.closest("#composer")) return;
    if (event.target.matches("[data-text]")) { typed(); if (menu()) slash(); }
    else if (event.target.type !== "file") { isDirty = true; measureSoon(); clearTimeout(saving); saving = setTimeout(save, 700); }
  });
  // Another account may have other rules: the composer comes again, with the draft as it stands.
  document.addEventListener("change", async (event) => {
    if (!event.target.matches?.("[data-account-choice]")) return;
    isDirty = true;
    await save();
    htmx.ajax("GET", event.target.dataset.reload, { target: "#composer", swap: "outerHTML" });
  });
  document.addEventListener("scroll", (event) => { if (event.target.id === "composer-text") $("[data-mirror]").scrollTop = event.target.scrollTop; }, true);
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "composer-text") return;
    const isOpen = menu() && !menu().hidden;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); $("[data-send]").click(); }
    else if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); }
    else if (isOpen && (event.key === "Enter" || event.key === "Tab") && chosen()) { event.preventDefault(); insert(chosen()); }
    else if (isOpen && event.key === "Escape") { event.preventDefault(); event.stopPropagation(); closeMenu(); }
    else if (event.key === "Tab" && !event.shiftKey && blanks().length) { if (fill()) event.preventDefault(); }
  }, true);
  document.addEventListener("click", (event) => {
    const item = event.target.closest("[data-insert]");
    const tongue = event.target.closest("[data-language]");
    if (tongue) {
      try { sessionStorage.setItem(`balas-language-${form().dataset.conversation}`, tongue.dataset.language); } catch { /* only this once, then */ }
      askTemplates(wanted).catch(() => {});
      text().focus();
    } else if (item) insert(item);
    else if (event.target.closest("[data-templates]")) { if (menu().hidden) { slashAt = -1; askTemplates("").catch(() => {}); text().focus(); } else closeMenu(); }
    else if (menu() && !event.target.closest("#composer")) closeMenu();
    if (event.target.closest("[data-fill]")) fill();
    if (event.target.closest("[data-seen]")) haveSeen();
    const choice = event.target.closest("[data-mode-choice]");
    if (choice && choice.hasAttribute("aria-current")) { event.preventDefault(); event.stopPropagation(); write(); }
  }, true);

  // --- files ---
  document.addEventListener("change", async (event) => {
    const field = event.target;
    if (!field.matches?.("[data-upload]") || !field.files.length) return;
    const data = new FormData();
    for (const file of field.files) data.append("files", file);
    field.value = "";
    isDirty = true;
    await save();
    const answer = await fetch(field.dataset.upload, { method: "POST", body: data, credentials: "same-origin", headers: { "X-CSRFToken": token(), "HX-Request": "true" } });
    if (answer.ok || answer.status === 422) window.balas.morph(await answer.text());
    else window.balas.notice(`${answer.status}`, true);
  });

  // --- sending ---
  document.addEventListener("htmx:confirm", (event) => {
    if (event.target.id !== "composer" || !event.detail.elt.matches("#composer")) return;
    const isBlocked = $("[data-send]")?.getAttribute("aria-disabled") === "true";
    if (isBlocked) { event.preventDefault(); if (blanks().length) fill(); else text().focus(); return; }
    clearTimeout(saving);
    isDirty = false;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches?.("[data-mode-choice]")) save(true);
    if (event.detail.elt.id === "composer") event.detail.elt.classList.add("is-sending");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "composer") return;
    event.detail.elt.classList.remove("is-sending");
    if (!event.detail.successful && event.detail.xhr.status !== 422) { isDirty = true; save(); }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!form()) return;
    const isComposer = event.target.id === "composer" || event.detail.elt?.id === "composer";
    measured = text()?.value ?? "";
    draw();
    if (!isComposer) return;
    try {
      const lost = localStorage.getItem(local());
      if (lost && text() && lost.length > text().value.length) { text().value = lost; typed(); }
    } catch { /* no storage: nothing was kept there */ }
    const asker = event.detail.requestConfig?.elt;
    if (asker?.matches?.("form.composer") && event.detail.xhr.status === 200) $("#conversation").focus({ preventScroll: true }); // so that z undoes at once
    else if ($("#composer [data-mends] button")) $("#composer [data-mends] button").focus(); // 1 and 2 choose
    else if (asker?.matches?.("[data-mode-choice], form.composer") || event.detail.requestConfig?.triggeringEvent?.type === "click") write();
  });
  // The key of the reply goes to the words; who reads them is chosen with Tab and the arrows before.
  document.addEventListener("click", (event) => { if (event.target.closest("[data-write]")) { event.preventDefault(); write(); } });
  if (form()) { measured = text()?.value ?? ""; draw(); }
})();
