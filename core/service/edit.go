package service

import (
	"context"

	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// EditParams are the operations of one edit, which happen all together or not at all.
type EditParams struct {
	Ops []edit.Op `json:"ops"`
	// Call names the call, if the host may ask again for a result that it has lost: a call that was done is not done again.
	Call string `json:"call"`
}

func (o *EditParams) read(p *params) error {
	raw := p.take("ops")
	o.Call = p.text("call")
	if err := p.end(); err != nil {
		return err
	}
	if raw == nil {
		return fault.New(fault.InvalidInput, "the parameter \"ops\" is missing")
	}
	var err error
	o.Ops, err = edit.ParseOps(raw)
	return err
}

// EditResult has a result for each operation.
type EditResult struct {
	Results []edit.Result `json:"results"`
}

// AppendJSON appends r as JSON.
func (r EditResult) AppendJSON(dst []byte) []byte {
	dst = append(jsontext.AppendKey(append(dst, '{'), "results"), '[')
	for _, one := range r.Results {
		dst = one.AppendJSON(jsontext.Separate(dst))
	}
	return append(dst, "]}"...)
}

// UndoResult has the name of what was taken back: that of the edit's first operation.
type UndoResult struct {
	Undone string `json:"undone"`
}

// AppendJSON appends r as JSON.
func (r UndoResult) AppendJSON(dst []byte) []byte {
	return append(jsontext.PutText(append(dst, '{'), "undone", r.Undone), '}')
}

// UndoParams may name the call, as EditParams do.
type UndoParams struct {
	Call string `json:"call"`
}

func (o *UndoParams) read(p *params) error {
	o.Call = p.text("call")
	return p.end()
}

// encoded is a result as JSON.
type encoded []byte

func (e encoded) AppendJSON(dst []byte) []byte { return append(dst, e...) }

func (s *Service) edit(_ context.Context, p EditParams) (encoded, error) {
	return s.onceOnly(p.Call, func(done func(jsontext.Appender) error) (jsontext.Appender, error) {
		results, err := edit.Apply(s.host, s.profile.DB(), p.Ops, func(r []edit.Result) error { return done(EditResult{r}) })
		return EditResult{results}, err
	})
}

func (s *Service) undo(_ context.Context, p UndoParams) (encoded, error) {
	return s.onceOnly(p.Call, func(done func(jsontext.Appender) error) (jsontext.Appender, error) {
		name, err := edit.Undo(s.host, s.profile.DB(), func(name string) error { return done(UndoResult{name}) })
		return UndoResult{name}, err
	})
}

// onceOnly runs a change of the collection, which calls done at the end of its transaction, unless the call of that name
// was done already; "" is a call that nobody repeats.
func (s *Service) onceOnly(call string, change func(done func(jsontext.Appender) error) (jsontext.Appender, error)) (encoded, error) {
	if s.profile == nil {
		return nil, notOpen()
	}
	done := func(jsontext.Appender) error { return nil }
	if call != "" {
		if result, err := s.profile.FinishedCall(call); err != nil || result != nil {
			return result, err
		}
		done = func(r jsontext.Appender) error { return s.profile.FinishCall(call, r.AppendJSON(nil)) }
	}
	r, err := change(done)
	if err != nil {
		return nil, err
	}
	return r.AppendJSON(nil), nil
}
