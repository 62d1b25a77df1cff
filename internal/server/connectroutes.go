// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"net/http"
	"time"

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
		mux.Handle(api.URL.Path()+endpoint.path, api.Metrics.Time(endpoint.label, patient(endpoint.serve)))
	}
	health(mux, ready)
	return exact(mux)
}

// patience is how long a request waits for the API server. What must not be left half done does not end with it.
const patience = 8 * time.Second

func patient(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		serve(w, r.WithContext(ctx))
	}
}
