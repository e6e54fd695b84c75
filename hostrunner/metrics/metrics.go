// Package metrics counts what a sync server does, for Prometheus to read.
package metrics

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// Metrics has a registry of its own: what other packages count globally does not show.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
}

// New returns metrics with the program's own figures: memory, goroutines, files.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cardferry_requests_total", Help: "Requests that have ended, by what was asked for and the answer's status.",
		}, []string{"endpoint", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cardferry_request_duration_seconds", Help: "How long requests took, with the time in which bodies were on their way.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 60, 300},
		}, []string{"endpoint"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cardferry_body_bytes_total", Help: "Bytes of bodies as they were sent, by direction (in, out).",
		}, []string{"endpoint", "direction"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.bytes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts a request.
func (m *Metrics) Observe(o syncserver.Observation) {
	endpoint := o.Endpoint
	if endpoint == "" {
		endpoint = "other"
	}
	m.requests.WithLabelValues(endpoint, strconv.Itoa(o.Status)).Inc()
	m.bytes.WithLabelValues(endpoint, "in").Add(float64(o.In))
	m.bytes.WithLabelValues(endpoint, "out").Add(float64(o.Out))
	if !strings.HasSuffix(endpoint, "/events") { // these last as long as an app is open
		m.seconds.WithLabelValues(endpoint).Observe(o.Elapsed.Seconds())
	}
}

// Gauge adds a figure that is asked for when somebody reads the metrics.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Handler returns what answers with the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4})
}
