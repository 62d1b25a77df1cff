// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/config"
)

// ServiceAccounts of the roles, as config/rbac names them.
const (
	ManagerServiceAccount      = "claviger-manager"
	TokenServiceServiceAccount = "claviger-token-service" //nolint:gosec // G101: a name, not a credential
	ConnectServiceAccount      = "claviger-connect"
)

// tokenLifetime is that of the tokens which the roles authenticate with. They are renewed at a quarter of
// it, so that two renewals may fail.
const tokenLifetime = time.Hour

// Identity gives access as one ServiceAccount of the operator's namespace, by a token in a file that is renewed until the
// context ends, as the kubelet does for a pod.
func Identity(ctx context.Context, admin *rest.Config, serviceAccount, dir string) (*rest.Config, error) {
	clients, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return nil, fmt.Errorf("building a client: %w", err)
	}
	file := filepath.Join(dir, serviceAccount+".token")
	if err := writeToken(ctx, clients, serviceAccount, file); err != nil {
		return nil, err
	}
	go renew(ctx, clients, serviceAccount, file)
	return &rest.Config{
		Host:            admin.Host,
		TLSClientConfig: rest.TLSClientConfig{CAData: admin.CAData},
		BearerTokenFile: file,
		UserAgent:       serviceAccount,
		QPS:             -1,
	}, nil
}

func renew(ctx context.Context, clients kubernetes.Interface, serviceAccount, file string) {
	tick := time.NewTicker(tokenLifetime / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := writeToken(ctx, clients, serviceAccount, file); err != nil {
				logr.FromContextOrDiscard(ctx).Error(err, "Renewing a ServiceAccount token; trying again later", "serviceAccount", serviceAccount)
			}
		}
	}
}

func writeToken(ctx context.Context, clients kubernetes.Interface, serviceAccount, file string) error {
	seconds := int64(tokenLifetime / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	answer, err := clients.CoreV1().ServiceAccounts(config.Namespace).CreateToken(ctx, serviceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("taking a token for ServiceAccount %s: %w", serviceAccount, err)
	}
	// A role reads the file at any time: it must never see half a token.
	fresh := file + ".fresh"
	if err := os.WriteFile(fresh, []byte(answer.Status.Token), 0o600); err != nil {
		return fmt.Errorf("writing the token of ServiceAccount %s: %w", serviceAccount, err)
	}
	if err := os.Rename(fresh, file); err != nil {
		return fmt.Errorf("writing the token of ServiceAccount %s: %w", serviceAccount, err)
	}
	return nil
}
