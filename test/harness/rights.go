// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/claviger/claviger/config"
)

// right is one thing that a role may do: in a namespace, where the role is only for that.
type right struct {
	verb, group, resource, namespace string
}

// covers reports whether somebody has done what they may by this right. An informer lists where the API server cannot stream what there is
// at the beginning of a watch, which ours can.
func (r right) covers(did right) bool {
	verb := did.verb == r.verb || (r.verb == "list" && did.verb == "watch")
	return verb && did.group == r.group && did.resource == r.resource && (r.namespace == "" || did.namespace == r.namespace)
}

// unseen are rights that no request shows.
func unseen(r right) bool {
	// The API server's admission asks for it where somebody makes an owner reference that blocks the owner's deletion.
	return r.verb == "update" && strings.HasSuffix(r.resource, "/finalizers")
}

// ExpectRightsUsed: what the manifests allow ServiceAccounts they have done, in a suite that ran as a whole.
func (p *Plane) ExpectRightsUsed(serviceAccounts ...string) {
	GinkgoHelper()
	if suite, _ := GinkgoConfiguration(); len(suite.FocusStrings)+len(suite.SkipStrings)+len(suite.FocusFiles)+len(suite.LabelFilter) > 0 {
		return
	}
	for _, name := range serviceAccounts {
		used := p.used("system:serviceaccount:" + config.Namespace + ":" + name)
		Expect(used).NotTo(BeEmpty(), "%s has asked for something", name)
		var idle []right
		for _, may := range rightsOf(name) {
			if !unseen(may) && !slices.ContainsFunc(used.UnsortedList(), may.covers) {
				idle = append(idle, may)
			}
		}
		Expect(idle).To(BeEmpty(), "rights of %s that it has not used", name)
	}
}

// used reads from the audit log what a user was allowed to do, and did.
func (p *Plane) used(user string) sets.Set[right] {
	GinkgoHelper()
	file, err := os.Open(p.Audit())
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	used := sets.New[right]()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Verb       string `json:"verb"`
			RequestURI string `json:"requestURI"`
			User       struct {
				Username string `json:"username"`
			} `json:"user"`
			ObjectRef struct {
				Namespace, Resource, Subresource string
				APIGroup                         string `json:"apiGroup"`
			} `json:"objectRef"`
			Annotations map[string]string `json:"annotations"`
		}
		Expect(json.Unmarshal(lines.Bytes(), &event)).To(Succeed())
		if event.User.Username != user || event.Annotations["authorization.k8s.io/decision"] != "allow" {
			continue
		}
		did := right{event.Verb, event.ObjectRef.APIGroup, event.ObjectRef.Resource, event.ObjectRef.Namespace}
		if event.ObjectRef.Subresource != "" {
			did.resource += "/" + event.ObjectRef.Subresource
		}
		if did.resource == "" {
			did.resource, _, _ = strings.Cut(event.RequestURI, "?")
		}
		used.Insert(did)
	}
	Expect(lines.Err()).NotTo(HaveOccurred())
	return used
}

// rightsOf gives what the manifests allow a ServiceAccount.
func rightsOf(serviceAccount string) []right {
	GinkgoHelper()
	objects, err := config.RBAC()
	Expect(err).NotTo(HaveOccurred())
	rules := map[rbacv1.RoleRef]map[string][]rbacv1.PolicyRule{}
	type binding struct {
		role      rbacv1.RoleRef
		namespace string
	}
	var bindings []binding
	for _, object := range objects {
		switch object.GetKind() {
		case "Role", "ClusterRole":
			role := &rbacv1.ClusterRole{} // a Role has the same fields
			into(object, role)
			reference := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: object.GetKind(), Name: object.GetName()}
			if rules[reference] == nil {
				rules[reference] = map[string][]rbacv1.PolicyRule{}
			}
			rules[reference][object.GetNamespace()] = role.Rules
		case "RoleBinding", "ClusterRoleBinding":
			bound := &rbacv1.RoleBinding{}
			into(object, bound)
			if slices.ContainsFunc(bound.Subjects, func(s rbacv1.Subject) bool { return s.Name == serviceAccount }) {
				bindings = append(bindings, binding{bound.RoleRef, bound.Namespace})
			}
		}
	}
	var rights []right
	for _, bound := range bindings {
		in := bound.namespace
		if bound.role.Kind == "ClusterRole" {
			in = ""
		}
		for _, rule := range rules[bound.role][in] {
			rights = append(rights, spread(rule, bound.namespace)...)
		}
	}
	Expect(rights).NotTo(BeEmpty(), "%s has rights", serviceAccount)
	return rights
}

func into(object *unstructured.Unstructured, typed any) {
	GinkgoHelper()
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed)).To(Succeed())
}

// spread gives each right of a rule.
func spread(rule rbacv1.PolicyRule, namespace string) []right {
	var rights []right
	for _, verb := range rule.Verbs {
		for _, path := range rule.NonResourceURLs {
			rights = append(rights, right{verb: verb, resource: path})
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				rights = append(rights, right{verb, group, resource, namespace})
			}
		}
	}
	return rights
}
