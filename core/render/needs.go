package render

// Needs returns what the reference keeps about a template as a summary, which nothing consults: whether no field at all (0), any
// of some fields (1) or all of them together (2) make it show something.
func Needs(n *Notetype, ord int) (kind int64, fields []int64) {
	front, err := parseTemplate(n.Templates[ord].Front)
	if err != nil {
		return 0, nil
	}
	// shows looks at the front with one field only, or with all others.
	shows := func(field int, others bool) bool {
		return front.shows(func(key string) bool {
			for i, name := range n.Fields {
				if name == key {
					return (i == field) != others
				}
			}
			return false
		})
	}
	for i := range n.Fields {
		if shows(i, false) {
			fields = append(fields, int64(i))
		}
	}
	if fields != nil {
		return 1, fields
	}
	if !shows(-1, true) {
		return 0, nil
	}
	for i := range n.Fields {
		if !shows(i, true) {
			fields = append(fields, int64(i))
		}
	}
	return 2, fields
}
