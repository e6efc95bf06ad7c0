// Passkeys: a form that has data-passkey asks the browser for one, and sends its answer in the field "passkey".
// What the browser needs is in data-options, or is fetched from data-options-url when the form is sent.

const FAILED = "No passkey was used: it was cancelled, took too long, or this device has none for the portal. Try again.";
const TOO_MANY = "Passkeys were asked for too often from your network. Wait a minute, or sign in with your password.";
const UNKNOWN = "The portal didn't answer. Load the page again.";

function isSupported() {
  const kind = window.PublicKeyCredential;
  return Boolean(kind?.parseRequestOptionsFromJSON && kind?.parseCreationOptionsFromJSON && kind.prototype.toJSON);
}

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(form.dataset.optionsUrl, { method: "POST", headers: { "X-CSRFToken": token } });
  if (answer.status === 429) throw new RangeError(TOO_MANY);
  if (!answer.ok) throw new TypeError(UNKNOWN);
  return answer.json();
}

async function ask(form) {
  const options = await optionsOf(form);
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

function explain(form, error) {
  const isKnown = error.name === "InvalidStateError" && form.dataset.passkey === "create";
  const ofAnswer = error instanceof RangeError ? TOO_MANY : error instanceof TypeError ? UNKNOWN : FAILED;
  const text = isKnown ? "This device has a passkey of yours already." : ofAnswer;
  const note = form.querySelector("[data-passkey-note]");
  note.textContent = text;
  note.hidden = false;
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    form.elements.passkey.value = JSON.stringify(await ask(form));
    form.submit();
  } catch (error) {
    explain(form, error);
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const fallback = document.querySelector("[data-without-passkey]");
  if (isSupported()) {
    form.hidden = false;
    if (fallback) fallback.hidden = true;
    form.addEventListener("submit", send);
  }
}
