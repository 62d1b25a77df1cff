// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fault is what goes wrong with one token request.
type Fault struct {
	// Name says what happens, as the end of a sentence that begins with "a provider that".
	Name string
	// Consumes says that the request is carried out all the same: a refresh token is used, and what comes of it is lost.
	Consumes bool
	// Ends says that the grant has ended before the request comes.
	Ends bool
	// Delivers says that the tokens arrive, if in an odd way.
	Delivers bool

	// unread resets the connection before anything is read. shape changes how tokens are answered. answer takes the place of the answer,
	// and is given what would have been it.
	unread bool
	shape  func(*Options)
	answer func(w http.ResponseWriter, r *http.Request, body []byte)
}

// Fail has the next token requests go wrong, one after the other. Those after them go well.
func (p *Provider) Fail(faults ...Fault) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, fault := range faults {
		if fault.unread {
			p.resetNext++
			continue
		}
		p.script = append(p.script, fault)
	}
}

// Break has every token request go wrong from now on, once what Fail asked for is done. One that has come already does not.
func (p *Provider) Break(fault Fault) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.lasting = &fault
}

// Mend ends what Break began.
func (p *Provider) Mend() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.lasting = nil
}

// next gives the fault of a request that has come, or none.
func (p *Provider) next() Fault {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.script) == 0 && p.lasting != nil {
		return *p.lasting
	}
	if len(p.script) == 0 {
		return Fault{}
	}
	fault := p.script[0]
	p.script = p.script[1:]
	return fault
}

// FailsBefore answers 500 and does nothing.
func FailsBefore() Fault {
	return Fault{Name: "answers 500 and does nothing", answer: status(http.StatusInternalServerError, "Something went wrong")}
}

// FailsAfter answers 502 when all is done.
func FailsAfter() Fault {
	return Fault{Name: "answers 502 when all is done", Consumes: true, answer: status(http.StatusBadGateway, "Bad gateway")}
}

// Truncates ends its answer in the middle.
func Truncates() Fault {
	return Fault{Name: "breaks off in the middle of its answer", Consumes: true, answer: func(w http.ResponseWriter, _ *http.Request, body []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		reset(w)
	}}
}

// Garbles answers 200 with something that is no answer.
func Garbles() Fault {
	return Fault{Name: "answers with a page in place of tokens", Consumes: true, answer: status(http.StatusOK, "<!doctype html><title>Welcome</title>")}
}

// ResetsUnread resets the connection before it reads anything. Its client may have written or not.
func ResetsUnread() Fault {
	return Fault{Name: "resets the connection before it reads", unread: true}
}

// ResetsBefore reads the request, and resets the connection without doing anything.
func ResetsBefore() Fault {
	return Fault{Name: "resets the connection when it has read, and does nothing", answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) { reset(w) }}
}

// ResetsAfter resets the connection when all is done.
func ResetsAfter() Fault {
	return Fault{Name: "resets the connection when all is done", Consumes: true, answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) { reset(w) }}
}

// Stalls answers nothing until its client goes away.
func Stalls() Fault {
	return Fault{Name: "does what it is asked for and never answers", Consumes: true, answer: func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }}
}

// Waits answers as it should when the channel is closed.
func Waits(release <-chan struct{}) Fault {
	return Fault{Name: "takes its time", Consumes: true, Delivers: true, answer: func(w http.ResponseWriter, r *http.Request, body []byte) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}}
}

// OmitsExpiresIn does not say how long the access token lives.
func OmitsExpiresIn() Fault {
	return Fault{Name: "does not say how long a token lives", Consumes: true, Delivers: true, shape: func(o *Options) { o.OmitsExpiresIn = true }}
}

// AnswersForm answers with a form.
func AnswersForm() Fault {
	return Fault{Name: "answers with a form", Consumes: true, Delivers: true, shape: func(o *Options) { o.Form = true }}
}

// Nests answers with the tokens where a Connector with that tokenResponsePath finds them.
func Nests(path string) Fault {
	return Fault{Name: "has its tokens deep in the answer", Consumes: true, Delivers: true, shape: func(o *Options) { o.ResponsePath = path }}
}

// Redirects answers 307, to somewhere that must not be asked.
func Redirects(to string) Fault {
	return Fault{Name: "redirects with 307", answer: func(w http.ResponseWriter, r *http.Request, _ []byte) {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}}
}

// Refuses answers with an OAuth error of RFC 6749 section 5.2 and does nothing.
func Refuses(code string) Fault {
	return Fault{Name: "answers " + code, answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) { refuse(w, http.StatusBadRequest, code) }}
}

// RefusesClient answers 401 invalid_client and does nothing.
func RefusesClient() Fault {
	return Fault{Name: "does not take the client", answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
	}}
}

// EndsGrant answers invalid_grant because the grant has ended, by the user's will.
func EndsGrant() Fault { return Fault{Name: "has ended the grant", Ends: true} }

// TooMany answers 429 and does nothing.
func TooMany(retryAfter time.Duration) Fault {
	return Fault{Name: "has had too many requests", answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		w.WriteHeader(http.StatusTooManyRequests)
	}}
}

// Unavailable answers 503 temporarily_unavailable and does nothing.
func Unavailable(retryAfter time.Duration) Fault {
	return Fault{Name: "is temporarily unavailable", answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable")
	}}
}

func status(code int, text string) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(text))
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	var body bytes.Buffer
	_ = json.NewEncoder(&body).Encode(map[string]string{"error": code})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// reset ends the connection of an answer with a reset, so that its client can't take it for an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	resetConn(conn)
}

func resetConn(conn net.Conn) {
	plain := conn
	if secure, is := conn.(interface{ NetConn() net.Conn }); is {
		plain = secure.NetConn()
	}
	if tcp, is := plain.(*net.TCPConn); is {
		_ = tcp.SetLinger(0)
	}
	_ = plain.Close()
}

// resetting is a listener that resets connections before anybody reads from them.
type resetting struct {
	net.Listener
	provider *Provider
}

func (l *resetting) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.provider.resets() {
			return conn, err
		}
		resetConn(conn)
	}
}

func (p *Provider) resets() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.resetNext > 0 {
		p.resetNext--
		return true
	}
	return p.lasting != nil && p.lasting.unread
}
