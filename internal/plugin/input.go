// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/claviger/claviger/internal/oauth"
)

// standardInput, in place of a token, means to read it: an argument stays in the history of the shell, and every process of
// the machine can see it.
const standardInput = "-"

var errNoToken = errors.New("there is no token: pipe one in, or give it as the argument")

// errEmptyAccount: an account that is not named must not turn into a token, or a verdict, for all of them.
var errEmptyAccount = errors.New("--account is empty: a variable that should name the account may have lost its value")

// readToken gives the token of the argument or, without one or with "-", the first line of standard input. A header that was
// pasted with it is taken off.
func (s *session) readToken(args []string) (string, error) {
	text := standardInput
	if len(args) > 0 {
		text = args[0]
	}
	if text == standardInput {
		// One byte more than a token may have with its header, so that a longer one is seen to be too long.
		line, err := bufio.NewReader(io.LimitReader(s.In, 2*oauth.MaxBearerLength)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("reading the token: %w", err)
		}
		text = line
	}
	words := strings.Fields(text)
	for _, header := range []string{"Authorization:", "Bearer"} {
		if len(words) > 0 && strings.EqualFold(words[0], header) {
			words = words[1:]
		}
	}
	switch {
	case len(words) == 0:
		return "", errNoToken
	case len(words) > 1, !isBearer(words[0]):
		return "", errors.New("this is not a bearer token: it is too long, or has characters that none has")
	}
	return words[0], nil
}

// isBearer reports whether a text can be a bearer token (RFC 6750 section 2.1).
func isBearer(text string) bool {
	token, err := oauth.ParseBearer([]string{"Bearer " + text})
	return err == nil && token == text
}
