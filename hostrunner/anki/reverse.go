package anki

import (
	"net/http"
	"net/http/httputil"
)

// Reverse is a reverse proxy that does not break a long answer. Without full duplex, net/http closes the request's body as the answer begins;
// the proxy's transport may still be about to read its end, takes the error for one of the request, and closes the connection.
func Reverse(p *httputil.ReverseProxy) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // a recorder has no connection that could
		p.ServeHTTP(w, r)
	})
}
