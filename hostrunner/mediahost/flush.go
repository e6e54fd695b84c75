package mediahost

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
)

// Flush makes installed and trashed files durable (see host.Media). The system cannot be told to stop; when ctx ends
// first, it goes on behind.
func (m *Media) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Cancelled, err, "flush %s", Folder)
	}
	m.release()
	done := make(chan error, 1)
	go func() { done <- m.flush() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fault.Wrap(fault.Cancelled, ctx.Err(), "flush %s", Folder)
	}
}
