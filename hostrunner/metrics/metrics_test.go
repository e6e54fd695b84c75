package metrics_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/metrics"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	m.Gauge("cardferry_sessions", "Sessions.", func() float64 { return 3 })
	m.Observe(syncserver.Observation{Endpoint: "sync/meta", Status: 200, Elapsed: time.Second, In: 10, Out: 20})
	m.Observe(syncserver.Observation{Endpoint: "api/events", Status: 200, Elapsed: time.Hour})
	m.Observe(syncserver.Observation{Status: 404})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`cardferry_requests_total{endpoint="sync/meta",status="200"} 1`, `cardferry_requests_total{endpoint="other",status="404"} 1`,
		`cardferry_body_bytes_total{direction="out",endpoint="sync/meta"} 20`, "cardferry_sessions 3", "go_goroutines ",
		`cardferry_request_duration_seconds_bucket{endpoint="sync/meta",le="1"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("%s is missing", line)
		}
	}
	if strings.Contains(w.Body.String(), `duration_seconds_count{endpoint="api/events"}`) {
		t.Error("the time that somebody listens counts as a request's")
	}
}
