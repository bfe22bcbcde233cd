// Editing a template: how it will look, beside it, while somebody types.
(() => {
  "use strict";
  const { $, $$, token } = window.balas;
  const form = $("form[data-preview]");
  const shown = $("[data-preview-text]");
  let field = $("[data-body]");
  let waiting = 0;
  let asked = 0;

  const look = async () => {
    const mine = ++asked;
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams({ body: field.value }), credentials: "same-origin", headers: { "X-CSRFToken": token() } });
    if (mine !== asked || !answer.ok) return;
    const found = await answer.json();
    shown.replaceChildren();
    for (const part of (found.problem || found.text).split(/\n[ \t]*\n/)) {
      const line = document.createElement("p");
      for (const [number, piece] of part.split("\n").entries()) { if (number) line.append(document.createElement("br")); line.append(piece); }
      shown.append(line);
    }
    shown.classList.toggle("is-problem", Boolean(found.problem));
  };
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(() => look().catch(() => {}), 250); };
  for (const one of $$("[data-body]")) {
    one.addEventListener("focus", () => { field = one; soon(); });
    one.addEventListener("input", () => { field = one; soon(); });
  }
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-variable]");
    if (!chip) return;
    field.setRangeText(`{{ ${chip.dataset.variable} }}`, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    soon();
  });
  field = $$("[data-body]").find((one) => one.value) || field;
  look().catch(() => {});
})();
