package syncserver

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// SlowListener is how long a listener may take over a message.
const SlowListener = slowListener

// Cut is what the timer of an answer does over HTTP/2.
func Cut(w http.ResponseWriter) { w.(*responseWriter).cut() }

// Sweep closes what has not been used for long at a time, and returns how many accounts are left open.
func (s *Server) Sweep(now time.Time) int { return s.tenants.sweep(now) }

// MethodsWithKey are the paths of all methods of the protocol that need a key.
func MethodsWithKey() (list []string) {
	for _, methods := range []map[string]*method{collectionMethods, mediaMethods} {
		for _, path := range slices.Sorted(maps.Keys(methods)) {
			if !methods[path].open {
				list = append(list, path)
			}
		}
	}
	return list
}

// RoutesWithKey are verb and path of all endpoints below /api/ that need a key.
func RoutesWithKey() (list [][2]string) {
	for _, r := range apiRoutes {
		if !r.open {
			list = append(list, [2]string{r.verb, r.path})
		}
	}
	return list
}
