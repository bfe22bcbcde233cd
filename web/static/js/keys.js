// Keys by character. A key presses what carries it as data-key; nothing here knows what an act does.
(() => {
  "use strict";
  const { $, $$ } = window.balas;
  const isWriting = (at) => at.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]") !== null;
  // What stands in a closed menu can still be pressed by its key.
  const isShown = (element) => element.getClientRects().length > 0 || element.closest("details.more-acts") !== null;

  const press = (key) => {
    const target = $$(`[data-key="${CSS.escape(key)}"]`).find(isShown);
    if (!target) return false;
    target.click();
    return true;
  };
  window.balas.press = press;

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      const palette = $("#palette");
      if (palette && !palette.open) palette.showModal();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isWriting(event.target)) {
      if (event.key === "Escape" && !event.target.closest("dialog")) event.target.blur();
      return;
    }
    const dialog = $("dialog[open]");
    if (dialog) {
      const choice = /^[1-9]$/.test(event.key) && $(`[data-number="${event.key}"]`, dialog);
      if (choice) { event.preventDefault(); choice.click(); }
      return;
    }
    if (event.key === "?") { event.preventDefault(); $("#help")?.showModal(); return; }
    if (event.key === "j" || event.key === "k") { event.preventDefault(); window.balas.step?.(event.key === "j" ? 1 : -1); return; }
    if (event.key === "Enter" && event.target.closest("a, button, summary, [role=button]") === null) { if (window.balas.openAt?.()) event.preventDefault(); return; }
    if (event.key === "Escape") { window.balas.leave?.(); return; }
    if (event.key.length === 1 && press(event.key)) event.preventDefault();
  });
})();
