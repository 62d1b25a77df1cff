// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// TestAlertsFire, and keep still, on series as Prometheus writes them down: a value each minute from 0 on. In "0+1x9" ten values begin at 0 and
// grow by 1; "_" is a minute without one, and "stale" the mark of a target that has gone.
func TestAlertsFire(t *testing.T) {
	const day = 24 * time.Hour
	fired := map[string]bool{}
	for _, test := range []struct {
		name, alert, series string
		after               time.Duration
		fires               []string // severity and summary
	}{
		{
			name: "one of two replicas of the token service is enough", alert: "ClavigerTokenServiceDown", after: 30 * time.Minute,
			series: `claviger_signing_key_since_timestamp_seconds{job="claviger-token-service",pod="a"} 0x5 stale
				claviger_signing_key_since_timestamp_seconds{job="claviger-token-service",pod="b"} 0x60`,
		},
		{
			name: "a token service that never was there is away", alert: "ClavigerTokenServiceDown", after: 6 * time.Minute,
			fires: []string{"critical: No replica of the token service is ready"},
		},
		{
			name: "a token service that is away for four minutes may be back", alert: "ClavigerTokenServiceDown", after: 4 * time.Minute,
		},
		{
			name: "a replica that is scraped and has no keys is not ready", alert: "ClavigerTokenServiceDown", after: 10 * time.Minute,
			series: `up{job="claviger-token-service",pod="a"} 1x60
				claviger_signing_key_since_timestamp_seconds{job="claviger-token-service",pod="a"} 0x3 stale`,
			fires: []string{"critical: No replica of the token service is ready"},
		},
		{
			name: "a restart of the only replica is no outage yet", alert: "ClavigerTokenServiceDown", after: 7 * time.Minute,
			series: `claviger_signing_key_since_timestamp_seconds{job="claviger-token-service",pod="a"} 0x3 stale
				claviger_signing_key_since_timestamp_seconds{job="claviger-token-service",pod="b"} _x5 0x60`,
		},
		{
			name: "a request in twenty that fails is too many, of that endpoint alone", alert: "ClavigerServerErrors", after: 20 * time.Minute,
			series: `claviger_http_request_duration_seconds_count{job="claviger-token-service",endpoint="token",code="200",pod="a"} 0+95x60
				claviger_http_request_duration_seconds_count{job="claviger-token-service",endpoint="token",code="503",pod="b"} 0+5x60
				claviger_http_request_duration_seconds_count{job="claviger-token-service",endpoint="verify",code="200",pod="a"} 0+1000x60
				claviger_http_request_duration_seconds_count{job="claviger-token-service",endpoint="verify",code="401",pod="a"} 0+1000x60`,
			fires: []string{"critical: claviger-token-service answers with 5xx at token"},
		},
		{
			name: "a single failure of a request that is seldom made wakes nobody", alert: "ClavigerServerErrors", after: 15 * time.Minute,
			series: `claviger_http_request_duration_seconds_count{job="claviger-token-service",endpoint="revoke",code="200"} 0x60
				claviger_http_request_duration_seconds_count{job="claviger-token-service",endpoint="revoke",code="503"} 0x4 1x60`,
		},
		{
			name: "silence of one resource makes a replica stale", alert: "ClavigerReplicaStale", after: 15 * time.Minute,
			series: `claviger_informer_last_contact_timestamp_seconds{job="claviger-token-service",pod="a",resource="accounts"} 0+60x60
				claviger_informer_last_contact_timestamp_seconds{job="claviger-token-service",pod="a",resource="clientcredentials"} 0x60
				claviger_informer_last_contact_timestamp_seconds{job="claviger-token-service",pod="b",resource="clientcredentials"} 0+60x60`,
			fires: []string{"warning: a does not hear the API server"},
		},
		{
			name: "a leader among replicas that stand by is enough", alert: "ClavigerManagerNoLeader", after: 30 * time.Minute,
			series: `leader_election_master_status{name="claviger-manager",pod="a"} 0x60
				leader_election_master_status{name="claviger-manager",pod="b"} 1x60`,
		},
		{
			name: "replicas that all stand by are none that works", alert: "ClavigerManagerNoLeader", after: 30 * time.Minute,
			series: `leader_election_master_status{name="claviger-manager",pod="a"} 0x60
				leader_election_master_status{name="claviger-manager",pod="b"} 0x60`,
			fires: []string{"critical: No manager works"},
		},
		{
			name: "another operator's leader is not ours", alert: "ClavigerManagerNoLeader", after: 30 * time.Minute,
			series: `leader_election_master_status{name="other"} 1x60`,
			fires:  []string{"critical: No manager works"},
		},
		{
			name: "an object that is tried every 17 minutes goes on failing", alert: "ClavigerReconcileErrors", after: 3 * time.Hour,
			series: `controller_runtime_reconcile_errors_total{job="claviger-manager",controller="connector"} ` + steps(17, 1, 14),
			fires:  []string{"warning: Controller connector of the manager goes on failing"},
		},
		{
			name: "a burst of errors keeps still", alert: "ClavigerReconcileErrors", after: 28 * time.Minute,
			series: `controller_runtime_reconcile_errors_total{job="claviger-manager",controller="connector"} 0x10 50x200`,
		},
		{
			name: "a Secret that is sound keeps still, and one that is damaged does not", alert: "ClavigerKeyMaterialDamaged", after: 10 * time.Minute,
			series: `claviger_key_material_damaged{secret="claviger-pepper"} 0x60
				claviger_key_material_damaged{secret="claviger-ca"} 1x60`,
			fires: []string{"critical: Secret claviger-ca is damaged"},
		},
		{
			name: "a certificate with ten days left is for the working day", alert: "ClavigerCertificateExpiring", after: 2 * time.Hour,
			series: `claviger_serving_certificate_expiry_timestamp_seconds{job="claviger-token-service",pod="a"} 864000x600
				claviger_certificate_expiry_timestamp_seconds{job="claviger-manager",secret="claviger-ca"} 86400000x600`,
			fires: []string{"warning: A certificate of claviger-token-service is not renewed"},
		},
		{
			name: "one with a day left is for now, too", alert: "ClavigerCertificateExpiring", after: 2 * time.Hour,
			series: `claviger_certificate_expiry_timestamp_seconds{job="claviger-manager",secret="claviger-ca"} 86400x600`,
			fires:  []string{"critical: A certificate of claviger-manager is about to expire", "warning: A certificate of claviger-manager is not renewed"},
		},
		{
			name: "users who have not signed in yet, and what was suspended, are no fault", alert: "ClavigerConnectionsNeedHuman", after: 2 * time.Hour,
			series: `claviger_connections{reason="SignInRequired"} 7x200
				claviger_connections{reason="Suspended"} 2x200
				claviger_connections{reason="Misconfigured"} 0x200
				claviger_connections{reason="Connected"} 100x200`,
		},
		{
			name: "a grant that has just ended is its user's to renew", alert: "ClavigerConnectionsNeedHuman", after: 30 * time.Minute,
			series: `claviger_connections{reason="ReauthorizationRequired"} 2x200`,
		},
		{
			name: "grants that have ended an hour ago are one", alert: "ClavigerConnectionsNeedHuman", after: 2 * time.Hour,
			series: `claviger_connections{reason="ReauthorizationRequired"} 2x200`,
			fires:  []string{"warning: Connections have no live token until a human does something"},
		},
		{
			name: "refreshes that fail are told by Connector", alert: "ClavigerRefreshesFailing", after: time.Hour,
			series: `claviger_connection_refreshes_total{connector="hubspot",outcome="granted"} 0+1x100
				claviger_connection_refreshes_total{connector="hubspot",outcome="busy"} 0+3x100
				claviger_connection_refreshes_total{connector="google",outcome="granted"} 0+10x100
				claviger_connection_refreshes_total{connector="google",outcome="busy"} 0+1x100`,
			fires: []string{"warning: Most refreshes of Connector hubspot fail"},
		},
		{
			name: "grants that users have taken back are no failure of refreshes", alert: "ClavigerRefreshesFailing", after: time.Hour,
			series: `claviger_connection_refreshes_total{connector="hubspot",outcome="grant_refused"} 0+3x100`,
		},
		{
			name: "a hook that refuses every ten minutes goes on failing", alert: "ClavigerNotificationsFailing", after: 2 * time.Hour,
			series: `claviger_notifications_total{type="connection.failing",result="failed"} ` + steps(10, 1, 20),
			fires:  []string{"warning: The notification hook does not take messages"},
		},
		{
			name: "a hook that was away for ten minutes keeps still", alert: "ClavigerNotificationsFailing", after: 30 * time.Minute,
			series: `claviger_notifications_total{type="connection.failing",result="failed"} 0x9 0+1x10 10x100`,
		},
		{
			name: "a gate that has no answers, and not one that has them again", alert: "ClavigerGateCannotAsk", after: 30 * time.Minute,
			series: `claviger_gate_introspections_total{namespace="acme",job="claviger-gate",result="resting"} 0+4x100
				claviger_gate_introspections_total{namespace="beta",job="claviger-gate",result="error"} 0x10 2x100
				claviger_gate_introspections_total{namespace="beta",job="claviger-gate",result="active"} 0+9x100`,
			fires: []string{"critical: A gate in acme cannot ask about tokens"},
		},
		{
			name: "credentials that somebody has suspended are as they should be", alert: "ClavigerClientCredentialNotReady", after: time.Hour,
			series: `kube_claviger_clientcredential_condition{namespace="acme",name="orders",type="Ready",reason="Suspended"} 0x100
				kube_claviger_clientcredential_condition{namespace="acme",name="stock",type="Ready",reason="SecretConflict"} 0x100
				kube_claviger_clientcredential_condition{namespace="acme",name="mail",type="Ready",reason="Issued"} 1x100`,
			fires: []string{"warning: ClientCredential acme/stock is not Ready"},
		},
		{
			name: "a key that has signed for 31 days and an hour", alert: "ClavigerSigningKeyNotRotated", after: 32 * day,
			series: `claviger_signing_key_since_timestamp_seconds{job="claviger-token-service",pod="a"} 0x47000`,
			fires:  []string{"warning: The signing key is not rotated"},
		},
		{
			name: "a key that was rotated in time", alert: "ClavigerSigningKeyNotRotated", after: 32 * day,
			series: `claviger_signing_key_since_timestamp_seconds{job="claviger-token-service",pod="a"} 0x43200 2592000x4000`,
		},
		{
			name: "guesses that do not end", alert: "ClavigerFailureBudgetExhausted", after: 30 * time.Minute,
			series: `claviger_limited_requests_total{budget="source",pod="a"} 0+1x60
				claviger_limited_requests_total{budget="client",pod="a"} 0x60
				claviger_limited_requests_total{budget="revocation",pod="a"} 0+5x60`,
			fires: []string{"warning: Somebody fails to authenticate again and again"},
		},
		{
			name: "a gateway whose guard names no scope", alert: "ClavigerGuardMisconfigured", after: 15 * time.Minute,
			series: `claviger_verify_requests_total{result="insufficient_scope",reason="BadGuard"} 0+1x60
				claviger_verify_requests_total{result="admitted",reason="None"} 0+100x60`,
			fires: []string{"warning: A gateway asks /verify what makes no sense"},
		},
		{
			name: "a provider that ends every grant within the hour", alert: "ClavigerGrantsEnding", after: time.Hour,
			series: `claviger_connection_refreshes_total{connector="hubspot",outcome="grant_refused"} 0+1x100
				claviger_connection_refreshes_total{connector="google",outcome="grant_refused"} 0x30 5x70`,
			fires: []string{"warning: Many grants of Connector hubspot have ended at once"},
		},
		{
			name: "a provider that is away for longer than a restart takes", alert: "ClavigerProviderAway", after: 30 * time.Minute,
			series: `claviger_connection_hosts_resting 0x9 1x60`,
			fires:  []string{"warning: A provider does not answer"},
		},
		{
			name: "users who refuse are no fault, and exchanges that fail are", alert: "ClavigerSignInsFailing", after: time.Hour,
			series: `claviger_sign_ins_total{result="access_denied"} 0+1x100
				claviger_sign_ins_total{result="exchange_failed"} 0x30 0+1x60`,
			fires: []string{"warning: Users do not get through a sign-in"},
		},
		{
			name: "a grant that ends whatever is done", alert: "ClavigerGrantExpiring", after: 2 * time.Hour,
			series: `kube_claviger_accountconnector_condition{namespace="acme",name="crm",type="RefreshHealthy",reason="GrantExpiring"} 0x200
				kube_claviger_accountconnector_condition{namespace="acme",name="mail",type="RefreshHealthy",reason="RefreshFailing"} 0x200
				kube_claviger_accountconnector_condition{namespace="acme",name="bank",type="RefreshHealthy",reason="Refreshed"} 1x200`,
			fires: []string{"warning: The grant of AccountConnector acme/crm is about to end"},
		},
	} {
		fired[test.alert] = fired[test.alert] || len(test.fires) > 0
		t.Run(test.name, func(t *testing.T) {
			if got := firing(t, test.alert, test.series, test.after); !slices.Equal(got, test.fires) {
				t.Errorf("got %q, want %q", got, test.fires)
			}
		})
	}
	for _, rule := range alerts(t) {
		if !fired[rule.Alert] {
			t.Errorf("nothing here makes %s fire", rule.Alert)
		}
	}
}

