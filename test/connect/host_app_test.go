// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
)

// hostApp is the host's application, on an origin of its own.
type hostApp struct {
	*httptest.Server
	// origin is how browsers reach it: on another host than the connect role, so that they share no cookies.
	origin string

	mutex sync.Mutex
	// visits are the requests of browsers that came back: their URL, and where they said that they came from.
	visits []visit
}

type visit struct{ URL, Referer string }

// opener opens a sign-in in a window of its own, and shows what that tells it.
var opener = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The host</title><link rel="icon" href="data:,"></head>
<body><h1>The host</h1><button id="open">Connect</button><ul id="told"></ul>
<script>
let opened;
document.getElementById("open").addEventListener("click", () => { opened = window.open({{ .Link }}, "_blank", {{ .Features }}); });
window.addEventListener("message", (event) => {
  const item = document.createElement("li");
  item.textContent = JSON.stringify({origin: event.origin, data: event.data, own: event.source === opened});
  document.getElementById("told").append(item);
});
</script></body></html>
`))

// inbox is a page that has the browser fetch a link which nobody has followed yet.
var inbox = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mail</title><link rel="icon" href="data:,">
<script>
const finished = new Promise(resolve => {
  const link = document.createElement("link");
  link.rel = "prefetch"; link.href = {{ .Link }};
  link.onload = () => resolve("load"); link.onerror = () => resolve("error");
  document.head.append(link);
});
</script></head><body><a id="link" href="{{ .Link }}">Connect</a></body></html>
`))

func startHostApp() *hostApp {
	app := &hostApp{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = opener.Execute(w, map[string]string{"Link": r.FormValue("link"), "Features": r.FormValue("features")})
	})
	mux.HandleFunc("GET /inbox", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = inbox.Execute(w, map[string]string{"Link": r.FormValue("link")})
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) {
		app.mutex.Lock()
		app.visits = append(app.visits, visit{r.URL.String(), r.Referer()})
		app.mutex.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><head><title>Done</title><link rel="icon" href="data:,"></head><body><h1>Back at the host</h1></body></html>`))
	})
	app.Server = httptest.NewServer(mux)
	DeferCleanup(app.Close)
	app.origin = strings.Replace(app.URL, "127.0.0.1", "localhost", 1)
	return app
}

// Visits gives those of until now.
func (a *hostApp) Visits() []visit {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Clone(a.visits)
}
