package anki

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Call sends one hand-made request to the server and returns the status and the decompressed answer.
func (a *Account) Call(method, session string, payload []byte) (int, []byte, error) {
	return a.call("sync/"+method, session, payload)
}

func (a *Account) call(path, session string, payload []byte) (int, []byte, error) {
	req, err := http.NewRequest("POST", a.server.URL+path, bytes.NewReader(Compress(payload)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("anki-sync", fmt.Sprintf(`{"v":11,"k":%q,"c":"test","s":%q}`, a.Key, session))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("anki-original-size") == "" {
		return resp.StatusCode, body, err
	}
	body, err = Decompress(body)
	return resp.StatusCode, body, err
}

func (a *Account) mustCall(t testing.TB, method string, payload []byte) []byte {
	t.Helper()
	status, body, err := a.Call(method, "harness", payload)
	if err != nil || status != 200 {
		t.Fatalf("%s: %d %.200s %v", method, status, body, err)
	}
	return body
}

// Install makes a file the account's collection.
func (a *Account) Install(t testing.TB, file []byte) {
	t.Helper()
	if body := a.mustCall(t, "upload", file); string(body) != "OK" {
		t.Fatalf("upload: %s", body)
	}
}

// Bytes returns the account's collection. The server counts that as a change, as with every download.
func (a *Account) Bytes(t testing.TB) []byte {
	t.Helper()
	return a.mustCall(t, "download", []byte("{}"))
}

// Download writes the account's collection to a new file, and returns its path.
func (a *Account) Download(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.anki2")
	if err := os.WriteFile(path, a.Bytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Compress returns b as one zstd frame.
func Compress(b []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err) // only for wrong options
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

// Decompress is the reverse of Compress.
func Decompress(b []byte) ([]byte, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.DecodeAll(b, nil)
}
