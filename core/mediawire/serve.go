package mediawire

import (
	"encoding/hex"
	"errors"
	"math"
	"strconv"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
)

// The decoders and encoders of this file are a server's: of what clients send, and of the answers. The decoders are as
// strict as the reference's server.

var (
	errNoClient = errors.New("the client does not say what it is")
	errNames    = errors.New("more names than one request may have")
)

// member decodes the one member of a request that matters; others are ignored.
func member[T any](b []byte, method, key string, parse func(raw []byte) (T, bool)) (v T, err error) {
	members, err := jsontext.ParseObject(b)
	if err == nil {
		var ok bool
		if v, ok = parse(jsontext.Get(members, key)); ok {
			return v, nil
		}
		err = errType
	}
	var none T
	return none, damaged("the request "+method, err)
}

// ParseBeginRequest decodes the request begin: what the client calls itself, which must not be nothing.
func ParseBeginRequest(b []byte) (client string, err error) {
	client, err = member(b, Begin, "v", jsontext.String)
	if err == nil && client == "" {
		err = damaged("the request "+Begin, errNoClient)
	}
	return client, err
}

// ParseChangesRequest decodes the request mediaChanges: the change number that the client has.
func ParseChangesRequest(b []byte) (after int32, err error) {
	return member(b, MediaChanges, "lastUsn", jsontext.Int32)
}

// ParseDownloadRequest decodes the request downloadFiles: up to MaxEntries names.
func ParseDownloadRequest(b []byte) (names []string, err error) {
	names, err = member(b, DownloadFiles, "files", jsontext.Strings)
	if err == nil && len(names) > MaxEntries {
		return nil, damaged("the request "+DownloadFiles, errNames)
	}
	return names, err
}

// ParseSanityRequest decodes the request mediaSanity: how many files the client has.
func ParseSanityRequest(b []byte) (files int64, err error) {
	return member(b, MediaSanity, "local", func(raw []byte) (int64, bool) { return jsontext.IntIn(raw, 0, math.MaxUint32) })
}

// wrap begins the wrapper of an answer (§3.3), unwrapped ends it. Old clients require err.
func wrap(dst []byte) []byte      { return append(dst, `{"data":`...) }
func unwrapped(dst []byte) []byte { return append(dst, `,"err":""}`...) }

// AppendBegin appends the answer to begin: the highest change number, and the key that clients expect to get back.
func AppendBegin(dst []byte, usn int32, key string) []byte {
	dst = jsontext.PutInt(append(wrap(dst), '{'), "usn", int64(usn))
	return unwrapped(append(jsontext.PutText(dst, "sk", key), '}'))
}

// AppendChanges appends the answer to mediaChanges.
func AppendChanges(dst []byte, list []Change) []byte {
	dst = append(wrap(dst), '[')
	for _, c := range list {
		dst = append(jsontext.AppendString(append(jsontext.Separate(dst), '['), c.Name), ',')
		dst = append(jsontext.AppendInt(dst, int64(c.USN)), ',', '"')
		dst = append(hex.AppendEncode(dst, []byte(c.SHA1)), '"', ']')
	}
	return unwrapped(append(dst, ']'))
}

// AppendUpload appends the answer to uploadChanges.
func AppendUpload(dst []byte, processed int, usn int32) []byte {
	dst = append(jsontext.AppendInt(append(wrap(dst), '['), int64(processed)), ',')
	return unwrapped(append(jsontext.AppendInt(dst, int64(usn)), ']'))
}

// AppendSanity appends the answer to mediaSanity.
func AppendSanity(dst []byte, equal bool) []byte {
	word := MediaSanity
	if equal {
		word = "OK"
	}
	return unwrapped(jsontext.AppendString(wrap(dst), word))
}

// Served is a file of an answer to downloadFiles, with the checksum of its content.
type Served struct {
	Name string
	Size int64
	CRC  uint32
}

// DownloadBody returns the answer to downloadFiles (§5.2), one zstd frame like UploadBody's, and the length of the archive in
// it. The Media of a part is the place of its file in files, in digits; content that is not as long as Size says makes it garbage.
func DownloadBody(files []Served) (parts []host.BodyPart, size int64) {
	var z zipWriter
	names := []byte("{")
	for i, f := range files {
		member := strconv.Itoa(i)
		names = jsontext.PutText(names, member, f.Name)
		z.member(member, f.CRC, f.Size)
		z.file(Entry{Name: member, File: host.MediaFile{Size: f.Size}})
	}
	names = append(names, '}')
	z.member(meta, crcOf(names), int64(len(names)))
	z.plain = append(z.plain, names...)
	parts = z.end()
	return parts, z.size
}
