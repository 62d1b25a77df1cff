// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
)

// auditPolicy has the API server write who asks for what, and nothing of what is asked or answered: that would be secrets.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    userGroups: [%q]
  - level: None
`

// Audit gives the path of the file with an Event of audit.k8s.io/v1 a line, of the requests of Options.AuditedGroup.
func (c *ControlPlane) Audit() string { return c.path("audit.log") }

func (c *ControlPlane) auditPolicy() string { return c.path("audit-policy.yaml") }

func (c *ControlPlane) prepareAudit() error {
	if c.options.AuditedGroup == "" {
		return nil
	}
	if err := os.WriteFile(c.auditPolicy(), fmt.Appendf(nil, auditPolicy, c.options.AuditedGroup), 0o600); err != nil {
		return fmt.Errorf("preparing the control plane: %w", err)
	}
	return nil
}

func (c *ControlPlane) auditArgs() []string {
	if c.options.AuditedGroup == "" {
		return nil
	}
	return []string{"--audit-policy-file=" + c.auditPolicy(), "--audit-log-path=" + c.Audit()}
}
