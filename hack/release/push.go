// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// push sends the image that snapshot has built, and no other, to the registry that its name says. A tag that is there already is left
// alone unless it is the same: what people have pulled under a version stays that version.
func (r *release) push(ctx context.Context) error {
	if r.image == "" || r.image == defaultImage {
		return errors.New("IMAGE is missing: say where to push to, such as IMAGE=registry.example.com/claviger")
	}
	tag, err := name.NewTag(r.image + ":" + r.version)
	if err != nil {
		return fmt.Errorf("IMAGE=%s is not the name of an image without a tag: %w", r.image, err)
	}
	work, err := os.MkdirTemp("", "claviger-push-")
	if err != nil {
		return fmt.Errorf("making a folder to unpack in: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	index, err := r.built(work)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return fmt.Errorf("summing up the index: %w", err)
	}

	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain())}
	switch there, err := remote.Head(tag, options...); {
	case err == nil && there.Digest != digest:
		return fmt.Errorf("%s is there already, as %s, and a version never changes; release another", tag, there.Digest)
	case err == nil:
		r.logf("%s@%s is there already", tag, digest)
		return nil
	case !isAbsent(err):
		return fmt.Errorf("nobody knows whether %s is there already; try again: %w", tag, err)
	}
	if err := remote.WriteIndex(tag, index, options...); err != nil {
		return fmt.Errorf("pushing %s (credentials come from REGISTRY_USERNAME and REGISTRY_PASSWORD, or from the login of docker or podman): %w", tag, err)
	}
	r.logf("pushed %s@%s", tag, digest)
	return nil
}

// isAbsent reports whether a registry has said that it has no such tag. Some say of a repository that is not there yet that nobody may
// look at it; whoever really may not is refused by the push itself.
func isAbsent(err error) bool {
	refused, ok := errors.AsType[*transport.Error](err)
	return ok && slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, refused.StatusCode)
}

// keychain asks the environment first, and then where docker and podman keep logins.
func keychain() authn.Keychain {
	user, password := os.Getenv("REGISTRY_USERNAME"), os.Getenv("REGISTRY_PASSWORD")
	if user == "" || password == "" {
		return authn.DefaultKeychain
	}
	return fixed{authn.FromConfig(authn.AuthConfig{Username: user, Password: password})}
}

// fixed are credentials for whatever is asked.
type fixed struct{ authn.Authenticator }

func (f fixed) Resolve(authn.Resource) (authn.Authenticator, error) { return f.Authenticator, nil }

// built gives the index in the layout of this version, where it was built from a commit and nothing else.
func (r *release) built(work string) (v1.ImageIndex, error) {
	if _, err := os.Stat(r.file(r.imageFile())); err != nil {
		return nil, fmt.Errorf("%s is not built (%w); run make release-snapshot VERSION=%s", r.version, err, r.version)
	}
	path, err := unpack(r.file(r.imageFile()), work)
	if err != nil {
		return nil, err
	}
	outer, err := path.ImageIndex()
	if err != nil {
		return nil, fmt.Errorf("reading the layout: %w", err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading the layout: %w", err)
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("the layout should have one index and has %d; run make release-snapshot VERSION=%s", len(manifest.Manifests), r.version)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	inner, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if commit := inner.Annotations[annotationRevision]; strings.HasSuffix(commit, "-dirty") {
		return nil, fmt.Errorf("%s was built from a changed tree (%s); commit, and build it again", r.version, commit)
	}
	return index, nil
}
