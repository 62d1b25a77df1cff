// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/plugin"
	"github.com/claviger/claviger/internal/sandbox/controlplane"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/provider"
)

// run is one of the plugin that goes on.
type run struct {
	// lines are what it prints to standard output.
	lines chan string
	// complaints may be read when it has ended.
	complaints bytes.Buffer
	code       chan int
}

// claviger begins "kubectl claviger" in the customer's namespace.
func (c *customer) claviger(ctx context.Context, args ...string) *run {
	GinkgoHelper()
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(controlplane.WriteKubeconfig(kubeconfig, plane.Admin(), "admin")).To(Succeed())
	r := &run{lines: make(chan string, 100), code: make(chan int, 1)}
	reader, writer := io.Pipe()
	go func() {
		defer close(r.lines)
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			r.lines <- scanner.Text()
		}
	}()
	go func() {
		streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: writer, ErrOut: &r.complaints}
		code := plugin.Run(ctx, append(args, "--kubeconfig", kubeconfig, "--namespace", c.name), streams, time.Now)
		_ = writer.Close()
		r.code <- code
	}()
	return r
}

// connectCRM begins to connect, and gives the link that the user is to follow, below the connect role.
func (c *customer) connectCRM(ctx context.Context, args ...string) (*run, string) {
	GinkgoHelper()
	r := c.claviger(ctx, append([]string{
		"connect", "crm", "--credential", config.Namespace + "/host", "--issuer", tokens.URL, "--connect-url", connect.URL,
	}, args...)...)
	var line string
	Eventually(r.lines).Should(Receive(&line))
	link, below := strings.CutPrefix(line, connect.URL)
	Expect(below).To(BeTrue(), line)
	return r, link
}

// ends waits until it ends, and gives what it said.
func (r *run) ends(code int) (out, complaints string) {
	GinkgoHelper()
	var got int
	Eventually(r.code).WithTimeout(time.Minute).Should(Receive(&got))
	for line := range r.lines {
		out += line + "\n"
	}
	Expect(got).To(Equal(code), "%s%s", out, r.complaints.String())
	_, _ = plane.Ledger.Write([]byte(out + r.complaints.String()))
	return out, r.complaints.String()
}

var _ = Describe("kubectl claviger", func() {
	var page string
	onThisMachine := func(c *customer) {
		c.account.Spec.AllowedOrigins = append(c.account.Spec.AllowedOrigins, v1alpha1.Origin(page))
	}

	BeforeEach(func(ctx context.Context) {
		address, err := loopback.FreeAddress(ctx)
		Expect(err).NotTo(HaveOccurred())
		page = "http://" + address
	})

	It("connects an account, and says how it is", func(ctx context.Context) {
		acme := newCustomer(ctx, provider.Options{}, onThisMachine)
		listed, _ := acme.claviger(ctx, "connections").ends(0)
		Expect(listed).To(MatchRegexp(`(?m)^crm +` + acme.name + ` +` + acme.name + ` +<none> +<none> +<none> +SignInRequired +`))
		Expect(listed).To(ContainSubstring("\n\ncrm: Nobody has signed in yet"))
		Expect(listed).To(ContainSubstring("Have a user sign in (kubectl claviger connect)"))

		connecting, link := acme.connectCRM(ctx, "--user", "jane")
		end := newBrowser(connect).signIn(link)
		Expect(end.String()).To(Equal(page))
		shown := newBrowser(connect).get(end.String())
		Expect(shown.Body).To(Equal("The sign-in is complete. You can close this window and go back to the terminal.\n"))
		out, progress := connecting.ends(0)
		Expect(out).To(Equal("accountconnector.claviger.dev/crm connected by jane; Secret crm holds a live access token\n"))
		Expect(progress).To(HavePrefix("Waiting until jane has signed in. The link works once, and until "))
		acme.expectConnected(ctx)

		listed, _ = acme.claviger(ctx, "connections", "-A", "--account", acme.name).ends(0)
		Expect(listed).To(MatchRegexp(`(?m)^` + acme.name + ` +crm .* by jane +in \S+ +in \S+ +Connected +`))
		one, _ := acme.claviger(ctx, "connections", "crm").ends(0)
		Expect(one).To(MatchRegexp(`(?m)^Authorized: +.* by jane$`))
		Expect(one).To(MatchRegexp(`(?m)^  Ready: +True, Connected: `))
		Expect(one).NotTo(ContainSubstring("What to do"))

		By("connecting it again")
		before := acme.published(ctx)
		DeferCleanup(clock.Advance, -2*time.Second)
		clock.Advance(2 * time.Second) // times in a status are whole seconds
		connecting, link = acme.connectCRM(ctx, "--user", "joe")
		newBrowser(connect).get(newBrowser(connect).signIn(link).String())
		out, _ = connecting.ends(0)
		Expect(out).To(ContainSubstring("connected by joe"))
		Expect(acme.published(ctx)).NotTo(Equal(before))
	})

	It("says at once that a user has refused", func(ctx context.Context) {
		acme := newCustomer(ctx, provider.Options{Consent: provider.Denies}, onThisMachine)
		connecting, link := acme.connectCRM(ctx)
		shown := newBrowser(connect).get(newBrowser(connect).signIn(link).String())
		Expect(shown.Body).To(HavePrefix("The sign-in has failed; the terminal says why."))
		_, complaints := connecting.ends(1)
		Expect(complaints).To(MatchRegexp(`(?m)^error: the sign-in has failed: .*\(access_denied\)$`))
		acme.expectUntouched(ctx)
	})

	It("says what is wrong with a wish, and makes a link without waiting", func(ctx context.Context) {
		acme := newCustomer(ctx, provider.Options{}, func(c *customer) { c.account.Spec.Users = []v1alpha1.UserName{"jane"} })
		refused := acme.claviger(ctx, "connect", "crm", "--credential", config.Namespace+"/host", "--issuer", tokens.URL, "--connect-url", connect.URL)
		_, complaints := refused.ends(1)
		Expect(complaints).To(ContainSubstring("ending at " + hostOrigin + ": invalid_request: Username is not one of the Account's users"))
		_, complaints = acme.claviger(ctx, "connect", "nobody").ends(1)
		Expect(complaints).To(ContainSubstring("See which there are: kubectl claviger connections"))

		made, link := acme.connectCRM(ctx, "--user", "jane", "--wait=false")
		out, complaints := made.ends(0)
		Expect(out + complaints).To(BeEmpty())
		Expect(newBrowser(connect).get(link).Status).To(Equal(http.StatusOK))
	})
})
