package service

import (
	"context"

	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/mediasync"
)

// AddMediaParams name a new media file. File is a file of the profile below host.Staging with its content; it is removed.
type AddMediaParams struct {
	Name string `json:"name"`
	Type string `json:"type"` // media type of the content, "" if it is not known
	File string `json:"file"`
}

// AddMediaResult has the name that the file got.
type AddMediaResult = mediasync.File

// MediaNameParams name a media file.
type MediaNameParams struct {
	Name string `json:"name"`
}

// MediaStateResult says where a file is ("here", "coming", "missing"; "" if none was named), and how many files are here
// and, together with those to come, there are.
type MediaStateResult struct {
	State string `json:"state"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// AppendJSON appends r as JSON.
func (r MediaStateResult) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "state", r.State)
	return append(jsontext.PutInt(jsontext.PutInt(dst, "done", r.Done), "total", r.Total), '}')
}

func (o *AddMediaParams) read(p *params) error {
	o.Name, o.Type, o.File = p.text("name"), p.text("type"), p.text("file")
	return p.end()
}

func (o *MediaNameParams) read(p *params) error {
	o.Name = p.text("name")
	return p.end()
}

func (s *Service) addMedia(ctx context.Context, p AddMediaParams) (AddMediaResult, error) {
	return s.media("").Add(ctx, mediasync.New{Name: p.Name, MediaType: p.Type, File: p.File})
}

func (s *Service) removeMedia(ctx context.Context, p MediaNameParams) (none, error) {
	return none{}, s.media("").Remove(ctx, p.Name)
}

func (s *Service) mediaState(ctx context.Context, p MediaNameParams) (MediaStateResult, error) {
	r, err := s.media("").Look(ctx, p.Name)
	return MediaStateResult(r), err
}
