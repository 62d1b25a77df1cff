// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
)

var _ = Describe("a token service", func() {
	It("is alive but not ready before it has its keys, and refuses until then", func(ctx context.Context) {
		for _, name := range []string{v1alpha1.PepperSecretName, v1alpha1.SigningKeysSecretName} {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: name}}
			Expect(client.IgnoreNotFound(plane.API.Delete(ctx, secret))).To(Succeed())
		}
		tokens := plane.LaunchTokenService()
		status := func(path string) int {
			response, err := http.Get(tokens.URL + path)
			Expect(err).NotTo(HaveOccurred())
			defer response.Body.Close()
			return response.StatusCode
		}
		Expect(status("/healthz")).To(Equal(http.StatusOK))
		Consistently(status).WithArguments("/readyz").WithTimeout(2 * time.Second).Should(Equal(http.StatusServiceUnavailable))
		Expect(status("/oauth/jwks")).To(Equal(http.StatusServiceUnavailable))
		Expect(tokens.Verify("a.b.c", "scope=Webhook").Status).To(Equal(http.StatusForbidden), "never a status that gateways turn into their own")
		answer, token := tokens.PostToken(map[string][]string{"grant_type": {"client_credentials"}, "client_id": {"x"}, "client_secret": {"y"}})
		Expect(answer.Status).To(Equal(http.StatusServiceUnavailable))
		Expect(answer.Header.Get("Retry-After")).NotTo(BeEmpty())
		Expect(token.Error).To(Equal("server_error"))

		plane.StartManager(nil)
		Eventually(status).WithArguments("/readyz").Should(Equal(http.StatusOK))
		for _, path := range []string{"/healthz", "/readyz"} {
			response, err := http.Get(tokens.OperationsURL + path)
			Expect(err).NotTo(HaveOccurred())
			response.Body.Close()
			Expect(response.StatusCode).To(Equal(http.StatusOK), "%s on the second port", path)
		}
	})

	It("finishes what is under way when it is asked to stop, and takes nothing new", func(ctx context.Context) {
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		_, credentials := readyOrders(ctx, tokens)

		By("sending half a request")
		address := strings.TrimPrefix(tokens.URL, "http://")
		connection, err := net.Dial("tcp", address)
		Expect(err).NotTo(HaveOccurred())
		defer connection.Close()
		body := credentials.Form().Encode()
		_, err = io.WriteString(connection, "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
			"Expect: 100-continue\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n")
		Expect(err).NotTo(HaveOccurred())
		answers := bufio.NewReader(connection)
		line, err := answers.ReadString('\n')
		Expect(err).NotTo(HaveOccurred())
		Expect(line).To(HavePrefix("HTTP/1.1 100 "), "the handler is at work: it waits for the body")
		_, err = io.WriteString(connection, body[:10])
		Expect(err).NotTo(HaveOccurred())

		By("asking it to stop")
		stopped := make(chan error, 1)
		go func() { stopped <- tokens.Stop() }()
		Eventually(func() error {
			other, err := net.Dial("tcp", address)
			if err == nil {
				other.Close()
			}
			return err
		}).ShouldNot(Succeed(), "nothing new is taken")
		Consistently(stopped).WithTimeout(500 * time.Millisecond).ShouldNot(Receive())

		By("sending the rest")
		_, err = io.WriteString(connection, body[10:])
		Expect(err).NotTo(HaveOccurred())
		_, err = answers.ReadString('\n') // the empty line after 100
		Expect(err).NotTo(HaveOccurred())
		response, err := http.ReadResponse(answers, nil)
		Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		Expect(response.StatusCode).To(Equal(http.StatusOK))
		token, err := io.ReadAll(response.Body)
		Expect(err).NotTo(HaveOccurred())
		plane.Ledger.Add(string(token))
		Eventually(stopped).Should(Receive(BeNil()))
	})
})

var _ = It("the manager asks for the content of labelled Secrets only", func(ctx context.Context) {
	seen := &reads{}
	plane.StartManager(seen.wrap)
	name := fresh()
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
	plane.ExpectReady(ctx, orders)
	Expect(seen.secretLists()).NotTo(BeEmpty())
	for _, selector := range seen.secretLists() {
		Expect(selector).To(Equal(v1alpha1.LabelSecret))
	}
})
