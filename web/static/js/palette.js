// The command palette: acts that fit, places, and conversations found while somebody types.
(() => {
  "use strict";
  const { $, $$, get } = window.balas;
  const palette = $("#palette");
  if (!palette) return;
  const input = $(".palette-input", palette);
  const found = $("#palette-found");
  let waiting = 0;
  let asked = 0;

  const items = () => $$(".palette-item", palette).filter((item) => !item.hidden);
  const select = (item) => {
    for (const other of $$(".palette-item", palette)) other.setAttribute("aria-selected", String(other === item));
    if (item) { input.setAttribute("aria-activedescendant", item.id); item.scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  };
  const fits = (item) => {
    const needs = item.dataset.needs;
    if (needs === "conversation") return Boolean($("#conversation-head"));
    if (needs === "queue") return Boolean($("#queue"));
    return true;
  };
  const narrow = () => {
    const words = input.value.trim().toLowerCase();
    for (const item of $$("[data-group=do] .palette-item, [data-group=go] .palette-item", palette)) {
      item.hidden = !fits(item) || (words !== "" && !item.textContent.toLowerCase().includes(words));
    }
    select(items()[0]);
  };
  const look = async () => {
    const words = input.value.trim();
    const mine = ++asked;
    if (words.length < 2) { found.replaceChildren(); return; }
    try {
      const answer = await get(`${input.dataset.results}?q=${encodeURIComponent(words)}`);
      const html = await answer.text();
      if (mine !== asked) return; // somebody typed on
      found.innerHTML = html;
      if (!$(".palette-item[aria-selected=true]:not([hidden])", palette)) select(items()[0]);
    } catch { /* the connection banner says it */ }
  };
  const run = (item) => {
    if (!item) return;
    palette.close();
    if (item.dataset.press) window.balas.press(item.dataset.press) || (item.dataset.press === "?" && $("#help").showModal());
    else if (item.dataset.go) location.assign(item.dataset.go);
  };

  input.addEventListener("input", () => { narrow(); clearTimeout(waiting); waiting = setTimeout(look, 120); });
  input.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.findIndex((item) => item.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter" && all[at]) { event.preventDefault(); run(all[at]); }
  });
  palette.addEventListener("click", (event) => run(event.target.closest(".palette-item")));
  palette.addEventListener("toggle", () => { if (palette.open) { input.value = ""; found.replaceChildren(); narrow(); input.focus(); } });
  new MutationObserver(() => { if (palette.open) { narrow(); input.focus(); } }).observe(palette, { attributes: true, attributeFilter: ["open"] });
  palette.addEventListener("close", () => { input.value = ""; found.replaceChildren(); });
})();
