package mediahost

// systemRefuses reports whether the system cannot hold a name, or takes it for something else.
func systemRefuses(name string) bool { return windowsRefuses(name) }
