// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// cost is what a step takes of the API server.
type cost struct{ Reads, Writes int64 }

// meter counts the requests to the API server, but for watches, which last.
type meter struct {
	next          http.RoundTripper
	reads, writes atomic.Int64
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.Query().Has("watch"):
	case r.Method == http.MethodGet:
		m.reads.Add(1)
	default:
		m.writes.Add(1)
	}
	return m.next.RoundTrip(r)
}

// of gives what something costs.
func (m *meter) of(do func()) cost {
	GinkgoHelper()
	before := cost{m.reads.Load(), m.writes.Load()}
	do()
	return cost{m.reads.Load() - before.Reads, m.writes.Load() - before.Writes}
}

var number = regexp.MustCompile(`^[0-9]+`)

// documented reads the table of docs/connect.md#what-it-costs: the first number of each cell, and one read more where it says so of a
// shared app registration.
func documented(shared bool) map[string]cost {
	GinkgoHelper()
	page, err := os.ReadFile("../../docs/connect.md")
	Expect(err).NotTo(HaveOccurred())
	_, after, found := strings.Cut(string(page), "\n## What it costs\n")
	Expect(found).To(BeTrue())
	section, _, _ := strings.Cut(after, "\n## ")
	first := func(cell string) int64 {
		GinkgoHelper()
		count, err := strconv.ParseInt(number.FindString(cell), 10, 64)
		Expect(err).NotTo(HaveOccurred(), cell)
		return count
	}
	costs := map[string]cost{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 3 || cells[0] == "step" {
			continue
		}
		reads := costs["page"].Reads
		if cells[1] != "as the page" {
			reads = first(cells[1])
			if shared && strings.Contains(cells[1], ", and 1") {
				reads++
			}
		}
		costs[cells[0]] = cost{reads, first(cells[2])}
	}
	return costs
}

var _ = Describe("what a sign-in costs", func() {
	DescribeTable("is what docs/connect.md says", func(ctx context.Context, shared bool) {
		line := &meter{}
		replica := plane.StartConnectThrough(tokens, func(next http.RoundTripper) http.RoundTripper {
			line.next = next
			return line
		}, func(o *app.ConnectOptions) { o.Clock, o.ConnectURL = clock.Now, connect.URL })
		registration := func(c *customer) {
			if !shared {
				return
			}
			plane.Create(ctx, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: c.name},
				StringData: map[string]string{"client_id": provider.ClientID, "client_secret": provider.ClientSecret},
			})
			c.library.Spec.Client, c.library.Spec.ClientSecretRef = v1alpha1.ClientShared, &v1alpha1.ConnectionsSecretReference{Name: c.name}
			c.connection.Spec.Properties = nil
		}
		c := newCustomer(ctx, provider.Options{}, registration)
		asked := newCustomer(ctx, provider.Options{}, func(c *customer) {
			registration(c)
			c.connection.Spec.Completion = v1alpha1.CompletionConfirm
		})
		c.expectKnownTo(ctx, replica)
		asked.expectKnownTo(ctx, replica)

		costs := c.signInCosts(line, replica)
		maps.Copy(costs, asked.backendCosts(line, replica))
		Expect(costs).To(Equal(documented(shared)))
	}, Entry("of an account's own app registration", false), Entry("of a shared app registration", true))
})

// signInCosts gives what each step of a sign-in costs, by either completion.
func (c *customer) signInCosts(line *meter, replica *harness.Connect) map[string]cost {
	GinkgoHelper()
	costs := map[string]cost{}
	b := newBrowser(replica)
	for completion, link := range map[string]func(token string) string{
		"callback, by redirect":    func(token string) string { return linkOf(c.id(), token, hostPage) },
		"callback, by postMessage": func(token string) string { return linkOf(c.id(), token, hostOrigin, "callbackMessage", "done") },
	} {
		var token string
		costs["sign-in token"] = line.of(func() { _, token = c.askSignInToken(replica) })
		var page, answer harness.Answer
		costs["page"] = line.of(func() { page = b.get(link(token)) })
		costs["button"] = line.of(func() { answer = b.post(formOf(page.Body)) })
		back := b.agree(location(answer))
		costs[completion] = line.of(func() { answer = b.back(back) })
		end := location(answer)
		if end.Host == "" {
			costs["page of the completion"] = line.of(func() { page = b.get(end.RequestURI()) })
			Expect(problemOn(page)).To(BeEmpty())
		} else {
			expectHost(end)
		}
	}
	return costs
}

// backendCosts gives what the calls of the host's backend cost.
func (c *customer) backendCosts(line *meter, replica *harness.Connect) map[string]cost {
	GinkgoHelper()
	costs := map[string]cost{}
	code := newBrowser(replica).signIn(c.link()).Query().Get("code")
	plane.Ledger.Add(code)
	address, token := replica.URL+"/v1.0/accounts/"+c.name+"/connectors/"+c.id(), consoleToken()
	costs["confirmation"] = line.of(func() {
		Expect(call(http.MethodPost, address+"/confirm", token, fields("Code", code)).Status).To(Equal(http.StatusNoContent))
	})
	costs["state"] = line.of(func() { Expect(call(http.MethodGet, address, token, "").Status).To(Equal(http.StatusOK)) })
	body := fields("AuthValue", fields("AccessToken", c.Give("crm.read").Access))
	put := func() { Expect(call(http.MethodPut, address, token, body).Status).To(Equal(http.StatusNoContent)) }
	costs["import"] = line.of(put)
	Expect(line.of(put).Writes).To(BeZero(), "it was imported already")
	return costs
}
