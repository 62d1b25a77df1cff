// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "claviger.dev", Version: "v1alpha1"}

// AddToScheme registers the kinds of this package with a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Account{}, &AccountList{},
		&ClientCredential{}, &ClientCredentialList{},
		&ProtectedResource{}, &ProtectedResourceList{},
		&RevokedToken{}, &RevokedTokenList{},
		&Connector{}, &ConnectorList{},
		&AccountConnector{}, &AccountConnectorList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
