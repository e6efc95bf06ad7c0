// Names variables that don't exist while a person types; saving checks them again on the server.
const form = document.querySelector("form[data-variables]");
if (form) {
  const known = new Set(form.dataset.variables.split(" "));
  const warning = document.getElementById("unknown-variables");
  const check = () => {
    const text = `${form.elements.subject.value}\n${form.elements.body.value}`;
    const names = [...text.matchAll(/\{([^{}\n]{0,60})\}/g)].map((match) => match[1]);
    const unknown = [...new Set(names)].filter((name) => !known.has(name));
    warning.hidden = unknown.length === 0;
    warning.textContent = unknown.length ? `No such variable: ${unknown.map((name) => `{${name}}`).join(", ")}` : "";
  };
  form.addEventListener("input", check);
  check();
}
