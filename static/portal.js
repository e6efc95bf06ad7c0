// The reader's time zone, copy buttons, and parts of a page that keep themselves up to date. Everything else works without this file.

// The server shows times in the zone that this cookie names; a page that is open keeps the zone it was made in.

function tellTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || !/^[\w+\-/]+$/.test(zone)) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `time_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

function showCopyButtons(within) {
  if (!navigator.clipboard) return;
  for (const button of within.querySelectorAll("button[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    button.textContent = "Copied";
  } catch {
    source.select?.();
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => (button.textContent = label), 2000);
});

// What a person opened, focused or typed must survive an update.

const named = (element) =>
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

const asSent = new WeakMap(); // details → whether the server sent them open

function remember(region) {
  for (const one of region.querySelectorAll("details")) asSent.set(one, one.open);
}

function replaceContent(region, html) {
  const touched = [...region.querySelectorAll("details")].filter((one) => one.open !== asSent.get(one));
  const details = new Map(touched.map((one) => [named(one), one.open]));
  const focused = region.contains(document.activeElement) ? named(document.activeElement) : "";
  region.innerHTML = html;
  remember(region);
  for (const one of region.querySelectorAll("details")) {
    if (details.has(named(one))) one.open = details.get(named(one));
  }
  showCopyButtons(region);
  if (focused) {
    const again = [...region.querySelectorAll("a, button, input, summary, pre")].find((one) => named(one) === focused);
    region.tabIndex = -1;
    (again ?? region).focus({ preventScroll: true });
  }
}

function keepUpToDate(region) {
  const part = region.dataset.live;
  const every = 1000 * (Number(region.dataset.liveSeconds) || 5);
  const bar = document.querySelector(`[data-live-bar="${part}"]`);
  const said = bar.querySelector("[role=status]");
  const pause = bar.querySelector("button");
  let before = "";
  let failures = 0;
  let timer = 0;

  const say = (text) => {
    if (text && said.textContent !== text) said.textContent = text;
  };

  async function look() {
    timer = setTimeout(look, every * Math.min(2 ** failures, 12));
    if (document.visibilityState !== "visible" || isBusy(region)) return;
    let answer;
    try {
      answer = await fetch(location.href, {
        headers: { "X-Live-Part": part, "X-Time-Zone": document.documentElement.dataset.timeZone ?? "" },
        cache: "no-store",
      });
    } catch {
      failures += 1;
      return;
    }
    if (answer.redirected || answer.status === 403 || answer.status === 404) {
      clearTimeout(timer);
      pause.hidden = true;
      say("This is no longer updated. Reload the page.");
      return;
    }
    failures = answer.ok ? 0 : failures + 1;
    if (!answer.ok) return;
    const html = await answer.text();
    const now = html.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
    if (now === before || isBusy(region) || pause.getAttribute("aria-pressed") === "true") return;
    before = now;
    replaceContent(region, html);
    say(region.querySelector("[data-say]")?.dataset.say);
  }

  remember(region);
  bar.hidden = false;
  pause.addEventListener("click", () => {
    const isPaused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(isPaused));
    clearTimeout(timer);
    say(isPaused ? "Updates are paused." : "Updates by itself.");
    if (!isPaused) look();
  });
  timer = setTimeout(look, every);
}

tellTimeZone();
showCopyButtons(document);
for (const region of document.querySelectorAll("[data-live]")) keepUpToDate(region);
