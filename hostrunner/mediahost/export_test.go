package mediahost

// What tests need to reach: rules of systems that the tests do not run on.

// WindowsRefuses is the rule for names on Windows.
var WindowsRefuses = windowsRefuses

// IsExact tells whether a folder's name is taken as exact if looking it up finds the file that has the name found, as on a
// disk that ignores case.
func IsExact(dir, name, found string) (bool, error) {
	f, err := openFolder(dir)
	if err != nil {
		return false, err
	}
	defer f.close()
	info, err := f.root.Lstat(found)
	if err != nil {
		return false, err
	}
	return f.isExact(name, info)
}
