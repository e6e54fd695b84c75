package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/cardferry/cardferry/core/fault"
)

const (
	// headerTime cuts off who sends the beginning of a request, or of a TLS connection, a byte at a time. Bodies and answers have their own limits
	// (syncserver.Limits.Stall).
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	maxHeaders = 16 << 10
	// streamWindow is how much of a request's body may come over HTTP/2 before it is read, and connWindow how much of all requests of a connection.
	// A page has 16 requests under way: those whose bodies have to wait, as for a slow upstream, must not hold up the others.
	streamWindow = 1 << 20
	connWindow   = 16 * streamWindow
	// writeTime ends a connection of HTTP/2 of which the client takes nothing: ending a stream would take a message to it.
	writeTime = time.Minute
	// drainTime is how long requests under way may go on after a signal. Docker waits for 10 s before it kills.
	drainTime = 6 * time.Second
	closeTime = 3 * time.Second
)

// run listens and serves until the app's context ends.
func (s *serving) run(app *app) error {
	listener, err := listen(app.ctx, s.set.addr)
	if err != nil {
		s.accounts.Close()
		return err
	}
	server := newHTTPServer(s.sync, slog.NewLogLogger(s.log.Handler(), slog.LevelWarn))
	url := "http://" + shownHost(listener.Addr()) + "/"
	if c := s.set.certificates; c != nil {
		c.log = s.log
		url = "https" + url[len("http"):]
		server.TLSConfig = &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
	}
	served := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			served <- server.ServeTLS(listener, "", "")
		} else {
			served <- server.Serve(listener)
		}
	}()
	s.ready(app, listener, url)
	ctx, cancel := context.WithCancel(app.ctx)
	defer cancel()
	go s.giveBack(ctx)
	go s.tidy(ctx)
	select {
	case err = <-served:
		err = fault.Wrap(fault.Other, err, "serve")
	case <-app.ctx.Done():
	}
	s.stop(server)
	return err
}

// newHTTPServer returns a server that does not wait for ever.
func newHTTPServer(h http.Handler, log *log.Logger) *http.Server {
	return &http.Server{
		Handler: h, ErrorLog: log, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaders,
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: streamWindow, MaxReceiveBufferPerConnection: connWindow, WriteByteTimeout: writeTime},
	}
}

// ready tells that requests are taken now.
func (s *serving) ready(app *app, listener net.Listener, url string) {
	app.out.begin()
	s.log.Info("ready", "url", url, "address", listener.Addr().String(), "data", s.set.dir)
	if s.set.gap != "" {
		s.log.Warn(s.set.gap)
	}
	if s.set.certificates == nil && !onLoopback(listener.Addr()) {
		s.log.Warn("plain HTTP on a network: passwords and cards can be read on the way, and browsers give pages no storage; " +
			"use --tls-cert and --tls-key, or a proxy that has them")
	}
	app.out.announce("ready", map[string]string{"url": url}, s.set.describe(url))
}

// stop ends the service: nothing new is taken, what is under way may end, the rest is cut off and rolled back.
func (s *serving) stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime+closeTime)
	defer cancel()
	s.log.Info("stopping")
	closed := make(chan error, 1)
	go func() { closed <- s.sync.Close(ctx) }() // ends those who only listen at once
	drain, cancelDrain := context.WithTimeout(ctx, drainTime)
	defer cancelDrain()
	if err := server.Shutdown(drain); err != nil {
		_ = server.Close()
	}
	if err := <-closed; err != nil {
		s.log.Warn("stop", "error", err.Error())
	}
	s.log.Info("stopped")
}

// listen opens the port. 0.0.0.0 means IPv4 alone, as with the reference; Go would take IPv6 as well.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	network := "tcp"
	if both, err := netip.ParseAddrPort(addr); err == nil && both.Addr().Is4() {
		network = "tcp4"
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, network, addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.New(fault.Busy, "another program listens at %s already", addr).WithHint("End it, or choose another --addr.")
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.New(fault.Other, "listening at %s is not allowed", addr).WithHint("Ports below 1024 need special rights; choose a higher one.")
	}
	return nil, fault.Wrap(fault.InvalidInput, err, "listen at %s", addr)
}

// shownHost is host and port that a browser on this machine can use.
func shownHost(addr net.Addr) string {
	both, err := netip.ParseAddrPort(addr.String())
	if err == nil && both.Addr().IsUnspecified() {
		_, port, _ := net.SplitHostPort(addr.String())
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr.String()
}

func onLoopback(addr net.Addr) bool {
	both, err := netip.ParseAddrPort(addr.String())
	return err == nil && both.Addr().Unmap().IsLoopback()
}
