// The tail of live events: one stream per browser, shared by its tabs. Events are ids; what is shown is fetched.
(() => {
  "use strict";
  const { $, get, morph } = window.balas;
  const banner = $("#connection");
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("balas-live") : null;
  let ids = new Set();
  let hasCounters = false;
  let timer = 0;
  let lostAt = null;

  const refreshOpen = async (detail = {}) => {
    const open = $("#conversation[data-live]");
    if (!open) return;
    const before = document.querySelectorAll("#timeline .message").length;
    const scroll = $("#conversation-scroll");
    const wasAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 160;
    const isSeen = !document.hidden && document.hasFocus();
    const answer = await get(`${open.dataset.live}&seen=${isSeen ? 1 : 0}`);
    if ($("#conversation") !== open) return; // somebody went on meanwhile
    morph(await answer.text());
    const isLonger = document.querySelectorAll("#timeline .message").length > before;
    if (detail.scroll || (isLonger && wasAtEnd)) scroll.scrollTop = scroll.scrollHeight;
    if (isLonger) window.balas.arrived?.();
  };
  window.balas.refreshOpen = refreshOpen;

  window.balas.count = async () => {
    const { counts } = await (await get("/counters")).json();
    for (const [name, number] of Object.entries(counts)) {
      for (const id of [`rail-count-${name}`, `tab-count-${name}`]) {
        const shown = document.getElementById(id);
        if (shown) shown.textContent = number || "";
      }
    }
  };

  const settle = async () => {
    const changed = [...ids];
    const counters = hasCounters;
    ids = new Set();
    hasCounters = false;
    try {
      const open = $("#conversation")?.dataset.id;
      if (open && changed.includes(open)) await refreshOpen();
      if (counters || changed.length) await window.balas.count();
      await window.balas.changed?.(changed);
    } catch { /* the next event asks again */ }
  };
  const hear = (event) => {
    if (event.topic === "resync") { window.balas.count().then(() => window.balas.resync?.()).catch(() => {}); refreshOpen().catch(() => {}); return; }
    if (event.topic === "conversation") ids.add(event.subject);
    else hasCounters = true;
    clearTimeout(timer);
    timer = setTimeout(settle, 150);
  };
  const online = (isOn) => {
    if (!banner) return;
    if (isOn) { lostAt = null; banner.hidden = true; return; }
    lostAt = lostAt || new Date();
    setTimeout(() => {
      if (!lostAt) return;
      const words = $("[data-offline]", banner);
      words.textContent = words.dataset.offline.replace("{time}", lostAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }));
      banner.hidden = false;
    }, 3000);
  };
  const handle = (message) => {
    if (message.kind === "change") hear(message.event);
    else if (message.kind === "online") { if (lostAt && message.isOn) hear({ topic: "resync" }); online(message.isOn); }
    else if (message.kind === "out") location.assign("/sign-in");
  };
  const tell = (message) => { handle(message); channel?.postMessage(message); };
  if (channel) channel.onmessage = (message) => handle(message.data);

  // A stream may look open long after the network has gone: what fails to be sent says it first.
  addEventListener("offline", () => online(false));
  addEventListener("balas:unreachable", () => online(false));
  addEventListener("online", () => tell({ kind: "online", isOn: true }));
  addEventListener("balas:reachable", () => { if (lostAt) tell({ kind: "online", isOn: true }); });

  let last = 0;
  let isClosing = false;
  addEventListener("pagehide", () => { isClosing = true; });
  const listen = () => {
    const since = document.body.dataset.since;
    const source = new EventSource(`/events?${last ? `after=${last}` : `since=${since}`}`);
    source.addEventListener("hello", () => tell({ kind: "online", isOn: true }));
    source.addEventListener("change", (event) => {
      last = Number(event.lastEventId) || last;
      tell({ kind: "change", event: JSON.parse(event.data) });
    });
    source.addEventListener("signed-out", () => { source.close(); tell({ kind: "out" }); });
    source.onerror = () => {
      if (isClosing) return;
      tell({ kind: "online", isOn: false });
      // Where the server refused, a browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    };
  };
  // One tab holds the lock and the stream; when it closes, the next takes over.
  if (channel && navigator.locks) navigator.locks.request("balas-live", () => { listen(); return new Promise(() => {}); });
  else listen();

  document.addEventListener("balas:changed", (event) => {
    const id = String(event.detail?.id || "");
    if ($("#conversation")?.dataset.id === id) refreshOpen(event.detail).catch(() => {});
    if (event.detail?.composer) {
      const composer = $("#composer");
      if (composer && $("#conversation")?.dataset.id === id) htmx.ajax("GET", `/c/${id}/composer`, { target: "#composer", swap: "outerHTML" });
    }
  });
})();
