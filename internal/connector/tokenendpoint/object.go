// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
)

// object is the content of an answer, with numbers as json.Number. Nil: it has none that can be read.
type object map[string]any

// onlyForm is what a form consists of: RFC 6749 appendix B, and what else some do not escape. A page of HTML may well have
// &error=invalid_grant& in a link of its own, and is none.
var onlyForm = regexp.MustCompile(`^[A-Za-z0-9._~%+=&*:/,@!$?-]+$`)

// parse reads JSON (RFC 6749 section 5.1) or a form, which GitHub and others gave before there was an RFC. The content type is not
// looked at: it is often wrong, and no form begins with a brace.
func parse(body []byte) object {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))) // a byte order mark
	if bytes.HasPrefix(body, []byte("{")) {
		return parseJSON(body)
	}
	if !onlyForm.Match(body) {
		return nil
	}
	return parseForm(string(body))
}

func parseJSON(body []byte) object {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var content object
	if decoder.Decode(&content) != nil {
		return nil
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil
	}
	return content
}

func parseForm(body string) object {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil
	}
	content := object{}
	for name, values := range form {
		if len(values) > 1 { // which none may be (RFC 6749 section 3.2)
			return nil
		}
		content[name] = values[0]
	}
	return content
}

// at gives the object at a path of names separated by dots; nil where there is none.
func (o object) at(path string) object {
	for name := range strings.SplitSeq(path, ".") {
		if name == "" {
			continue
		}
		inner, _ := o[name].(map[string]any)
		o = inner
	}
	return o
}

// failed reports whether there is an error, of whatever form.
func (o object) failed() bool {
	switch value := o["error"].(type) {
	case nil:
		return false
	case string:
		return value != ""
	case bool:
		return value
	default:
		return true
	}
}

// code gives the error, where it is of RFC 6749's form, or "".
func (o object) code() string {
	code, _ := o["error"].(string)
	return code
}
