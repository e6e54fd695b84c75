package ankitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Request makes a hand-made request to the server and returns the decompressed answer.
func (s *Server) Request(u User, session, method string, payload []byte) ([]byte, error) {
	req, err := http.NewRequest("POST", s.URL+"sync/"+method, bytes.NewReader(Compress(payload)))
	if err != nil {
		return nil, err
	}
	header, err := json.Marshal(map[string]any{"v": 11, "k": u.Key(), "c": "ankitest,1,linux", "s": session})
	if err != nil {
		return nil, err
	}
	req.Header.Set("anki-sync", string(header))
	req.Header.Set("content-type", "application/octet-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", method, resp.StatusCode)
	}
	return Decompress(body)
}

// Upload makes file the user's collection on the server, whatever is there; nil makes a new one.
func (s *Server) Upload(u User, file []byte) error {
	answer, err := s.Request(u, "ankitest", "upload", file)
	if err == nil && string(answer) != "OK" {
		err = errors.New("upload: " + string(answer))
	}
	return err
}

// UploadFile is Upload of the collection file at path, which must not be open.
func (s *Server) UploadFile(u User, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return s.Upload(u, b)
}

// Compress returns b as one zstd frame.
func Compress(b []byte) []byte {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
	if err != nil {
		panic(err)
	}
	defer e.Close()
	return e.EncodeAll(b, nil)
}

// Decompress is the inverse of Compress.
func Decompress(b []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(b, nil)
}
