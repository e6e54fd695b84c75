package hostrunner

import "context"

// exports are those exports of a guest that run its tasks. Their errors mean that the guest has crashed.
type exports interface {
	startTask(task int32, request []byte) error
	deliver(e event) error
	tickTask(task int32) error
	cancelTask(task int32) error
}

// runTask starts a task and feeds the guest, with what the lender's network brings, until the task is done. It returns the
// answer envelope. When ctx ends it cancels the task and goes on: the requests that are left end within grace.
func runTask(ctx context.Context, x exports, l *lender, task int32, request []byte) ([]byte, error) {
	if err := x.startTask(task, request); err != nil {
		return nil, err
	}
	wait := ctx
	for {
		if answer := l.done[task]; answer != nil {
			delete(l.done, task)
			return answer, nil
		}
		var err error
		switch {
		case wait.Err() != nil:
			wait = context.Background()
			err = x.cancelTask(task)
		case len(l.ticks) > 0:
			l.ticks = l.ticks[:0]
			err = x.tickTask(task)
		default:
			err = deliverNext(wait, x, l)
		}
		if err != nil {
			return nil, err
		}
	}
}

// deliverNext waits for events and hands them to the guest. The end of ctx is no error.
func deliverNext(ctx context.Context, x exports, l *lender) error {
	events, err := l.net.next(ctx)
	if err != nil && ctx.Err() == nil {
		return err
	}
	for _, e := range events {
		if err := x.deliver(e); err != nil {
			return err
		}
	}
	return nil
}
