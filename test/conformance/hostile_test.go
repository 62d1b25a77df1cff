// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/matrix"
)

var _ = Describe("hostile input", func() {
	DescribeTable("gets the documented error", func(code string, body func() string) {
		request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/token", nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		expectError(send(request, body()), http.StatusBadRequest, code)
	},
		Entry("a body of 1 MiB", "invalid_request", func() string { return webhook.Form().Encode() + "&x=" + strings.Repeat("x", 1<<20) }),
		Entry("10 000 parameters", "invalid_request", func() string { return webhook.Form().Encode() + strings.Repeat("&x=1", 10_000) }),
		Entry("10 000 parameters without names", "invalid_request", func() string { return webhook.Form().Encode() + strings.Repeat("&", 10_000) }),
		Entry("a repeated parameter", "invalid_request", func() string { return webhook.Form().Encode() + "&client_secret=x" }),
		Entry("a NUL byte in a value", "invalid_request", func() string { return webhook.Form("scope", "a\x00b").Encode() }),
		Entry("a NUL byte in a name", "invalid_request", func() string { return webhook.Form().Encode() + "&%00=1" }),
		Entry("invalid UTF-8", "invalid_request", func() string { return webhook.Form().Encode() + "&scope=%ff%fe" }),
		Entry("a broken escape", "invalid_request", func() string { return webhook.Form().Encode() + "&scope=%zz" }),
		Entry("a value of 20 KiB", "invalid_request", func() string { return webhook.Form("scope", strings.Repeat("x", 20<<10)).Encode() }),
		Entry("a scope of 5 KiB", "invalid_scope", func() string { return webhook.Form("scope", strings.Repeat("x", 5<<10)).Encode() }),
		Entry("an empty body", "invalid_request", func() string { return "" }),
		Entry("100 resources", "invalid_request", func() string { return webhook.Form().Encode() + strings.Repeat("&resource=https://x.example", 100) }),
		Entry("20 resources", "invalid_target", func() string { return webhook.Form().Encode() + strings.Repeat("&resource=https://x.example", 20) }),
	)

	It("never gets its own text back", func() {
		const mark = "attacker-was-here"
		for _, form := range []string{
			"grant_type=" + mark, "grant_type=client_credentials&scope=%22" + mark,
			"grant_type=client_credentials&client_id=" + mark + "&client_secret=" + mark, mark + "=%zz",
		} {
			request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/token", nil)
			Expect(err).NotTo(HaveOccurred())
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			Expect(send(request, form).Body).NotTo(ContainSubstring(mark))
		}
		for _, token := range []string{"", "a.b.c"} {
			service.Verify(token, "scope="+mark+"&account="+mark, "X-Cyclr-Account", mark)
		}
		Expect(plane.Ledger.Told()).NotTo(ContainSubstring(mark), "nor do the logs hold it")
	})

	It("gets an error for headers of 1 MiB, and the service goes on", func() {
		request, err := http.NewRequest(http.MethodGet, service.URL+"/verify?"+matrix.AcmeWebhook.Guard, nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 1<<20))
		response, err := http.DefaultClient.Do(request)
		if err == nil { // the server may close the connection before the client has sent it all
			defer response.Body.Close()
			Expect(response.StatusCode).To(Equal(http.StatusRequestHeaderFieldsTooLarge))
		}
		Expect(service.Verify(webhookToken(), matrix.AcmeWebhook.Guard).Status).To(Equal(http.StatusOK))
	})

	It("cannot block others with connections that send one byte at a time", func() {
		var loris []net.Conn
		for range 200 {
			connection, err := net.Dial("tcp", strings.TrimPrefix(service.URL, "http://"))
			Expect(err).NotTo(HaveOccurred())
			defer connection.Close()
			_, err = io.WriteString(connection, "POST /oauth/token HTTP/1.1\r\nHost: x\r\nX-")
			Expect(err).NotTo(HaveOccurred())
			loris = append(loris, connection)
		}
		Expect(service.Verify(webhookToken(), matrix.AcmeWebhook.Guard).Status).To(Equal(http.StatusOK))

		By("closing them")
		Expect(loris[0].SetReadDeadline(time.Now().Add(patience))).To(Succeed())
		_, err := io.Copy(io.Discard, loris[0])
		Expect(err).NotTo(HaveOccurred(), "the server closed the connection before the test's patience ended")
	})

	It("cannot keep a request open by sending its body slowly", func() {
		connection, err := net.Dial("tcp", strings.TrimPrefix(service.URL, "http://"))
		Expect(err).NotTo(HaveOccurred())
		defer connection.Close()
		_, err = io.WriteString(connection, "POST /oauth/token HTTP/1.1\r\nHost: x\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\ngrant_type=client")
		Expect(err).NotTo(HaveOccurred())
		Expect(connection.SetReadDeadline(time.Now().Add(patience))).To(Succeed())
		_, err = io.Copy(io.Discard, connection)
		Expect(err).NotTo(HaveOccurred(), "the server closed the connection before the test's patience ended")
	})

	DescribeTable("that is not HTTP is refused, and the service goes on", func(bytes string) {
		connection, err := net.Dial("tcp", strings.TrimPrefix(service.URL, "http://"))
		Expect(err).NotTo(HaveOccurred())
		defer connection.Close()
		_, err = io.WriteString(connection, bytes)
		Expect(err).NotTo(HaveOccurred())
		Expect(connection.SetReadDeadline(time.Now().Add(patience))).To(Succeed())
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err == nil {
			defer response.Body.Close()
			Expect(response.StatusCode).To(BeNumerically(">=", 400))
		}
		Expect(service.Verify(webhookToken(), matrix.AcmeWebhook.Guard).Status).To(Equal(http.StatusOK))
	},
		Entry("a TLS hello", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n"),
		Entry("a NUL in the path", "GET /oauth/\x00 HTTP/1.1\r\nHost: x\r\n\r\n"),
		Entry("two lengths", "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
		Entry("a length and chunks", "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	)

	It("in great number leaves no goroutine behind", func() {
		before := goroutines()
		for range 500 {
			request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/token", bytes.NewReader([]byte{0xff}))
			Expect(err).NotTo(HaveOccurred())
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := http.DefaultClient.Do(request)
			Expect(err).NotTo(HaveOccurred())
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		http.DefaultClient.CloseIdleConnections()
		Eventually(goroutines).WithTimeout(patience).Should(BeNumerically("<", before+50))
	})
})

// patience is longer than the server's own limits.
const patience = 20 * time.Second
