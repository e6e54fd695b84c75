package service

import (
	"context"

	"github.com/cardferry/cardferry/core/colpkg"
)

// ExportParams say whether the media files go into the package.
type ExportParams struct {
	Media bool `json:"media"`
}

// ExportResult names the staged file with the package. The host takes its content and removes it.
type ExportResult = colpkg.Exported

func (o *ExportParams) read(p *params) error {
	o.Media = p.flag("media")
	return p.end()
}

// ImportParams name the staged file with a package, which the host has put there since the profile was opened and removes
// afterwards.
type ImportParams struct {
	File string `json:"file"`
}

// ImportResult has the id of the backup of what was replaced.
type ImportResult = colpkg.Imported

func (o *ImportParams) read(p *params) error {
	o.File = p.text("file")
	return p.end()
}

func (s *Service) exportFile(ctx context.Context, p ExportParams) (ExportResult, error) {
	if s.profile == nil {
		return ExportResult{}, notOpen()
	}
	return colpkg.Export(ctx, s.host, s.profile, p.Media)
}

func (s *Service) importFile(ctx context.Context, p ImportParams) (ImportResult, error) {
	if s.profile == nil {
		return ImportResult{}, notOpen()
	}
	return colpkg.Import(ctx, s.host, s.profile, p.File)
}
