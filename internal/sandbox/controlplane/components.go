// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/internal/sandbox/loopback"
)

// advertised is what the API server puts into the endpoints of Service kubernetes: an address of RFC 5737 that nobody has.
// It must not be loopback, and nothing here uses it; without it the API server would look for a network interface.
const advertised = "192.0.2.1"

// serviceAccountIssuer is the issuer of ServiceAccount tokens.
const serviceAccountIssuer = "https://kubernetes.default.svc.cluster.local"

// configure chooses ports and writes down the arguments of every component.
func (c *ControlPlane) configure(ctx context.Context) error {
	ports, err := loopback.FreePorts(ctx, 4)
	if err != nil {
		return err
	}
	etcdURL := "http://" + net.JoinHostPort(loopback.Address, ports[0])
	peerURL := "http://" + net.JoinHostPort(loopback.Address, ports[1])
	server := "https://" + net.JoinHostPort(loopback.Address, ports[2])
	c.admin = c.access.config(server, c.access.adminToken)
	trusting, err := rest.HTTPClientFor(c.admin)
	if err != nil {
		return fmt.Errorf("building a client: %w", err)
	}
	c.etcd = c.process("etcd", c.etcdArgs(etcdURL, peerURL), answersOK(http.DefaultClient, etcdURL+"/readyz"))
	c.apiServer = c.process("kube-apiserver", c.apiServerArgs(etcdURL, ports[2]), answersOK(trusting, server+"/readyz"))
	c.manager = c.process("kube-controller-manager", c.controllerArgs(ports[3]),
		answersOK(trusting, "https://"+net.JoinHostPort(loopback.Address, ports[3])+"/healthz"))
	return nil
}

func (c *ControlPlane) etcdArgs(clientURL, peerURL string) []string {
	return []string{
		"--data-dir=" + c.path("etcd"),
		"--listen-client-urls=" + clientURL,
		"--advertise-client-urls=" + clientURL,
		"--listen-peer-urls=" + peerURL,
		"--unsafe-no-fsync=" + strconv.FormatBool(!c.options.Durable),
		"--log-level=warn",
	}
}

func (c *ControlPlane) apiServerArgs(etcdURL, port string) []string {
	args := append(c.auditArgs(),
		"--etcd-servers="+etcdURL,
		"--bind-address="+loopback.Address,
		"--advertise-address="+advertised,
		"--secure-port="+port,
		"--tls-cert-file="+c.access.servingCertificate(),
		"--tls-private-key-file="+c.access.servingKey(),
		"--token-auth-file="+c.access.tokens(),
		"--authorization-mode=RBAC",
		"--service-account-issuer="+serviceAccountIssuer,
		"--service-account-key-file="+c.access.serviceAccountKey(),
		"--service-account-signing-key-file="+c.access.serviceAccountKey(),
		"--service-cluster-ip-range=10.0.0.0/24",
	)
	if !c.HasControllers() {
		// It is kube-controller-manager who gives every namespace the ServiceAccount that pods need.
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	return args
}

// controllerArgs runs the controllers that matter without nodes: garbage collection, deletion of namespaces, default
// ServiceAccounts, aggregated roles.
func (c *ControlPlane) controllerArgs(port string) []string {
	return []string{
		"--kubeconfig=" + c.access.controllerKubeconfig(),
		"--authentication-kubeconfig=" + c.access.controllerKubeconfig(),
		"--authorization-kubeconfig=" + c.access.controllerKubeconfig(),
		"--bind-address=" + loopback.Address,
		"--secure-port=" + port,
		"--tls-cert-file=" + c.access.servingCertificate(),
		"--tls-private-key-file=" + c.access.servingKey(),
		"--service-account-private-key-file=" + c.access.serviceAccountKey(),
		"--root-ca-file=" + c.access.servingCertificate(),
		"--use-service-account-credentials",
		"--leader-elect=false",
		"--controllers=garbage-collector-controller,namespace-controller,serviceaccount-controller," +
			"root-ca-certificate-publisher-controller,clusterrole-aggregation-controller",
	}
}
