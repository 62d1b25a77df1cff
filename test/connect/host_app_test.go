// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
)

// hostApp is the host's application, on an origin of its own.
type hostApp struct {
	*httptest.Server
	// origin is how browsers reach it: on another host than the connect role, so that they share no cookies.
	origin string

	mutex    sync.Mutex
	referers []string
}

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

func startHostApp() *hostApp {
	app := &hostApp{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = opener.Execute(w, map[string]string{"Link": r.FormValue("link"), "Features": r.FormValue("features")})
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) {
		app.mutex.Lock()
		app.referers = append(app.referers, r.Referer())
		app.mutex.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><head><title>Done</title><link rel="icon" href="data:,"></head><body><h1>Back at the host</h1></body></html>`))
	})
	app.Server = httptest.NewServer(mux)
	DeferCleanup(app.Close)
	app.origin = strings.Replace(app.URL, "127.0.0.1", "localhost", 1)
	return app
}

// Referers gives those that it was told.
func (a *hostApp) Referers() []string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return append([]string(nil), a.referers...)
}
