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
}

func (o *EditParams) read(p *params) error {
	raw := p.take("ops")
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

func (s *Service) edit(_ context.Context, p EditParams) (EditResult, error) {
	if s.profile == nil {
		return EditResult{}, notOpen()
	}
	results, err := edit.Apply(s.host, s.profile.DB(), p.Ops)
	return EditResult{Results: results}, err
}

func (s *Service) undo(context.Context, none) (UndoResult, error) {
	if s.profile == nil {
		return UndoResult{}, notOpen()
	}
	name, err := edit.Undo(s.host, s.profile.DB())
	return UndoResult{Undone: name}, err
}
