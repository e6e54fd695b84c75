package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// lister is a media server that has a list and no files: to fill the index of a client with 100,000 names, sending as many
// files to the real server would take minutes.
type lister struct {
	*httptest.Server
	names []string
	sums  anki.Media
}

func newLister(sums anki.Media) *lister {
	l := &lister{names: slices.Sorted(maps.Keys(sums)), sums: sums}
	l.Server = httptest.NewServer(l)
	return l
}

// ServeHTTP answers begin, mediaChanges and mediaSanity.
func (l *lister) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		LastUSN int `json:"lastUsn"`
	}
	var data any
	switch path.Base(r.URL.Path) {
	case "begin":
		data = map[string]any{"usn": len(l.names), "sk": "key"}
	case "mediaChanges":
		body, err := io.ReadAll(r.Body)
		if err == nil {
			body, err = anki.Decompress(body)
		}
		if err == nil {
			err = json.Unmarshal(body, &request)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		data = l.page(request.LastUSN)
	case "mediaSanity":
		data = "OK"
	default:
		http.Error(w, "this server has no files", http.StatusConflict)
		return
	}
	b, err := json.Marshal(map[string]any{"data": data, "err": ""})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("anki-original-size", strconv.Itoa(len(b)))
	_, _ = fmt.Fprintf(w, "%s", anki.Compress(b))
}

// page returns the rows after a change number.
func (l *lister) page(after int) [][3]any {
	const rows = 1000
	page := [][3]any{}
	for usn := after + 1; usn <= len(l.names) && len(page) < rows; usn++ {
		name := l.names[usn-1]
		page = append(page, [3]any{name, usn, l.sums[name]})
	}
	return page
}
