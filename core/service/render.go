package service

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/render"
)

// RenderParams name a card: one that is stored, by CardID, or one of a note that is not, for the preview of an editor.
type RenderParams struct {
	CardID     int64    `json:"cardId,omitempty"`
	NotetypeID int64    `json:"notetypeId,omitempty"`
	Ord        int      `json:"ord,omitempty"` // of the template, or the number of the cloze minus 1
	Fields     []string `json:"fields,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}

// RenderResult is what a card shows (study.md §2). Everything in it comes from strangers: show it in a frame without access to
// the app.
type RenderResult struct {
	Question string   `json:"question"` // HTML; sounds are [anki:play:q:0] and so on, the typed answer is Typed.Marker
	Answer   string   `json:"answer"`   // likewise, with [anki:play:a:0]; it may have those of the question, too
	CSS      string   `json:"css"`      // goes in front of each side
	Ord      int      `json:"ord"`      // the body has the classes card and card<ord + 1>
	AV       RenderAV `json:"av"`
	// Typed is what is to be typed in, if anything is. CompareTyped makes what stands for its marker in the answer.
	Typed *render.Typed `json:"typed,omitempty"`
	// Empty is why there is nothing to ask: the question is then what there is of it, and the answer is empty.
	Empty render.Empty `json:"empty,omitempty"`
	// Error is the mistake in the template that keeps the card from being shown: both sides are empty then.
	Error *render.Error `json:"error,omitempty"`
}

// RenderAV has what is to be played, in order.
type RenderAV struct {
	Question []render.AV `json:"question"`
	Answer   []render.AV `json:"answer"`
}

// AppendJSON appends r as JSON.
func (r RenderResult) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "question", r.Question)
	dst = jsontext.PutText(dst, "answer", r.Answer)
	dst = jsontext.PutText(dst, "css", r.CSS)
	dst = jsontext.PutInt(dst, "ord", int64(r.Ord))
	dst = append(jsontext.AppendKey(dst, "av"), `{"question":`...)
	dst = append(appendAV(dst, r.AV.Question), `,"answer":`...)
	dst = append(appendAV(dst, r.AV.Answer), '}')
	if r.Typed != nil {
		dst = r.Typed.AppendJSON(jsontext.AppendKey(dst, "typed"))
	}
	if r.Empty != "" {
		dst = jsontext.PutText(dst, "empty", string(r.Empty))
	}
	if r.Error != nil {
		dst = r.Error.AppendJSON(jsontext.AppendKey(dst, "error"))
	}
	return append(dst, '}')
}

func appendAV(dst []byte, list []render.AV) []byte {
	dst = append(dst, '[')
	for _, av := range list {
		dst = av.AppendJSON(jsontext.Separate(dst))
	}
	return append(dst, ']')
}

// CompareTypedParams name what was typed, and what was expected: by CardID, or as it is in a result of render.
type CompareTypedParams struct {
	CardID   int64  `json:"cardId,omitempty"`
	Expected string `json:"expected,omitempty"` // HTML
	NoMarks  bool   `json:"nc,omitempty"`       // combining marks do not matter
	Typed    string `json:"typed"`
}

// CompareTypedResult has the comparison.
type CompareTypedResult struct {
	HTML string `json:"html"`
}

// AppendJSON appends r as JSON.
func (r CompareTypedResult) AppendJSON(dst []byte) []byte {
	return append(jsontext.PutText(append(dst, '{'), "html", r.HTML), '}')
}

func (o *RenderParams) read(p *params) error {
	o.CardID, o.NotetypeID, o.Ord = p.number("cardId"), p.number("notetypeId"), int(p.number("ord"))
	o.Fields, o.Tags = p.texts("fields"), p.texts("tags")
	return p.end()
}

func (o *CompareTypedParams) read(p *params) error {
	o.CardID, o.Expected, o.NoMarks, o.Typed = p.number("cardId"), p.text("expected"), p.flag("nc"), p.text("typed")
	return p.end()
}

// number is 0 if the parameter is missing.
func (p *params) number(key string) int64 {
	if v := p.integer(key); v != nil {
		return *v
	}
	return 0
}

func (p *params) texts(key string) (list []string) {
	if raw := p.take(key); raw != nil {
		var ok bool
		if list, ok = jsontext.Strings(raw); !ok {
			p.wrongType(key)
		}
	}
	return list
}

func (s *Service) render(_ context.Context, p RenderParams) (r RenderResult, err error) {
	c, err := s.card(p)
	if err != nil {
		return r, err
	}
	sides := render.Render(c)
	return RenderResult{
		Question: sides.Question, Answer: sides.Answer, CSS: c.Notetype.CSS, Ord: c.Ord,
		AV: RenderAV{Question: sides.QuestionAV, Answer: sides.AnswerAV}, Typed: sides.Typed, Empty: sides.Empty, Error: sides.Err,
	}, nil
}

// card reads what there is to render.
func (s *Service) card(p RenderParams) (*render.Card, error) {
	if s.profile == nil {
		return nil, notOpen()
	}
	db := s.profile.DB()
	if p.CardID != 0 {
		return render.LoadCard(db, p.CardID)
	}
	n, err := render.Load(db, p.NotetypeID)
	if err != nil {
		return nil, err
	}
	if len(p.Fields) != len(n.Fields) {
		return nil, fault.New(fault.InvalidInput, "the notetype has %d fields, not %d", len(n.Fields), len(p.Fields))
	}
	return &render.Card{Notetype: n, Ord: p.Ord, Fields: p.Fields, Tags: p.Tags, Deck: render.NoDeck}, nil
}

func (s *Service) compareTyped(_ context.Context, p CompareTypedParams) (r CompareTypedResult, err error) {
	if p.CardID != 0 {
		c, err := s.card(RenderParams{CardID: p.CardID})
		if err != nil {
			return r, err
		}
		t := render.Render(c).Typed
		if t == nil {
			return r, fault.New(fault.InvalidInput, "card %d asks for no typed answer", p.CardID)
		}
		p.Expected, p.NoMarks = t.Expected, t.NoMarks
	}
	return CompareTypedResult{render.CompareTyped(s.host.Text, p.Expected, p.Typed, p.NoMarks)}, nil
}
