// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
)

// Names of the properties that are the account's own app registration. No URL may have them.
const (
	PropertyClientID     = "ClientId"
	PropertyClientSecret = "ClientSecret"
)

// Bounds of a property's value, in bytes. A secret may be a private key in PEM.
const (
	maxProperty = 1024
	maxSecret   = 8 << 10
)

// CheckProperties says whether properties are those that a Connector knows, and may have the values that they have. It fails with a
// terminal fault that names the first property that is wrong, and quotes no value.
func CheckProperties(known []v1alpha1.ConnectorProperty, given map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := checkText(name, given[name]); err != nil {
			return err
		}
		if name == PropertyClientID || name == PropertyClientSecret {
			continue
		}
		at := slices.IndexFunc(known, func(p v1alpha1.ConnectorProperty) bool { return string(p.Name) == name })
		if at < 0 {
			return fault.Terminalf(v1alpha1.ReasonInvalidProperty, "the Connector has no property %s", name)
		}
		if err := checkProperty(known[at], given[name]); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses what no provider can have given: it comes from a Secret, which holds any bytes.
func checkText(name, value string) error {
	most, lines := maxProperty, ""
	if name == PropertyClientSecret {
		most, lines = maxSecret, "\r\n"
	}
	odd := func(char rune) bool { return unicode.IsControl(char) && !strings.ContainsRune(lines, char) }
	switch {
	case len(value) > most:
		return fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property %s has more than %d bytes", name, most)
	case !utf8.ValidString(value):
		return fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property %s is no UTF-8", name)
	case strings.ContainsFunc(value, odd):
		return fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property %s has control characters, such as a line break", name)
	default:
		return nil
	}
}

func checkProperty(property v1alpha1.ConnectorProperty, value string) error {
	if len(property.Values) > 0 && !slices.Contains(property.Values, value) {
		return fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property %s must be one of %s", property.Name, strings.Join(property.Values, ", "))
	}
	if property.Pattern == "" {
		return nil
	}
	pattern, err := regexp.Compile("^(?:" + property.Pattern + ")$")
	if err != nil {
		return fault.Terminalf(v1alpha1.ReasonInvalidConnector, "the pattern of property %s is no regular expression", property.Name)
	}
	if !pattern.MatchString(value) {
		return fault.Terminalf(v1alpha1.ReasonInvalidProperty, "property %s must match %s", property.Name, property.Pattern)
	}
	return nil
}
