// One click is one sign-in: the link works once, and the second of two clicks would be told that it is used.
const form = document.querySelector("form");
const button = form.querySelector("button");
const status = form.querySelector("[role=status]");

form.addEventListener("submit", () => {
  button.disabled = true;
  status.textContent = status.dataset.sent;
});

// Who comes back is told how the link stands now: a browser may have kept the page as it was, with a link that is used up.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    window.location.reload();
  }
});
