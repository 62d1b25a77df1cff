// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"github.com/claviger/claviger/internal/server/connectapi"
)

// ConnectRoutes is every route of the connect role's public port. They stand below the path of the URL that browsers reach it at.
func ConnectRoutes(api *connectapi.API, ready func() bool) http.Handler {
	mux := http.NewServeMux()
	for _, endpoint := range []struct {
		path  string
		label string
		serve http.HandlerFunc
	}{
		{connectapi.PathLink, "link", api.Link},
		{connectapi.PathCallback + "{connector}", "callback", api.Callback},
		{connectapi.PathCompleted, "completed", api.Completed},
		{connectapi.PathAssets, "assets", api.Pages.Assets().ServeHTTP},
		{connectapi.PathSignInToken, "sign_in_token", api.SignInToken},
		{connectapi.PathConnection, "connection", api.Connection},
		{connectapi.PathConfirm, "confirm", api.Confirm},
	} {
		mux.Handle(api.URL.Path()+endpoint.path, api.Metrics.Time(endpoint.label, endpoint.serve))
	}
	health(mux, ready)
	return exact(mux)
}
