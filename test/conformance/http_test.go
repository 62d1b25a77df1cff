// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
)

func send(request *http.Request, body string) harness.Answer {
	GinkgoHelper()
	request.Body = io.NopCloser(strings.NewReader(body))
	request.ContentLength = int64(len(body))
	return harness.Do(request)
}

// expectError expects the error answer of RFC 6749 section 5.2, and nothing more than it.
func expectError(answer harness.Answer, status int, code string) {
	GinkgoHelper()
	Expect(answer.Status).To(Equal(status), answer.Body)
	Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
	Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
	var body map[string]string
	Expect(json.Unmarshal([]byte(answer.Body), &body)).To(Succeed())
	Expect(body).To(HaveLen(2))
	Expect(body["error"]).To(Equal(code))
	Expect(body["error_description"]).NotTo(BeEmpty(), "the client is told what to do")
	if status == http.StatusUnauthorized {
		Expect(answer.Header.Get("WWW-Authenticate")).To(HavePrefix("Basic "))
	}
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// everyByte form-encodes every byte, also those that need it not, as RFC 6749 allows.
func everyByte(text string) string {
	var encoded strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&encoded, "%%%02X", text[i])
	}
	return encoded.String()
}
