// One click is one sign-in: the link works once, and the second of two clicks would be told that it is used.
const form = document.querySelector("form");
const button = form.querySelector("button");
const status = form.querySelector("[role=status]");

const sent = (is) => {
  button.disabled = is;
  status.textContent = is ? status.dataset.sent : "";
};

form.addEventListener("submit", () => sent(true));

// Who comes back finds the page as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    sent(false);
  }
});
