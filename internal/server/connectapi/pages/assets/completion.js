// Tells the window that opened this one, and nobody else: the browser drops the message where the origin is another.
const outcome = document.getElementById("outcome");
const opener = window.opener;

if (opener === null || opener.closed) {
  document.getElementById("lost").hidden = false;
} else {
  opener.postMessage(JSON.parse(outcome.dataset.message), outcome.dataset.origin);
  if ("close" in outcome.dataset) {
    // The opener may compare the message's source with this window, which must be there for that.
    window.setTimeout(() => window.close(), 500);
  }
}
