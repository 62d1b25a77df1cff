// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// line is one of a description: what it speaks of, and what it says of that. A line below another is indented.
type line struct{ label, text string }

// describe prints lines in two columns. A line without a text is a heading.
func describe(out io.Writer, lines []line) error {
	width := 0
	for _, l := range lines {
		width = max(width, len(l.label))
	}
	var text strings.Builder
	for _, l := range lines {
		written := fmt.Sprintf("%-*s  %s", width+1, l.label+":", plain(l.text))
		text.WriteString(strings.TrimRight(written, " ") + "\n")
	}
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// describeCredential says all that matters about a credential. keys speaks of the keys of its Secret.
func describeCredential(object *v1alpha1.ClientCredential, keys string, now time.Time) []line {
	lines := []line{{"Name", object.Name}, {"Namespace", object.Namespace}}
	lines = appendIf(lines, "Description", object.Spec.Description)
	lines = append(lines, line{"Client ID", orNothing(object.Status.ClientID)}, line{"Level", level(object)}, line{"Scopes", scopes(object.Spec.Scopes)})
	if minutes := object.Status.TokenExpiryMinutes; minutes > 0 {
		lines = append(lines, line{"Token lifetime", lifetime(minutes)})
	}
	if before := object.Spec.RevokeTokensBefore; before != nil {
		lines = append(lines, line{"Tokens revoked", "those issued before " + moment(before.Time, now)})
	}
	if secret, brought := secretOf(object); brought {
		lines = append(lines, line{"Secret", secret + ", which is yours (spec.secretRef)"}, line{"  Keys", keys})
	} else if secret != "" {
		lines = append(lines, line{"Secret", secret}, line{"  Keys", keys})
	}
	if delivered := object.Status.AccessToken; delivered != nil {
		lines = append(lines, line{"Access token Secret", delivered.Name})
		if delivered.ExpiresAt != nil {
			lines = append(lines, line{"  Token expires", moment(delivered.ExpiresAt.Time, now)})
		}
	}
	lines = append(lines, describeRotation(object, now)...)
	lines = append(lines, describeSecrets(object.Status.Verifiers, now)...)
	lines = append(lines, describeConditions(object.Status.Conditions)...)
	return appendIf(lines, "What to do", adviceFor(object, object.Status.Conditions))
}

// describeAccount says all that matters about an account.
func describeAccount(object *v1alpha1.Account, now time.Time) []line {
	lines := []line{{"Name", object.Name}}
	lines = appendIf(lines, "Display name", object.Spec.DisplayName)
	lines = append(lines, line{"Age", age(object.CreationTimestamp, now)})
	own := append([]v1alpha1.Scope{v1alpha1.ScopeWebhook, v1alpha1.ScopeMCP}, object.Spec.Scopes...)
	lines = append(lines, line{"Scopes", scopes(own)}, line{"Namespaces", namespaces(object.Spec.Namespaces)})
	if minutes := object.Spec.DefaultTokenExpiryMinutes; minutes > 0 {
		lines = append(lines, line{"Token lifetime", lifetime(minutes) + " unless a credential says otherwise"})
	}
	if minutes := object.Spec.MaxTokenExpiryMinutes; minutes > 0 {
		lines = append(lines, line{"  At most", lifetime(minutes)})
	}
	lines = append(lines, describeConditions(object.Status.Conditions)...)
	return appendIf(lines, "What to do", adviceFor(object, object.Status.Conditions))
}

// namespaces says which are allowed. A selector that selects by nothing selects all.
func namespaces(allowed v1alpha1.AccountNamespaces) string {
	words := allowed.Names
	switch selector := allowed.Selector; {
	case selector == nil:
	case len(selector.MatchLabels)+len(selector.MatchExpressions) == 0:
		return "all"
	default:
		words = append(slices.Clone(words), "those with "+metav1.FormatLabelSelector(selector))
	}
	return orNothing(strings.Join(words, ", "))
}

func describeRotation(object *v1alpha1.ClientCredential, now time.Time) []line {
	wanted := credential.ReadRotation(object)
	lines := []line{{"Rotation", ""}}
	made := object.Status.Rotation
	if made != nil && made.LastRotationTime != nil {
		lines = append(lines, line{"  Last", moment(made.LastRotationTime.Time, now)})
	}
	switch {
	case object.Spec.SecretRef != nil:
		lines = append(lines, line{"  Next", "when Secret " + object.Spec.SecretRef.Name + " is edited"})
	case made != nil && made.NextRotationTime != nil:
		lines = append(lines, line{"  Next", moment(made.NextRotationTime.Time, now)})
	default:
		lines = append(lines, line{"  Next", "when asked for: there is no spec.rotation.interval"})
	}
	lines = append(lines, line{"  Overlap", period(wanted.Overlap)})
	lines = appendIf(lines, "  Trigger", wanted.Trigger)
	return appendIf(lines, "  Request", wanted.Request)
}

// describeSecrets says which client secrets work, and until when. Of the secrets themselves nothing is known here.
func describeSecrets(verifiers []v1alpha1.SecretVerifier, now time.Time) []line {
	if len(verifiers) == 0 {
		return []line{{"Client secrets", "none works yet"}}
	}
	lines := []line{{"Client secrets", ""}}
	for _, verifier := range verifiers {
		switch {
		case verifier.PublishedAt == nil:
			lines = append(lines, line{"  Prepared", "not published yet"})
		case verifier.ExpiresAt == nil:
			lines = append(lines, line{"  Current", "published " + moment(verifier.PublishedAt.Time, now)})
		case verifier.ExpiresAt.After(now):
			lines = append(lines, line{"  Replaced", "works until " + moment(verifier.ExpiresAt.Time, now)})
		default:
			lines = append(lines, line{"  Replaced", "worked until " + moment(verifier.ExpiresAt.Time, now)})
		}
	}
	return lines
}

func describeConditions(conditions []metav1.Condition) []line {
	if len(conditions) == 0 {
		return nil
	}
	lines := []line{{"Conditions", ""}}
	for _, c := range conditions {
		lines = append(lines, line{"  " + c.Type, fmt.Sprintf("%s, %s: %s", c.Status, c.Reason, c.Message)})
	}
	return lines
}

func appendIf(lines []line, label, text string) []line {
	if text == "" {
		return lines
	}
	return append(lines, line{label, text})
}

func level(object *v1alpha1.ClientCredential) string {
	if object.Spec.AccountRef == nil {
		return "console"
	}
	return "account " + object.Spec.AccountRef.Name
}

func scopes(of []v1alpha1.Scope) string {
	var words []string
	for _, scope := range of {
		words = append(words, string(scope))
	}
	return strings.Join(words, " ")
}
