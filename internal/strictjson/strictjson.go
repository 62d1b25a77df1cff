// SPDX-License-Identifier: Apache-2.0

// Package strictjson reads JSON that people write, where encoding/json would take the last of two members of one name, and any case.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// Errors of Strings. None quotes a value.
var (
	ErrNoObject = errors.New("it is no JSON object")
	ErrTwice    = errors.New("a key comes twice")
	ErrBehind   = errors.New("something stands behind the JSON object")
)

// Strings reads a JSON object whose members are strings. Its errors name the key that is wrong, where it may be named.
func Strings(text []byte) (map[string]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, ErrNoObject
	}
	fields := map[string]string{}
	for decoder.More() {
		token, err := decoder.Token()
		key, is := token.(string)
		if err != nil || !is {
			return nil, ErrNoObject
		}
		var field any
		if err := decoder.Decode(&field); err != nil {
			return nil, ErrNoObject
		}
		value, is := field.(string)
		if !is {
			return nil, fmt.Errorf("%s is no string", Named(key))
		}
		if _, twice := fields[key]; twice {
			return nil, fmt.Errorf("%s: %w", Named(key), ErrTwice)
		}
		fields[key] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, ErrNoObject
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrBehind
	}
	return fields, nil
}

var plainKey = regexp.MustCompile(`^[A-Za-z_]{1,24}$`)

// Named gives a key as an error may name it: people paste tokens everywhere.
func Named(key string) string {
	if plainKey.MatchString(key) {
		return key
	}
	return "a key that is not quoted here"
}
