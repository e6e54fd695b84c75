package syncserver

import (
	"net/http"
	"slices"
)

// Origins are web origins ("https://app.example") whose pages may send requests; "*" stands for all of them. No request
// is authenticated by a cookie, so that a page can do no more than a program could.
type Origins []string

// Handle sets the CORS headers of the answer, if the request comes from an allowed page, and answers a preflight, which
// is then done. Other requests go on: a browser keeps the answer from the page.
func (o Origins) Handle(w http.ResponseWriter, r *http.Request) (done bool) {
	if len(o) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(o, origin) && !slices.Contains(o, "*") {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "anki-original-size, content-length, location, retry-after")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	h.Set("Access-Control-Allow-Headers", "anki-sync, authorization, content-type, last-event-id")
	h.Set("Access-Control-Max-Age", "3600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// protection refuses requests that change something and come from a page of an origin that is neither the server's nor allowed.
func (o Origins) protection() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	for _, origin := range o {
		if origin == "*" {
			p.AddInsecureBypassPattern("/")
		} else if err := p.AddTrustedOrigin(origin); err != nil {
			continue // not an origin: no browser sends it
		}
	}
	return p
}
