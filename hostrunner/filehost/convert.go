package filehost

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/cardferry/cardferry/core/fault"
)

// KindOf returns the kind of an operating system error about a file: StorageFull, NotWritable, NotFound or Other.
func KindOf(err error) fault.Kind {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fault.StorageFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.NotWritable
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return fault.NotFound
	}
	return fault.Other
}

// Convert wraps an operating system error with its kind, which is UnsupportedFile for a link that leads out of the folder; nil stays nil. The
// text of the error is kept, without the folder, which the user knows.
func Convert(err error, step string) error {
	if err == nil {
		return nil
	}
	kind := KindOf(err)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if strings.HasSuffix(err.Error(), escapes) {
		return fault.New(fault.UnsupportedFile, "%s: a link leads out of the profile folder", step).WithHint(linkHint)
	}
	return fault.Wrap(kind, err, "%s", step)
}

// escapes is the text of an error of package os that has no name.
const escapes = "path escapes from parent"

const linkHint = "Links must stay in the profile folder. Move it here, or use the folder that it is in."
