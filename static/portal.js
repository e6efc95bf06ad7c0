// The reader's time zone, copy buttons, and partials that update themselves. Everything else works without JavaScript.

// The server shows times in the zone that this cookie names.

function storeTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || !/^[\w+\-/]+$/.test(zone)) return;
  const [prefix, secure] = location.protocol === "https:" ? ["__Host-", "; Secure"] : ["", ""];
  document.cookie = `${prefix}time_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

function showCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = (button.dataset.label ??= button.textContent); // at a second click it says "Copied" already
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    button.textContent = "Copied";
  } catch {
    source.select?.();
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => (button.textContent = label), 2000);
});

// Two clicks send a form once: sent twice, a token that is rotated would end at once.

const IMPATIENT_MS = 5000;

document.addEventListener("submit", (event) => {
  const { dataset, method } = event.target;
  if (event.defaultPrevented || method !== "post") return;
  if (event.timeStamp - (dataset.sentAt ?? -Infinity) < IMPATIENT_MS) event.preventDefault();
  else dataset.sentAt = event.timeStamp;
});

// Menus are closed by Escape, and by a click or the focus elsewhere.

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
}

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// "/" leads to the search of the list that the focus is in, unless a field is being typed in. Elsewhere a single
// key does nothing: who speaks to their computer would press it unawares (WCAG 2.1.4).

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  const search = event.target.closest("section")?.querySelector("input[type=search]");
  if (search) event.preventDefault();
  search?.focus();
});

// Messages can be dismissed. A toast is also gone once the page that it was shown on is left.

const TOAST_SECONDS = 8; // a toast stays at least this long, even if the page is updated

function showMessages() {
  for (const button of document.querySelectorAll("button[data-dismiss]")) {
    button.hidden = false;
    button.addEventListener("click", () => button.parentElement.remove());
  }
  const toasts = document.querySelector("[data-toasts]");
  if (!toasts) return;
  // what is in a live region from the beginning isn't read out
  for (const toast of toasts.querySelectorAll("[role=status]")) {
    setTimeout(() => toast.isConnected && toasts.append(toast), 100); // unless it was dismissed meanwhile
  }
  addEventListener("pagehide", () => toasts.remove());
}

function endToasts() {
  if (performance.now() > 1000 * TOAST_SECONDS) document.querySelector("[data-toasts]")?.remove();
}

// Where tabs don't fit, the current one is in view.

function showCurrentTab() {
  const tab = document.querySelector(".tabs [aria-current]");
  const tabs = tab?.closest(".tabs");
  if (tabs) tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
}

// What a person opened, focused or typed survives an update.

const identityOf = (element) =>
  element.id || `${element.parentElement.id} ${element.tagName} ${element.textContent.trim()}`;

function isBusy(region) {
  const selection = getSelection();
  if (!selection.isCollapsed && region.contains(selection.anchorNode)) return true;
  return [...region.querySelectorAll("input, select, textarea")].some((field) => {
    if (field.type === "hidden" || field.readOnly) return false;
    if (field === document.activeElement && field.type !== "checkbox") return true;
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") return [...field.options].some((one) => one.selected && !one.defaultSelected);
    return field.value !== field.defaultValue;
  });
}

function replaceContent(region, html) {
  // the server says data-open of what it sends open: a person may open or close it before this script runs
  const touched = [...region.querySelectorAll("details")].filter((one) => one.open !== ("open" in one.dataset));
  const details = new Map(touched.map((one) => [identityOf(one), one.open]));
  const focused = region.contains(document.activeElement) ? identityOf(document.activeElement) : "";
  region.innerHTML = html;
  for (const one of region.querySelectorAll("details")) {
    if (details.has(identityOf(one))) one.open = details.get(identityOf(one));
  }
  showCopyButtons(region);
  if (focused) {
    const again = [...region.querySelectorAll("a, button, input, summary, pre")].find((one) => identityOf(one) === focused);
    region.tabIndex = -1;
    (again ?? region.querySelector("#next-step") ?? region).focus({ preventScroll: true });
  }
}

const pausers = []; // one for each region; any pause button pauses them all

function keepUpToDate(region) {
  const part = region.dataset.live;
  const interval = 1000 * (Number(region.dataset.liveSeconds) || 5);
  const bar = document.querySelector(`[data-live-bar="${part}"]`);
  const status = bar.querySelector("[role=status]");
  const pause = bar.querySelector("button");
  const label = bar.querySelector("[data-live-label]");
  let tag = ""; // of what is shown: while the server has the same, it answers 304
  let wasReplaced = false; // the first answer differs from the page in nothing but white space
  let failures = 0;
  let timer = 0;

  const announce = (text) => {
    if (text && status.textContent !== text) status.textContent = text;
  };

  async function update() {
    timer = setTimeout(update, interval * Math.min(2 ** failures, 12));
    if (document.visibilityState !== "visible" || isBusy(region)) return;
    let response;
    try {
      response = await fetch(location.href, {
        headers: {
          "X-Live-Part": part,
          ...(tag && { "If-None-Match": tag }),
        },
        cache: "no-store",
      });
    } catch {
      failures += 1;
      return;
    }
    if (response.redirected || response.status === 403 || response.status === 404) {
      clearTimeout(timer);
      pause.hidden = true;
      bar.classList.add("is-over");
      label.textContent = "No longer updated: reload the page";
      announce("This is no longer updated. Reload the page.");
      return;
    }
    failures = response.ok || response.status === 304 ? 0 : failures + 1;
    if (!response.ok) return;
    const html = await response.text();
    if (isBusy(region) || pause.getAttribute("aria-pressed") === "true") return;
    tag = response.headers.get("ETag");
    if (wasReplaced) endToasts();
    wasReplaced = true;
    replaceContent(region, html);
    announce(region.querySelector("[data-announce]")?.dataset.announce);
  }

  bar.hidden = false;
  pausers.push((isPaused) => {
    pause.setAttribute("aria-pressed", String(isPaused));
    bar.classList.toggle("is-paused", isPaused);
    label.textContent = isPaused ? "Paused" : "Live";
    clearTimeout(timer);
    announce(isPaused ? "Updates are paused." : "Updates automatically.");
    if (!isPaused) update();
  });
  pause.addEventListener("click", () => {
    const isPaused = pause.getAttribute("aria-pressed") !== "true";
    for (const setPaused of pausers) setPaused(isPaused);
  });
  timer = setTimeout(update, interval);
}

storeTimeZone();
showCopyButtons(document);
showMessages();
showCurrentTab();
for (const region of document.querySelectorAll("[data-live]")) keepUpToDate(region);
