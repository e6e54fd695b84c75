package syncserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// statusError is an error with an HTTP status that is neither 400 nor 500.
type statusError struct {
	status     int
	reason     string // for the log
	retryAfter int    // seconds; 0: not said
	location   string
}

// Error returns the reason.
func (e *statusError) Error() string { return fmt.Sprintf("%d: %s", e.status, e.reason) }

func refuse(status int, reason string) error { return &statusError{status: status, reason: reason} }

// unavailable is for what another try, in a while, will overcome.
func unavailable(reason string) error {
	return &statusError{status: http.StatusServiceUnavailable, reason: reason, retryAfter: 5}
}

// statusOf maps an error to an HTTP status (§19). 400 makes a client ask for a database check, so it is only for
// what the client has sent.
func statusOf(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	if _, ok := errors.AsType[*store.Elsewhere](err); ok {
		return http.StatusServiceUnavailable
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	switch fault.KindOf(err) {
	case fault.DamagedDownload, fault.InvalidInput, fault.Resync:
		return http.StatusBadRequest
	case fault.Busy, fault.Cancelled, fault.Closed:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// gone reports whether an error means that the client has hung up or was cut off: there is nobody to answer.
func gone(err error) bool {
	return errors.Is(err, errStalled) || errors.Is(err, errHungUp) || errors.Is(err, errStopped) || errors.Is(err, context.Canceled)
}

// ordinary reports whether an error of 500 or more is nothing that the server's owner should look at: any client could fill the log with it.
func ordinary(status int, err error) bool {
	return status == http.StatusNotImplemented || errors.Is(err, errSuperseded) || errors.Is(err, errCrowded)
}

var (
	errStalled = errors.New("the client has sent or taken nothing for too long")
	errHungUp  = errors.New("the client has hung up")
	errStopped = errors.New("cut off: the server is being stopped")
)
