package hostrunner

import (
	"context"
	"crypto/rand"
	"io"
	"os"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

// added is where new media files lie until the core has taken them. It is no folder that anybody empties while the profile is open: the core
// empties the one that it is in, but not those within, and the store of media files its own for drafts, with the first of them.
const added = host.Staging + "added"

// clearAdded removes what a killed run has left there. That it fails harms nobody now.
func clearAdded(dir string) {
	if root, err := os.OpenRoot(dir); err == nil {
		defer root.Close()
		_ = root.RemoveAll(added)
	}
}

// AddMedia puts a new file into the media folder, beside other methods, and returns the name that it got: the wanted one
// made fit for syncing, or one with a checksum if another file has that name. mediaType is that of the content, e.g.
// "image/png", or "". The content is streamed. fault.InvalidInput if it is empty or larger than 100 MiB.
func (p *Profile) AddMedia(ctx context.Context, name, mediaType string, content io.Reader) (r service.AddMediaResult, err error) {
	staged := added + "/" + rand.Text()
	files := filehost.New(p.opts.Dir, nil)
	if err := stage(files, staged, content); err != nil {
		return r, err
	}
	defer func() { _ = files.Remove(staged) }() // the core has removed it, unless it was not reached
	return r, p.beside(ctx, service.MethodAddMedia, service.AddMediaParams{Name: name, Type: mediaType, File: staged}, &r)
}

func stage(files *filehost.Files, name string, content io.Reader) error {
	f, err := files.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = files.Remove(name) // the first error is the one to tell
		return fault.Step("read the new media file", err)
	}
	return nil
}

// RemoveMedia moves a media file to the trash, beside other methods; the next sync deletes it on the server, too.
// fault.NotFound if no one is known to have it.
func (p *Profile) RemoveMedia(ctx context.Context, name string) error {
	return p.beside(ctx, service.MethodRemoveMedia, service.MediaNameParams{Name: name}, &struct{}{})
}

// MediaState says whether a media file is here, coming or missing, and how many there are; "" asks for the numbers alone.
func (p *Profile) MediaState(ctx context.Context, name string) (r service.MediaStateResult, err error) {
	return r, p.beside(ctx, service.MethodMediaState, service.MediaNameParams{Name: name}, &r)
}
