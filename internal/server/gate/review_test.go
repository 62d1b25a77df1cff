// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/claviger/claviger/internal/oauth"
)

var errSuspended = oauth.InvalidToken(errors.New("the credential is suspended"))

// events is an upstream that sends one event and then waits until nobody listens.
func events(gone chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: one\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	}
}

// TestStreamsEnd: with their token, and not before.
func TestStreamsEnd(t *testing.T) {
	away := oauth.ServerError(errors.New("the issuer is away"))
	for _, row := range []struct {
		name   string
		happen func(*testing.T, *world)
		// reason is that of the metric; none: the stream goes on.
		reason string
	}{
		{name: "nothing happens", happen: func(*testing.T, *world) {}},
		{name: "the credential is suspended", happen: func(_ *testing.T, w *world) { w.refuse("good", errSuspended) }, reason: "refused"},
		{name: "its scope is taken away", happen: func(_ *testing.T, w *world) { w.refuse("good", oauth.InsufficientScope("gone")) }, reason: "refused"},
		{name: "the place admits nobody any more", happen: func(_ *testing.T, w *world) {
			w.set(func() { w.misled = oauth.InsufficientScope("the resource is suspended") })
		}, reason: "refused"},
		{name: "the token expires", happen: func(_ *testing.T, w *world) { w.advance(time.Hour) }, reason: "expired"},
		{name: "the token is about to expire", happen: func(_ *testing.T, w *world) { w.advance(time.Hour - time.Nanosecond) }},
		{name: "nobody can say for a while", happen: func(_ *testing.T, w *world) {
			w.refuse("good", away)
			w.advance(29 * time.Second)
		}},
		{name: "nobody can say for too long", happen: func(_ *testing.T, w *world) {
			w.refuse("good", away)
			w.advance(30 * time.Second)
		}, reason: "unconfirmed"},
		{name: "nobody could say for a while, again and again", happen: func(t *testing.T, w *world) {
			for range 3 {
				w.refuse("good", away)
				w.advance(20 * time.Second)
				w.review(t)
				w.refuse("good", nil)
				w.review(t)
			}
		}},
		{name: "it expires while nobody can say", happen: func(_ *testing.T, w *world) {
			w.refuse("good", away)
			w.advance(time.Hour)
		}, reason: "expired"},
	} {
		t.Run(row.name, func(t *testing.T) {
			gone := make(chan struct{})
			w := newWorld(t, events(gone))
			response, err := w.client.Do(w.request(t, http.MethodGet, "/events", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			lines := bufio.NewReader(response.Body)
			if line, err := lines.ReadString('\n'); err != nil || line != "data: one\n" {
				t.Fatalf("got %q, %v", line, err)
			}
			row.happen(t, w)
			w.review(t)
			if row.reason == "" {
				select {
				case <-gone:
					t.Error("the stream ended")
				default:
				}
				return
			}
			<-gone
			if _, err := io.ReadAll(lines); err == nil {
				t.Error("to the caller it looks as if the stream had come to its own end")
			}
			if w.metric(t, "claviger_gate_calls_ended_total", row.reason) != 1 || !strings.Contains(w.told(), `"msg":"access ended"`) {
				t.Errorf("it is not counted as %s, or not told: %s", row.reason, w.told())
			}
		})
	}
}

func TestWebSocketsEndWithTheirToken(t *testing.T) {
	for name, happen := range map[string]func(*world){
		"suspended": func(w *world) { w.refuse("good", errSuspended) },
		"expired":   func(w *world) { w.advance(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, echo())
			connection := w.dial(t)
			var message string
			if err := websocket.Message.Receive(connection, &message); err != nil {
				t.Fatal(err)
			}
			happen(w)
			w.review(t)
			if err := websocket.Message.Receive(connection, &message); err == nil {
				t.Errorf("got %q", message)
			}
		})
	}
}

// TestACallThatWaits: one whose upstream has not begun to answer gets the verdict as its answer.
func TestACallThatWaits(t *testing.T) {
	for _, row := range []struct {
		name   string
		happen func(*world)
		status int
	}{
		{"a suspension ends it", func(w *world) { w.refuse("good", errSuspended) }, 401},
		{"its token expires, which lets it finish", func(w *world) { w.advance(time.Hour) }, 200},
		{"its token has been expired for too long", func(w *world) { w.advance(time.Hour + time.Minute) }, 401},
		{"nobody can say for too long", func(w *world) {
			w.refuse("good", oauth.ServerError(errors.New("away")))
			w.advance(time.Minute)
		}, 503},
		{"the gate stops", func(w *world) { w.EndAll() }, 503},
	} {
		t.Run(row.name, func(t *testing.T) {
			arrived, proceed := make(chan struct{}), make(chan struct{})
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				select {
				case <-proceed:
				case <-r.Context().Done():
				}
			})
			status := make(chan int, 1)
			go func() {
				response, err := w.client.Do(w.request(t, http.MethodGet, "/", nil))
				if err != nil {
					status <- 0
					return
				}
				defer response.Body.Close()
				status <- response.StatusCode
			}()
			<-arrived
			row.happen(w)
			w.review(t)
			if row.status == 200 {
				close(proceed)
			}
			if got := <-status; got != row.status {
				t.Errorf("got %d, want %d", got, row.status)
			}
		})
	}
}

func TestOnlyWhatIsUnderWayIsReviewed(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	w.do(t, w.request(t, http.MethodGet, "/", nil))
	for w.Open() > 0 { // the caller has its answer a moment before the gate is done with it
		runtime.Gosched()
	}
	before := len(w.needs)
	w.review(t)
	if w.Open() != 0 || len(w.needs) != before {
		t.Errorf("%d calls are open, and %d were reviewed", w.Open(), len(w.needs)-before)
	}
}
