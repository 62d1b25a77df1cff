// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
)

// JudgeConnection says whether an account may have a connection in a namespace: by the same rules as a credential. account is nil
// where it does not exist. Its error is a fault.
func JudgeConnection(object *v1alpha1.AccountConnector, account *Account, namespace Namespace) error {
	if object.Spec.Suspend {
		return fault.Terminalf(v1alpha1.ReasonSuspended, "spec.suspend is true")
	}
	return judgeAccount(object.Spec.AccountRef.Name, account, namespace, nil)
}