// steps writes a counter down that grows by one every so many minutes.
func steps(minutes, from, to int) string {
	var series strings.Builder
	for value := from; value < to; value++ {
		for range minutes {
			series.WriteString(" " + string(rune('0'+value/10)) + string(rune('0'+value%10)))
		}
	}
	return series.String()
}

// firing evaluates the rules of that alert as Prometheus does, over the last two hours before the time, and gives those that fire then.
func firing(t *testing.T, alert, series string, after time.Duration) []string {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n"+series)
	query := rules.EngineQueryFunc(promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000), storage)
	var found []string
	for _, rule := range alerts(t) {
		if rule.Alert != alert {
			continue
		}
		expression, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
		if err != nil {
			t.Fatal(err)
		}
		alerting := rules.NewAlertingRule(rule.Alert, expression, time.Duration(rule.For), time.Duration(rule.KeepFiringFor),
			labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
		for at := max(0, after-2*time.Hour); at <= after; at += time.Minute {
			if _, err := alerting.Eval(t.Context(), 0, time.Unix(0, 0).Add(at), query, &url.URL{}, 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, active := range alerting.ActiveAlerts() {
			for name, said := range active.Annotations.Map() {
				if strings.Contains(said, "<no value>") || strings.Contains(said, "<error") {
					t.Errorf("%s is %q", name, said)
				}
			}
			if active.State == rules.StateFiring {
				found = append(found, active.Labels.Get("severity")+": "+active.Annotations.Get("summary"))
			}
		}
	}
	slices.Sort(found)
	return found
}
