package mediasync_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/wire"
)

// server is a small msync server after media-sync.md §9, for injecting faults: what is true of the real one is tested
// against that (hostrunner/interop).
type server struct {
	mu    sync.Mutex
	rows  map[string]*serverRow
	last  int
	count int // of live rows, as maintained
	log   []string
	// before, if set, is asked before a request is carried out, and after before its answer is returned: a response or
	// error of theirs is the answer.
	before, after func(method string, body []byte) (*host.Response, error)
}

type serverRow struct {
	data []byte // nil: deleted
	sum  string
	usn  int
	lost bool // the file is missing on the disk
}

func newServer() *server { return &server{rows: map[string]*serverRow{}} }

func sumOf(data []byte) string {
	s := sha1.Sum(data)
	return hex.EncodeToString(s[:])
}

// put does what an upload of one file by another device does; nil deletes.
func (s *server) put(name string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(name, data)
}

func (s *server) apply(name string, data []byte) {
	r := s.rows[name]
	alive := r != nil && r.data != nil
	switch {
	case data == nil && !alive, alive && data != nil && r.sum == sumOf(data):
		return
	case data == nil:
		s.count--
	case !alive:
		s.count++
	}
	s.last++
	s.rows[name] = &serverRow{data: data, sum: sumOf(data), usn: s.last}
}

// files returns the live files.
func (s *server) files() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for name, r := range s.rows {
		if r.data != nil {
			all[name] = string(r.data)
		}
	}
	return all
}

// requests returns the methods asked for since the last call.
func (s *server) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := strings.Join(s.log, " ")
	s.log = nil
	return log
}

func status(code int) *host.Response {
	return &host.Response{Status: code, Body: []byte(strconv.Itoa(code))}
}

func okBody(body []byte) *host.Response {
	return &host.Response{
		Status: 200, Header: map[string]string{"anki-original-size": strconv.Itoa(len(body))}, Body: wire.NewCodec().Compress(nil, body),
	}
}

func okData(data any) *host.Response {
	b, err := json.Marshal(map[string]any{"data": data, "err": ""})
	if err != nil {
		panic(err)
	}
	return okBody(b)
}

// handle answers one request.
func (s *server) handle(_ context.Context, req *host.Request) (*host.Response, error) {
	method := path.Base(req.URL)
	body, err := wire.NewCodec().Decompress(nil, req.Body, 300<<20)
	if err != nil {
		return status(400), nil
	}
	s.mu.Lock()
	s.log = append(s.log, method)
	s.mu.Unlock()
	if s.before != nil {
		if resp, err := s.before(method, body); resp != nil || err != nil {
			return resp, err
		}
	}
	resp := s.carryOut(method, body)
	if s.after != nil {
		if other, err := s.after(method, body); other != nil || err != nil {
			return other, err
		}
	}
	return resp, nil
}

func (s *server) carryOut(method string, body []byte) *host.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		LastUsn int
		Files   []string
		Local   int
	}
	if method == mediawire.UploadChanges {
		return s.upload(body)
	}
	if json.Unmarshal(body, &in) != nil {
		return status(400)
	}
	switch method {
	case mediawire.Begin:
		return okData(map[string]any{"usn": s.last, "sk": "x"})
	case mediawire.MediaChanges:
		return okData(s.changes(in.LastUsn))
	case mediawire.DownloadFiles:
		return s.download(in.Files)
	case mediawire.MediaSanity:
		if in.Local == s.count {
			return okData("OK")
		}
		return okData("mediaSanity")
	}
	return status(400)
}

func (s *server) changes(after int) [][]any {
	names := slices.Collect(maps.Keys(s.rows))
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(s.rows[a].usn, s.rows[b].usn) })
	page := [][]any{}
	for _, name := range names {
		r := s.rows[name]
		if r.usn <= after || len(page) == 1000 {
			continue
		}
		sum := r.sum
		if r.data == nil {
			sum = ""
		}
		page = append(page, []any{name, r.usn, sum})
	}
	return page
}

func (s *server) download(names []string) *host.Response {
	if len(names) > mediawire.MaxEntries {
		return status(400)
	}
	files, total := [][2]string{}, 0
	for _, name := range names {
		if total > mediawire.BatchBytes {
			break
		}
		r := s.rows[name]
		if r == nil || r.data == nil {
			return status(409)
		}
		if r.lost {
			delete(s.rows, name)
			s.count--
			return status(409)
		}
		files = append(files, [2]string{name, string(r.data)})
		total += len(r.data)
	}
	return okBody(downloadZip(files))
}

// downloadZip makes the archive of an answer.
func downloadZip(files [][2]string) []byte {
	names := map[string]string{}
	var members [][2]string
	for i, f := range files {
		names[strconv.Itoa(i)] = f[0]
		members = append(members, [2]string{strconv.Itoa(i), f[1]})
	}
	list, _ := json.Marshal(names)
	return storedZip(append(members, [2]string{"_meta", string(list)}))
}

func storedZip(members [][2]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m[0], CRC32: crc32.ChecksumIEEE([]byte(m[1])), CompressedSize64: uint64(len(m[1])), UncompressedSize64: uint64(len(m[1]))}
		w, err := z.CreateRaw(h)
		if err == nil {
			_, err = io.WriteString(w, m[1])
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// unpack reads an upload; ok is false if a real server would refuse it.
func unpack(body []byte) (list [][2]any, files map[string][]byte, ok bool) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, nil, false
	}
	files = map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, nil, false
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, nil, false
		}
		files[f.Name] = b
	}
	if json.Unmarshal(files["_meta"], &list) != nil || len(list) > mediawire.MaxEntries {
		return nil, nil, false
	}
	for _, e := range list {
		name, _ := e[0].(string)
		member, isFile := e[1].(string)
		if name == "" || strings.Contains(name, "/") || isFile && len(files[member]) == 0 {
			return nil, nil, false
		}
	}
	return list, files, true
}

func (s *server) upload(body []byte) *host.Response {
	list, files, ok := unpack(body)
	if !ok {
		return status(400)
	}
	for _, e := range list {
		if member, isFile := e[1].(string); isFile {
			s.apply(e[0].(string), files[member])
		} else {
			s.apply(e[0].(string), nil)
		}
	}
	return okData([]int{len(list), s.last})
}

// broken is the error of a connection that was cut.
var broken error = fault.New(fault.Network, "the connection was cut")
